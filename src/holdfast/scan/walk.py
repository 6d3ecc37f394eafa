"""One pass over one tree: every file offered once, only what a cataloger asks for is read."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.catalog.cataloger import Cataloger, Found
from holdfast.catalog.select import Selector
from holdfast.fs.overlay import Changes, ChangesCollector
from holdfast.fs.tree import File, Tree
from holdfast.model.errors import HoldfastError
from holdfast.model.file import FileType
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


def read_again(tree: Tree, wanted: dict[str, tuple[Cataloger, ...]]) -> tuple[FileFound, ...]:
    """Read single files that links lead to, for the catalogers that asked for the link."""
    found: dict[str, list[FileFound]] = {}
    for file in tree.walk():
        path = file.entry.path
        if file.entry.type is FileType.FILE and path in wanted:
            # The last entry of a name is the one that is unpacked in the end.
            # That nothing was found is kept too, so that it is not looked for again.
            found[path] = [
                _read(file, cataloger) or FileFound(path, cataloger.name, Found()) for cataloger in wanted[path]
            ]
    return tuple(result for results in found.values() for result in results)


def _offer(file: File, selector: Selector) -> Iterator[FileFound]:
    for cataloger in selector.by_path(file.entry.path) or selector.by_head(file.head()):
        if result := _read(file, cataloger):
            yield result


def _read(file: File, cataloger: Cataloger) -> FileFound | None:
    path = file.entry.path
    try:
        found = cataloger.read(file)
    except HoldfastError as error:
        found = Found(problems=(Problem.of(f"catalog.{cataloger.name}.unreadable", error, where=path),))
    except (ValueError, RecursionError, LookupError, OSError, MemoryError) as error:
        # A cataloger turns bad input into problems itself; should one fail to, the scan still goes on and says so.
        message = f"could not be understood: {type(error).__name__}"
        found = Found(problems=(Problem(f"catalog.{cataloger.name}.failed", message, where=path),))
    return FileFound(path, cataloger.name, found) if found != Found() else None
