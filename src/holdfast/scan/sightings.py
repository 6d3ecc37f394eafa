"""What tags were seen to lead to, and when: how a tag that was moved back to an older image is noticed."""

import hashlib
import math
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast.fs.kept import KeptFiles

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
        self._files = KeptFiles(folder, unused_seconds=math.inf)

    def of(self, reference: str) -> History:
        """What is known of a reference."""
        try:
            found = msgspec.json.decode(self._files.get(_name(reference), _LIMIT) or b"", type=History)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return History(reference)
        return found if found.reference == reference else History(reference)

    def last_digest(self, reference: str) -> str:
        """The digest that a reference led to when it was last seen; empty where it never was."""
        last = self.of(reference).last
        return last.digest if last else ""

    def put(self, history: History) -> None:
        """Keep a history."""
        self._files.put(_name(history.reference), msgspec.json.encode(history))


def _name(reference: str) -> str:
    return f"{hashlib.sha256(reference.encode()).hexdigest()[:32]}.json"
