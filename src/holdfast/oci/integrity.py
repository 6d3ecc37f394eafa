"""Bytes that are not what was promised."""

import hashlib

from msgspec import Struct

from holdfast.model.errors import SourceError


class Mismatch(Struct, frozen=True):
    """A broken promise: `what` is `blob digest`, `blob size`, `diff ID`, `manifest digest` …"""

    what: str
    expected: str
    actual: str


class Mismatched(SourceError):
    """A source sent other bytes than those asked for, and nothing was made of them."""

    def __init__(self, mismatch: Mismatch, *, where: str) -> None:
        difference = f"the {mismatch.what} is {mismatch.actual} instead of {mismatch.expected}"
        super().__init__(
            f"these are not the bytes asked for: {difference}",
            where=where,
            remedy="somebody between here and there changed them, or the registry is damaged",
        )
        self.mismatch = mismatch


def digest_of(data: bytes, like: str = "") -> str:
    """The digest of some bytes, by the algorithm of another one; sha256 where there is none."""
    algorithm = like.partition(":")[0] or "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
