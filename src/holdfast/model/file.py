"""One entry of a file tree, wherever the tree comes from."""

from enum import StrEnum

from msgspec import Struct


class FileType(StrEnum):
    """What an entry is, as tar and the kernel tell it."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARD_LINK = "hard-link"
    DEVICE = "device"
    FIFO = "fifo"
    OTHER = "other"


class Entry(Struct, frozen=True, gc=False):
    """One entry of a tree.

    `path` is relative to the root, with `/` between its parts, no leading or trailing one, and no `.` or `..` in it
    (bytes that are not UTF-8 as surrogate escapes). `link` is a symlink's target as written, or a hard link's target
    as such a path. `size` is the length of the content in bytes; `mode` the permission bits with setuid and the like;
    `capabilities` the value of the attribute security.capability as it stands (capabilities(7)), empty where none is.
    """

    path: str
    type: FileType
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    link: str = ""
    capabilities: bytes = b""


class Window(Struct, frozen=True, gc=False):
    """A file's content, or as much of a large one as is looked at at once; windows of one file overlap.

    `offset` is where in the file `data` begins, `size` the file's whole length in bytes. `path` is that of the file in
    its tree; `inside` the path in the archives that it holds, joined by `!/` (empty for the file itself).
    """

    path: str
    data: bytes
    size: int
    mode: int = 0
    offset: int = 0
    inside: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the file is missing."""
        return len(self.data) == self.size
