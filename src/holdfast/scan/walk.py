"""One pass over one tree: every file offered once, to those who read its kind and to those who look into all."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from holdfast.fs.archive import is_archive
from holdfast.fs.memory import MemoryFile
from holdfast.fs.overlay import Changes, ChangesCollector
from holdfast.fs.reader import Reader
from holdfast.fs.tree import File, Tree
from holdfast.model.errors import HoldfastError, LimitError
from holdfast.model.file import FileType
from holdfast.model.found import Found, Trait
from holdfast.model.status import Problem
from holdfast.scan.content import ARCHIVE_BYTES, WINDOW_BYTES, Content, Examination, Watched
from holdfast.scan.engines import Engines
from holdfast.scan.record import FileFound
from holdfast.scan.sieve import Strainer

MARKS = "marks"
"""Stands for the reader's name where the entry itself told, not its content."""

_MOST_FOUND = 200_000  # the largest images in use have some ten thousand
_MOST_MARKED = 20_000


class Walked(Struct, frozen=True):
    """What a pass over a tree gave."""

    changes: Changes
    found: tuple[FileFound, ...]
    contents: tuple[Content, ...]
    entries: int
    problems: tuple[Problem, ...]


class _Walk:
    """A pass in the making."""

    def __init__(self, engines: Engines, strainer: Strainer | None) -> None:
        self._selector, self._marks = engines.selector, engines.marks
        self._examination = engines.examination(strainer)
        self._found: list[FileFound] = []
        self._left_out = self._marked = self._unmarked = 0

    def take(self, file: File) -> None:
        """One entry."""
        entry = file.entry
        if self._marks is not None and (traits := self._marks(entry)):
            self._mark(entry.path, traits)
        if entry.type is not FileType.FILE or not entry.size:
            return
        if self._examination is not None:
            self._examine(file, self._examination)
        elif readers := self._readers(file):
            self._read(file, readers)

    def walked(self, changes: Changes, entries: int, problems: Sequence[Problem]) -> Walked:
        """All that came of it."""
        problems = [*problems, *(self._examination.problems if self._examination else ())]
        if self._left_out:
            message = f"more than {_MOST_FOUND:,} files that name packages: the rest was not read"
            problems.append(Problem("layer.too-many-packages", message, count=self._left_out))
        if self._unmarked:
            message = f"more than {_MOST_MARKED:,} entries with modes worth a look: the rest is not told of"
            problems.append(Problem("layer.too-many-modes", message, count=self._unmarked))
        contents = self._examination.contents if self._examination else ()
        return Walked(changes, tuple(self._found), contents, entries, tuple(problems))

    def _mark(self, path: str, traits: tuple[Trait, ...]) -> None:
        if self._marked < _MOST_MARKED:
            self._marked += 1
            self._found.append(FileFound(path, MARKS, Found(traits=traits)))
        else:
            self._unmarked += 1

    def _readers(self, file: File) -> tuple[Reader, ...]:
        path = file.entry.path
        if len(self._found) < _MOST_FOUND + self._marked:
            return self._selector.by_path(path) or self._selector.by_head(file.head())
        self._left_out += bool(self._selector.by_path(path))
        return ()

    def _read(self, file: File, readers: Iterable[Reader]) -> None:
        for reader in readers:
            if result := _read(file, reader):
                self._found.append(result)

    def _examine(self, file: File, examination: Examination) -> None:
        """Read a file whole, or a large one in pieces, so that readers and engines share the bytes."""
        entry = file.entry
        if entry.size > WINDOW_BYTES:
            archive = is_archive(file.head())
            if not archive or entry.size > ARCHIVE_BYTES:
                watched = Watched(file, examination)
                self._read(watched, self._readers(file))
                watched.finish()
                if archive:
                    examination.too_large(entry)
                return
        elif examination.passes(file):
            if readers := self._readers(file):
                self._read(file, readers)
            return
        span = getattr(file, "span", None)
        data = _content(file)
        held = MemoryFile(entry, data)
        if readers := self._readers(held):
            self._read(held, readers)
        examination.whole(entry, data, span[0] if span else -1)


def walk(tree: Tree, engines: Engines, strainer: Strainer | None = None) -> Walked:
    """Walk a whole tree once; `strainer` is what its stream flows through on the way here."""
    collector = ChangesCollector()
    pass_ = _Walk(engines, strainer)
    entries = 0
    for file in tree.walk():
        entries += 1
        collector.add(file.entry)
        pass_.take(file)
    return pass_.walked(collector.changes(), entries, tree.problems)


def _content(file: File) -> bytes:
    try:
        return file.read(file.entry.size)
    except LimitError:  # it has grown since it was listed
        return b"".join(file.chunks())


def read_again(tree: Tree, wanted: dict[str, tuple[Reader, ...]]) -> tuple[FileFound, ...]:
    """Read single files that links lead to, for the readers that asked for the link."""
    found: dict[str, list[FileFound]] = {}
    for file in tree.walk():
        path = file.entry.path
        if file.entry.type is FileType.FILE and path in wanted:
            # The last entry of a name is the one that is unpacked in the end.
            # That nothing was found is kept too, so that it is not looked for again.
            found[path] = [_read(file, reader) or FileFound(path, reader.name, Found()) for reader in wanted[path]]
    return tuple(result for results in found.values() for result in results)


def _read(file: File, reader: Reader) -> FileFound | None:
    path = file.entry.path
    try:
        found = reader.read(file)
    except HoldfastError as error:
        found = Found(problems=(Problem.of(f"catalog.{reader.name}.unreadable", error, where=path),))
    except (ValueError, RecursionError, LookupError, OSError, MemoryError) as error:
        # A reader turns bad input into problems itself; should one fail to, the scan still goes on and says so.
        message = f"could not be understood: {type(error).__name__}"
        found = Found(problems=(Problem(f"catalog.{reader.name}.failed", message, where=path),))
    return FileFound(path, reader.name, found) if found != Found() else None
