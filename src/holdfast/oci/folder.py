"""An OCI layout that is being written: blobs appear under their names when they are whole, the index comes last.

Somebody else may have made the folder: nothing is written, or waited for, through a link or a FIFO that is in it.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from holdfast.fs.whole import PART, write_whole
from holdfast.model.errors import HoldfastError, InputError, SourceError
from holdfast.oci.budget import IMAGE_BUDGET, READ_BYTES
from holdfast.oci.integrity import Mismatch, Mismatched
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import CONTAINERD_NAME, REFERENCE_NAME

_INDEX = "index.json"
_LAYOUT = "oci-layout"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


class LayoutFolder:
    """A folder to write images into; it may hold others already. SourceError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make it a layout; InputError where it holds something else."""
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / _LAYOUT).exists():
                others = [path.name for path in self.path.iterdir() if path.name != _LAYOUT]
                if others and not (self.path / _LAYOUT).exists():  # another pull may have begun it just now
                    raise InputError("holds something else than an OCI layout", where=str(self.path))
                with contextlib.suppress(FileExistsError), (self.path / _LAYOUT).open("xb") as stream:
                    stream.write(b'{"imageLayoutVersion":"1.0.0"}')
            with self._locked():
                self._index()  # says so now, and not after the download, if it is damaged

    def has(self, digest: str) -> bool:
        """Whether the blob is there and what its name says."""
        algorithm, _, value = digest.partition(":")
        with self._writing():
            try:
                with _opened(self._blob(digest)) as stream:
                    return hashlib.file_digest(stream, algorithm).hexdigest() == value
            except (FileNotFoundError, _NotAFile):
                return False

    def started(self, digest: str) -> int:
        """How many bytes of a blob are there from an earlier attempt."""
        with (
            self._writing(),
            contextlib.suppress(FileNotFoundError, _NotAFile),
            _opened(_part(self._blob(digest))) as stream,
        ):
            return os.fstat(stream.fileno()).st_size
        return 0

    @contextlib.contextmanager
    def alone(self, digest: str) -> Iterator[bool]:
        """Nobody else fills this blob meanwhile: pulls into one folder share layers. Whether somebody just has."""
        with contextlib.ExitStack() as stack:
            with self._writing():
                part = _part(self._blob(digest))
                while True:
                    stream = stack.enter_context(_begun(part))
                    fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
                    if _is_at(part, stream.fileno()):
                        break
                    stream.close()  # whoever had it has given it its name, or thrown it away
            stack.callback(_drop_empty, part)
            yield self.has(digest)

    def fill(self, digest: str, more: Iterable[bytes]) -> None:
        """Add what was still missing of a blob and give it its name.

        Mismatched where it then is not what its digest says: what is there is thrown away. Where `more` breaks off,
        what came is kept for the next attempt.
        """
        hashed = hashlib.new(digest.partition(":")[0])
        with self._writing():
            target = self._blob(digest)
            part = _part(target)
            with _begun(part) as stream:
                stream.seek(0)
                while data := stream.read(READ_BYTES):
                    hashed.update(data)
                for chunk in more:
                    hashed.update(chunk)
                    stream.write(chunk)
            actual = f"{hashed.name}:{hashed.hexdigest()}"
            if actual != digest:
                part.unlink()
                raise Mismatched(Mismatch("blob digest", digest, actual), where=str(self.path))
            part.replace(target)

    def put(self, digest: str, data: bytes) -> None:
        """Write a small blob that is known to be what its digest says."""
        with self._writing():
            write_whole(self._blob(digest), data)

    def name(self, entries: Iterable[dict[str, Any]]) -> None:
        """Add descriptors to the index, in place of those with the same full name; all others stay.

        A tag that another image of the folder has already is not given twice: the full name then stands for it.
        """
        fresh = list(entries)
        replaced = {_identity(entry) for entry in fresh}
        with self._writing(), self._locked():
            index = self._index()
            kept = [entry for entry in index["manifests"] if _identity(entry) not in replaced]
            tags = {_name(entry, REFERENCE_NAME) for entry in kept} - {""}
            for entry in fresh:
                if _name(entry, REFERENCE_NAME) in tags:
                    entry["annotations"] |= {REFERENCE_NAME: _name(entry, CONTAINERD_NAME)}
            stated = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": [*kept, *fresh]}
            write_whole(self.path / _INDEX, msgspec.json.encode(index | stated))

    def _index(self) -> dict[str, Any]:
        """What index.json says, which always has `manifests`; InputError where it is damaged."""
        limit = IMAGE_BUDGET.document_bytes  # a longer one could not be read again either
        try:
            with _opened(self.path / _INDEX) as stream:
                data = stream.read(limit + 1)
            if len(data) > limit:
                raise ValueError("too large")
            index = msgspec.json.decode(data, type=dict[str, Any])
            entries = index.get("manifests") or []
            if not all(isinstance(entry, dict) and isinstance(entry.get("digest"), str) for entry in entries):
                raise ValueError("not a list of descriptors")
        except FileNotFoundError:
            return {"manifests": []}
        except (ValueError, TypeError, msgspec.MsgspecError, RecursionError) as error:
            raise InputError(f"its {_INDEX} is damaged: {str(error)[:120]}", where=str(self.path)) from error
        return index | {"manifests": entries}

    def _blob(self, digest: str) -> Path:
        """Where a blob is to be, in folders that are there and are the layout's own."""
        path = self.path / blob_path(digest)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(exist_ok=True)
            if folder.is_symlink():
                raise InputError("leads out of the layout", where=str(folder), remedy="pull into another folder")
        return path

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the index: two pulls into one folder must not lose each other's entries."""
        with _opened(self.path / _LAYOUT) as lock:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except HoldfastError:
            raise
        except OSError as error:
            raise SourceError(
                f"cannot be written: {error.strerror or error}", where=str(error.filename or self.path)
            ) from error


class _NotAFile(OSError):
    """What stands in a file's place is no regular file."""


def _descriptor(path: Path, flags: int) -> int:
    """A regular file that is here itself, opened without waiting for anybody; _NotAFile for anything else."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise _NotAFile(error.errno, "no regular file", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _NotAFile(errno.EINVAL, "no regular file", str(path))
    return descriptor


def _opened(path: Path) -> BufferedReader:
    return os.fdopen(_descriptor(path, os.O_RDONLY), "rb")


def _part(target: Path) -> Path:
    return target.with_name(f"{PART}{target.name}")


def _begun(part: Path) -> BufferedRandom:
    """What there is of a blob, to be added to. What else is in its place is put out of the way."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    with contextlib.suppress(_NotAFile):
        descriptor = _descriptor(part, flags)
        if os.fstat(descriptor).st_nlink < 2:
            return os.fdopen(descriptor, "a+b")
        os.close(descriptor)  # it has another name too: the bytes are somebody else's
    part.unlink()
    return os.fdopen(_descriptor(part, flags), "a+b")


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _drop_empty(part: Path) -> None:
    with contextlib.suppress(OSError):
        if not part.stat().st_size:
            part.unlink()


def _identity(entry: dict[str, Any]) -> tuple[str, str]:
    """What an entry of the index is known by: its full name, else its digest. One image may have several names."""
    name = _name(entry, CONTAINERD_NAME)
    return name, "" if name else entry["digest"]


def _name(entry: dict[str, Any], key: str) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(key) or "") if isinstance(annotations, dict) else ""
