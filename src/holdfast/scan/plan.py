"""What a target's name means: a known prefix wins, otherwise the kind is found by looking."""

import stat
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError, NotFound
from holdfast.oci.open import detect

KINDS = ("oci", "oci-archive", "docker-archive", "dir", "sbom")
_ARCHIVES = ("oci-archive", "docker-archive")


class Plan(Struct, frozen=True):
    """A target understood: its kind, where it is, and the tag that selects an image inside (empty for none)."""

    name: str
    kind: str
    path: Path
    tag: str = ""


def plan(target: str) -> Plan:
    """The plan for a target as typed; InputError where it can be no target, NotFound where nothing is there."""
    prefix, colon, rest = target.partition(":")
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
    raise NotFound("no such file or folder", where=target, remedy=f"a target is a path, or one of {_prefixes()}")


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
            if stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
                return "sbom"
    raise InputError("neither an image nor an SBOM nor a folder", where=target, remedy=f"known kinds: {_prefixes()}")


def _prefixes() -> str:
    return ", ".join(f"{kind}:" for kind in KINDS)
