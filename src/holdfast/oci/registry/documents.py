"""Indexes, manifests, configurations and statements that registries once gave, kept by their digest."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

from holdfast.model.artifact import is_digest
from holdfast.oci.integrity import digest_of

_LIMIT = 128 << 20
_PART = ".part-"
_UNUSED_SECONDS = 90 * 86400.0


class Documents:
    """A folder of small blobs. What is read is held to its name; a folder that cannot be written is no error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> bytes | None:
        """The document with this digest, where it is kept and whole."""
        path = self._path(digest)
        try:
            if path is None or path.stat().st_size > _LIMIT:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        return data if digest_of(data, digest) == digest else None

    def put(self, digest: str, data: bytes) -> None:
        """Keep a document; written beside and renamed."""
        path = self._path(digest)
        if path is None:
            return
        with contextlib.suppress(OSError):
            if not self._folder.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=_PART)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink()

    def sweep(self) -> None:
        """Remove what nobody has written for three months, and what was left half written."""
        with contextlib.suppress(OSError):
            for path in [*self._folder.iterdir()]:
                with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                    if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                        path.unlink()

    def _path(self, digest: str) -> Path | None:
        return self._folder / digest.replace(":", "-") if is_digest(digest) else None
