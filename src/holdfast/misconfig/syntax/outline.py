"""The settings of a YAML file whose keys and values stand on one line each, as dotted keys.

Anchors, tags, block texts and mappings in braces are not read: the settings that matter here are written plainly.
"""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.syntax.ini import unquoted
from holdfast.misconfig.syntax.lines import MAX_LINES

MAX_DEPTH = 32
_MAX_LENGTH = 4_096


class Leaf(Struct, frozen=True, gc=False):
    """One setting: `security.authorization` in lower case, its value without quotes (empty for a mapping), its line."""

    key: str
    value: str
    line: int


def leaves(text: str) -> Iterator[Leaf]:
    """The settings in their order; an item of a list has the list's key."""
    stack: list[tuple[int, str]] = []
    start = 0
    for number in range(1, MAX_LINES + 1):
        end = text.find("\n", start)
        line = text[start : min(len(text) if end < 0 else end, start + _MAX_LENGTH)].rstrip()
        if leaf := _leaf(line, number, stack):
            yield leaf
        if end < 0:
            return
        start = end + 1


def _leaf(line: str, number: int, stack: list[tuple[int, str]]) -> Leaf | None:
    content = line.lstrip(" ")
    if not content or content[0] in "#%" or content.startswith(("---", "...")):
        if content.startswith("---"):
            stack.clear()
        return None
    indent = len(line) - len(content)
    item = content.startswith("- ")
    while stack and (stack[-1][0] > indent or (stack[-1][0] == indent and not item)):
        stack.pop()
    parent = stack[-1][1] if stack else ""
    if item:
        content = content[2:].lstrip(" ")
    key, separator, value = content.partition(": ")
    if not separator and content.endswith(":"):
        key, separator, value = content[:-1], ":", ""
    if not separator:
        return Leaf(parent, _scalar(content), number) if item else None
    key = unquoted(key).lower()
    dotted = f"{parent}.{key}" if parent else key
    if len(stack) < MAX_DEPTH and len(dotted) < _MAX_LENGTH:
        stack.append((indent + 2 if item else indent, dotted))
    return Leaf(dotted, _scalar(value), number)


def _scalar(value: str) -> str:
    value = value.strip()
    if value[:1] in ('"', "'"):
        end = value.find(value[0], 1)
        return value[1:end] if end > 0 else value
    if value.startswith("#"):
        return ""
    return value.partition(" #")[0].strip()
