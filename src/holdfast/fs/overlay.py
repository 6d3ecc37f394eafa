"""The union of an image's layers, told from lists of what each of them changed.

Whiteouts are OCI's (image-spec layer.md, “Whiteouts”, after AUFS): `.wh.<name>` deletes what lower layers have at
`<name>`, `.wh..wh..opq` all that they have in its directory. Other names that begin with `.wh..wh.` mean nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from holdfast.fs.path import raw, text
from holdfast.model.file import Entry, FileType
from holdfast.model.status import Problem

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_RESERVED = ".wh..wh."
_MAX_LINKS = 40  # as the kernel's MAXSYMLINKS
_MAX_STEPS = 10_000
_KEPT_TOPS = 4096  # of paths that may have 4096 bytes each
_MAX_LOOKUPS = 200_000_000  # of one path in one layer: seconds; the links of a large image take a few million


class Changes(Struct, frozen=True, omit_defaults=True, array_like=True):
    """What one layer changed: small, serialisable, and not to be understood without `Overlay`.

    Each member is a list of paths joined by NUL, bytes because paths need not be UTF-8. `implied` are directories that
    have no entry of their own; `symlinks` and `hard_links` alternate between path and target.
    """

    files: bytes = b""
    directories: bytes = b""
    implied: bytes = b""
    symlinks: bytes = b""
    hard_links: bytes = b""
    whiteouts: bytes = b""
    opaques: bytes = b""


class ChangesCollector:
    """Collects the changes of one layer while it is walked. A path that comes twice is what it was last."""

    def __init__(self) -> None:
        self._written: dict[str, str | None] = {}  # None for a directory, the symlink's target, "" for anything else
        self._hard_links: dict[str, str] = {}
        self._whiteouts: list[str] = []
        self._opaques: list[str] = []

    def add(self, entry: Entry) -> None:
        """Note one entry of the layer."""
        path, type_ = entry.path, entry.type
        if _WHITEOUT in path and self._add_whiteout(path):
            return
        if type_ is FileType.DIRECTORY:
            self._written[path] = None
            return
        self._written[path] = entry.link if type_ is FileType.SYMLINK else ""
        if type_ is FileType.HARD_LINK:
            self._hard_links[path] = entry.link
            self._written[path] = self._written.get(entry.link) or ""  # another name of a symlink is a symlink
        elif self._hard_links:
            self._hard_links.pop(path, None)

    def _add_whiteout(self, path: str) -> bool:
        parent, slash, name = path.rpartition("/")
        if name == _OPAQUE:
            self._opaques.append(parent)
        elif name.startswith(_WHITEOUT) and not name.startswith(_RESERVED):
            deleted = name[len(_WHITEOUT) :]
            if deleted not in ("", ".", ".."):
                self._whiteouts.append(parent + slash + deleted)
        return name.startswith(_WHITEOUT)

    def changes(self) -> Changes:
        """All that was added, in the order of the layer."""
        written = self._written
        return Changes(
            files=_join(path for path, link in written.items() if link is not None),
            directories=_join(path for path, link in written.items() if link is None),
            implied=_join(self._implied()),
            symlinks=_join(part for path, link in written.items() if link for part in (path, link)),
            hard_links=_join(part for pair in self._hard_links.items() for part in pair),
            whiteouts=_join(self._whiteouts),
            opaques=_join(f"/{path}" for path in self._opaques),  # so that the root's has a name
        )

    def _implied(self) -> Iterator[str]:
        seen = {"", *(path for path, link in self._written.items() if link is None)}
        for path in self._written:
            parent = path.rpartition("/")[0]
            while parent not in seen:
                seen.add(parent)
                yield parent
                parent = parent.rpartition("/")[0]


class _Layer:
    """One layer's changes as sets, each made when it is first asked for."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    @cached_property
    def files(self) -> frozenset[str]:
        return frozenset(_split(self._changes.files))

    @cached_property
    def directories(self) -> frozenset[str]:
        return frozenset(_split(self._changes.directories))

    @cached_property
    def implied(self) -> frozenset[str]:
        return frozenset(_split(self._changes.implied))

    @cached_property
    def symlinks(self) -> dict[str, str]:
        return _pairs(self._changes.symlinks)

    @cached_property
    def hard_links(self) -> dict[str, str]:
        return _pairs(self._changes.hard_links)

    @cached_property
    def whiteouts(self) -> frozenset[str]:
        return frozenset(_split(self._changes.whiteouts))

    @cached_property
    def opaques(self) -> frozenset[str]:
        return frozenset(path[1:] for path in _split(self._changes.opaques))

    def writes(self, path: str, above: Sequence[str]) -> bool:
        """Whether the layer has an entry at this path that a file further up, in the same layer, does not hide."""
        if path not in self.files and path not in self.directories:
            return False
        # What was written through a symlink of the same layer stays reachable by the name it was written under.
        return all(parent in self.symlinks for parent in above if parent in self.files)

    def hides(self, path: str, above: Sequence[str]) -> bool:
        """Whether the layer takes away what lower layers have at this path."""
        return (
            path in self.whiteouts
            or not self.whiteouts.isdisjoint(above)
            or not self.opaques.isdisjoint(above)
            or not self.files.isdisjoint(above)
        )


class Overlay:
    """The layers on top of each other, the lowest first. Paths are relative to the root; the root itself is `""`.

    A directory that a layer only implies, having entries below it, replaces a lower layer's file but no directory or
    symlink: whether it replaces a symlink depends on the runtime's storage driver.
    """

    def __init__(self, changes: Sequence[Changes]) -> None:
        self.problems: list[Problem] = []
        self._layers = [_Layer(one) for one in changes]
        self._tops: dict[str, int | None] = {}
        self._lookups = _MAX_LOOKUPS

    def top(self, path: str) -> int | None:
        """The layer whose version of the path is the visible one; None where nothing is."""
        return self._top(path, _above(path))

    def history(self, path: str) -> tuple[int, ...]:
        """The layers that wrote the path since it was last deleted, lowest first; the last one is `top`.

        Empty where nothing is visible. A directory that is only implied has the one layer that implies it.
        """
        above = _above(path)
        writers = tuple(self._writers(path, above))[::-1]
        if writers:
            return writers
        implier = self._implier(path, above)
        return () if implier is None else (implier,)

    def ended_by(self, path: str, number: int) -> int | None:
        """The first layer above layer `number` that deletes or replaces what that one has at the path, if any does."""
        above = _above(path)
        for later in range(number + 1, len(self._layers)):
            layer = self._layers[later]
            if path in layer.files or path in layer.directories or path in layer.implied or layer.hides(path, above):
                return later
        return None

    def exists(self, path: str) -> bool:
        """Whether something is visible at this path, itself perhaps a dangling symlink."""
        return not path or self.top(path) is not None

    def symlink(self, path: str) -> str | None:
        """The target as written where a symlink is visible at this path, else None."""
        top = self.top(path)
        return None if top is None else self._layers[top].symlinks.get(path)

    def hard_link(self, path: str) -> str | None:
        """The path that the visible entry is another name of (in the same layer), else None."""
        top = self.top(path)
        return None if top is None else self._layers[top].hard_links.get(path)

    def links(self) -> Iterator[str]:
        """Every path that some layer has as a symlink or hard link, visible or not, each once."""
        return iter(dict.fromkeys(path for layer in self._layers for path in (*layer.symlinks, *layer.hard_links)))

    def resolve(self, path: str) -> str | None:
        """The path after every symlink in it is followed inside the root; None for a loop or where nothing is.

        An absolute target starts at the root, and a `..` does not leave it, as in a container. Where so much has been
        looked up for all paths together that it can only be malice, None as well, and `problems` says so.
        """
        todo = path.split("/")[::-1]
        done: list[str] = []  # the directories down to here, each as a whole path
        links = 0
        for _ in range(_MAX_STEPS):
            if not todo:
                return done[-1] if done else ""
            part = todo.pop()
            if part == "..":
                del done[-1:]
            elif part and part != ".":
                here = f"{done[-1]}/{part}" if done else part
                top = self._known_top(here, done)
                if top is None:
                    return None
                done.append(here)
                layer = self._layers[top]
                target = layer.symlinks.get(here)
                if target is not None:
                    links += 1
                    if links > _MAX_LINKS:
                        return None
                    done = [] if target.startswith("/") else done[:-1]
                    todo += target.split("/")[::-1]
                elif todo and here in layer.files:
                    return None
        return None

    def _known_top(self, path: str, directories: Sequence[str]) -> int | None:
        """What `top` says, kept for the next time; `directories` are those above the path without the root."""
        if path in self._tops:
            return self._tops[path]
        self._lookups -= len(self._layers) * (len(directories) + 1)
        if self._lookups < 0:
            if not self.problems:
                self.problems.append(Problem("overlay.too-many-links", "too much to look up: links are not followed"))
            return None
        if len(self._tops) >= _KEPT_TOPS:
            self._tops.clear()
        self._tops[path] = top = self._top(path, ["", *directories])
        return top

    def _top(self, path: str, above: Sequence[str]) -> int | None:
        explicit = next(self._writers(path, above), None)
        return explicit if explicit is not None else self._implier(path, above)

    def _writers(self, path: str, above: Sequence[str]) -> Iterator[int]:
        replaced = False
        for number in range(len(self._layers) - 1, -1, -1):
            layer = self._layers[number]
            if layer.writes(path, above):
                if replaced and path in layer.files and path not in layer.symlinks:
                    return
                yield number
            if layer.hides(path, above):
                return
            replaced = replaced or path in layer.implied

    def _implier(self, path: str, above: Sequence[str]) -> int | None:
        for number in range(len(self._layers) - 1, -1, -1):
            layer = self._layers[number]
            if path in layer.implied and layer.files.isdisjoint(above):
                return number
            if layer.hides(path, above):
                return None
        return None


def _above(path: str) -> list[str]:
    """The directories above a path, the root (`""`) among them."""
    above = [""] if path else []
    at = path.find("/")
    while at >= 0:
        above.append(path[:at])
        at = path.find("/", at + 1)
    return above


def _join(paths: Iterable[str]) -> bytes:
    return raw("\0".join(paths))


def _split(blob: bytes) -> list[str]:
    return text(blob).split("\0") if blob else []


def _pairs(blob: bytes) -> dict[str, str]:
    parts = _split(blob)
    return dict(zip(parts[::2], parts[1::2], strict=True))
