"""An image that is open: what its documents say, and its layers to be read."""

import hashlib
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from holdfast.model.artifact import History, Image, Layer
from holdfast.model.errors import HoldfastError, LimitError, NotFound
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import ImageBudget
from holdfast.oci.integrity import Mismatch
from holdfast.oci.layer import Allowance, LayerStream
from holdfast.oci.layout import Layout


class StoredLayer(Struct, frozen=True):
    """A layer and where its bytes lie in the layout; `problem` says why they cannot be read, where that is known."""

    layer: Layer
    path: str = ""
    problem: Problem | None = None


class ImageSource:
    """One image, open; a context manager. `integrity` says which of its documents are not what was promised.

    Its layers may be read at the same time by several threads, each through its own stream.
    """

    def __init__(
        self,
        image: Image,
        layers: Sequence[StoredLayer],
        layout: Layout,
        budget: ImageBudget,
        problems: list[Problem],
        integrity: list[Mismatch],
    ) -> None:
        self.image = image
        self.layout = layout
        self.problems = problems
        self.integrity = integrity
        self._layers = layers
        self._budget = budget
        self._sizes = [self._size(one) for one in layers]
        # A blob that is listed a thousand times is stored once.
        distinct = {one.path: size for one, size in zip(layers, self._sizes, strict=True) if isinstance(size, int)}
        self._allowance = Allowance(budget.image_factor * budget.inflated(sum(distinct.values())))
        self._streams: list[LayerStream] = []

    @property
    def pulled(self) -> bool:
        """Whether its bytes come over a wire, so that nothing is made of those that are not what was promised."""
        return self.layout.pulled

    def open_layer(self, index: int) -> LayerStream:
        """The stream of one layer, the lowest being 0. A layer that is missing has a problem and no chunks."""
        stored, size = self._layers[index], self._sizes[index]
        if isinstance(size, Problem):
            return LayerStream(stored.layer, None, problem=size)
        try:
            # It is read whole for its digest, whatever it inflates to: this bounds how often.
            self._allowance.spend(self._budget.ratio * size)
        except LimitError as error:
            problem = Problem.of("layer.too-large", error, where=stored.layer.digest or stored.layer.diff_id)
            return LayerStream(stored.layer, None, problem=problem)
        stream = LayerStream(
            stored.layer,
            partial(self.layout.chunks, stored.path),
            stored_bytes=size,
            allowance=self._allowance,
            budget=self._budget,
        )
        self._streams.append(stream)
        return stream

    def _size(self, stored: StoredLayer) -> int | Problem:
        """The true length of a layer's blob in bytes, or why it cannot be read."""
        if stored.problem is not None:
            return stored.problem
        try:
            return self.layout.size(stored.path)
        except NotFound as error:
            return Problem.of("layer.missing", error, where=stored.layer.digest)
        except HoldfastError as error:
            return Problem.of("layer.unreadable", error, where=stored.layer.digest)

    def identity(self, index: int) -> str:
        """What changes whenever the stored bytes of a layer do; empty where they cannot be read."""
        stored = self._layers[index]
        try:
            return "" if stored.problem else self.layout.identity(stored.path)
        except HoldfastError:
            return ""

    def stored_digest(self, index: int) -> str:
        """The digest of a layer's bytes as they are stored, by its own algorithm; empty where they cannot be read."""
        stored = self._layers[index]
        if self.layout.pulled:
            return stored.layer.digest  # whatever will come for it is held to that
        algorithm = stored.layer.digest.partition(":")[0] or "sha256"
        hashed = hashlib.new(algorithm)
        try:
            for chunk in () if stored.problem else self.layout.chunks(stored.path):
                hashed.update(chunk)
        except HoldfastError:
            return ""
        return f"{algorithm}:{hashed.hexdigest()}"

    def close(self) -> None:
        """Stop every stream and let go of the files underneath."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self.layout.close()

    def __enter__(self) -> "ImageSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lines_of_layers(history: Sequence[History], count: int) -> tuple[list[str], Problem | None]:
    """The history line that made each of `count` layers; a note where their numbers differ (`docker build --squash`).

    The lines are then laid from the lowest layer up, and the rest is unknown.
    """
    lines = [line.created_by for line in history if not line.empty]
    problem = None
    if lines and len(lines) != count:
        problem = Problem(
            "image.history-mismatch",
            f"the history tells of {len(lines)} layers and the image has {count}: which line made which is a guess",
            Gravity.NOTE,
        )
    return (lines + [""] * count)[:count], problem
