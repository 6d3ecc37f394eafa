"""Lines, and the words of a line."""

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_LINES = 100_000
_MAX_LENGTH = 8_192
_WORD = r""""(?:[^"\\]|\\.?)*(?:"|\Z)|'[^']*(?:'|\Z)|#.*|[^\s"'#](?:[^\s"'])*"""


class Directive(Struct, frozen=True, gc=False):
    """A line that sets something: its first word and the others, without quotes."""

    name: str
    words: tuple[str, ...]
    line: int

    @property
    def value(self) -> str:
        """The words after the name, as one text."""
        return " ".join(self.words)


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """The first MAX_LINES lines that are not empty, without white space around them, each with its number from 1.

    Only a line feed ends a line; a long line is cut.
    """
    start = 0
    for number in range(1, MAX_LINES + 1):
        end = text.find("\n", start)
        line = text[start : min(len(text) if end < 0 else end, start + _MAX_LENGTH)].strip()
        if line:
            yield number, line
        if end < 0:
            return
        start = end + 1


def joined(text: str) -> Iterator[tuple[int, str]]:
    """The same, a line that ends in a backslash put together with what follows; its number is that of the first."""
    first, parts, length = 0, [], 0
    for number, line in numbered(text):
        first = first or number
        length += len(line)
        if line.endswith("\\") and length < _MAX_LENGTH:
            parts.append(line[:-1])
            continue
        if whole := " ".join((*parts, line.rstrip("\\"))).strip():
            yield first, whole
        first, parts, length = 0, [], 0
    if whole := " ".join(parts).strip():
        yield first, whole


def words(line: str) -> tuple[str, ...]:
    """The words of a line, their quotes removed; what follows a `#` at the start of a word is a comment."""
    found: list[str] = []
    for match in re.finditer(_WORD, line):
        word = match[0]
        if word[0] == "#":
            break
        found.append(word[1:].removesuffix(word[0]) if word[0] in "\"'" else word)
    return tuple(found)


def directives(text: str) -> Iterator[Directive]:
    """The lines that read `name word …`, the names in lower case."""
    for number, line in numbered(text):
        if line[0] not in "#;" and (found := words(line)):
            yield Directive(found[0].lower(), found[1:], number)
