"""What the commands that read the store have in common: opening it, naming what is in it, and showing findings."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from holdfast.cli.environment import colour, settings, width
from holdfast.model.errors import InputError, LimitError, NotFound
from holdfast.model.finding import Finding, Kind, Severity
from holdfast.model.report import SCHEMA, Report
from holdfast.report.text import Lines, Span, columns, counted, one_line, pad, paint, paragraph, printable
from holdfast.report.writer import encode

if TYPE_CHECKING:
    from holdfast.store.sql import SqlStore
    from holdfast.store.store import StoredScan

SEVERITIES = tuple(severity.value for severity in reversed(Severity))
KINDS = tuple(kind.value for kind in Kind)
REPORT_BYTES = 256 << 20
SHORT = 8
"""Digits of a fingerprint or a scan's id that are shown in tables: enough to name one again."""

_AGE = re.compile(r"([0-9]{1,5})([hdw])")
_BEFORE = re.compile(r"(.+)~([0-9]{1,4})", re.DOTALL)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_NAME_LEAST, _RULE_MOST = 12, 28


@contextmanager
def opened() -> "Iterator[SqlStore]":
    """The store of these settings, with what waited in it; problems of those are said on standard error."""
    from holdfast.store.open import open_store

    chosen = settings()
    with open_store(chosen.store, chosen.data) as store:
        for problem in store.problems:
            where = f"{printable(problem.where)}: " if problem.where else ""
            click.echo(f"holdfast: {where}{printable(problem.message)}", err=True)
        yield store


def report_named(name: str, store: "SqlStore | None" = None) -> tuple[str, Report]:
    """A report and what to call it: of a JSON file, a stored scan's id, or a target, `TARGET~1` being the one before.

    NotFound, InputError, LimitError, StoreError.
    """
    if is_report_file(name):
        return name, _from_file(Path(name))
    if store is None:
        with opened() as own:
            return report_named(name, own)
    found = scan_named(name, store)
    report = store.report(found.id)
    if report is None:
        raise NotFound("this scan's report is not kept any more: only its numbers are", where=name)
    return f"{found.name} ({found.created[:16].replace('T', ' ')}, {found.id[:8]})", report


def scan_named(name: str, store: "SqlStore") -> "StoredScan":
    """A stored scan by its id or target. NotFound, InputError."""
    if found := store.scan(name):
        return found
    scans = store.scans(name)
    back = 0
    if not scans and (match := _BEFORE.fullmatch(name)):
        back = int(match[2])
        scans = store.scans(match[1])
        scans = tuple(one for one in scans if one.platform == scans[0].platform)
    if not scans:
        raise NotFound(
            "neither a report in JSON, nor a stored scan, nor a target with one", where=name,
            remedy="`holdfast trend TARGET` lists a target's scans",
        )  # fmt: skip
    if back >= len(scans):
        raise NotFound(f"only {counted(len(scans), 'scan')} of this target are stored", where=name)
    return scans[back]


def is_report_file(name: str) -> bool:
    """Whether a name is that of a file that begins as JSON does."""
    try:
        path = Path(name)
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except (OSError, ValueError):
        return False


def _from_file(path: Path) -> Report:
    with path.open("rb") as stream:
        data = stream.read(REPORT_BYTES + 1)
    if len(data) > REPORT_BYTES:
        raise LimitError(f"a report of more than {REPORT_BYTES >> 20} MiB", where=str(path))
    return decode_report(data.removeprefix(b"\xef\xbb\xbf"), str(path))


def decode_report(data: bytes, where: str) -> Report:
    """A report from `--format json`. InputError where it is something else."""
    remedy = "write one with `holdfast scan TARGET -o json=FILE`"
    try:
        report = msgspec.json.decode(data, type=Report)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise InputError(f"is no report of Holdfast in JSON: {str(error)[:200]}", where=where, remedy=remedy) from error
    if report.schema != SCHEMA:
        raise InputError(f"is no {SCHEMA}, but {report.schema[:60]!r}", where=where, remedy=remedy)
    return report


def several(
    _context: click.Context, parameter: click.Parameter, value: str | None, allowed: Sequence[str] = SEVERITIES
) -> tuple[str, ...]:
    """A list with commas, each of them one of `allowed`."""
    chosen = tuple(part.strip().lower() for part in (value or "").split(",") if part.strip())
    if wrong := [part for part in chosen if part not in allowed]:
        raise click.BadParameter(f"{wrong[0]!r} is not one of {', '.join(allowed)}", param=parameter)
    return chosen


def since(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """A time from an age (12h, 7d, 4w) or a day; empty for none."""
    if not value:
        return ""
    if match := _AGE.fullmatch(value):
        try:
            moment = datetime.now(UTC) - timedelta(hours=int(match[1]) * _HOURS[match[2]])
        except OverflowError:
            return ""  # longer ago than there are years
        return moment.isoformat(timespec="seconds")
    try:
        return datetime.strptime(value, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise click.BadParameter(
            "write an age such as 12h, 7d or 4w, or a day such as 2027-01-31", param=parameter
        ) from None


def show(lines: Lines) -> None:
    """Lines onto standard output, as wide as it is."""
    is_coloured, room = colour(sys.stdout), width()
    for line in lines:
        click.echo(paint(line, room, colour=is_coloured), color=True)


def show_json(document: object) -> None:
    """A document onto standard output."""
    click.echo(encode(document).decode(), nl=False)


class Line(msgspec.Struct, frozen=True):
    """A finding in a table: its mark is a fingerprint, or a sign; `about` what it concerns; `below` stands under it."""

    mark: str
    severity: Severity
    rule: str
    about: str
    last: str = ""
    style: str = "dim"
    below: str = ""


def table(lines: Iterable[Line], heads: tuple[str, str, str, str, str] | None, room: int) -> Lines:
    """Findings in columns that fit."""
    rows = list(lines)
    if not rows:
        return
    mark = max(columns(row.mark) for row in rows)
    severity = max(8 if heads else 0, *(len(row.severity) for row in rows))
    rule = min(_RULE_MOST, max(4, *(columns(one_line(row.rule)) for row in rows)))
    last = max(columns(one_line(row.last)) for row in rows)
    rule = max(4, min(rule, room - mark - severity - last - 8 - _NAME_LEAST))
    about = max(_NAME_LEAST, room - mark - severity - rule - last - (8 if last else 6))
    if heads:
        words = zip(heads, (mark, severity, rule, about, last), strict=True)
        yield [("  ".join(pad(word, size) for word, size in words if size), "dim")]
    for row in rows:
        spans: list[Span] = [
            (pad(row.mark, mark) + "  ", row.style),
            (pad(row.severity, severity) + "  ", row.severity.value),
            (pad(one_line(row.rule), rule) + "  ", "strong"),
            (pad(one_line(row.about), about), ""),
        ]
        yield [*spans, (f"  {one_line(row.last)}", "dim")] if last else spans
        yield from paragraph(" " * (mark + severity + 4), row.below, room, "dim")


def about(name: str, version: str, path: str) -> str:
    """What a finding concerns, in a line: the package with its version, else the file, else whatever it names."""
    if version:
        return f"{name} {version}"
    return path or name


def line_of(finding: Finding, mark: str = "", style: str = "dim", below: str = "") -> Line:
    """A report's finding as a line."""
    subject = finding.subject
    words = about(subject.name, subject.version, finding.location.path)
    return Line(mark or finding.fingerprint[:SHORT], finding.severity, finding.rule, words, style=style, below=below)
