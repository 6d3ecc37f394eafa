"""What a container engine is to us: something that has images, and containers that run."""

from typing import Protocol

from msgspec import Struct

from holdfast.model.artifact import Platform
from holdfast.oci.source import Source


class Running(Struct, frozen=True, omit_defaults=True):
    """A container that runs.

    `image` is the reference as the engine tells it, `image_id` what `Engine.open` finds the image by, `digest` that
    of its manifest where the engine knows one, `namespace` containerd's.
    """

    engine: str
    id: str
    name: str
    image: str
    image_id: str = ""
    digest: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}


class Engine(Protocol):
    """A container engine that answers. Its methods raise HoldfastError."""

    @property
    def name(self) -> str:
        """Its kind: `docker`, `podman` or `containerd`."""

    def open(self, name: str, platform: Platform | None = None) -> Source:
        """The image with a name or id, its documents read and its layers not yet."""

    def running(self) -> list[Running]:
        """Every container that runs."""

    def close(self) -> None:
        """Let go of it."""
