"""One pass over one tree: every file offered once, only what a reader asks for is read."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.fs.overlay import Changes, ChangesCollector
from holdfast.fs.reader import Reader
from holdfast.fs.select import Selector
from holdfast.fs.tree import File, Tree
from holdfast.model.errors import HoldfastError
from holdfast.model.file import FileType
from holdfast.model.found import Found
from holdfast.model.status import Problem
from holdfast.scan.record import FileFound

_MOST_FOUND = 200_000  # the largest images in use have some ten thousand


class Walked(Struct, frozen=True):
    """What a pass over a tree gave."""

    changes: Changes
    found: tuple[FileFound, ...]
    entries: int
    problems: tuple[Problem, ...]


def walk(tree: Tree, selector: Selector) -> Walked:
    """Walk a whole tree once."""
    collector = ChangesCollector()
    found: list[FileFound] = []
    entries = left_out = 0
    for file in tree.walk():
        entry = file.entry
        entries += 1
        collector.add(entry)
        if entry.type is FileType.FILE and entry.size:
            if len(found) < _MOST_FOUND:
                found += _offer(file, selector)
            else:
                left_out += bool(selector.by_path(entry.path))
    problems = [*tree.problems]
    if left_out:
        message = f"more than {_MOST_FOUND:,} files that name packages: the rest was not read"
        problems.append(Problem("layer.too-many-packages", message, count=left_out))
    return Walked(collector.changes(), tuple(found), entries, tuple(problems))


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


def _offer(file: File, selector: Selector) -> Iterator[FileFound]:
    for reader in selector.by_path(file.entry.path) or selector.by_head(file.head()):
        if result := _read(file, reader):
            yield result


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
