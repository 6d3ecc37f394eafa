"""Which scans are of the same thing: an image's repository whatever its tag, or a path whatever it is called from.

| kind | target | example |
|---|---|---|
| registry | registry and repository, without tag and digest | `docker.io/library/nginx` |
| docker, podman, containerd | the same behind the engine's name | `docker:docker.io/library/nginx` |
| oci, archives, dir, sbom | the absolute path, without a tag | `oci:/srv/images/app` |
"""

import os
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.oci.reference import Reference

ENGINES = ("docker", "podman", "containerd")
PATHS = ("oci", "oci-archive", "docker-archive", "dir", "sbom")
_TAGGED = ("oci", "oci-archive", "docker-archive")


class Identity(Struct, frozen=True):
    """A target through time, and its `reference`: this very one, with its tag or digest."""

    target: str
    reference: str


def identity(name: str, kind: str) -> Identity:
    """What a scan of `name` (as typed) and of that kind is a scan of. Anything has one; relative paths are of here."""
    if kind in PATHS:
        return _path(name, kind)
    rest = name.removeprefix(f"{kind}:").removeprefix("docker:" if kind == "registry" else "").removeprefix("//")
    prefix = f"{kind}:" if kind in ENGINES else ""
    try:
        found = Reference.parse(rest)
    except InputError:
        return Identity(prefix + rest, prefix + rest)
    return Identity(prefix + found.name, f"{prefix}{found}")


def identities(typed: str) -> tuple[Identity, ...]:
    """What a person may mean by a target, likeliest first: there is no looking, since it may be gone from here.

    A reference stands only where a tag or digest was typed: without one every tag is meant.
    """
    exact = Identity(typed, "")
    prefix, colon, _ = typed.partition(":")
    if colon and prefix in PATHS:
        return (exact, identity(typed, prefix))
    if colon and prefix in ("registry", *ENGINES):
        return (exact, _as_typed(typed, prefix))
    return (exact, _as_typed(typed, "registry"), *(_path(typed, kind) for kind in PATHS))


def _as_typed(typed: str, kind: str) -> Identity:
    found = identity(typed, kind)
    has_tag = "@" in typed or ":" in typed.removeprefix(f"{kind}:").rpartition("/")[2]
    return found if has_tag else Identity(found.target, "")


def _path(name: str, kind: str) -> Identity:
    path, tag = name.removeprefix(f"{kind}:"), ""
    if kind in _TAGGED and not Path(path).exists():
        head, colon, last = path.rpartition(":")
        if colon and head and "/" not in last:
            path, tag = head, last
    place = f"{kind}:{os.path.abspath(path or '.')}"  # noqa: PTH100  # pathlib leaves .. in, or asks the disk
    return Identity(place, f"{place}:{tag}" if tag else place)
