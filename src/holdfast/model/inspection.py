"""What an image is made of, without a look into its layers."""

from msgspec import Struct

from holdfast.model.artifact import Attachment, Image, Platform, Provenance
from holdfast.model.status import Problem

SCHEMA = "holdfast.inspection/1"


class Offered(Struct, frozen=True, omit_defaults=True):
    """One image of an index: its platform, digest, and the bytes of its manifest."""

    platform: Platform | None
    digest: str
    size: int = 0


class Inspection(Struct, frozen=True):
    """An image as its documents describe it, what its index offers beside it, and what is attached.

    `media_type` is the manifest's. Sizes are in bytes, as stored (compressed). `provenance` is by the digest of the
    attachment that states it.
    """

    schema: str
    target: str
    image: Image
    media_type: str = ""
    offers: tuple[Offered, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    provenance: dict[str, Provenance] = {}
    problems: tuple[Problem, ...] = ()

    @property
    def size(self) -> int:
        """All layers together, as stored, each blob once; what is unknown counts nothing."""
        return sum({layer.digest or layer.diff_id: max(layer.size, 0) for layer in self.image.layers}.values())
