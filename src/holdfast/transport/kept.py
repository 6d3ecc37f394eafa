"""What a server said of a download, kept beside it, so that it need not send the same bytes twice."""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

_LIMIT = 64 * 1024


class Kept(Struct, frozen=True, omit_defaults=True):
    """The validators of a resource (RFC 9110 §8.8), where it came from, and its length and SHA-256 once complete."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""
    size: int = 0
    sha256: str = ""

    @property
    def validator(self) -> str:
        """What proves that two answers are parts of the same bytes: a strong ETag, else a date; empty where neither."""
        return self.last_modified if not self.etag or self.etag.startswith("W/") else self.etag


def part_of(path: Path) -> Path:
    """Where the file stands until it is complete."""
    return path.with_name(path.name + ".part")


def read(path: Path, address: str) -> Kept:
    """What is known of the file, if it is still the one that came from `address`; else nothing."""
    note = _note(path)
    try:
        if note.stat().st_size > _LIMIT:
            return Kept()
        found = msgspec.json.decode(note.read_bytes(), type=Kept)
        fits = found.address == address and path.stat().st_size == (found.size or path.stat().st_size)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return Kept()
    return found if fits else Kept()


def write(path: Path, kept: Kept) -> None:
    """Note it beside the file."""
    _note(path).write_bytes(msgspec.json.encode(kept))


def settle(part: Path, target: Path, kept: Kept) -> None:
    """Make a complete part the file itself. Killed in between, the file is simply asked for again."""
    _note(target).unlink(missing_ok=True)
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    write(target, kept)


def drop(part: Path) -> None:
    """Remove a part and its note."""
    with suppress(OSError):
        part.unlink(missing_ok=True)
        _note(part).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".http")
