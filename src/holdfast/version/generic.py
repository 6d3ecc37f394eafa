"""The fallback ordering, for ecosystems that have none of their own here.

Numbers and words are compared from the left; separators only separate. A number is newer than a word, a word is newer
than nothing (1.1.1w > 1.1.1, OpenSSL's letters), except that a tilde and the usual names of pre-releases are older
than nothing. A longer version is newer (1.0 < 1.0.0), which makes this exact for Haskell's PVP
(https://pvp.haskell.org) and R's package_version.
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_PART = re.compile(r"[0-9]+|[a-z\x80-\U0010ffff]+|~")
_WELL_FORMED = re.compile(r"[vV]?[0-9][0-9A-Za-z]*(?:[.+~_:-][0-9A-Za-z]+)*")
_PRE_RELEASES = {
    word: rank
    for rank, words in enumerate(
        (("dev", "snapshot", "nightly"), ("alpha",), ("beta",), ("milestone",), ("pre", "preview"), ("rc", "cr"))
    )
    for word in words
}
_TILDE, _PRE_RELEASE, _END, _WORD, _NUMBER = range(5)


def key(version: str) -> Key:
    """Return the sort key; case, separators and a `v` before the first number do not count."""
    text = version.strip().lower()
    if text[:1] == "v" and text[1:2].isdigit():
        text = text[1:]
    parts: list[int | str] = []
    for part in _PART.findall(text):
        if part == "~":
            parts += (_TILDE, 0)
        elif part[0] <= "9":
            parts += (_NUMBER, numeral(part))
        elif part in _PRE_RELEASES:
            parts += (_PRE_RELEASE, _PRE_RELEASES[part])
        else:
            parts += (_WORD, part)
    parts.append(_END)
    return tuple(parts)


def parses(version: str) -> bool:
    """Say whether the version looks like one: a number first, then single separators between letters and digits."""
    return _WELL_FORMED.fullmatch(version) is not None
