"""Semantic Versioning 2.0.0 (https://semver.org, section 11), read as leniently as npm's `loose` mode.

npm, Cargo, Hex, Swift and others order versions by this rule alone; Go, NuGet, Pub and Bitnami build on it.
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:(?:0|[1-9][0-9]*)(?![0-9A-Za-z-])|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_WELL_FORMED = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_LENIENT = re.compile(r"[vV=\s]*([0-9]+(?:\.[0-9]+)*)[.-]?([^+]*)(\+.*)?", re.DOTALL)
_END, _NUMERIC, _ALPHANUMERIC, _RELEASE = range(4)
_UNPARSED, _PARSED = range(2)


def key(version: str) -> Key:
    """Return the sort key; build metadata does not count. Text without a leading number sorts before all numbers.

    Beyond the specification: a leading `v` or `=` is dropped, missing numbers are 0, more than three numbers and
    leading zeros are read, and what follows the numbers without a hyphen is a pre-release (1.2.3beta, 4.0.0.Beta2).
    """
    parts = split(version)
    if parts is None:
        return (_UNPARSED, version)
    numbers, pre_release, _ = parts
    return (_PARSED, numbers, identifiers(pre_release) if pre_release else (_RELEASE,))


def parses(version: str) -> bool:
    """Say whether this is a version exactly as the specification writes it."""
    return _WELL_FORMED.fullmatch(version) is not None


def split(version: str) -> tuple[Key, str, str] | None:
    """Return a version's numbers without trailing zeros, its pre-release and its build metadata, or None."""
    match = _LENIENT.fullmatch(version.strip())
    if match is None:
        return None
    numbers = [numeral(number) for number in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), match[2], (match[3] or "")[1:]


def identifiers(dotted: str) -> Key:
    """Return the sort key of dot-separated identifiers: numeric before alphanumeric, fewer before more."""
    result: list[int | str] = []
    for identifier in dotted.split("."):
        if identifier.isascii() and identifier.isdigit():
            result += (_NUMERIC, numeral(identifier))
        else:
            result += (_ALPHANUMERIC, identifier)
    result.append(_END)
    return tuple(result)
