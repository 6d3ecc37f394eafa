"""A forward-only reader over byte chunks that copies only what is asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

Buffer = bytes | memoryview


class ChunkReader:
    """Takes, peeks at and skips the bytes of a stream of chunks.

    What is skipped is never copied: whole chunks are dropped, and a source with a method `skip(count) -> skipped`
    (a file that can seek) is not even read.
    """

    __slots__ = ("_ahead", "_at", "_before", "_chunk", "_length", "_skip_source", "_source")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._source = iter(chunks)
        self._skip_source: Callable[[int], int] | None = getattr(chunks, "skip", None)
        self._chunk: bytes = b""
        self._length = 0
        self._at = 0
        self._before = 0
        self._ahead: deque[bytes] = deque()

    @property
    def offset(self) -> int:
        """How many bytes of the stream lie behind."""
        return self._before + self._at

    @property
    def arrived(self) -> int:
        """How many bytes are at hand without asking the source for more."""
        return self._length - self._at + sum(map(len, self._ahead))

    def take(self, count: int) -> bytes:
        """The next `count` bytes; fewer only where the stream ends."""
        at = self._at
        end = at + count
        if end <= self._length:
            self._at = end
            return self._chunk[at:end]
        return b"".join(self.pieces(count))

    def peek(self, count: int) -> bytes:
        """The next `count` bytes without moving on; fewer only where the stream ends."""
        pieces = [self._chunk[self._at : self._at + count]]
        missing = count - len(pieces[0])
        for chunk in self._ahead:
            pieces.append(chunk[:missing])
            missing -= len(pieces[-1])
        while missing > 0 and (more := next(self._source, None)) is not None:
            self._ahead.append(more)
            pieces.append(more[:missing])
            missing -= len(pieces[-1])
        return b"".join(pieces) if len(pieces) > 1 else pieces[0]

    def pieces(self, count: int) -> Iterator[Buffer]:
        """The next `count` bytes as views of the chunks they came in; fewer only where the stream ends."""
        while count > 0:
            at, length = self._at, self._length
            if at == length:
                if not self._advance():
                    return
                continue
            end = min(at + count, length)
            self._at = end
            count -= end - at
            yield self._chunk if end - at == length else memoryview(self._chunk)[at:end]

    def skip(self, count: int) -> int:
        """Move on by `count` bytes, and say by how many it was possible."""
        left = count
        while left > self._length - self._at:
            left -= self._length - self._at
            self._at = self._length
            if self._skip_source is not None and not self._ahead:
                skipped = self._skip_source(left)
                self._before += skipped
                return count - left + skipped
            if not self._advance():
                return count - left
        self._at += left
        return count

    def _advance(self) -> bool:
        self._before += self._length
        self._chunk, self._length, self._at = b"", 0, 0
        while not self._length:
            chunk = self._ahead.popleft() if self._ahead else next(self._source, None)
            if chunk is None:
                return False
            self._chunk, self._length = chunk, len(chunk)
        return True
