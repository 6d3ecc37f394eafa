"""What a target's name means: a known prefix wins, otherwise the kind is found by looking."""

import re
import stat
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError, NotFound
from holdfast.oci.open import detect
from holdfast.oci.reference import Reference

KINDS = ("oci", "oci-archive", "docker-archive", "dir", "dockerfile", "sbom")
ENGINES = ("docker", "podman", "containerd")
REMOTE = ("registry", *ENGINES)
# A host may be called so too: `registry:5000/app`.
_PORT = re.compile(r"[0-9]+/")
_PATHS = (".", "/", "~")
_HEAD = 8192
_ARCHIVES = ("oci-archive", "docker-archive")


class Plan(Struct, frozen=True):
    """A target understood: its kind, where it is, and the tag that selects an image inside (empty for none).

    What is not on disk has a `reference` instead of a path; `guessed` says that nothing but its form made it one.
    """

    name: str
    kind: str
    path: Path = Path()
    tag: str = ""
    reference: str = ""
    guessed: bool = False


def plan(target: str) -> Plan:
    """The plan for a target as typed; InputError where it can be no target, NotFound where nothing is there."""
    prefix, colon, rest = target.partition(":")
    if colon and prefix in REMOTE and not _PORT.match(rest):
        return _remote(target, prefix, rest)
    if colon and prefix in KINDS:
        if not rest:
            raise InputError("no path given", where=target, remedy=f"write {prefix}:PATH")
        return _prefixed(target, prefix, rest)
    path = Path(target)
    if target and path.exists():
        return Plan(target, _kind_of(path, target), path)
    head, colon, tag = target.rpartition(":")
    if colon and head and Path(head).exists() and detect(Path(head)):
        return Plan(target, detect(Path(head)), Path(head), tag)
    try:
        return Plan(target, "registry", reference=str(Reference.parse(target)), guessed=True)
    except InputError as error:
        what = "no such file or folder" if target.startswith(_PATHS) else f"no such file or folder, and {error.what}"
        raise NotFound(
            what, where=target, remedy=f"a target is a path, an image's name, or one of {_prefixes()}"
        ) from error


def _remote(target: str, kind: str, rest: str) -> Plan:
    """A registry's or engine's image. `docker://` is how other tools write a registry's."""
    if not rest.removeprefix("//"):
        raise InputError("no image named", where=target, remedy=f"write {kind}:NAME")
    if kind == "registry" or (kind == "docker" and rest.startswith("//")):
        return Plan(target, "registry", reference=str(Reference.parse(rest.removeprefix("//"))))
    return Plan(target, kind, reference=rest)


def _prefixed(target: str, kind: str, rest: str) -> Plan:
    path, tag = Path(rest), ""
    if kind in ("oci", *_ARCHIVES) and not path.exists() and ":" in rest:
        head, _, tag = rest.partition(":") if kind in _ARCHIVES else rest.rpartition(":")
        path = Path(head)
    if not path.exists():
        raise NotFound("no such file or folder", where=target)
    is_directory = path.is_dir()
    if is_directory != (kind in ("oci", "dir")):
        found = "a folder" if is_directory else "a file"
        raise InputError(f"{path} is {found}", where=target, remedy=f"a target of this sort is one of {_prefixes()}")
    return Plan(target, kind, path, tag)


def _kind_of(path: Path, target: str) -> str:
    if kind := detect(path):
        return kind
    if path.is_dir():
        return "dir"
    if stat.S_ISREG(path.stat().st_mode):
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if head[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return "sbom"
        from holdfast.misconfig.dockerfile.assess import looks_like_dockerfile

        if looks_like_dockerfile(path.name, head):
            return "dockerfile"
    raise InputError(
        "neither an image nor an SBOM, a Dockerfile or a folder", where=target, remedy=f"known kinds: {_prefixes()}"
    )


def _prefixes() -> str:
    return ", ".join(f"{kind}:" for kind in (*KINDS, *REMOTE))
