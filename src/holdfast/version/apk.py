"""Alpine's ordering: apk-package(5), "Package version", and src/version.c of apk-tools 2 and 3.

The grammar is `number{.number}[letter]{_suffix[number]}[~hash][-r<number>]`. apk-tools 2 also allows digits after the
letter, which Alpine's own advisories contain (6.7.1p1-r1).
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_SUFFIXES = ("alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p")
_PRE_RELEASE_SUFFIXES = 4
_TOKEN = re.compile(
    rf"(?P<digits>[0-9]+)|(?P<letter>[a-z])|_(?P<suffix>{'|'.join(_SUFFIXES)})"
    r"|~(?P<hash>[0-9a-f]*)|-r(?P<revision>[0-9]*)|\.+|(?P<rest>.+)",
    re.DOTALL,
)
_WELL_FORMED = re.compile(
    rf"[0-9]+(?:\.[0-9]+)*(?:[a-z][0-9]*)?(?:_(?:{'|'.join(_SUFFIXES)})[0-9]*)*(?:~[0-9a-f]+)?(?:-r[0-9]+)?"
)
# Where two versions first differ in kind, the greater kind is newer: 1.0_rc1 < 1.0 < 1.0-r1 < 1.0_p1 < 1.0a < 1.0.1.
(
    _PRE_RELEASE, _INVALID, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _POST_RELEASE, _LETTER, _FRACTION, _NUMBER,
) = range(10)  # fmt: skip


def key(version: str) -> Key:
    """Return the sort key. After something that apk cannot read, the rest of the text is compared as text.

    An empty component is passed over, so that the advisory's slip 0.12.5.-r0 equals 0.12.5-r0.
    """
    tokens: list[int | str] = []
    before = ""
    for match in _TOKEN.finditer(version.strip()):
        kind, text = match.lastgroup, match[match.lastgroup or 0]
        if kind == "digits":
            if before == "suffix":
                tokens += (_SUFFIX_NUMBER, numeral(text))
            elif text[0] == "0" and before:
                # A leading zero makes the component a decimal fraction: 1.01 < 1.1. Not in the first component.
                tokens += (_FRACTION, text)
            else:
                tokens += (_NUMBER, numeral(text))
        elif kind == "letter":
            tokens += (_LETTER, text)
        elif kind == "suffix":
            rank = _SUFFIXES.index(text)
            tokens += (_PRE_RELEASE if rank < _PRE_RELEASE_SUFFIXES else _POST_RELEASE, rank)
        elif kind == "hash":
            tokens += (_HASH, text)
        elif kind == "revision":
            tokens += (_REVISION, numeral(text or "0"))
        elif kind == "rest":
            tokens += (_INVALID, text)
        before = kind or "dot"
    tokens.append(_END)
    return tuple(tokens)


def parses(version: str) -> bool:
    """Say whether apk-tools 2 or 3 would accept the version."""
    return _WELL_FORMED.fullmatch(version) is not None
