"""What one pass over one layer leaves behind, small enough to keep."""

from msgspec import Struct

from holdfast.fs.overlay import Changes
from holdfast.model.found import Found
from holdfast.model.status import Problem
from holdfast.scan.content import Content


class FileFound(Struct, frozen=True, array_like=True):
    """What one reader made of one file of the layer."""

    path: str
    reader: str
    found: Found


class LayerRecord(Struct, frozen=True, array_like=True):
    """One layer read: its true digests and sizes in bytes, what it changes, and what the readers found.

    `aliased` holds files that no pattern names, read because a link elsewhere leads to them. `contents` is what was
    found in the content of any file.
    """

    digest: str
    diff_id: str
    stored: int
    inflated: int
    entries: int
    changes: Changes
    found: tuple[FileFound, ...] = ()
    aliased: tuple[FileFound, ...] = ()
    problems: tuple[Problem, ...] = ()
    contents: tuple[Content, ...] = ()
