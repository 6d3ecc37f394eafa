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
    as such a path. `size` is the length of the content in bytes; `mode` the permission bits with setuid and the like.
    """

    path: str
    type: FileType
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    link: str = ""
