"""Whether a version lies in a stretch of affected versions."""

import re
from collections.abc import Sequence

from msgspec import Struct

from holdfast.advisory.database import Row
from holdfast.version import Key, Ordering

_MAJOR = re.compile(r"(?:\d+:)?(\d+)", re.ASCII)
_MODULE = ".module"


class Version(Struct, frozen=True):
    """An installed version with its key. `readable` is false where the ordering had to guess what it means."""

    text: str
    key: Key
    ordering: Ordering
    readable: bool

    @classmethod
    def of(cls, text: str, ordering: Ordering) -> "Version":
        """A version as its ecosystem orders it."""
        return cls(text, ordering.key(text), ordering, ordering.parses(text))


def covers(row: Row, version: Version) -> bool:
    """Whether a version is in a row's stretch. Versions that cannot be read are compared as well as they allow."""
    key, order = version.key, version.ordering.key
    if row.versions:
        listed = row.versions.split("\n")
        return version.text in listed or any(order(one) == key for one in listed)
    if row.fixed and (key >= order(row.fixed) or _other_module(row.fixed, version.text)):
        return False
    if row.introduced and key < order(row.introduced):
        return False
    return not row.last_affected or key <= order(row.last_affected)


def affected(rows: Sequence[Row], version: Version) -> list[bool]:
    """For each row of one package whether the version is in its stretch.

    An rpm erratum names several builds of one fix (one for each minor release and module context): whoever has any of
    them has the fix.
    """
    inside = [covers(row, version) for row in rows]
    if version.ordering.name == "rpm" and any(inside):
        mended = {row.advisory for row in rows if row.fixed and _is_mended(row, version)}
        inside = [hit and row.advisory not in mended for hit, row in zip(inside, rows, strict=True)]
    return inside


def _is_mended(row: Row, version: Version) -> bool:
    return version.key >= version.ordering.key(row.fixed) and not _other_module(row.fixed, version.text)


def readable(row: Row, version: Version) -> bool:
    """Whether the version and all bounds of a row are well-formed."""
    bounds = (row.introduced, row.fixed, row.last_affected)
    return version.readable and all(version.ordering.parses(bound) for bound in bounds if bound)


def _other_module(fixed: str, installed: str) -> bool:
    """Whether an rpm of one module stream is held against the fix of another, or of none.

    The stream (`nodejs:18`) is not in the package's version; its upstream major version stands for it.
    """
    if _MODULE not in fixed and _MODULE not in installed:
        return False
    if (_MODULE in fixed) != (_MODULE in installed):
        return True
    ours, theirs = _MAJOR.match(installed), _MAJOR.match(fixed)
    return ours is not None and theirs is not None and ours[1] != theirs[1]
