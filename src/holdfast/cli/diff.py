"""`holdfast diff`: what changed from one scan to another."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from holdfast.cli.environment import width
from holdfast.cli.failure import CLEAN, FOUND, INCOMPLETE
from holdfast.cli.stored import SEVERITIES, line_of, report_named, show, show_json, table
from holdfast.model.finding import Severity
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.report.text import Lines, one_line, pad, paragraph, printable

if TYPE_CHECKING:
    from holdfast.store.difference import Difference, PackageChange

_MOST_PACKAGES = 40
_MOST_GONE = 200


@click.command(name="diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--fail-on-new", type=click.Choice(SEVERITIES), metavar="SEVERITY", help="Exit 1 for a new finding this severe."
)
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", help="Output format.")
def command(old: str, new: str, fail_on_new: str | None, form: str) -> None:
    """Show which findings and packages are new, gone or changed from OLD to NEW.

    Each is a stored scan's id, a target (its newest scan; TARGET~1 is the one before), or a report in JSON.
    """
    from holdfast.store.difference import difference

    old_name, old_report = report_named(old)
    new_name, new_report = report_named(new)
    found = difference(old_report, new_report)
    if form == "json":
        show_json({"schema": "holdfast.diff/1", "old": _head(old_name, old_report), "new": _head(new_name, new_report),
                   "difference": found})  # fmt: skip
    else:
        show(_told(found, (old_name, old_report), (new_name, new_report), width()))
    sys.exit(_exit_code(found, (old_report, new_report), fail_on_new))


def _exit_code(found: "Difference", reports: Sequence[Report], fail_on_new: str | None) -> int:
    """Incomplete before findings: what was not looked at cannot be said not to be new."""
    if any(report.status is Status.FAILED for report in reports):
        return INCOMPLETE
    if fail_on_new is None:
        return CLEAN
    if any(report.status is not Status.COMPLETE for report in reports):
        return INCOMPLETE
    return FOUND if any(one.severity.rank >= Severity(fail_on_new).rank for one in found.new) else CLEAN


def _head(name: str, report: Report) -> dict[str, object]:
    return {"name": name, "target": report.target, "created": report.created, "status": report.status}


def _told(found: "Difference", old: tuple[str, Report], new: tuple[str, Report], room: int) -> Lines:
    for lead, (name, report) in (("old  ", old), ("new  ", new)):
        yield from paragraph(lead, name, room)
        if report.status is not Status.COMPLETE:
            words = f"{report.status}: what it did not see may look new or gone here"
            yield from paragraph("     ", words, room, "warn")
    yield []
    numbers = (f"{len(found.new):,} new", f"{len(found.gone):,} gone", f"{len(found.changed):,} changed")
    yield [("FINDINGS", "heading"), (f"  {', '.join(numbers)}, {found.same:,} the same", "")]
    lines = [line_of(one, "  +", "bad") for one in found.new]
    lines += [line_of(one, "  -", "good") for one in found.gone[:_MOST_GONE]]
    lines += [line_of(one.new, "  ~", "warn", "; ".join(one.what)) for one in found.changed]
    yield from table(lines, None, room)
    if len(found.gone) > _MOST_GONE:
        yield [(f"  - and {len(found.gone) - _MOST_GONE:,} more gone", "dim")]
    yield []
    counts = (("added", found.added), ("removed", found.removed), ("with another version", found.moved))
    yield [("PACKAGES", "heading"), ("  " + ", ".join(f"{len(ones):,} {word}" for word, ones in counts), "")]
    yield from _packages("+", found.added, "bad", room)
    yield from _packages("-", found.removed, "good", room)
    yield from _packages("~", found.moved, "warn", room)


def _packages(sign: str, changes: "Sequence[PackageChange]", style: str, room: int) -> Lines:
    name = min(max((len(one.name) for one in changes), default=0), room // 3)
    kind = max((len(one.type) for one in changes), default=0)
    for one in changes[:_MOST_PACKAGES]:
        versions = " → ".join(filter(None, (", ".join(one.old), ", ".join(one.new))))
        yield [
            (f"  {sign} ", style),
            (pad(printable(one.type), kind) + "  ", "dim"),
            (pad(one_line(one.name), name) + "  ", "strong"),
            (one_line(versions), ""),
        ]
    if len(changes) > _MOST_PACKAGES:
        yield [(f"  {sign} and {len(changes) - _MOST_PACKAGES:,} more", "dim")]
