"""An image in one tar file, read at random without unpacking it: `docker save`, `skopeo copy … oci-archive:`."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from holdfast.fs.budget import TreeBudget
from holdfast.fs.chunks import ChunkReader
from holdfast.fs.path import normal
from holdfast.fs.tar import TarFile, TarTree
from holdfast.model.errors import HoldfastError, LimitError, NotFound, SourceError
from holdfast.model.file import FileType
from holdfast.model.status import Problem
from holdfast.oci.budget import IMAGE_BUDGET, READ_BYTES, ImageBudget
from holdfast.oci.compression import compression_of, inflate
from holdfast.oci.layout import identity_of

_MAX_LINKS = 40
_IDLE_STREAMS = 4


class _FileChunks:
    """A file's bytes as chunks, of which any number can be skipped without being read."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._at = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = _read_at(self._descriptor, READ_BYTES, self._at)
        if not data:
            raise StopIteration
        self._at += len(data)
        return data

    def skip(self, count: int) -> int:
        """Move on by `count` bytes, or to the end; by how many it was."""
        skipped = max(min(count, self._size - self._at), 0)
        self._at += skipped
        return skipped


class ArchiveLayout:
    """The files in a tar, found by one walk over its headers.

    Links inside the archive are followed inside the archive. Where it is compressed as a whole, a file is reached by
    inflating up to it; streams that others are done with go on from where they stand.
    """

    pulled = False

    def __init__(self, path: Path, budget: ImageBudget = IMAGE_BUDGET) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._budget = budget
        self._places: dict[str, tuple[int, int]] = {}  # offset and size
        self._links: dict[str, str] = {}
        self._documents: dict[str, bytes] = {}
        self._idle: list[ChunkReader] = []
        self._lock = threading.Lock()
        self._descriptor, self._stored = _open(path)
        try:
            self._compressed = bool(compression_of(_read_at(self._descriptor, 8, 0)))
            self._find_files()
        except HoldfastError:
            self.close()
            raise

    def names(self) -> list[str]:
        """Every path in the archive that can be read."""
        return [*self._places, *self._links]

    def size(self, path: str) -> int:
        """The bytes of a file; NotFound where there is none."""
        return self._place(path)[1][1]

    def read(self, path: str, limit: int) -> bytes:
        """All of a file; NotFound, or LimitError where it is longer than `limit` bytes."""
        name, (_, size) = self._place(path)
        if size > limit:
            raise LimitError(f"{path} is longer than {limit} bytes", where=str(self._path))
        kept = self._documents.get(name)
        return kept if kept is not None else b"".join(self.chunks(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file piece by piece; shorter than its size where the archive is cut."""
        offset, size = self._place(path)[1]
        if self._compressed:
            yield from self._inflated(offset, size)
            return
        end = offset + size
        while offset < end and (data := _read_at(self._descriptor, min(READ_BYTES, end - offset), offset)):
            offset += len(data)
            yield data

    def identity(self, path: str) -> str:
        """What changes whenever the archive does, and where in it the file lies."""
        offset, size = self._place(path)[1]
        return f"{identity_of(os.fstat(self._descriptor))}:{offset}:{size}"

    def close(self) -> None:
        """Let go of the archive."""
        self._idle.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _find_files(self) -> None:
        source = self._inflate() if self._compressed else _FileChunks(self._descriptor, self._stored)
        tree = TarTree(source, TreeBudget(entries=self._budget.archive_entries), where=str(self._path))
        kept = 0
        for file in tree.walk():
            entry = file.entry
            self._places.pop(entry.path, None)
            self._links.pop(entry.path, None)
            match entry.type:
                case FileType.FILE if not file.is_sparse:
                    self._places[entry.path] = tree.offset, entry.size
                case FileType.HARD_LINK:
                    self._links[entry.path] = entry.link
                case FileType.SYMLINK:
                    self._links[entry.path] = normal(f"{entry.path}/../{entry.link}")[0]
            if self._compressed and kept + entry.size <= self._budget.document_bytes and _is_document(file):
                self._documents[entry.path] = file.read(entry.size)
                kept += entry.size
        self.problems += [
            structs.replace(problem, code="archive." + problem.code.partition(".")[2]) for problem in tree.problems
        ]

    def _place(self, path: str) -> tuple[str, tuple[int, int]]:
        name = path
        for _ in range(_MAX_LINKS):
            if name in self._places:
                return name, self._places[name]
            if name not in self._links:
                break
            name = self._links[name]
        raise NotFound(f"{path} is missing", where=str(self._path))

    def _inflate(self) -> Iterator[bytes]:
        left = self._budget.image_factor * self._budget.inflated(self._stored)
        source = _FileChunks(self._descriptor, self._stored)
        for piece in inflate(source, window_bytes=self._budget.zstd_window_bytes)[1]:
            left -= len(piece)
            if left < 0:
                raise LimitError("inflates to more than an image archive may", where=str(self._path))
            yield piece

    def _inflated(self, offset: int, size: int) -> Iterator[bytes]:
        with self._lock:
            ready = [reader for reader in self._idle if reader.offset <= offset]
            reader = max(ready, key=lambda one: one.offset, default=None)
            if reader is None:
                reader = ChunkReader(self._inflate())
            else:
                self._idle.remove(reader)
        usable = True
        try:
            reader.skip(offset - reader.offset)
            for piece in reader.pieces(size):
                yield bytes(piece)
        except HoldfastError:
            usable = False
            raise
        finally:
            if usable:
                with self._lock:
                    self._idle = [*self._idle, reader][-_IDLE_STREAMS:]


def _open(path: Path) -> tuple[int, int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"cannot be read: {os.strerror(error.errno or 0)}", where=str(path)) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SourceError("is not a file", where=str(path))
    return descriptor, status.st_size


def _read_at(descriptor: int, count: int, offset: int) -> bytes:
    try:
        return os.pread(descriptor, count, offset)
    except OSError as error:
        raise SourceError(f"the archive cannot be read: {os.strerror(error.errno or 0)}") from error


def _is_document(file: TarFile) -> bool:
    return file.entry.type is FileType.FILE and file.head()[:1] in (b"{", b"[")
