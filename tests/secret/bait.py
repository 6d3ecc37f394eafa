"""Bait: what a pattern nearly matches, so that an engine that backtracks tries every way there is."""

from collections.abc import Iterator
from typing import Any

from holdfast.secret import derive

_PREFERRED = b"aA1=:/._-+ \n\t\"'"


def baits(pattern: str, size: int) -> Iterator[bytes]:
    """For each repetition of a pattern: the least that leads to it, then what it takes, `size` times, and an end.

    As well what all repetitions take in turns, and the beginning of a match over and over.
    """
    tree = derive._parse(pattern)
    found: list[tuple[bytes, bytes]] = []
    _walk(list(tree), b"", found)
    for lead, unit in found:
        for end in (b"\0", b"\n", b"!", b""):
            yield lead + unit * (size // len(unit)) + end
            yield (lead + unit * 4) * (size // (len(lead) + 4 * len(unit))) + end
    units = b"".join(dict.fromkeys(unit for _, unit in found))
    if units:
        yield found[0][0] + units * (size // len(units)) + b"\0"
        yield units[:1] * size


def _walk(items: list[Any], lead: bytes, found: list[tuple[bytes, bytes]]) -> bytes:
    """The least that the items match, behind `lead`; every repetition on the way goes to `found`."""
    for operation, argument in items:
        name = str(operation)
        if name in derive._REPEATS:
            low, high, inner = argument
            unit = _walk(list(inner), lead, found)[len(lead) :]
            if high > low and unit:
                found.append((lead + unit * low, unit))
            lead += unit * low
        elif name == "SUBPATTERN":
            lead = _walk(list(argument[3]), lead, found)
        elif name == "BRANCH":
            # Every branch is walked; what follows comes behind the first.
            leads = [_walk(list(branch), lead, found) for branch in argument[1]]
            lead = leads[0]
        elif name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            lead += _one(name, argument)
    return lead


def _one(name: str, argument: Any) -> bytes:
    import re

    if name == "LITERAL":
        return bytes([argument])
    compiled = re.compile(derive._written(name, argument).encode())
    for code in [*_PREFERRED, *range(256)]:
        if compiled.fullmatch(bytes([code])):
            return bytes([code])
    return b"a"
