"""Patterns in policies: over names, where `*` is anything, and over paths, where it stays within one folder.

Nothing here tries alternatives: each takes at most length of pattern × length of text steps.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

MAX_PATTERN = 500
_LONGEST = 4_096


def is_everything(pattern: str) -> bool:
    """Whether a pattern matches whatever there is: `*`, `**`, `?*`, `*/**`, `pkg:*`."""
    return bool(pattern) and not set(pattern.removeprefix("pkg:")) - set("*?/")


def matches(pattern: str, text: str) -> bool:
    """Whether a name matches: `*`, `?` and `[…]` as in a shell, `*` also over slashes."""
    if pattern == text:
        return True
    return len(pattern) <= MAX_PATTERN and fnmatchcase(text[:_LONGEST], pattern)


def any_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns matches a name."""
    return any(matches(pattern, text) for pattern in patterns)


def path_matches(pattern: str, path: str) -> bool:
    """Whether a path matches, folder by folder; `**` is any number of folders. A leading slash means nothing."""
    if len(pattern) > MAX_PATTERN or len(path) > _LONGEST:
        return pattern == path
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    here = there = 0
    star, mark = -1, 0
    while there < len(given):
        if here < len(wanted) and wanted[here] == "**":
            star, mark = here, there
            here += 1
        elif here < len(wanted) and fnmatchcase(given[there], wanted[here]):
            here += 1
            there += 1
        elif star >= 0:
            here, mark = star + 1, mark + 1
            there = mark
        else:
            return False
    return all(part == "**" for part in wanted[here:])
