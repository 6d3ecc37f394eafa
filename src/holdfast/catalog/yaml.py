"""The part of YAML that lock files are written in: nested mappings with one-line keys and values.

pnpm writes nothing else that matters here, so that one hundred lines stand in for a library that would have to be
trusted with hostile input (anchors, tags, merge keys, megabytes of aliases). Lists, inline mappings and block texts are
kept as text or passed over.
"""

from typing import Union

from holdfast.catalog.document import lines
from holdfast.model.errors import InputError, LimitError

Mapping = dict[str, Union[str, "Mapping"]]

MAX_DEPTH = 12
MAX_LINES = 1_000_000
_BLOCK_TEXT = ("|", ">")


def parse_mapping(text: str) -> Mapping:
    """The document as nested dictionaries of strings; InputError where it is no mapping, LimitError past a budget."""
    root: Mapping = {}
    # The open mappings, each with the indentation of its keys.
    stack: list[tuple[int, Mapping]] = [(0, root)]
    passing_over = -1
    pending: tuple[int, Mapping, str] | None = None
    for number, line in enumerate(lines(text)):
        if number >= MAX_LINES:
            raise LimitError(f"more than {MAX_LINES:,} lines")
        content = line.lstrip(" ")
        indent = len(line) - len(content)
        if not content or content[0] in "#-" or line == "...":
            continue
        if 0 <= passing_over < indent:
            continue
        passing_over = -1
        if pending and indent > pending[0]:
            opened: Mapping = {}
            pending[1][pending[2]] = opened
            stack.append((indent, opened))
            if len(stack) > MAX_DEPTH:
                raise LimitError(f"mappings nested deeper than {MAX_DEPTH}")
        pending = None
        while len(stack) > 1 and indent < stack[-1][0]:
            stack.pop()
        key, value = _split(content)
        holder = stack[-1][1]
        if key is None:
            if holder is root and not root:
                raise InputError("not a mapping")
            continue
        if value.startswith(_BLOCK_TEXT):
            passing_over = indent
            continue
        holder[key] = _scalar(value)
        if not value:
            pending = (indent, holder, key)
    return root


def _split(content: str) -> tuple[str | None, str]:
    """The key and the value of a line `key: value`, or (None, …) where it is not one."""
    if content[0] in "'\"":
        end = content.find(content[0], 1)
        while content[0] == "'" and content[end : end + 2] == "''":
            end = content.find("'", end + 2)
        rest = content[end + 1 :].lstrip()
        if end < 0 or not rest.startswith(":"):
            return None, ""
        return _scalar(content[: end + 1]), rest[1:].strip()
    key, separator, value = content.partition(": ")
    if not separator and content.rstrip().endswith(":"):
        return content.rstrip()[:-1], ""
    return (key, value.strip()) if separator else (None, "")


def _scalar(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace("''", "'") if value[0] == "'" else value[1:-1]
    return value
