"""A stream of bytes on its way to where it belongs, inside its limits."""

import zlib
from collections.abc import Callable
from typing import BinaryIO

from holdfast.model.errors import LimitError
from holdfast.transport.deadline import Deadline

CHUNK = 1 << 16

Progress = Callable[[str, int, int | None], None]
"""Told `(resource, bytes so far, bytes in all or None)` as a download goes on, from whichever thread fetches."""


class Budget:
    """What one resource may take: at most `limit` bytes, until `deadline`, its progress told under `name`."""

    __slots__ = ("deadline", "limit", "name", "progress", "where")

    def __init__(self, limit: int, deadline: Deadline, *, where: str, name: str, progress: Progress) -> None:
        self.limit, self.deadline, self.where, self.name, self.progress = limit, deadline, where, name, progress

    def allow(self, size: int | None) -> None:
        """LimitError for more bytes than the limit, or after the deadline."""
        if size is not None and size > self.limit:
            raise LimitError(f"larger than the {self.limit:,} bytes allowed for it", where=self.where)
        self.deadline.check(self.where)


def pour(read: Callable[[], bytes], sink: BinaryIO, budget: Budget, *, packed: bool, left: int | None = None) -> None:
    """Append what `read` gives, until it gives nothing, to `sink`, inflating it where it is `packed` with gzip.

    `left` is how many bytes are announced. Raises LimitError; ValueError where the packed content is damaged.
    """
    done = sink.tell()
    total = None if packed or left is None else done + left
    budget.allow(total)
    inflater = zlib.decompressobj(31) if packed else None
    while chunk := read():
        while chunk:
            plain = chunk
            if inflater is not None:
                # One byte more than allowed shows that there is more; a bomb never gets further.
                plain = _inflate(inflater, chunk, min(CHUNK * 16, budget.limit - done + 1))
            chunk = b"" if inflater is None else inflater.unconsumed_tail
            done += len(plain)
            budget.allow(done)
            sink.write(plain)
        budget.progress(budget.name, done, total)
    if inflater is not None and not inflater.eof:
        raise ValueError("the compressed content is incomplete")


def _inflate(inflater: "zlib._Decompress", chunk: bytes, limit: int) -> bytes:
    try:
        return inflater.decompress(chunk, limit)
    except zlib.error as error:
        raise ValueError(f"the compressed content is damaged: {error}") from error
