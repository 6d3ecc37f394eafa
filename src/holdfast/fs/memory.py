"""A tree that stands in memory: for tests, and for whatever is a file without lying in one."""

from collections.abc import Iterator, Mapping

from holdfast.fs.tree import HEAD
from holdfast.model.errors import LimitError
from holdfast.model.file import Entry, FileType
from holdfast.model.status import Problem


class MemoryFile:
    """An entry of a MemoryTree."""

    def __init__(self, entry: Entry, content: bytes = b"") -> None:
        self.entry = entry
        self._content = content

    def head(self) -> bytes:
        """The first bytes, at most HEAD of them."""
        return self._content[:HEAD]

    def read(self, limit: int) -> bytes:
        """All of the content; LimitError where it is longer than `limit` bytes."""
        if len(self._content) > limit:
            raise LimitError(f"longer than {limit} bytes", where=self.entry.path)
        return self._content

    def chunks(self) -> Iterator[bytes]:
        """The content, in one piece."""
        if self._content:
            yield self._content


class MemoryTree:
    """A tree made from paths and what stands there: the bytes (or text) of a file, or an Entry that has no content."""

    def __init__(self, files: Mapping[str, bytes | str | Entry]) -> None:
        self.problems: list[Problem] = []
        self._files = files

    def walk(self) -> Iterator[MemoryFile]:
        """Every entry in the order of the mapping."""
        for path, thing in self._files.items():
            if isinstance(thing, Entry):
                yield MemoryFile(thing)
            else:
                content = thing.encode("utf-8", "surrogateescape") if isinstance(thing, str) else thing
                yield MemoryFile(Entry(path, FileType.FILE, len(content), 0o644), content)
