"""A repository of a registry as a layout: what its documents name can be read as if it lay in a folder."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress

from holdfast.model.errors import HoldfastError, LimitError, NotFound
from holdfast.model.status import Problem
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, parse_document
from holdfast.oci.reference import Reference
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.documents import Documents
from holdfast.oci.registry.referrers import referrers, tagged


class RegistryLayout:
    """The manifests and blobs of one repository, by the path a layout would give them.

    Documents that are kept from before are not fetched again: they are what their digest says, wherever they come
    from. Only what a document named can be asked for.
    """

    pulled = True

    def __init__(self, registry: Registry, reference: Reference, documents: Documents) -> None:
        self.problems: list[Problem] = []
        self.reference = reference
        self._registry = registry
        self._repository = reference.repository
        self._documents = documents
        self._known: dict[str, Descriptor] = {}
        self._manifests: set[str] = set()
        self._read: set[str] = set()
        self._lock = threading.Lock()

    def root(self, last: str = "") -> Descriptor:
        """What the reference leads to now: a manifest or an index, which is then at hand.

        `last` is the digest that the tag had when it was last asked for: where it has not moved, a request without
        content is all that is made, and for a reference by digest none at all.
        """
        digest = self.reference.digest
        if not digest and last and self._documents.get(last) is not None:
            digest = self._registry.digest(self._repository, self.reference.tag)
        data = self._documents.get(digest) if digest else None
        if data is None:
            fetched = self._registry.manifest(self._repository, digest or self.reference.tag)
            data, digest = fetched.data, fetched.digest
            self._documents.put(digest, data)
        document = parse_document(data, str(self.reference))
        kind = INDEX_TYPES if document.manifests is not None else MANIFEST_TYPES
        root = Descriptor(document.media_type or kind[0], digest, len(data))
        self.add([], manifests=[root])
        return root

    def add(self, blobs: Iterable[Descriptor], manifests: Iterable[Descriptor] = ()) -> None:
        """Make what descriptors name readable."""
        manifests = tuple(manifests)
        with self._lock:
            for descriptor in (*manifests, *blobs):
                self._known.setdefault(descriptor.digest, descriptor)
            self._manifests.update(descriptor.digest for descriptor in manifests)

    def referrers(self, digest: str) -> list[Descriptor]:
        """The manifests that refer to an image, as the registry lists them or the tag that stands in for its list."""
        found = referrers(self._registry, self._repository, digest)
        self.add([], manifests=found)
        return found

    def tagged(self, digest: str) -> list[Descriptor]:
        """The manifests under the tags that cosign makes of an image's digest."""
        found = tagged(self._registry, self._repository, digest)
        self.add([], manifests=found)
        return found

    def size(self, path: str) -> int:
        """The bytes of a file, as the document that names it says; NotFound for what is kept elsewhere."""
        descriptor = self._descriptor(path)
        if descriptor.is_foreign or descriptor.size < 0:
            return self._registry.size(self._repository, descriptor.digest)
        return descriptor.size

    def read(self, path: str, limit: int) -> bytes:
        """All of a document, from what is kept or from the registry, held to its digest; Mismatched, LimitError."""
        descriptor = self._descriptor(path)
        data = self._documents.get(descriptor.digest)
        if data is None:
            if descriptor.size > limit:
                raise LimitError(f"longer than the {limit:,} bytes allowed for it", where=descriptor.digest)
            data = self._fetch(descriptor, limit)
            self._documents.put(descriptor.digest, data)
        if len(data) > limit:
            raise LimitError(f"longer than the {limit:,} bytes allowed for it", where=descriptor.digest)
        self._learn(descriptor, data)
        return data

    def chunks(self, path: str, start: int = 0) -> Iterator[bytes]:
        """A blob piece by piece, from its byte `start`.

        Asked for again, it is asked of the registry itself: a mirror may have changed it.
        """
        descriptor = self._descriptor(path)
        with self._lock:
            again = descriptor.digest in self._read
            self._read.add(descriptor.digest)
        size = self.size(path)
        return self._registry.blob(self._repository, descriptor.digest, size, start=start, mirrors=not again)

    def identity(self, path: str) -> str:
        """The digest: whatever a registry sends for it is held to it."""
        return f"registry:{self._descriptor(path).digest}"

    def close(self) -> None:
        """Nothing is held."""

    def descriptor(self, digest: str) -> Descriptor:
        """How the documents read so far describe what has this digest; NotFound where none of them does."""
        return self._descriptor(blob_path(digest))

    def _fetch(self, descriptor: Descriptor, limit: int) -> bytes:
        if descriptor.digest in self._manifests:
            return self._registry.manifest(self._repository, descriptor.digest).data
        return self._registry.document(self._repository, descriptor.digest, limit)

    def _learn(self, descriptor: Descriptor, data: bytes) -> None:
        """Know what a document names from now on."""
        if descriptor.digest in self._manifests:
            with suppress(HoldfastError):  # whoever reads it says what is wrong with it
                document = parse_document(data, descriptor.digest)
                config = [document.config] if document.config else []
                self.add([*config, *(document.layers or ())], manifests=document.manifests or ())

    def _descriptor(self, path: str) -> Descriptor:
        folder, _, name = path.removeprefix("blobs/").partition("/")
        descriptor = self._known.get(f"{folder}:{name}")
        if descriptor is None:
            raise NotFound(f"{path} is not part of this image", where=str(self.reference))
        return descriptor
