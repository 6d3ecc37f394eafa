"""Indexes, manifests, configurations and statements that registries once gave, kept by their digest."""

from pathlib import Path

from holdfast.fs.kept import KeptFiles
from holdfast.model.artifact import is_digest
from holdfast.oci.integrity import digest_of

_LIMIT = 128 << 20


class Documents:
    """A folder of small blobs. What is read is held to its name."""

    def __init__(self, folder: Path) -> None:
        self._files = KeptFiles(folder)

    def get(self, digest: str) -> bytes | None:
        """The document with this digest, where it is kept and whole."""
        data = self._files.get(digest.replace(":", "-"), _LIMIT) if is_digest(digest) else None
        return data if data is not None and digest_of(data, digest) == digest else None

    def put(self, digest: str, data: bytes) -> None:
        """Keep a document."""
        if is_digest(digest):
            self._files.put(digest.replace(":", "-"), data)
