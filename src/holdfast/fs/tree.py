"""What a file tree is: something that can be walked once, front to back."""

from collections.abc import Iterator
from typing import Protocol

from holdfast.model.file import Entry
from holdfast.model.status import Problem

HEAD = 4096


class File(Protocol):
    """An entry and its content. The content can be had only until the walk goes on to the next entry."""

    @property
    def entry(self) -> Entry:
        """What the tree says of it."""

    def head(self) -> bytes:
        """The first bytes, at most HEAD of them, without consuming anything."""

    def read(self, limit: int) -> bytes:
        """All of the content; LimitError where it is longer than `limit` bytes."""

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The content piece by piece, each piece valid until the next is asked for; nothing is kept in memory."""


class Tree(Protocol):
    """A file tree from a tar stream, a directory, memory …, read in one pass.

    What cannot be read becomes a Problem, never an exception out of the walk; `problems` is complete when it ends.
    """

    @property
    def problems(self) -> list[Problem]:
        """What was damaged, skipped or over budget so far."""

    def walk(self) -> Iterator[File]:
        """Every entry in the order of the source."""
