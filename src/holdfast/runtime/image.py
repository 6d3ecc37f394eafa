"""An image that an engine has: described by its API, its layers read from its export."""

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from functools import partial

from msgspec import structs

from holdfast.model.artifact import Image, Layer, Platform
from holdfast.model.errors import HoldfastError, InputError, NotFound
from holdfast.model.status import Problem
from holdfast.oci.budget import ImageBudget
from holdfast.oci.integrity import Mismatch, digest_of
from holdfast.oci.layer import Allowance, LayerStream
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import Configuration, parse, parse_document
from holdfast.runtime.export import MANIFEST, Export, Part

Exporter = Callable[[], Generator[bytes, None, None]]


class ExportedImage:
    """A Streamed image; a context manager. What its export says of it is held against what the engine promised.

    `export` opens the engine's tar anew, `size` is how many bytes the engine says that the image has. The engine has
    these bytes in its own store: `pulled` is false, since they are what runs, promised or not.
    """

    pulled = False

    def __init__(self, image: Image, export: Exporter, size: int, budget: ImageBudget, problems: list[Problem]) -> None:
        self.image = image
        self.problems = problems
        self.integrity: list[Mismatch] = []
        self._export, self._size, self._budget = export, size, budget
        self._promised = frozenset(layer.diff_id for layer in image.layers)
        self._allowance = Allowance(budget.image_factor * budget.inflated(size))
        self._parts: dict[str, Part] = {}  # by diff ID, once that is known
        self._verified = False
        self._open: list[LayerStream] = []

    def arrivals(self) -> Iterator[LayerStream]:
        """Each layer as it comes; `layer.diff_id` is known before it is read only where its path promises it.

        Afterwards `problems` and `integrity` tell what the export's own documents are worth.
        """
        with closing(self._export()) as sent:
            export = self._read(sent)
            for part in export.layers():
                with self._stream(part.layer, part) as stream:
                    yield stream
                if diff_id := stream.diff_id or part.layer.diff_id:
                    self._parts.setdefault(diff_id, part)
            if not self._verified:
                self._verified = True
                self.problems += export.problems
                self._verify(export)

    def open_layer(self, index: int) -> LayerStream:
        """One layer alone. The engine exports the whole image for it, and the rest is passed over."""
        layer = self.image.layers[index]
        try:
            part = self._located(layer.diff_id)
        except HoldfastError as error:
            return LayerStream(layer, None, problem=Problem.of("layer.missing", error, where=layer.diff_id))
        stream = self._stream(layer, structs.replace(part, chunks=partial(self._again, part.path)))
        self._open.append(stream)
        return stream

    def identity(self, index: int) -> str:
        """Empty: nothing tells whether an engine's bytes changed, short of reading them."""
        return ""

    def stored_digest(self, index: int) -> str:
        """Empty: an engine may keep other bytes than those it sends."""
        return ""

    def close(self) -> None:
        """Stop what is being read."""
        for stream in self._open:
            stream.close()
        self._open.clear()

    def __enter__(self) -> "ExportedImage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, sent: Iterator[bytes]) -> Export:
        return Export(sent, self._promised, self._size, self._budget, self.image.reference)

    def _stream(self, layer: Layer, part: Part) -> LayerStream:
        return LayerStream(layer, part.chunks, stored_bytes=part.size, allowance=self._allowance, budget=self._budget)

    def _located(self, diff_id: str) -> Part:
        """Which part of an export a layer is. Where no path tells, all layers are read for their diff IDs."""
        if diff_id not in self._parts:
            for stream in self.arrivals():
                for _ in () if stream.layer.diff_id else stream.chunks():
                    pass
        if diff_id not in self._parts:
            raise NotFound("the engine does not send it", where=diff_id)
        return self._parts[diff_id]

    def _again(self, path: str) -> Iterator[bytes]:
        """The stored bytes of one part, out of another export."""
        with closing(self._export()) as sent:
            for part in self._read(sent).layers():
                if part.path == path:
                    yield from part.chunks()
                    return
        raise NotFound("the engine does not send it any more", where=self.image.reference)

    def _verify(self, export: Export) -> None:
        """Hold what was exported against what was promised: the documents' own digests, configuration, diff IDs."""
        documents = export.documents
        for path, data in documents.items():
            if path.startswith("blobs/") and path not in map(blob_path, _digests(data)):
                named = ":".join(path.split("/")[1:])
                self.integrity.append(Mismatch("blob digest", named, digest_of(data, named)))
        try:
            if MANIFEST not in documents and export.problems:
                return  # it was cut short, which has been said
            if MANIFEST not in documents:
                raise NotFound(f"the export has no {MANIFEST}", where=self.image.reference)
            configs = [image.config for image in export.images()]
            found = [config for config in configs if config in documents]
            if not found:
                raise NotFound("the export has no configuration", where=self.image.reference)
            self._compare(documents, [documents[config] for config in found])
        except HoldfastError as error:
            self.problems.append(Problem.of("image.configuration-unreadable", error, where=self.image.reference))

    def _compare(self, documents: dict[str, bytes], configurations: list[bytes]) -> None:
        """One of the configurations has to be the promised one, or to be led to by what was promised."""
        image = self.image
        roots = {digest for digest in (image.config_digest, image.digest, image.index_digest) if digest}
        led = [data for data in configurations if _leads(roots, documents.values(), data)]
        if not led:
            led = configurations[:1]
            expected = image.config_digest or image.digest or image.index_digest
            self.integrity.append(Mismatch("configuration digest", expected, digest_of(led[0])))
        stated = [parse(data, Configuration, image.reference).diff_ids for data in led]
        promised = [layer.diff_id for layer in image.layers]
        if promised not in stated:  # there are several where an index is exported with all its platforms
            pairs = ((one, other) for one, other in zip(promised, stated[0], strict=False) if one != other)
            expected, actual = next(pairs, (f"{len(promised)} layers", f"{len(stated[0])} layers"))
            self.integrity.append(Mismatch("diff ID", expected, actual))


def require(platform: Platform | None, found: Platform | None, where: str) -> None:
    """InputError where an image is for another platform than the one asked for."""
    if platform is None or found is None:
        return
    same = (platform.os, platform.architecture) == (found.os, found.architecture)
    if not same or (platform.variant and found.variant and platform.variant != found.variant):
        raise InputError(f"no image for {platform}", where=where, remedy=f"the engine has it for {found}")


def _leads(roots: set[str], documents: Collection[bytes], config: bytes) -> bool:
    """Whether a root is a configuration's digest, or its manifest's, or that of an index with the manifest."""
    wanted = _digests(config)
    for _ in range(3):
        if wanted & roots:
            return True
        wanted = {digest for data in documents if wanted & _references(data) for digest in _digests(data)}
    return False


def _digests(data: bytes) -> set[str]:
    return {digest_of(data), digest_of(data, "sha512:")}


def _references(data: bytes) -> set[str]:
    try:
        document = parse_document(data, "")
    except HoldfastError:
        return set()
    if document.manifests is not None:
        return {descriptor.digest for descriptor in document.manifests}
    return {document.config.digest} if document.config else set()
