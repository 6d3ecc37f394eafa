"""containerd's content store as a layout: every blob by its digest, read over its API and never from its disk.

Source: api/services/content/v1/content.proto.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec
from msgspec import Struct

from holdfast.fs.budget import MIB
from holdfast.model.artifact import is_digest, parse_digest
from holdfast.model.errors import InputError, LimitError, NotFound, SourceError
from holdfast.model.status import Problem
from holdfast.oci.manifest import Descriptor, Document
from holdfast.runtime.containerd.channel import Channel
from holdfast.runtime.containerd.protobuf import encode

_PIECE_BYTES = 16 * MIB
_PIECE_SECONDS = 120.0
_MOST_BYTES = 1 << 40  # of one blob, whatever size the engine tells: no image we know has a hundredth of it
_MOST_LISTED = 10_000
_MISSING = (
    "containerd drops layers once they are unpacked where discard_unpacked_layers is set, snapshotters that load "
    "lazily never fetch them, and other platforms' are not pulled: pull the image again, or scan it from its registry"
)


class _Blob(Struct, frozen=True):
    digest: str
    namespace: str
    size: int


class ContentLayout:
    """What these namespaces may see of the content store, by the paths of an OCI layout.

    The store keeps each blob once, and a namespace sees what was pulled or imported there. So a blob is read from the
    first namespace that sees it. `index` is what index.json shall list: an image, and what is attached to it.
    """

    pulled = False

    def __init__(self, channel: Channel, namespaces: Sequence[str], index: Sequence[Descriptor] = ()) -> None:
        self.problems: list[Problem] = []
        self._index = msgspec.json.encode(Document(2, manifests=list(index)))
        self._channel = channel
        self._namespaces = namespaces
        self._known: dict[str, _Blob] = {}

    def size(self, path: str) -> int:
        """The bytes of a blob; NotFound where no namespace sees it."""
        return self._blob(path).size

    def read(self, path: str, limit: int) -> bytes:
        """All of a blob; NotFound, or LimitError where it is longer than `limit` bytes."""
        if path == "index.json":
            return self._index
        blob = self._blob(path)
        if blob.size > limit:
            raise LimitError(f"longer than the {limit:,} bytes allowed for it", where=blob.digest)
        return b"".join(self._chunks(blob))

    def chunks(self, path: str) -> Iterator[bytes]:
        """A blob piece by piece; shorter than its size where the store's file is cut. NotFound, SourceError."""
        try:
            yield from self._chunks(self._blob(path))
        except (InputError, LimitError) as error:
            # It is the answer that is bad, not the blob: nothing may be said about its digest.
            raise SourceError(error.what, where=error.where, remedy=error.remedy) from error

    def identity(self, path: str) -> str:
        """Empty: containerd never looks at a stored blob again, so nothing it tells changes with the bytes.

        Whoever has a record of a layer hashes the stored bytes before trusting it, which is cheap beside reading it.
        """
        return ""

    def close(self) -> None:
        """Nothing is held: the channel belongs to the engine."""

    def labelled(self, label: str, value: str) -> list[str]:
        """The digests of all blobs with a label of this value, which is a digest."""
        request = encode((1, f'labels."{label}"=="{parse_digest(value)}"'))
        found: dict[str, None] = {}
        for namespace in self._namespaces:
            for answer in self._channel.stream("content.v1.Content/List", request, namespace, seconds=_PIECE_SECONDS):
                found |= dict.fromkeys(digest for info in answer.messages(1) if is_digest(digest := info.text(1)))
                if len(found) > _MOST_LISTED:
                    raise LimitError(f"more than {_MOST_LISTED:,} blobs have the label {label}", where=self._where)
        return list(found)

    @property
    def _where(self) -> str:
        return self._channel.where

    def _blob(self, path: str) -> _Blob:
        digest = parse_digest(path.removeprefix("blobs/").replace("/", ":"), where=self._where)
        if digest not in self._known:
            self._known[digest] = self._locate(digest)
        return self._known[digest]

    def _locate(self, digest: str) -> _Blob:
        for namespace in self._namespaces:
            try:
                info = self._channel.call("content.v1.Content/Info", encode((1, digest)), namespace).message(1)
            except NotFound:
                continue
            size = info.integer(2)
            if info.text(1) != digest:
                raise InputError("containerd answers for another blob", where=digest)
            if not 0 <= size <= _MOST_BYTES:
                raise LimitError(f"a blob cannot have {size:,} bytes", where=digest)
            return _Blob(digest, namespace, size)
        raise NotFound(f"{digest} is not in containerd's content store", where=self._where, remedy=_MISSING)

    def _chunks(self, blob: _Blob) -> Iterator[bytes]:
        # A call of its own for every piece: so a silent or a slow containerd is noticed, whatever the blob's size.
        for offset in range(0, blob.size, _PIECE_BYTES):
            left = min(_PIECE_BYTES, blob.size - offset)
            request = encode((1, blob.digest), (2, offset), (3, left))
            method = "content.v1.Content/Read"
            with closing(self._channel.stream(method, request, blob.namespace, seconds=_PIECE_SECONDS)) as answers:
                for answer in answers:
                    data = answer.content(2)  # its `offset` counts from the request's, and says nothing
                    left -= len(data)
                    if not data or left < 0:
                        raise SourceError("containerd sends other bytes than it was asked for", where=blob.digest)
                    yield data
            if left:
                return  # the file ends here: its digest will tell
