"""`holdfast trend`: how a target did from scan to scan."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from holdfast.cli.environment import width
from holdfast.cli.stored import SHORT, opened, show, show_json
from holdfast.model.errors import NotFound
from holdfast.model.finding import Severity
from holdfast.report.text import Lines, Span, counted, pad, printable

if TYPE_CHECKING:
    from holdfast.store.store import StoredScan

_LETTERS = {
    Severity.CRITICAL: "C",
    Severity.HIGH: "H",
    Severity.MEDIUM: "M",
    Severity.LOW: "L",
    Severity.NEGLIGIBLE: "N",
    Severity.UNKNOWN: "?",
}
_MOST = 10_000


@click.command(name="trend")
@click.argument("target")
@click.option("-n", "--last", type=click.IntRange(1, _MOST), default=20, show_default=True, help="Scans to show.")
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", help="Output format.")
def command(target: str, last: int, form: str) -> None:
    """Show the stored scans of TARGET, oldest first: findings by severity, and how many came and went with each."""
    with opened() as store:
        scans = store.scans(target, limit=last)
    if not scans:
        raise NotFound("no scan of this target is stored", where=target, remedy="`holdfast scan` stores each")
    scans = scans[::-1]
    if form == "json":
        show_json({"schema": "holdfast.trend/1", "target": scans[-1].target, "scans": scans})
        return
    by_platform: dict[str, list[StoredScan]] = {}
    for scan in scans:
        by_platform.setdefault(scan.platform, []).append(scan)
    for number, (platform, members) in enumerate(by_platform.items()):
        if number:
            click.echo()
        show(_table(members, platform, width()))


def _table(scans: "Sequence[StoredScan]", platform: str, room: int) -> Lines:
    totals = [_counts(scan) for scan in scans]
    severities = [severity for severity in _LETTERS if any(counts.get(severity) for counts in totals)]
    size = 1 + max((len(f"{number:,}") for counts in totals for number in counts.values()), default=1)
    size = max(size, 3)
    words = f" ({platform})" if platform else ""
    yield [(printable(scans[-1].target + words), "heading"), (f"  {counted(len(scans), 'scan')}", "")]
    letters = "".join(_LETTERS[severity].rjust(size) for severity in severities)
    yield [(f"  {'SCAN':<8}  {'WHEN':<16}{letters}{'NEW':>7}{'GONE':>7}  ", "dim")]
    most = max(sum(counts.values()) for counts in totals)
    left = room - 44 - size * len(severities)
    for scan, counts in zip(scans, totals, strict=True):
        spans: list[Span] = [(f"  {scan.id[:SHORT]}  {scan.created[:16].replace('T', ' '):<16}", "")]
        for severity in severities:
            number = counts.get(severity, 0)
            style = severity.value if number else "dim"
            spans.append(((f"{number:,}" if number else "·").rjust(size), style))
        spans.append((_change("+", scan.new), "bad" if scan.new else "dim"))
        spans.append((_change("-", scan.gone), "good" if scan.gone else "dim"))
        spans.append(("  ", ""))
        notes = " ".join(filter(None, (scan.status if scan.status != "complete" else "", _origin(scan))))
        spans += _bar(counts, severities, most, max(4, left - (len(notes) + 1 if notes else 0)))
        spans.append((f" {notes}" if notes else "", "warn" if scan.status != "complete" else "dim"))
        yield spans


def _origin(scan: "StoredScan") -> str:
    return "rescan" if scan.origin == "rescan" else ""


def _counts(scan: "StoredScan") -> dict[Severity, int]:
    """Findings of all kinds by severity."""
    found: dict[Severity, int] = {}
    for of_kind in scan.counts.values():
        for severity, number in of_kind.items():
            found[severity] = found.get(severity, 0) + number
    return found


def _change(sign: str, number: int) -> str:
    return (f"{sign}{number:,}" if number else "·").rjust(7)


def _bar(counts: dict[Severity, int], severities: list[Severity], most: int, room: int) -> list[Span]:
    """A bar as long as there are findings, in the colours of their severities."""
    spans: list[Span] = []
    done = drawn = 0
    for severity in severities:
        done += counts.get(severity, 0)
        # What is there is seen, however few it is.
        end = min(room, max(-(-done * room // most), drawn)) if most else 0
        spans.append(("█" * (end - drawn), severity.value))
        drawn = end
    return [*spans, (pad("", room - drawn), "")]
