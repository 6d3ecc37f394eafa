"""RPM's ordering: rpm-version(7), that is rpmvercmp over epoch, version and release.

https://github.com/rpm-software-management/rpm/blob/master/docs/man/rpm-version.7.scd
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_EPOCH = re.compile(r"([0-9]*):")
_WELL_FORMED = re.compile(r"(?:[0-9]+:)?[A-Za-z0-9._+~^]+(?:-[A-Za-z0-9._+~^]+)?")
# A tilde sorts before the end of the version, a caret just after it, and a number is newer than letters.
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)


def key(version: str) -> Key:
    """Return the sort key of `[epoch:]version[-release]`; a missing epoch is 0.

    A missing release is an empty one and so sorts before any release, "~" releases aside. (rpm's dependency
    matching lets a side without a release equal every release, which no total order can do: 1-1 = 1 = 1-2.)
    """
    text = version.strip()
    epoch = 0
    if match := _EPOCH.match(text):
        epoch, text = numeral(match[1] or "0"), text[match.end() :]
    upstream, hyphen, release = text.rpartition("-")
    if not hyphen:
        upstream, release = text, ""
    return (epoch, _segments(upstream), _segments(release))


def parses(version: str) -> bool:
    """Say whether this is an epoch, version and release made of the characters that rpm allows in them."""
    return _WELL_FORMED.fullmatch(version) is not None


def _segments(part: str) -> Key:
    # Two entries a segment, so that the kinds decide first and only like is compared with like.
    segments: list[int | str] = []
    for segment in _SEGMENT.findall(part):
        if segment == "~":
            segments += (_TILDE, 0)
        elif segment == "^":
            segments += (_CARET, 0)
        elif segment[0] <= "9":
            segments += (_NUMBER, numeral(segment))
        else:
            segments += (_LETTERS, segment)
    segments.append(_END)
    return tuple(segments)
