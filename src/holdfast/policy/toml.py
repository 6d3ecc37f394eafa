"""TOML with the line of every value: tomllib says what a file means, and this where it stands.

The walk over the text may rely on its being valid TOML 1.0 (toml.io/en/v1.0.0), which tomllib has made sure of.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from holdfast.model.errors import InputError, LimitError
from holdfast.policy.node import Content, Node

MAX_LINE = 8_000
MAX_DEPTH = 16
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<newline>\n)|(?P<text>"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(?P<mark>[\[\]{},=.])|(?P<bare>[^\s\[\]{},=.#"']+)|(?P<blank>[ \t\r]+)""",
    re.DOTALL,
)
_ERROR = re.compile(r"(.*) \(at line ([0-9]{1,9}), column ([0-9]{1,9})\)", re.DOTALL)
Path = tuple[str | int, ...]
Token = tuple[str, str, int]


def read_toml(data: bytes, file: str) -> Node:
    """The document in the bytes; InputError with file and line, LimitError past a budget."""
    import tomllib

    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8", where=f"{file}:{line}") from error
    # A key of many parts takes the square of their number to read.
    long = next((number for number, line in enumerate(text.split("\n"), 1) if len(line) > MAX_LINE), 0)
    if long:
        raise LimitError(f"a line over {MAX_LINE:,} characters", where=f"{file}:{long}")
    try:
        content = tomllib.loads(text)
        lines = _lines(text)
        return _node(content, (), lines, 1, file)
    except tomllib.TOMLDecodeError as error:
        told = _ERROR.fullmatch(str(error))
        end = f"{file}:{len(text.rstrip().splitlines()) or 1}"
        what, where = (told[1], f"{file}:{told[2]}:{told[3]}") if told else (str(error), end)
        raise InputError(f"not TOML: {what[:200]}", where=where) from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"not TOML: {str(error)[:200]}", where=file) from error


def _node(value: Any, path: Path, lines: dict[Path, int], line: int, file: str) -> Node:
    line = lines.get(path, line)
    if len(path) > MAX_DEPTH:
        raise LimitError(f"nested deeper than {MAX_DEPTH}", where=f"{file}:{line}")
    made: Content
    match value:
        case dict():
            made = {key: _node(item, (*path, key), lines, line, file) for key, item in value.items()}
        case list():
            made = [_node(item, (*path, place), lines, line, file) for place, item in enumerate(value)]
        case datetime() | date() | time():
            made = value.isoformat()
        case _:
            made = value
    return Node(made, line, file)


def _lines(text: str) -> dict[Path, int]:
    """The line of each key, table and list entry by its path."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    header: Path = ()
    tokens = list(_tokens(text))
    place = 0
    while place < len(tokens):
        kind, written, line = tokens[place]
        if kind == "newline":
            place += 1
        elif written == "[":
            double = place + 1 < len(tokens) and tokens[place + 1][1] == "["
            parts, place = _key(tokens, place + 1 + double, "]")
            place += 1 + double
            header = _resolved(parts, counts)
            if double:
                counts[header] = counts.get(header, -1) + 1
                lines.setdefault(header, line)
                header = (*header, counts[header])
            lines[header] = line
        else:
            place = _pair(tokens, place, header, lines)
    return lines


def _resolved(parts: list[str], counts: dict[Path, int]) -> Path:
    """The path that a header means: below a list of tables, its last entry so far."""
    path: Path = ()
    for number, part in enumerate(parts):
        path = (*path, part)
        if number < len(parts) - 1 and path in counts:
            path = (*path, counts[path])
    return path


def _pair(tokens: list[Token], place: int, header: Path, lines: dict[Path, int]) -> int:
    """Notes the lines of `key = value` and of all inside the value; the place after it."""
    line = tokens[place][2]
    parts, place = _key(tokens, place, "=")
    path = (*header, *parts)
    for length in range(len(header) + 1, len(path) + 1):
        lines.setdefault(path[:length], line)
    stack: list[Path] = [path]
    counts: list[int] = [-1]  # the place within a list; -1: not in one
    place += 1
    while place < len(tokens):
        kind, written, line = tokens[place]
        if kind == "newline" and len(stack) == 1:
            break
        if kind == "newline":
            place += 1
            continue
        if kind == "mark" and written in "]}":
            stack.pop()
            counts.pop()
        elif kind == "mark" and written == ",":
            counts[-1] += counts[-1] >= 0
        else:
            place = _value(tokens, place, stack, counts, lines)
            continue
        place += 1
        if not stack:
            break
    return place


def _value(tokens: list[Token], place: int, stack: list[Path], counts: list[int], lines: dict[Path, int]) -> int:
    """One token of a value: an entry of a list, a key of an inline table, or the beginning of either."""
    kind, written, line = tokens[place]
    path = stack[-1]
    if counts[-1] >= 0:
        path = (*path, counts[-1])
        lines.setdefault(path, line)
    elif counts[-1] == -2:  # in an inline table: a key comes first
        parts, place = _key(tokens, place, "=")
        path = (*path, *parts)
        lines.setdefault(path, line)
        place += 1
        kind, written, line = tokens[place] if place < len(tokens) else ("", "", line)
    if kind == "mark" and written in "[{":
        stack.append(path)
        counts.append(0 if written == "[" else -2)
        return place + 1
    # 1.5 and 2026-01-02T03:04:05.5 come as several tokens.
    while place < len(tokens) and not (tokens[place][0] == "newline" or tokens[place][1] in (",", "]", "}")):
        place += 1
    return place


def _key(tokens: list[Token], place: int, end: str) -> tuple[list[str], int]:
    """The parts of a dotted key, and the place of the mark that ends it."""
    parts: list[str] = []
    while place < len(tokens) and tokens[place][1] != end:
        kind, written, _ = tokens[place]
        if kind == "text":
            parts.append(_unquoted(written))
        elif kind == "bare":
            parts.append(written)
        place += 1
    return parts, place


def _unquoted(token: str) -> str:
    if token[0] == "'" or "\\" not in token:
        return token[1:-1]
    import tomllib

    return str(tomllib.loads(f"x={token}")["x"])


def _tokens(text: str) -> Iterator[Token]:
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind not in ("comment", "blank"):
            yield kind, found[0], line
        line += found[0].count("\n")
