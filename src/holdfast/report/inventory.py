"""The packages themselves, in columns: what a scan that looked for no vulnerabilities has to tell."""

from collections import Counter
from collections.abc import Sequence

from holdfast.model.report import Report
from holdfast.report.text import Lines, Span, columns, printable

_MOST_PACKAGES = 500
_MOST_COLUMNS = 6
_GAP = 3

Entry = tuple[str, str]
"""A package's name and its version, printable."""


def inventory(report: Report, width: int) -> Lines:
    """All packages by type, each type with its number; of very many the first ones, and how many more there are."""
    if not report.packages:
        return
    yield []
    yield [("PACKAGES", "heading"), (f"  {len(report.packages):,}", "strong")]
    room = _MOST_PACKAGES
    types = Counter(package.type for package in report.packages)
    for kind, number in types.items():
        yield [(f"  {printable(kind)}  ", "strong"), (f"{number:,}", "dim")]
        entries = [_entry(p.name, p.namespace, p.version, p.type) for p in report.packages if p.type == kind][:room]
        room -= len(entries)
        yield from _grid(entries, width - 4)
    if (more := len(report.packages) - _MOST_PACKAGES) > 0:
        yield [(f"  and {more:,} more: see -f json", "dim")]


def _entry(name: str, namespace: str, version: str, kind: str) -> Entry:
    # A distribution's namespace (debian) says nothing new; a library's is part of its name.
    whole = f"{namespace}/{name}" if namespace and kind not in ("deb", "rpm", "apk") else name
    return printable(whole), printable(version)


def _grid(entries: Sequence[Entry], width: int) -> Lines:
    """The entries read downwards, in as many columns as fit."""
    for number in range(min(_MOST_COLUMNS, len(entries)), 0, -1):
        height = -(-len(entries) // number)
        stacks = [entries[start : start + height] for start in range(0, len(entries), height)]
        widths = [(max(columns(name) for name, _ in s), max(columns(version) for _, version in s)) for s in stacks]
        if number == 1 or sum(name + 1 + version for name, version in widths) + _GAP * (len(stacks) - 1) <= width:
            break
    else:
        return
    if len(stacks) == 1:  # A name too long for its column is whole nevertheless: its version stands further right.
        widths = [(min(widths[0][0], max(width - 1 - widths[0][1], width // 2)), 0)]
    for line in range(height):
        spans: list[Span] = [("    ", "")]
        for (name_width, version_width), stack in zip(widths, stacks, strict=True):
            if line < len(stack):
                name, version = stack[line]
                filled = name + " " * (name_width - columns(name))
                spans += [(filled, ""), (f" {version}" + " " * (version_width - columns(version) + _GAP), "dim")]
        yield spans
