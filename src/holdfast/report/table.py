"""A report for people: what is wrong, what to do about it, and how far the answer can be trusted."""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.model.verdict import Decision, Verdict
from holdfast.report.columns import Columns
from holdfast.report.inventory import inventory
from holdfast.report.malware import malicious_files, malware
from holdfast.report.preface import notes, preface
from holdfast.report.remedy import Newest, newest_version
from holdfast.report.rows import Row, is_about_a_package, is_exploited, rows
from holdfast.report.secrets import secrets
from holdfast.report.settings import configuration
from holdfast.report.text import Lines, Span, counted, listed, one_line, paint, paragraph, printable
from holdfast.report.todo import SIDES, plan_of, to_do
from holdfast.report.words import ENGINE_OF, KINDS, WORST_FIRST, concerns_packages, of_kind
from holdfast.report.writer import emit

_MOST_NAMED = 20
_MOST_REASONS = 5
_DECISIONS = {Decision.ALLOW: "good", Decision.WARN: "warn", Decision.DENY: "bad"}
_HIDDEN = "filter.hidden"


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
        hidden, set_up = of_kind(report, Kind.SECRET), of_kind(report, Kind.CONFIGURATION)
        files = [one for one in of_kind(report, Kind.MALWARE) if not is_about_a_package(one)]
        plan = plan_of(report, found, harmful, self.newest)
        yield from preface(report, width)
        if report.verdict:
            yield from _verdict(report.verdict, width)
        yield from _summary(report, found, len(harmful) + len(files), width)
        yield from malware(harmful, width)
        yield from malicious_files(report, files, width)
        yield from secrets(report, hidden, width)
        if concerns_packages(report):
            yield from _counts(report, found, width)
        yield from to_do(report, plan, sum(len(row.findings) for row in found if row.apart != "development"), width)
        yield from configuration(set_up, width)
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


def _verdict(verdict: Verdict, width: int) -> Lines:
    """What a policy decided, in a line, with what it denies for; `holdfast vet` tells the rest."""
    yield []
    yield [
        (verdict.decision.value.upper(), _DECISIONS[verdict.decision]),
        (f"  by policy {one_line(verdict.policy[:200])}", ""),
    ]
    denying = [one_line(reason.message[:1000]) for reason in verdict.because if reason.decision is Decision.DENY]
    for words in denying[:_MOST_REASONS]:
        yield from paragraph("  ", words, width, "bad")
    if len(denying) > _MOST_REASONS:
        yield [(f"  and {counted(len(denying) - _MOST_REASONS, 'more reason')}", "bad")]


def _summary(report: Report, found: tuple[Row, ...], harmful: int, width: int) -> Lines:
    """How many findings there are of each kind, and what was not looked for. Left out where only packages matter."""
    counts = {kind: len(of_kind(report, kind)) for kind in ENGINE_OF}
    counts |= {Kind.VULNERABILITY: sum(len(row.findings) for row in found), Kind.MALWARE: harmful}
    others = {"secrets", "malware", "configuration"}
    if not others & {*report.engines} and not any(counts[kind] for kind in (Kind.SECRET, Kind.CONFIGURATION)):
        return
    parts = []
    for kind, engine in ENGINE_OF.items():
        one, several = KINDS[kind]
        if counts[kind]:
            parts.append(counted(counts[kind], one, several))
        elif report.engines:
            looked_for = engine in report.engines and not (
                kind is Kind.VULNERABILITY and (report.database is None or not report.checked)
            )
            parts.append(f"no {several}" if looked_for else f"{engine} not looked for")
    yield []
    yield from paragraph("SUMMARY  ", " · ".join(parts), width, "heading" if any(counts.values()) else "dim")


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
    for severity in WORST_FIRST:
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
        yield from (f"{sides[side]:,} {words}" for side, words in SIDES.items() if words and sides[side])
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
