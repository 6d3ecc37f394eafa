"""What a single file shows to whoever reads it: packages, a distribution, settings; before all is put together."""

from msgspec import Struct

from holdfast.model.package import Distribution, Package
from holdfast.model.status import Problem


class Claim(Struct, frozen=True, omit_defaults=True):
    """What a file says of one operating system package (its name, or `name:architecture`) that stands elsewhere.

    `paths` are the absolute paths of the files it installed, one a line; `licenses` what its copyright file names.
    """

    package: str
    paths: bytes = b""
    licenses: tuple[str, ...] = ()


class Trait(Struct, frozen=True, omit_defaults=True):
    """Something about one file that matters for how safe the image's configuration is.

    `name` is the id of the rule that it breaks, or the name of a fact that a check puts together with others;
    `value` what stands there, in words that hold no secret; `line` where, from 1 (0: the file as a whole).
    """

    name: str
    value: str = ""
    line: int = 0


class Found(Struct, frozen=True, omit_defaults=True):
    """What one file shows.

    Packages come without purl, locations, layer and owner: those are known when everything is (catalog.assemble).
    Problems come without `where`: it is this file. `rank` orders competing distributions: the lowest one counts.
    `repositories` is the content of a file that says where the package manager fetches from, as it stands.
    """

    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    rank: int = 0
    claims: tuple[Claim, ...] = ()
    repositories: bytes = b""
    traits: tuple[Trait, ...] = ()
    problems: tuple[Problem, ...] = ()
