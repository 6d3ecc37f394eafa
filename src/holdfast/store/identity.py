"""Which scans are of the same thing: an image's repository whatever its tag, or a path whatever it is called from.

| kind | target | example |
|---|---|---|
| registry | registry and repository, without tag and digest | `docker.io/library/nginx` |
| docker, podman, containerd | the same behind the engine's name | `docker:docker.io/library/nginx` |
| oci, archives, dir, dockerfile, sbom | the absolute path, without a tag | `oci:/srv/images/app` |
"""

import hashlib
import os
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.oci.reference import Reference
from holdfast.store.document import portable

ENGINES = ("docker", "podman", "containerd")
PATHS = ("oci", "oci-archive", "docker-archive", "dir", "dockerfile", "sbom")
_LONGEST = 500
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


def key(text: str) -> str:
    """A name as a database can look it up: portable, and of a long one the beginning and its hash.

    PostgreSQL indexes no text above 2,704 bytes, and a hostile image may call its platform anything.
    """
    text = portable(text)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… {hashlib.sha256(text.encode()).hexdigest()}"


def identities(typed: str) -> tuple[Identity, ...]:
    """What a person may mean by a target, likeliest first: there is no looking, since it may be gone from here.

    A reference stands only where a tag or digest was typed: without one every tag is meant.
    """
    exact = Identity(typed, "")
    prefix, colon, _ = typed.partition(":")
    if colon and prefix in PATHS:
        return (exact, _without_tag(_path(typed, prefix)))
    if colon and prefix in ("registry", *ENGINES):
        return (exact, _as_typed(typed, prefix))
    # As a scan has it: a path where there is one, else an image's name.
    return (exact, *(_without_tag(_path(typed, kind)) for kind in PATHS), _as_typed(typed, "registry"))


def _as_typed(typed: str, kind: str) -> Identity:
    found = identity(typed, kind)
    has_tag = "@" in typed or ":" in typed.removeprefix(f"{kind}:").rpartition("/")[2]
    return found if has_tag else Identity(found.target, "")


def _without_tag(found: Identity) -> Identity:
    """A path that was typed without a tag stands for all of them."""
    return Identity(found.target, "") if found.reference == found.target else found


def _path(name: str, kind: str) -> Identity:
    path, tag = name.removeprefix(f"{kind}:"), ""
    if kind in _TAGGED and not Path(path).exists():
        head, colon, last = path.rpartition(":")
        if colon and head and "/" not in last:
            path, tag = head, last
    place = f"{kind}:{os.path.abspath(path or '.')}"  # noqa: PTH100  # pathlib leaves .. in, or asks the disk
    return Identity(place, f"{place}:{tag}" if tag else place)
