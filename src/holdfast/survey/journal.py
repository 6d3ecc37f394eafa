"""What a survey has done so far, a line for each image, so that an interrupted one goes on where it stopped."""

import contextlib
import fcntl
import hashlib
import os
import time
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from holdfast.model.status import Status
from holdfast.survey.summary import Summary

_FORMAT = 1
_LINE_BYTES = 64 << 20
_UNUSED_SECONDS = 60 * 86400.0


class Header(Struct, frozen=True):
    """What a journal is about: its lines answer only for the same request, by the same tool and the same advisories."""

    request: tuple[str, ...]
    tool: str
    database: str = ""
    format: int = _FORMAT

    @property
    def file_name(self) -> str:
        """The journal's file: one for each request."""
        return hashlib.sha256("\0".join(self.request).encode(errors="surrogatepass")).hexdigest()[:32] + ".jsonl"


class _Line(Struct, omit_defaults=True):
    """One line: the header, an image that is done, or the end of a whole run."""

    header: Header | None = None
    digest: str = ""
    summary: Summary | None = None
    complete: bool = False


class Journal:
    """A file of JSON lines; only where each line stands is kept in memory. A context manager.

    Damaged lines count as absent, which is what a killed process leaves. Where the file cannot be written, or another
    process has it, nothing is kept and that is no error. `known` says how many images an interrupted run had done.
    """

    def __init__(self, folder: Path, header: Header, *, fresh: bool = False) -> None:
        self.known = 0
        self._lines: dict[str, int] = {}
        self._stream: BinaryIO | None = None
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            stream = _opened(folder / header.file_name)
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if fresh or not self._read(stream, header):
                    self._lines.clear()
                    stream.truncate(0)
                    stream.write(msgspec.json.encode(_Line(header)) + b"\n")
                    stream.flush()
            except OSError:
                stream.close()
                raise
            self._stream = stream
        self.known = len(self._lines)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def get(self, digest: str) -> Summary | None:
        """What is known of an image from the run that was interrupted."""
        place = self._lines.get(digest)
        if place is None or self._stream is None:
            return None
        try:
            self._stream.seek(place)
            line = _decoded(self._stream.readline(_LINE_BYTES))
        except OSError:
            return None
        return line.summary if line and line.digest == digest else None

    def put(self, digest: str, summary: Summary) -> None:
        """Keep what came of an image, if anything did: what failed may go well the next time."""
        if self._stream is None or not digest or summary.image.status is Status.FAILED:
            return
        with contextlib.suppress(OSError, UnicodeEncodeError):
            self._write(_Line(digest=digest, summary=summary))

    def complete(self) -> None:
        """Note that everything is done: the next run begins anew."""
        with contextlib.suppress(OSError):
            self._write(_Line(complete=True))

    def _write(self, line: _Line) -> None:
        if self._stream is not None:
            self._stream.write(msgspec.json.encode(line) + b"\n")
            self._stream.flush()

    def _read(self, stream: BinaryIO, header: Header) -> bool:
        """Whether the file goes on from here; where its lines stand is then known."""
        stream.seek(0)
        first = _decoded(stream.readline(_LINE_BYTES))
        if first is None or first.header != header:
            return False
        place, data = stream.tell(), b""
        while data := stream.readline(_LINE_BYTES):
            line = _decoded(data) if data.endswith(b"\n") else None
            if line is not None and line.complete:
                return False
            if line is not None and line.digest and line.summary:
                self._lines[line.digest] = place
            place += len(data)
            if not data.endswith(b"\n"):
                stream.write(b"\n")  # what follows a torn line shall not be part of it
                stream.flush()
                stream.seek(place + 1)
        return True


def _opened(path: Path) -> BufferedRandom:
    """The journal's file, and no other one that a link leads to; OSError where something else is in its place."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "a+b")  # which fails for what cannot be read at random: a FIFO


def _decoded(data: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(data, type=_Line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _sweep(folder: Path) -> None:
    """Remove the journals that nobody came back to."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                os.unlink(path)  # noqa: PTH108
