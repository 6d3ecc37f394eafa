"""Where an image's documents and blobs lie: files by their path in an OCI layout, whatever holds the layout."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from holdfast.model.artifact import parse_digest
from holdfast.model.errors import LimitError, NotFound, SourceError
from holdfast.model.status import Problem
from holdfast.oci.budget import READ_BYTES


class Layout(Protocol):
    """Files by path, read at random. Safe to use from several threads."""

    @property
    def pulled(self) -> bool:
        """Whether its bytes come over a wire.

        Engines refuse what they pull where it is not what was promised, so nothing is made of such bytes here. What
        lies on a disk is another matter: it is what runs, promised or not.
        """

    @property
    def problems(self) -> list[Problem]:
        """What of the layout itself is damaged."""

    def size(self, path: str) -> int:
        """The stored bytes of a file; NotFound where there is none."""

    def read(self, path: str, limit: int) -> bytes:
        """All of a file; NotFound, or LimitError where it is longer than `limit` bytes."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file piece by piece; NotFound, SourceError."""

    def identity(self, path: str) -> str:
        """What changes whenever the stored bytes of a file do: device, inode, size and times; NotFound."""

    def close(self) -> None:
        """Let go of the files underneath."""


def blob_path(digest: str) -> str:
    """Where a layout keeps the blob with this digest; InputError for what is no digest: it could lead anywhere."""
    algorithm, _, value = parse_digest(digest).partition(":")
    return f"blobs/{algorithm}/{value}"


def identity_of(status: os.stat_result) -> str:
    """A file's identity: the kernel changes the last number (ctime) at every write, and nobody can set it back."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


class DirectoryLayout:
    """An OCI layout that is a directory. No symlink inside it is followed: it could lead anywhere."""

    pulled = False

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self._path = path
        try:
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"cannot be read: {os.strerror(error.errno or 0)}", where=str(path)) from error

    def size(self, path: str) -> int:
        """The bytes of a file; NotFound where there is none."""
        descriptor = self._open(path)
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def read(self, path: str, limit: int) -> bytes:
        """All of a file; NotFound, or LimitError where it is longer than `limit` bytes."""
        content = bytearray()
        for chunk in self.chunks(path):
            content += chunk
            if len(content) > limit:
                raise LimitError(f"{path} is longer than {limit} bytes", where=str(self._path))
        return bytes(content)

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file piece by piece."""
        descriptor = self._open(path)
        try:
            while data := os.read(descriptor, READ_BYTES):
                yield data
        except OSError as error:
            raise self._error(path, error) from error
        finally:
            os.close(descriptor)

    def identity(self, path: str) -> str:
        """What changes whenever the bytes of a file do."""
        descriptor = self._open(path)
        try:
            return identity_of(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the directory."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _open(self, path: str) -> int:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        *parents, name = path.split("/")
        opened = [self._root]
        try:
            for parent in parents:
                opened.append(os.open(parent, flags | os.O_DIRECTORY, dir_fd=opened[-1]))
            descriptor = os.open(name, flags, dir_fd=opened[-1])
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise SourceError(f"{path} is not a file", where=str(self._path))
        except OSError as error:
            raise self._error(path, error) from error
        finally:
            for parent_descriptor in opened[1:]:
                os.close(parent_descriptor)
        return descriptor

    def _error(self, path: str, error: OSError) -> SourceError:
        if isinstance(error, FileNotFoundError):
            return NotFound(f"{path} is missing", where=str(self._path))
        return SourceError(f"{path} cannot be read: {os.strerror(error.errno or 0)}", where=str(self._path))
