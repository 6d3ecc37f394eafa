"""Text for a terminal: hostile names made harmless, cut and padded by the columns they take, coloured at the end."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from holdfast.report.writer import speakable

Span = tuple[str, str]
"""Some text and the style it is shown in (a key of STYLES, or empty)."""

Lines = Iterator[list[Span]]
"""Lines of such spans."""

STYLES = {
    "heading": "1",
    "strong": "1",
    "dim": "2",
    "good": "32",
    "warn": "33",
    "bad": "1;31",
    "exploited": "1;35",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "negligible": "2",
    "unknown": "2",
}


def printable(text: str) -> str:
    r"""The text on one line with everything that a terminal would obey rather than show written as an escape.

    That is every character that Unicode does not call printable: controls, escapes, bidirectional overrides,
    zero-width characters, line separators, surrogates.
    """
    if text.isprintable():
        return text
    return "".join(part if part.isprintable() else _escaped(part) for part in text)


def one_line(text: str) -> str:
    """The text with its runs of white space as single blanks, printable."""
    return printable(" ".join(text.split()))


def columns(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, with … where something is missing."""
    # Combining marks take no column, so that a text of them alone would never end: the length is bounded too.
    if columns(text) <= width and len(text) <= 4 * width:
        return text
    taken, used = [], 0
    for character in text[: 4 * width]:
        used += _columns(character)
        if used > width - 1:
            break
        taken.append(character)
    return "".join(taken) + "…" if width > 0 else ""


def cut_front(text: str, width: int) -> str:
    """The end of the text in at most `width` columns, with … for its front: of a path the last names tell most."""
    if columns(text) <= width and len(text) <= 4 * width:
        return text
    taken, used = [], 1
    for character in reversed(text[-4 * width :]):
        used += _columns(character)
        if used > width:
            break
        taken.append(character)
    return "…" + "".join(reversed(taken)) if width > 0 else ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text cut or filled to exactly `width` columns."""
    text = cut(text, width)
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken at blanks; a word of several lines is cut after three."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) <= width:
            line += f" {word}"
            continue
        lines.append(line)
        line, rest = _first(word, width), cut(word, 3 * width)
        while (rest := rest[len(line) :]) and line:
            lines.append(line)
            line = _first(rest, width)
    return [item for item in (*lines, line) if item]


def paragraph(lead: str, words: str, width: int, style: str = "") -> Lines:
    """Words over as many lines as they need, behind a lead on the first one and blanks on the others."""
    for number, line in enumerate(wrap(one_line(words), width - len(lead))):
        yield [(lead if number == 0 else " " * len(lead), style), (line, style)]


def paint(spans: Iterable[Span], width: int, *, colour: bool) -> str:
    """A line of spans in at most `width` columns, without blanks at its end."""
    parts, left = [], width
    for text, style in spans:
        if left <= 0:
            break
        shown = cut(text, left)
        left -= columns(shown)
        parts.append(f"\x1b[{STYLES[style]}m{shown}\x1b[0m" if colour and style and shown.strip() else shown)
        if shown != text:
            break
    return "".join(parts).rstrip()


def listed(items: Sequence[str], most: int) -> str:
    """The first items with commas, and how many more there are."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 package`, `2,000 packages`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def _first(text: str, width: int) -> str:
    """As much of the front of a text as fits, at least one character."""
    used = 0
    for position, character in enumerate(text[: 4 * width]):
        used += _columns(character)
        if used > width:
            return text[: max(position, 1)]
    return text[: 4 * width]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return speakable(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
