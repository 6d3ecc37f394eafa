"""Elements of XML, read without a parser of it: no entities, no namespaces, nothing outside the file."""

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_ELEMENTS = 20_000
_TAG = r"""<([A-Za-z_][\w:.-]{0,100})((?:[^"'<>]|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*)"""
_ATTRIBUTE = r"""(?<![\w:.-])([\w:.-]+)\s?=\s?(?:"([^"]*)"|'([^']*)')"""
_COMMENT, _COMMENT_END, _LITERAL, _LITERAL_END = "<!--", "-->", "<![CDATA[", "]]>"


class Element(Struct, frozen=True):
    """An opening tag: its name as written, its attributes, the text up to the next tag, and its line."""

    name: str
    attributes: dict[str, str]
    text: str
    line: int


def elements(text: str) -> Iterator[Element]:
    """The elements outside comments in their order, the first MAX_ELEMENTS of them."""
    at = counted = 0
    line = 1
    told = 0
    for _ in range(4 * MAX_ELEMENTS):
        start = text.find("<", at)
        if start < 0:
            return
        line += text.count("\n", counted, start)
        counted = start
        closing = next(
            (
                end
                for begin, end in ((_COMMENT, _COMMENT_END), (_LITERAL, _LITERAL_END))
                if text.startswith(begin, start)
            ),
            "",
        )
        if closing:
            end = text.find(closing, start)
            if end < 0:
                return
            at = end + len(closing)
        elif match := re.compile(_TAG).match(text, start):
            at = match.end()
            behind = text.find("<", at)
            content = text[at + 1 : min(len(text) if behind < 0 else behind, at + 1_000)]
            attributes = {found[1]: found[2] or found[3] or "" for found in re.finditer(_ATTRIBUTE, match[2][:16_384])}
            yield Element(match[1], attributes, content.strip(), line)
            told += 1
            if told == MAX_ELEMENTS:
                return
        else:
            at = start + 1
