"""What reads single files: it says which ones it wants, and what one such file shows."""

from typing import Protocol

from holdfast.fs.tree import File
from holdfast.model.found import Found


class Reader(Protocol):
    """Reads files of one kind. It keeps no state: the same bytes give the same result.

    `patterns` are globs over the whole path (`*` within a part, `**/` any depth); `magic` are first bytes of files of
    any name. `version` goes into the cache's key: raise it when the result for the same bytes changes.
    """

    @property
    def name(self) -> str:
        """A short name, unique among the readers of a scan."""

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
