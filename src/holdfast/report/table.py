"""A report for people: what is wrong, what to do about it, and how far the answer can be trusted."""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.report.columns import Columns
from holdfast.report.inventory import inventory
from holdfast.report.malware import malware, malware_name
from holdfast.report.preface import notes, preface
from holdfast.report.remedy import Newest, Upgrade, newest_version, upgrades
from holdfast.report.rows import Row, is_about_a_package, is_exploited, rows
from holdfast.report.text import Lines, Span, columns, counted, listed, pad, paint, paragraph, printable
from holdfast.report.writer import emit

_THINGS_TO_DO = 10
_MOST_NAMED = 20
_HIDDEN = "filter.hidden"
_WORST_FIRST = tuple(sorted(Severity, key=lambda severity: -severity.rank))
_SIDES = {Side.BASE: "in the base image", Side.APPLICATION: "in the application", Side.UNKNOWN: ""}


class TableWriter(Struct, frozen=True):
    """A report for people, readable at 80 columns; nothing that a hostile name holds reaches the terminal raw."""

    name: str = "table"
    suffix: str = ".txt"
    newest: Newest = newest_version

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as text, in at most `width` columns (60 at least), with ANSI colours where asked for."""
        width = max(width, 60)
        lines = (paint(spans, width, colour=colour) for spans in self._lines(report, width))
        emit("".join(f"{line}\n" for line in lines).encode(), output)

    def _lines(self, report: Report, width: int) -> Lines:
        found, harmful = rows(report), rows(report, Kind.MALWARE)
        apart = [row for row in found if row.apart]
        told = [row for row in found if not row.apart]
        yield from preface(report, width)
        yield from malware(harmful, width)
        yield from _counts(report, found, width)
        yield from _to_do(report, harmful, upgrades(found, self.newest), found, width)
        if report.database is None:
            yield from inventory(report, width)
        grid = Columns(report, found, self.newest, width)
        for side in (Side.APPLICATION, Side.BASE, Side.UNKNOWN):
            yield from _section(_side_title(report, side), [row for row in told if row.side is side], grid)
        for word, title in (
            ("declared", "DECLARED  only named by a lock file, not seen installed"),
            ("development", "DEVELOPMENT  named by a lock file as not part of what runs"),
        ):
            yield from _section(title, [row for row in apart if row.apart == word], grid)
        yield from grid.legend()
        yield from notes(report, width)


def _section(title: str, members: list[Row], grid: Columns) -> Lines:
    """Rows under a title: those with a fix, then those without."""
    if not members:
        return
    name, _, words = title.partition("  ")
    total = sum(len(row.findings) for row in members)
    yield []
    yield [
        (name, "heading"),
        (f"  {words}" if words else "", ""),
        (f"  {total:,} in {counted(len(members), 'package')}", "dim"),
    ]
    yield from grid.fixable(members)
    yield from grid.unfixable(members)


def _side_title(report: Report, side: Side) -> str:
    if side is Side.BASE:
        return "BASE IMAGE" + (f"  {printable(report.base.name)}" if report.base.name else "")
    if side is Side.APPLICATION:
        return "APPLICATION"
    return "PACKAGES" + ("  base and application cannot be told apart" if len(report.layers) > 1 else "")


def _counts(report: Report, found: tuple[Row, ...], width: int) -> Lines:
    yield []
    findings = [finding for row in found for finding in row.findings]
    if not findings:
        yield _nothing(report)
        return
    yield [
        ("VULNERABILITIES", "heading"),
        (f"  {len(findings):,} in {counted(len(found), 'package')}", "strong"),
        (_in_binaries(report, len(findings)), "dim"),
    ]
    by_severity = Counter(finding.severity for finding in findings)
    spans: list[Span] = [("  ", "")]
    for severity in _WORST_FIRST:
        if by_severity[severity]:
            spans.append((" · " if len(spans) > 1 else "", "dim"))
            spans.append((f"{by_severity[severity]:,} {severity}", severity.value))
    yield spans
    yield from paragraph("  ", " · ".join(_facts(found)), width)
    if exploited := dict.fromkeys(finding.rule for finding in findings if is_exploited(finding)):
        yield from paragraph("  known exploited: ", listed(list(exploited), _MOST_NAMED), width, "exploited")


def _in_binaries(report: Report, distinct: int) -> str:
    vulnerabilities = [finding for finding in report.findings if finding.kind is Kind.VULNERABILITY]
    told = sum(is_about_a_package(finding) for finding in vulnerabilities if finding.fix.state != "not-affected")
    return f"  (seen {told:,} times, once in each binary package)" if told > distinct else ""


def _facts(found: tuple[Row, ...]) -> Iterator[str]:
    yield f"{sum(len(row.fixable) for row in found):,} with a fix"
    sides = Counter[Side]()
    for row in found:
        sides[row.side] += len(row.findings)
    if sides[Side.BASE] or sides[Side.APPLICATION]:
        yield from (f"{sides[side]:,} {words}" for side, words in _SIDES.items() if words and sides[side])
        if sides[Side.UNKNOWN]:
            yield f"{sides[Side.UNKNOWN]:,} on an unknown side"
    for word in ("declared", "development"):
        if number := sum(len(row.findings) for row in found if row.apart == word):
            yield f"{number:,} only {word}" if word == "declared" else f"{number:,} in {word} packages"


def _nothing(report: Report) -> list[Span]:
    """What no finding means: nothing known, or nothing looked at. The two are never confused."""
    words, style = _nothing_words(report)
    return [("VULNERABILITIES", "heading"), (f"  {words}", style)]


def _nothing_words(report: Report) -> Span:
    packages = counted(len(report.packages), "package")
    database = report.database
    if not report.packages:
        return "nothing was checked: no packages were found", "warn"
    if database is None or not (report.checked or report.findings):
        return f"not checked: {packages} catalogued, none compared", "warn"
    if report.status is not Status.COMPLETE or report.not_checked or database.starter:
        return f"none found in what could be checked of {packages}", "warn"
    if hidden := sum(problem.count for problem in report.problems if problem.code == _HIDDEN):
        return f"none of those asked for in {packages}; {hidden:,} left out", "warn"
    if any(finding.kind is Kind.MALWARE for finding in report.findings):
        return f"none known beside the malware in {packages}", "warn"
    return f"none known in {packages}", "good"


def _to_do(
    report: Report, harmful: tuple[Row, ...], plan: tuple[Upgrade, ...], found: tuple[Row, ...], width: int
) -> Lines:
    """What to remove, then at most ten upgrades, those of the side with the most urgent one first, and what is gone."""
    if not plan and not harmful:
        return
    removals = list(dict.fromkeys(map(malware_name, harmful)))
    yield []
    yield _promise(removals, plan, sum(len(row.findings) for row in found if row.apart != "development"))
    for number, name in enumerate(removals[:_THINGS_TO_DO], 1):
        yield [(f"  {number:>2}. ", "dim"), (f"remove {name}", "bad")]
    if len(removals) > _THINGS_TO_DO:
        yield [(f"      and {len(removals) - _THINGS_TO_DO:,} more to remove: see above", "bad")]
    if plan:
        yield from _upgrades(report, plan, min(len(removals), _THINGS_TO_DO), width)


def _promise(removals: list[str], plan: tuple[Upgrade, ...], total: int) -> list[Span]:
    """The heading: how many things there are to do here, and what is gone after them."""
    chosen = plan[:_THINGS_TO_DO]
    gone = sum(upgrade.count for upgrade in chosen)
    spans: list[Span] = [("WHAT TO DO", "heading")]
    if removals:
        spans.append((f"  remove {counted(len(removals), 'package')}" + (", then" if plan else ""), "bad"))
    if plan:
        spans += [
            (f"{' ' if removals else '  '}{counted(len(chosen), 'upgrade')}: ", ""),
            (f"{gone:,} of {total:,} gone", "good"),
        ]
    return spans


def _upgrades(report: Report, plan: tuple[Upgrade, ...], number: int, width: int) -> Lines:
    """The upgrades, numbered on from `number`."""
    chosen, rest = plan[:_THINGS_TO_DO], plan[_THINGS_TO_DO:]
    names, installed, versions = _upgrade_widths(chosen, width)
    for side in dict.fromkeys(upgrade.side for upgrade in chosen):
        if words := _place(report, side):
            yield from paragraph("  ", words, width, "dim")
        for upgrade in chosen:
            if upgrade.side is not side:
                continue
            number += 1
            yield [
                (f"  {number:>2}. ", "dim"),
                (pad(printable(upgrade.name), names), "strong"),
                (f"  {pad(_installed(upgrade), installed)}", ""),
                (" → ", "dim"),
                (pad(printable(upgrade.version), versions), "good"),
                (f"  {upgrade.count:>3,} gone", ""),
                (f", {upgrade.exploited:,} exploited" if upgrade.exploited else "", "exploited"),
            ]
    if rest:
        more = sum(upgrade.count for upgrade in rest)
        yield [(f"      and {counted(len(rest), 'more upgrade')}, with {more:,}: see below", "dim")]


def _place(report: Report, side: Side) -> str:
    if side is not Side.BASE:
        return _SIDES[side]
    name = f" ({printable(report.base.name)})" if report.base.name else ""
    return f"{_SIDES[side]}{name}: move to a newer one, or upgrade in your build"


def _installed(upgrade: Upgrade) -> str:
    return printable(", ".join(upgrade.installed))


def _upgrade_widths(plan: tuple[Upgrade, ...], width: int) -> tuple[int, int, int]:
    """Columns for the names, the versions installed and the versions to move to."""
    room = width - 34
    version = min(max(columns(printable(upgrade.version)) for upgrade in plan), room // 2)
    name = min(max(columns(printable(upgrade.name)) for upgrade in plan), (room - version) * 3 // 5)
    installed = min(max(columns(_installed(upgrade)) for upgrade in plan), room - version - name)
    return name, installed, version
