"""A directory of this machine as a tree: one file system, no symlink followed, nothing opened that is not a file."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from holdfast.fs.budget import TREE_BUDGET, TreeBudget
from holdfast.fs.path import raw, shown
from holdfast.fs.tree import HEAD
from holdfast.model.errors import LimitError, SourceError
from holdfast.model.file import Entry, FileType
from holdfast.model.status import Gravity, Problem

_FOLLOW_NOTHING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = _FOLLOW_NOTHING | os.O_DIRECTORY
_TYPES = {
    stat.S_IFREG: FileType.FILE,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFLNK: FileType.SYMLINK,
    stat.S_IFCHR: FileType.DEVICE,
    stat.S_IFBLK: FileType.DEVICE,
    stat.S_IFIFO: FileType.FIFO,
}
_PIECE = 1 << 20
_NAMED = 8


class DirectoryFile:
    """An entry of a DirectoryTree; it is opened when its content is first asked for."""

    __slots__ = ("_parent", "_tree", "entry")

    def __init__(self, tree: "DirectoryTree", entry: Entry, parent: int) -> None:
        self.entry = entry
        self._tree = tree
        self._parent = parent

    def head(self) -> bytes:
        """The first bytes, at most HEAD of them, without consuming anything."""
        return next(self._pieces(HEAD, HEAD), b"")

    def read(self, limit: int) -> bytes:
        """All of the content; LimitError where it is longer than `limit` bytes."""
        content = b"".join(self._pieces(_PIECE, limit + 1))
        if len(content) > limit:
            raise LimitError(f"longer than {limit} bytes", where=self.entry.path)
        return content

    def chunks(self) -> Iterator[bytes]:
        """The content piece by piece: what it is now, up to the size that it had when it was listed."""
        return self._pieces(_PIECE, self.entry.size)

    def _pieces(self, piece: int, left: int) -> Iterator[bytes]:
        if self.entry.type is not FileType.FILE or not self.entry.size:
            return
        if self._tree.current is not self:
            raise RuntimeError("the content of an entry can be had only until the walk goes on")
        try:
            descriptor = os.open(self.entry.path.rpartition("/")[2], _FOLLOW_NOTHING, dir_fd=self._parent)
            try:
                # What was a file when it was listed may have been replaced since.
                regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
                while regular and left > 0 and (data := os.read(descriptor, min(piece, left))):
                    left -= len(data)
                    yield data
            finally:
                os.close(descriptor)
        except OSError as error:
            self._tree.note("directory.unreadable", self.entry.path, error)


class DirectoryTree:
    """The tree below a directory, its entries sorted within each directory. The directory itself is not walked.

    It stays on one file system: other mount points (`/proc` and `/sys` among them) are listed, not entered, and named
    in one problem that is only a note. SourceError where the directory cannot be opened at all.
    """

    def __init__(self, path: Path, budget: TreeBudget = TREE_BUDGET) -> None:
        self.problems: list[Problem] = []
        self.current: DirectoryFile | None = None
        self._path = path
        self._budget = budget
        self._noted: dict[tuple[str, str], list[str]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        os.close(self._open_root())

    def walk(self) -> Iterator[DirectoryFile]:
        """Every entry, parents before what they hold."""
        left = self._budget.entries
        root = self._open_root()
        device = os.fstat(root).st_dev
        open_directories: list[tuple[int, str, Iterator[str]]] = [(root, "", self._names(root, ""))]
        try:
            while open_directories:
                parent, prefix, names = open_directories[-1]
                name = next(names, None)
                if name is None:
                    os.close(parent)
                    open_directories.pop()
                    continue
                if not left:
                    self.note("directory.too-many-entries", prefix + name)
                    return
                left -= 1
                file, on_device = self._look(parent, prefix + name, name)
                if file is None:
                    continue
                self.current = file
                yield file
                if file.entry.type is FileType.DIRECTORY:
                    self._enter(open_directories, file.entry.path, name, on_device == device)
        finally:
            self.current = None
            for parent, _, _ in open_directories:
                os.close(parent)
            self._report()

    def _open_root(self) -> int:
        try:
            # The directory itself may be named by a symlink: that is the user's word, not the tree's.
            return os.open(self._path, _DIRECTORY & ~os.O_NOFOLLOW)
        except OSError as error:
            raise SourceError(f"cannot be read: {os.strerror(error.errno or 0)}", where=str(self._path)) from error

    def _look(self, parent: int, path: str, name: str) -> tuple[DirectoryFile | None, int]:
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            type_ = _TYPES.get(stat.S_IFMT(status.st_mode), FileType.OTHER)
            link = os.readlink(name, dir_fd=parent) if type_ is FileType.SYMLINK else ""
        except OSError as error:
            self.note("directory.unreadable", path, error)
            return None, 0
        size = status.st_size if type_ is FileType.FILE else 0
        mode = stat.S_IMODE(status.st_mode)
        # What may hold capabilities is a program: nothing else is asked for them.
        capabilities = _capabilities(parent, name) if size and mode & 0o111 else b""
        entry = Entry(path, type_, size, mode, status.st_uid, status.st_gid, link, capabilities)
        return DirectoryFile(self, entry, parent), status.st_dev

    def _enter(
        self, open_directories: list[tuple[int, str, Iterator[str]]], path: str, name: str, same_device: bool
    ) -> None:
        if not same_device:
            self.note("directory.skipped", path)
        elif len(open_directories) >= self._budget.depth:
            self.note("directory.too-deep", path)
        else:
            try:
                descriptor = os.open(name, _DIRECTORY, dir_fd=open_directories[-1][0])
            except OSError as error:
                self.note("directory.unreadable", path, error)
            else:
                open_directories.append((descriptor, path + "/", self._names(descriptor, path)))

    def _names(self, descriptor: int, path: str) -> Iterator[str]:
        try:
            return iter(sorted(os.listdir(descriptor)))
        except OSError as error:
            self.note("directory.unreadable", path, error)
            return iter(())

    def note(self, code: str, path: str, error: OSError | None = None) -> None:
        """Count something that was not read; one problem for each code and reason comes of it when the walk ends."""
        reason = os.strerror(error.errno) if error is not None and error.errno else ""
        if error is not None and error.errno == errno.ENOENT:
            return  # it went away while we looked: it is not there
        key = code, reason
        self._counts[key] = self._counts.get(key, 0) + 1
        paths = self._noted.setdefault(key, [])
        if len(paths) < _NAMED:
            paths.append("/" + shown(raw(path)))

    def _report(self) -> None:
        for key, paths in self._noted.items():
            code, reason = key
            count = self._counts[key]
            message = _MESSAGES[code] + (f" ({reason})" if reason else "") + ": " + ", ".join(paths)
            gravity = Gravity.NOTE if code == "directory.skipped" else Gravity.PARTIAL
            more = " …" if count > len(paths) else ""
            self.problems.append(Problem(code, message + more, gravity, where=str(self._path), count=count))
        self._noted.clear()


def _capabilities(parent: int, name: str) -> bytes:
    try:
        return os.getxattr(f"/proc/self/fd/{parent}/{name}", "security.capability", follow_symlinks=False)
    except OSError:  # there are none, or no such attributes here
        return b""


_MESSAGES = {
    "directory.skipped": "other file systems are not entered",
    "directory.unreadable": "cannot be read",
    "directory.too-deep": "directories this deep are not entered",
    "directory.too-many-entries": "too many entries, the walk ends at",
}
