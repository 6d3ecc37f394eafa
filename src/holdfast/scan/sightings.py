"""What tags were seen to lead to, and when: how a tag that was moved back to an older image is noticed."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

_MOST = 50
_LIMIT = 64 << 10


class Sighting(Struct, frozen=True):
    """A digest that a tag led to, and when that was first and last seen (ISO 8601, UTC)."""

    digest: str
    first: str
    last: str


class History(Struct, frozen=True):
    """What one reference led to, oldest first."""

    reference: str
    sightings: tuple[Sighting, ...] = ()

    @property
    def last(self) -> Sighting | None:
        """What it led to when it was last seen."""
        return self.sightings[-1] if self.sightings else None

    def before(self, digest: str) -> tuple[Sighting, Sighting] | None:
        """For a digest older than another one that it led to: when it led there before that, and the newest one.

        None for the newest, to which a tag may well come back, and for one that was never seen.
        """
        found = {one.digest: one for one in reversed(self.sightings)}  # each by its first sighting
        newest = max(found.values(), key=self.sightings.index, default=None)
        if newest is None or digest == newest.digest or digest not in found:
            return None
        earlier = self.sightings[: self.sightings.index(newest)]
        return next(one for one in reversed(earlier) if one.digest == digest), newest

    def with_sighting(self, digest: str, now: str) -> "History":
        """The history with what was seen now."""
        last = self.last
        if last is not None and last.digest == digest:
            return replace(self, sightings=(*self.sightings[:-1], replace(last, last=now)))
        return replace(self, sightings=(*self.sightings, Sighting(digest, now, now))[-_MOST:])


class Sightings:
    """A folder of histories, one small file for each reference. A damaged file counts as absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, reference: str) -> History:
        """What is known of a reference."""
        path = self._path(reference)
        try:
            if path.stat().st_size <= _LIMIT:
                found = msgspec.json.decode(path.read_bytes(), type=History)
                if found.reference == reference:
                    return found
        except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass
        return History(reference)

    def last_digest(self, reference: str) -> str:
        """The digest that a reference led to when it was last seen; empty where it never was."""
        last = self.of(reference).last
        return last.digest if last else ""

    def put(self, history: History) -> None:
        """Keep a history; written beside and renamed. A folder that cannot be written is no error."""
        path = self._path(history.reference)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".part-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(msgspec.json.encode(history))
                Path(name).replace(path)
            except OSError:
                Path(name).unlink()

    def _path(self, reference: str) -> Path:
        return self._folder / f"{hashlib.sha256(reference.encode()).hexdigest()[:32]}.json"
