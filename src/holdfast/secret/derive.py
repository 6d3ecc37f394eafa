"""What Hyperscan is to look for, derived from what Python's `re` confirms.

Whatever the pattern matches must be found by what is derived from it; it may find more. So look-arounds are left out
(Hyperscan has none), and repetition at either end is cut to its minimum: one place is enough to look closer. All of
this happens once, when a pack of rules is built.
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from holdfast.model.errors import InputError

WIDEST = 64 << 10
_ZERO_WIDTH = ("AT", "ASSERT", "ASSERT_NOT")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_PLACES = {
    "AT_BEGINNING": "^", "AT_BEGINNING_STRING": r"\A", "AT_BOUNDARY": r"\b", "AT_NON_BOUNDARY": r"\B",
    "AT_END": "$", "AT_END_STRING": r"\z",
}  # fmt: skip
_CLASSES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip
_LEAST_LITERAL = 4
_MOST_EXACT = 16
_FLAGS = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))


class Expression(Struct, frozen=True):
    """What Hyperscan looks for, and the most bytes that a match of it is long (WIDEST where there is no limit)."""

    text: str
    width: int


def expression_of(pattern: str) -> Expression:
    """What finds everything that a pattern matches; InputError where it can only be written by hand."""
    tree = _parse(pattern)
    items = _trimmed(list(tree))
    if not items:
        raise InputError("nothing to look for can be derived from the pattern", remedy="give `find`")
    body = _sequence(items)
    flags = "".join(letter for flag, letter in _FLAGS if tree.state.flags & flag)
    return Expression(f"(?{flags}){body}" if flags else body, width_of(pattern))


def width_of(pattern: str) -> int:
    """The most bytes that a match is long; WIDEST where there is no limit, or where that cannot be told."""
    try:
        return int(min(_parse(pattern).getwidth()[1], WIDEST))
    except InputError:
        return WIDEST


def literals_of(pattern: str) -> tuple[bytes, ...]:
    """The longest literal of each way to match, of four bytes or more; in three ways where case does not matter."""
    try:
        tree = _parse(pattern)
    except InputError:
        return ()
    found: set[bytes] = set()
    for text, caseless in _longest(list(tree), bool(tree.state.flags & re.IGNORECASE)):
        if len(text) >= _LEAST_LITERAL:
            found.update((text.lower(), text.upper(), text.capitalize()) if caseless else (text,))
    return tuple(sorted(found))


def _parse(pattern: str) -> Any:  # its types are not public
    try:
        return importlib.import_module("re._parser").parse(pattern.encode())
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"no regular expression: {error}") from error


def _trimmed(items: list[Any]) -> list[Any]:
    for at_end in (True, False):
        items = _cut(items, at_end)
    return items


def _cut(items: list[Any], at_end: bool) -> list[Any]:
    """The items with the repetition at one end at its minimum, as long as something is left."""
    place = -1 if at_end else 0
    kept = list(items)
    while kept and str(kept[place][0]) in _ZERO_WIDTH:
        kept.pop(place)
    if not kept:
        return []
    operation, argument = kept[place]
    name = str(operation)
    if name in _REPEATS:
        low, high, inner = argument
        if low == 0:
            kept.pop(place)
            return _cut(kept, at_end)
        if low != high:
            kept[place] = (operation, (low, low, inner))
            return kept
    elif name == "SUBPATTERN":
        inside = _cut(list(argument[3]), at_end)
        if not inside:
            kept.pop(place)
            return _cut(kept, at_end)
        if inside != list(argument[3]):
            kept[place] = (operation, (*argument[:3], inside))
            return kept
    return items


def _sequence(items: Iterable[Any]) -> str:
    items = list(items)
    # `re` takes what branches begin with out of them; Hyperscan sees longer literals where it is put back.
    lead = next((place for place, (name, _) in enumerate(items) if str(name) != "LITERAL"), 0)
    if lead and str(items[lead][0]) == "BRANCH":
        branches = [[*items[:lead], *branch] for branch in items[lead][1][1]]
        items = [(items[lead][0], (None, branches)), *items[lead + 1 :]]
    return "".join(_written(str(operation), argument) for operation, argument in items)


def _written(name: str, argument: Any) -> str:
    match name:
        case "LITERAL":
            return _character(argument)
        case "NOT_LITERAL":
            return f"[^{_character(argument)}]"
        case "ANY":
            return "."
        case "IN":
            return _class(argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = argument
            many = f"{{{low},}}" if high > WIDEST else f"{{{low}}}" if low == high else f"{{{low},{high}}}"
            return f"(?:{_sequence(inner)}){many}" if inner else ""
        case "SUBPATTERN":
            _, on, off, inner = argument
            return f"(?{_letters(on)}{'-' if off else ''}{_letters(off)}:{_sequence(inner)})"
        case "BRANCH":
            return "(?:" + "|".join(_sequence(branch) for branch in argument[1]) + ")"
        case "AT":
            return _PLACES[str(argument)]
        case "ASSERT" | "ASSERT_NOT":
            return ""
        case "ATOMIC_GROUP":
            return f"(?:{_sequence(argument)})"
    raise InputError("nothing to look for can be derived from the pattern", remedy="give `find`")


def _letters(flags: int) -> str:
    return "".join(letter for flag, letter in _FLAGS if flags & flag)


def _character(code: int) -> str:
    character = chr(code)
    return character if character.isascii() and (character.isalnum() or character == "_") else f"\\x{code:02x}"


def _class(members: Iterable[Any]) -> str:
    parts = []
    for operation, argument in members:
        match str(operation):
            case "NEGATE":
                parts.append("^")
            case "LITERAL":
                parts.append(_character(argument))
            case "RANGE":
                parts.append("-".join(map(_character, argument)))
            case _:
                parts.append(_CLASSES[str(argument)])
    return f"[{''.join(parts)}]"


def _longest(items: Sequence[Any], caseless: bool) -> list[tuple[bytes, bool]]:
    """The longest literals in a sequence of which one stands in each match, each with whether its case matters not."""
    best: list[tuple[bytes, bool]] = []
    runs = [b""]
    for operation, argument in _flat(items):
        name = str(operation)
        exact = _exact(name, argument)
        if exact and len(runs) * len(exact) <= _MOST_EXACT:
            runs = [run + one for run in runs for one in exact]
            continue
        best, runs = _better(best, [(run, caseless) for run in runs]), [b""]
        if name == "SUBPATTERN":
            inside = bool(argument[1] & re.IGNORECASE) or (caseless and not argument[2] & re.IGNORECASE)
            best = _better(best, _longest(argument[3], inside))
        elif name == "BRANCH":
            branches = [_longest(branch, caseless) for branch in argument[1]]
            if all(branches):
                best = _better(best, [one for branch in branches for one in branch])
        elif name in _REPEATS and argument[0] > 0:
            best = _better(best, _longest(argument[2], caseless))
    return _better(best, [(run, caseless) for run in runs])


def _flat(items: Iterable[Any]) -> Iterator[Any]:
    """The items with groups that change nothing but what is captured taken apart, and without what has no width."""
    for operation, argument in items:
        if str(operation) == "SUBPATTERN" and not argument[1] and not argument[2]:
            yield from _flat(argument[3])
        elif str(operation) not in _ZERO_WIDTH:
            yield operation, argument


def _exact(name: str, argument: Any) -> list[bytes]:
    """All that an item can be, where that is little; empty where it is not, or where it says how to read case."""
    match name:
        case "LITERAL":
            return [bytes([argument])]
        case "IN":
            return (
                [bytes([code]) for kind, code in argument]
                if all(str(kind) == "LITERAL" for kind, _ in argument)
                else []
            )
        case "SUBPATTERN":
            return _product(argument[3]) if not argument[1] and not argument[2] else []
        case "BRANCH":
            branches = [_product(branch) for branch in argument[1]]
            return [one for branch in branches for one in branch] if all(branches) else []
        case "MAX_REPEAT" | "MIN_REPEAT":
            low, high, inner = argument
            return _product(list(inner) * low) if low == high <= _MOST_EXACT else []
    return []


def _product(items: Sequence[Any]) -> list[bytes]:
    found = [b""]
    for operation, argument in items:
        exact = _exact(str(operation), argument)
        if not exact or len(found) * len(exact) > _MOST_EXACT:
            return []
        found = [one + more for one in found for more in exact]
    return found


def _better(first: list[tuple[bytes, bool]], second: list[tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    def least(found: list[tuple[bytes, bool]]) -> int:
        return min((len(text) for text, _ in found), default=0)

    return second if least(second) > least(first) else first
