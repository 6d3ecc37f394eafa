"""An open image, whatever it was opened from: what scanning needs of it, and no more."""

from collections.abc import Iterator
from typing import Protocol, Self, runtime_checkable

from holdfast.model.artifact import Image
from holdfast.model.status import Problem
from holdfast.oci.integrity import Mismatch
from holdfast.oci.layer import LayerStream


class Source(Protocol):
    """One image, open; a context manager. `integrity` says which of its documents are not what was promised."""

    @property
    def image(self) -> Image:
        """What its documents say."""

    @property
    def pulled(self) -> bool:
        """Whether its bytes come over a wire, so that nothing is made of those that are not what was promised."""

    @property
    def problems(self) -> list[Problem]:
        """What of it could not be read or understood."""

    @property
    def integrity(self) -> list[Mismatch]:
        """Which documents are not the ones promised."""

    def open_layer(self, index: int) -> LayerStream:
        """The stream of one layer, the lowest being 0. A layer that is missing has a problem and no chunks."""

    def identity(self, index: int) -> str:
        """What changes whenever the stored bytes of a layer do; empty where that cannot be known."""

    def stored_digest(self, index: int) -> str:
        """The digest of a layer's bytes as they are stored; empty where they cannot be read again cheaply."""

    def close(self) -> None:
        """Let go of what is underneath."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@runtime_checkable
class Streamed(Source, Protocol):
    """A source that gives all its layers in one stream, in an order of its own: an engine's export."""

    def arrivals(self) -> Iterator[LayerStream]:
        """Each layer as it comes, once; read it to its end before taking the next.

        Which of the image's layers it is shows its diff ID when it has been read. Raises SourceError where the
        stream breaks off.
        """
