"""What the checks look at: an image, or a root file system, as the scan has put it together."""

from collections.abc import Callable
from datetime import date

from msgspec import Struct

from holdfast.model.artifact import Image, Side
from holdfast.model.found import Trait
from holdfast.model.package import Distribution, Package


class Placed(Struct, frozen=True, omit_defaults=True):
    """A trait of a file that is visible in the finished tree, and the layer that brought the file."""

    path: str
    trait: Trait
    diff_id: str = ""
    side: Side = Side.UNKNOWN


def _nothing(path: str) -> bool:  # noqa: ARG001
    return False


class Scene(Struct, frozen=True):
    """One target of the checks.

    `image` is None for a root file system. `exists` says whether something is at a path of the finished tree (relative
    to the root, symlinks followed). `end_of_life` is the day on which the distribution's support ends (ISO 8601), or
    empty; `pinned` whether the target was named by a digest, or is not named by a reference at all.
    """

    name: str
    image: Image | None = None
    traits: tuple[Placed, ...] = ()
    exists: Callable[[str], bool] = _nothing
    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    end_of_life: str = ""
    pinned: bool = True
    today: date = date.min

    def named(self, *names: str) -> tuple[Placed, ...]:
        """The traits with one of these names, in the order of their paths and lines."""
        found = (placed for placed in self.traits if placed.trait.name in names)
        return tuple(sorted(found, key=lambda placed: (placed.path, placed.trait.line)))
