"""An image as an engine exports it: one tar, whose layers are read while it comes.

Three forms: Docker's before version 25 (`ID/layer.tar`), Podman's (`DIFFID.tar`), and the OCI layout of later Dockers
(`blobs/sha256/…`: layers as they are with the classic store, compressed as pulled with containerd's). In all of them
manifest.json says what is what, and comes last.
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

from msgspec import Struct, structs

from holdfast.fs.budget import TreeBudget
from holdfast.fs.tar import TarFile, TarTree
from holdfast.model.artifact import Layer
from holdfast.model.errors import HoldfastError, LimitError, SourceError
from holdfast.model.file import FileType
from holdfast.model.status import Problem
from holdfast.oci.budget import READ_BYTES, ImageBudget
from holdfast.oci.manifest import DockerImage, parse

_DOCUMENTS = 4  # budgets of one document, for all of an export together
_LAYER = re.compile(
    r"blobs/(?P<blob>sha256/[0-9a-f]{64}|sha512/[0-9a-f]{128})|(?P<diff>[0-9a-f]{64})\.tar|[^/]+/layer\.tar"
)
_MOST_BYTES = 1 << 40  # whatever size the engine tells: no image we know has a hundredth of it
MANIFEST = "manifest.json"


class Part(Struct, frozen=True):
    """A layer in an export: `size` bytes, stored as `layer` says as far as its path tells, read by `chunks` once."""

    path: str
    layer: Layer
    size: int
    chunks: Callable[[], Iterator[bytes]]


class Export:
    """The bytes of one export, walked once. `documents` and `problems` are complete when the walk is.

    `promised` are the diff IDs of the image's layers, `size` the bytes that the engine says it has.
    """

    def __init__(
        self, sent: Iterator[bytes], promised: Collection[str], size: int, budget: ImageBudget, where: str
    ) -> None:
        self.documents: dict[str, bytes] = {}
        self.problems: list[Problem] = []
        self._promised, self._budget, self._where = promised, budget, where
        self._limit = self._left = min(budget.image_factor * max(budget.inflated_bytes, size), _MOST_BYTES)
        self._failure: HoldfastError | None = None
        self._tree = TarTree(self._bounded(sent), TreeBudget(entries=budget.archive_entries), where)
        self._room = _DOCUMENTS * budget.document_bytes

    def layers(self) -> Iterator[Part]:
        """Each layer that comes, to be read before the next is asked for. SourceError where the export breaks off.

        What may be a layer is one, until manifest.json says so or not.
        """
        try:
            yield from self._walk()
        except LimitError as error:
            raise _broken(error) from error
        if self._failure is not None:
            raise _broken(self._failure) from self._failure
        self.problems += [
            structs.replace(problem, code="archive." + problem.code.partition(".")[2])
            for problem in self._tree.problems
        ]
        for path in self._taken_for_documents():
            data = self.documents[path]
            yield Part(path, Layer("", size=len(data)), len(data), partial(iter, (data,)))

    def images(self) -> list[DockerImage]:
        """What manifest.json tells of; nothing where it is missing or damaged."""
        try:
            return parse(self.documents[MANIFEST], list[DockerImage], self._where)
        except (KeyError, HoldfastError):
            return []

    def _walk(self) -> Iterator[Part]:
        count = 0
        for file in self._tree.walk():
            if file.entry.type is not FileType.FILE or file.is_sparse:
                continue
            layer = self._layer(file)
            if layer is None:
                self._keep(file)
                continue
            count += 1
            if count > self._budget.layers:
                raise LimitError(f"exports more than {self._budget.layers} layers", where=self._where)
            self._allow(file.entry.size)  # what it may inflate to is measured by what it claims
            yield Part(file.entry.path, layer, file.entry.size, partial(_content, file, self._where))

    def _layer(self, file: TarFile) -> Layer | None:
        """The layer that an entry is, with what its path promises of it; None for anything else."""
        named = _LAYER.fullmatch(file.entry.path)
        if named is None:
            return None
        digest = (named["blob"] or "").replace("/", ":")
        diff_id = digest or (f"sha256:{named['diff']}" if named["diff"] else "")
        if diff_id in self._promised:
            return Layer(diff_id, digest, size=file.entry.size)
        return None if _looks_like_json(file) else Layer("", digest, size=file.entry.size)

    def _keep(self, file: TarFile) -> None:
        size = file.entry.size
        if size <= min(self._budget.document_bytes, self._room) and _looks_like_json(file):
            self._room -= size
            self.documents[file.entry.path] = b"".join(_content(file, self._where))

    def _allow(self, count: int) -> None:
        # What was sent ahead of the walk counts as well: one piece at most.
        if count > self._left + READ_BYTES or self._left < 0:
            raise LimitError(f"exports more than {self._limit:,} bytes", where=self._where)

    def _bounded(self, sent: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in sent:
                self._left -= len(piece)
                self._allow(0)
                yield piece
        except HoldfastError as error:
            self._failure = error  # it may be a layer's thread that meets it
            raise

    def _taken_for_documents(self) -> list[str]:
        """Layers that begin like JSON: manifest.json knows better."""
        wanted = dict.fromkeys(path for image in self.images() for path in image.layers or ())
        return [path for path in wanted if path in self.documents]


def _broken(error: HoldfastError) -> SourceError:
    return SourceError(error.what, where=error.where, remedy=error.remedy)


def _looks_like_json(file: TarFile) -> bool:
    return file.head()[:1] in (b"{", b"[")


def _content(file: TarFile, where: str) -> Iterator[bytes]:
    left = file.entry.size
    for piece in file.chunks():
        left -= len(piece)
        yield bytes(piece)
    if left:
        raise SourceError("the export ends in the midst of it", where=where)
