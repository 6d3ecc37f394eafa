"""How much of an image is read before it is called hostile: every bound with its unit and its reason."""

from msgspec import Struct

from holdfast.fs.budget import GIB, KIB, MIB


class ImageBudget(Struct, frozen=True):
    """The bounds of one image. Real images stay far below each of them.

    - `document_bytes`: of one index, manifest or configuration. Registries refuse manifests above 4 MiB.
    - `index_depth`, `descriptors`: of indexes inside indexes, and of entries in all of them together.
    - `layers`: overlayfs mounts 128 at most, so no engine runs more; some build tools squash late.
    - `inflated_bytes` or `ratio` times the stored bytes, whichever is more, for one layer. Programs and text shrink to
      a half or a tenth; 1032 : 1 (deflate) and more (zstd) need nothing but zeros.
    - `image_factor`: the same bound for all layers together is this many times larger.
    - `trailing_bytes`: inflated bytes behind the place where a walk ended, read only for the digests. Tools pad to a
      record of 10 KiB; a walk that a bad header ended may leave more.
    - `zstd_window_bytes`: memory a zstd frame may ask for; `zstd --ultra --long` of 27 bits is the most in use.
    - `archive_entries`: files in an image archive: a few for each layer.
    """

    document_bytes: int = 8 * MIB
    index_depth: int = 4
    descriptors: int = 2000
    layers: int = 1000
    inflated_bytes: int = GIB
    ratio: int = 100
    image_factor: int = 8
    trailing_bytes: int = GIB
    zstd_window_bytes: int = 128 * MIB
    archive_entries: int = 100_000

    def inflated(self, stored: int) -> int:
        """How many bytes a layer of `stored` bytes may inflate to."""
        return max(self.inflated_bytes, self.ratio * stored)


IMAGE_BUDGET = ImageBudget()
READ_BYTES = 256 * KIB
CHUNK_BYTES = 256 * KIB  # small enough to stay in a processor's own cache from inflating to hashing
