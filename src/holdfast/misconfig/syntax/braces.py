"""Statements that end in `;` and blocks in braces: nginx's settings, and apt's."""

import re

from msgspec import Struct

MAX_STATEMENTS = 20_000
MAX_DEPTH = 64
_PIECE = (
    r"#[^\n]*"
    r'|"(?:[^"\\]|\\[\s\S]?)*(?:"|\Z)'
    r"|'(?:[^'\\]|\\[\s\S]?)*(?:'|\Z)"
    r"|[{};]|\n"
    r"""|(?:\$\{[^}\s]*\}?|\\[\s\S]?|[^\s{};"'\\])(?:\$\{[^}\s]*\}?|\\[\s\S]?|[^\s{};\\])*"""
)
_SLASHED = r"//[^\n]*|" + _PIECE


class Statement(Struct, frozen=True):
    """`name word …`, as `;` or `{` ends it.

    `within` are the statements that opened the blocks around it, outermost first; `block` the number of the block that
    it stands in (0: the file itself), `opens` that of the block that it opens (0: none).
    """

    name: str
    words: tuple[str, ...]
    line: int
    within: "tuple[Statement, ...]" = ()
    block: int = 0
    opens: int = 0

    @property
    def value(self) -> str:
        """The words after the name, as one text."""
        return " ".join(self.words)


def statements(text: str, *, slashes: bool = False) -> list[Statement]:
    """The statements in their order, at most MAX_STATEMENTS; what is nested deeper than MAX_DEPTH is passed over.

    `slashes` says that `//` begins a comment, as in apt.conf(5); elsewhere it is part of a word.
    """
    found: list[Statement] = []
    within: list[Statement] = []
    words: list[str] = []
    line = first = 1
    blocks = too_deep = 0
    for match in re.finditer(_SLASHED if slashes else _PIECE, text):
        piece = match[0]
        kind = piece[0]
        if piece == "\n":
            line += 1
        elif kind == "#" or (slashes and piece.startswith("//")):
            continue
        elif piece in ("{", ";", "}"):
            if words and piece != "}" and not too_deep:
                opens = 0
                if piece == "{":
                    blocks += 1
                    opens = blocks
                here = within[-1].opens if within else 0
                found.append(Statement(words[0].lower(), tuple(words[1:]), first, tuple(within), here, opens))
                if len(found) >= MAX_STATEMENTS:
                    break
            if piece == "{":
                if too_deep or not words or len(within) >= MAX_DEPTH:
                    too_deep += 1
                else:
                    within.append(found[-1])
            elif piece == "}":
                if too_deep:
                    too_deep -= 1
                elif within:
                    within.pop()
            words = []
        else:
            if not words:
                first = line
            if len(words) < 256:
                words.append(piece[1:].removesuffix(kind) if kind in "\"'" else piece)
            line += piece.count("\n")
    return found
