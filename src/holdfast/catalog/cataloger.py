"""What a cataloger is: a reader of packages."""

from typing import Protocol

from holdfast.fs.reader import Reader


class Cataloger(Reader, Protocol):
    """Reads packages from files of one kind."""
