"""What a cataloger is: it says which files it reads, and what one such file shows."""

from typing import Protocol

from msgspec import Struct

from holdfast.fs.tree import File
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Problem


class Claim(Struct, frozen=True, omit_defaults=True):
    """What a file says of one operating system package (its name, or `name:architecture`) that stands elsewhere.

    `paths` are the absolute paths of the files it installed, one a line; `licenses` what its copyright file names.
    """

    package: str
    paths: bytes = b""
    licenses: tuple[str, ...] = ()


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
    problems: tuple[Problem, ...] = ()


class Cataloger(Protocol):
    """Reads packages from files of one kind. It keeps no state: the same bytes give the same result.

    `patterns` are globs over the whole path (`*` within a part, `**/` any depth); `magic` are first bytes of files of
    any name. `version` goes into the cache's key: raise it when the result for the same bytes changes.
    """

    @property
    def name(self) -> str:
        """A short name, unique among the catalogers."""

    @property
    def version(self) -> int:
        """The version of what it makes of a file."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The files it reads, by path."""

    @property
    def magic(self) -> tuple[bytes, ...]:
        """The files it reads, by their first bytes."""

    def read(self, file: File) -> Found:
        """What this file shows. Damaged content is a Problem in the result, with what could be read beside it."""
