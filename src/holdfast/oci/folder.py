"""An OCI layout that is being written: blobs appear under their names when they are whole, the index comes last."""

import contextlib
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from holdfast.model.errors import HoldfastError, InputError, SourceError
from holdfast.oci.budget import READ_BYTES
from holdfast.oci.integrity import Mismatch, Mismatched
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import CONTAINERD_NAME, REFERENCE_NAME

_INDEX = "index.json"
_LAYOUT = "oci-layout"
_LIMIT = 64 << 20


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
                (self.path / _LAYOUT).write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
            self._entries()  # says so now, and not after the download, if it is damaged

    def has(self, digest: str) -> bool:
        """Whether the blob is there and what its name says."""
        path = self.path / blob_path(digest)
        with self._writing():
            if not path.is_file():
                return False
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, digest.partition(":")[0]).hexdigest() == path.name

    def started(self, digest: str) -> int:
        """How many bytes of a blob are there from an earlier attempt."""
        part = self._part(digest)
        return part.stat().st_size if part.is_file() else 0

    @contextlib.contextmanager
    def alone(self, digest: str) -> Iterator[bool]:
        """Nobody else fills this blob meanwhile: pulls into one folder share layers. Whether somebody just has."""
        part = self._part(digest)
        with contextlib.ExitStack() as stack:
            with self._writing():
                part.parent.mkdir(parents=True, exist_ok=True)
                while True:
                    stream = stack.enter_context(part.open("ab"))
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
        part, target = self._part(digest), self.path / blob_path(digest)
        hashed = hashlib.new(digest.partition(":")[0])
        with self._writing():
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("a+b") as stream:
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
        target = self.path / blob_path(digest)
        part = target.with_name(f"{self._part(digest).name}-{os.getpid()}-{threading.get_ident()}")
        with self._writing():
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(target)

    def name(self, entries: Iterable[dict[str, Any]]) -> None:
        """Add descriptors to the index, in place of those with the same full name; all others stay.

        A tag that another image of the folder has already is not given twice: the full name then stands for it.
        """
        fresh = list(entries)
        replaced = {_identity(entry) for entry in fresh}
        with self._writing(), self._locked():
            kept = [entry for entry in self._entries() if _identity(entry) not in replaced]
            tags = {_name(entry, REFERENCE_NAME) for entry in kept} - {""}
            for entry in fresh:
                if _name(entry, REFERENCE_NAME) in tags:
                    entry["annotations"] |= {REFERENCE_NAME: _name(entry, CONTAINERD_NAME)}
            media_type = "application/vnd.oci.image.index.v1+json"
            document = {"schemaVersion": 2, "mediaType": media_type, "manifests": [*kept, *fresh]}
            part = self.path / f".part-{_INDEX}"
            part.write_bytes(msgspec.json.encode(document))
            part.replace(self.path / _INDEX)

    def _entries(self) -> list[dict[str, Any]]:
        path = self.path / _INDEX
        if not path.exists():
            return []
        try:
            if path.stat().st_size > _LIMIT:
                raise ValueError("too large")
            entries = msgspec.json.decode(path.read_bytes(), type=dict[str, Any]).get("manifests") or []
            if not all(isinstance(entry, dict) and isinstance(entry.get("digest"), str) for entry in entries):
                raise ValueError("not a list of descriptors")
        except (ValueError, TypeError, msgspec.MsgspecError, RecursionError) as error:
            raise InputError(f"its {_INDEX} is damaged: {str(error)[:120]}", where=str(self.path)) from error
        return entries

    def _part(self, digest: str) -> Path:
        target = self.path / blob_path(digest)
        return target.with_name(f".part-{target.name}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the index: two pulls into one folder must not lose each other's entries."""
        with (self.path / _LAYOUT).open("rb") as lock:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except HoldfastError:
            raise
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SourceError(f"cannot be written: {reason}", where=str(error.filename or self.path)) from error


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
