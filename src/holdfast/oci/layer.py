"""A layer as a stream: read, hashed as stored, inflated and hashed again while it flows."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Protocol

from holdfast.model.artifact import Layer
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound, SourceError
from holdfast.model.status import Problem
from holdfast.oci.budget import IMAGE_BUDGET, ImageBudget
from holdfast.oci.compression import inflate
from holdfast.oci.integrity import Mismatch

_QUEUED = 16  # pieces of at most CHUNK_BYTES between the two threads


class Allowance:
    """How many bytes all layers of an image may still inflate to, together."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._lock = threading.Lock()

    def spend(self, count: int) -> None:
        """Take `count` bytes; LimitError where they are no longer there."""
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise LimitError("the layers together inflate to more than an image may")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Digest:
    """A digest in the making, with the algorithm that another one names."""

    def __init__(self, like: str) -> None:
        self.algorithm = like.partition(":")[0] or "sha256"
        self._hash: _Hash = hashlib.new(self.algorithm)
        self.count = 0

    def update(self, data: bytes) -> None:
        self._hash.update(data)
        self.count += len(data)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self._hash.hexdigest()}"


_Fed = tuple[bytes, list[bytes]]
"""A piece of the content (perhaps empty), and the stored bytes that were read since the last one."""


class _Feed:
    """The thread that reads a blob, inflates it, and waits when nobody takes the pieces.

    Inflating is what takes longest, so this thread does nothing else: whoever takes the pieces does the hashing. It
    knows nothing of the stream it feeds, so that a forgotten stream is collected and stops it.
    """

    def __init__(self, source: Callable[[], Iterator[bytes]], spend: Callable[[int], None], window_bytes: int) -> None:
        self.pieces: Queue[_Fed | None] = Queue(_QUEUED)
        self.compression = ""
        self.error: Exception | None = None
        self._source = source
        self._read_since: list[bytes] = []
        self._spend = spend
        self._window_bytes = window_bytes
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="layer", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread, which has nothing left to do."""
        self._thread.join()

    def stop(self) -> None:
        """End the thread, wherever it is."""
        self._stopped = True
        try:
            while True:  # a thread that waits for room finds some, sees the flag, and puts one more piece at most
                self.pieces.get_nowait()
        except Empty:
            pass
        self._thread.join()

    def _run(self) -> None:
        stored = self._read()
        try:
            self._inflate(stored)
        except Exception as error:
            self.error = error
        try:
            self._put(b"")
            for _ in stored:  # what the inflater did not want still belongs to the blob's digest
                self._put(b"")
        except Exception as error:
            self.error = self.error or error
        if not self._stopped:
            self.pieces.put(None)

    def _read(self) -> Iterator[bytes]:
        for chunk in self._source():
            if self._stopped:
                return
            self._read_since.append(chunk)
            if len(self._read_since) > _QUEUED:  # much that is stored may inflate to nothing
                self._put(b"")
            yield chunk

    def _inflate(self, stored: Iterator[bytes]) -> None:
        self.compression, pieces = inflate(stored, window_bytes=self._window_bytes)
        for piece in pieces:
            if self._stopped:
                return
            if self.compression:
                self._spend(len(piece))
            self._put(piece)

    def _put(self, piece: bytes) -> None:
        stored, self._read_since = self._read_since, []
        self.pieces.put((piece, stored))


class LayerStream:
    """The tar of one layer, in small chunks, read once; a context manager.

    When it has been read to its end (`drain` reads what a walk left over): `digest` and `diff_id` are those of the
    bytes that were there, `stored` and `inflated` their lengths, `integrity` what of it contradicts the image, and
    `verified` says that everything promised was there to be compared, and held. What goes wrong is in `problems`, and
    the chunks end there. A layer that cannot be read at all has a problem and no chunks. `stored_bytes` is the blob's
    true length, which its budget is measured by: the length in `layer` is only what somebody says.
    """

    def __init__(
        self,
        layer: Layer,
        source: Callable[[], Iterator[bytes]] | None,
        *,
        stored_bytes: int = 0,
        problem: Problem | None = None,
        allowance: Allowance | None = None,
        budget: ImageBudget = IMAGE_BUDGET,
    ) -> None:
        self.layer = layer
        self.digest = ""
        self.diff_id = ""
        self.stored = 0
        self.inflated = 0
        self.problems: list[Problem] = [problem] if problem else []
        self.integrity: list[Mismatch] = []
        self.verified = False
        self._source = source
        self._stored_bytes = stored_bytes
        self._allowance = allowance
        self._budget = budget
        self._feed: _Feed | None = None
        self._ended = source is None
        self._stored_digest = _Digest(layer.digest)
        self._content_digest = _Digest(layer.diff_id)

    def chunks(self) -> Iterator[bytes]:
        """The uncompressed tar, piece by piece, from wherever the last reader left off."""
        while (piece := self._next()) is not None:
            yield piece

    def drain(self) -> None:
        """Read what is left for the sake of the digests, as far as the budget goes."""
        left = self._budget.trailing_bytes
        while (piece := self._next()) is not None:
            left -= len(piece)
            if left < 0:
                trailing = f"more than {self._budget.trailing_bytes} bytes behind its end: its digests are not compared"
                self._stop("layer.trailing-data", trailing)

    def close(self) -> None:
        """Stop reading. A layer that was not read to its end has not been verified, and says so."""
        self._stop("layer.unverified", "not read to its end: its digests have not been compared")

    def __enter__(self) -> "LayerStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_feed", None) is not None:
            self.close()

    def _stop(self, code: str, message: str) -> None:
        if self._feed is not None:
            self._feed.stop()
            self._feed = None
            self._problem(code, message)
        self._ended = True

    def _next(self) -> bytes | None:
        if self._ended or self._source is None:
            return None
        if self._feed is None:
            self._feed = _Feed(self._source, self._spender(), self._budget.zstd_window_bytes)
        while (fed := self._feed.pieces.get()) is not None:
            piece, stored = fed
            for chunk in stored:
                self._stored_digest.update(chunk)
            if piece:
                self.inflated += len(piece)
                if not self._same_bytes(self._feed):
                    self._content_digest.update(piece)
                return piece
        self._finish(self._feed)
        return None

    def _spender(self) -> Callable[[int], None]:
        """What the feed calls with every piece's length. It must not hold on to the stream itself."""
        limit = self._budget.inflated(self._stored_bytes)
        own, shared = Allowance(limit), self._allowance

        def spend(count: int) -> None:
            try:
                own.spend(count)
            except LimitError:
                raise LimitError(f"inflates to more than {limit} bytes") from None
            if shared is not None:
                shared.spend(count)

        return spend

    def _same_bytes(self, feed: _Feed) -> bool:
        """Whether the layer is stored as it is, so that one hash serves for both digests."""
        return not feed.compression and self._stored_digest.algorithm == self._content_digest.algorithm

    def _finish(self, feed: _Feed) -> None:
        feed.join()
        self._feed, self._ended = None, True
        self.stored, self.digest = self._stored_digest.count, str(self._stored_digest)
        self.diff_id = self.digest if self._same_bytes(feed) else str(self._content_digest)
        match feed.error:
            case None:
                pass
            case HoldfastError() as error:
                self._problem(_code(error), error.what)
            case error:
                raise error
        if not isinstance(feed.error, SourceError):  # what did not come to its end cannot be compared
            self._verify(whole=feed.error is None)

    def _verify(self, *, whole: bool) -> None:
        promised = self.layer
        checks = [("blob digest", promised.digest, self.digest)]
        if promised.digest:
            checks.append(("blob size", str(promised.size), str(self.stored)))
        if whole:
            checks.append(("diff ID", promised.diff_id, self.diff_id))
        compared = [check for check in checks if check[1]]
        self.integrity += [Mismatch(*check) for check in compared if check[1] != check[2]]
        self.verified = whole and bool(promised.diff_id) and not self.integrity

    def _problem(self, code: str, message: str) -> None:
        self.problems.append(Problem(code, message, where=self.layer.digest or self.layer.diff_id))


def _code(error: HoldfastError) -> str:
    match error:
        case LimitError():
            return "layer.too-large"
        case InputError():
            return "layer.corrupt"
        case NotFound():
            return "layer.missing"
        case _:
            return "layer.unreadable"
