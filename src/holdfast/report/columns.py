"""Packages and their vulnerabilities in columns that fit the terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence

from holdfast.model.advisory import FixState
from holdfast.model.finding import (
    ConfigurationEvidence,
    Finding,
    MalwareEvidence,
    SecretEvidence,
    Severity,
    VulnerabilityEvidence,
)
from holdfast.model.report import Report
from holdfast.report.remedy import Newest
from holdfast.report.rows import Row, is_exploited, is_fixable, risk_of
from holdfast.report.text import Lines, Span, columns, counted, cut, cut_front, one_line, pad, paragraph, printable

_DETAILED = 10
_AT_PLACES = (SecretEvidence, MalwareEvidence, ConfigurationEvidence)
_HIGH_PERCENTILE = 0.9
_LETTERS = {
    Severity.CRITICAL: "C",
    Severity.HIGH: "H",
    Severity.MEDIUM: "M",
    Severity.LOW: "L",
    Severity.NEGLIGIBLE: "N",
    Severity.UNKNOWN: "?",
}
_GO_LIBRARY = ("golang", "stdlib")
_WITHOUT_FIX = {
    FixState.AFFECTED: "no fix yet",
    FixState.FIXED: "fix unknown",
    FixState.WILL_NOT_FIX: "will not fix",
    FixState.DEFERRED: "deferred",
    FixState.END_OF_LIFE: "end of life",
    FixState.UNDER_INVESTIGATION: "investigating",
    FixState.NOT_AFFECTED: "not affected",
}


class Columns:
    """The columns of one report: the same widths in all of its sections.

    The first rows of a section tell their worst vulnerabilities by id on a second line; the rest stay on one.
    """

    def __init__(self, report: Report, rows: Sequence[Row], newest: Newest, width: int) -> None:
        self._newest = newest
        self._width = width
        self._layers = {layer.diff_id: number for number, layer in enumerate(report.layers, 1)}
        self._report = report
        self._findings_by_layer = Counter(row.layers[0] for row in rows for _ in row.findings if row.layers)
        self._findings_by_layer.update(
            finding.location.diff_id
            for finding in report.findings
            if isinstance(finding.evidence, _AT_PLACES) and finding.location.diff_id
        )
        present = {finding.severity for row in rows for finding in row.findings}
        self._severities = [severity for severity in _LETTERS if severity in present]
        self._count_width = 1 + max((len(f"{n:,}") for row in rows for n in row.counts.values()), default=1)
        self._layer_width = max(len("LAYER"), 1 + len(str(len(report.layers)))) if self._layers else 0
        fixed = 8 + self._count_width * len(self._severities) + (self._layer_width + 2 if self._layer_width else 0)
        self._name, self._version = _shares(rows, width - fixed - 5)

    def fixable(self, rows: Sequence[Row]) -> Lines:
        """What an upgrade mends, with the version to move to."""
        told = _by_risk((row, row.fixable) for row in rows)
        if told:
            yield self._header("FIXED IN")
        for position, (row, findings) in enumerate(told):
            version = self._newest(row.type, dict.fromkeys(finding.fix.version for finding in findings))
            yield self._line(row, findings, [(" → ", "dim"), (pad(printable(version), self._version), "good")])
            if position < _DETAILED:
                yield self._detail(row, findings)
            yield from self._place(row)

    def unfixable(self, rows: Sequence[Row]) -> Lines:
        """What waits for somebody else, with what that one says; behind the first ones only names and numbers."""
        told = _by_risk((row, tuple(f for f in row.findings if not is_fixable(f))) for row in rows)
        if told:
            yield [("  without a fix", "strong")]
        for row, findings in told[:_DETAILED]:
            yield self._line(row, findings, [("   ", ""), (pad(_state_words(findings), self._version), "dim")])
            if any(finding.severity.rank >= Severity.HIGH.rank or is_exploited(finding) for finding in findings):
                yield self._detail(row, findings)
            yield from self._place(row)
        if rest := told[_DETAILED:]:
            names = ", ".join(f"{row.name} {len(findings):,}" for row, findings in rest)
            lead = f"and {counted(len(rest), 'more package')} with {sum(len(findings) for _, findings in rest):,}"
            yield from paragraph("        ", f"{lead}: {names}", self._width, "dim")

    def legend(self) -> Lines:
        """The layers that brought something, by the numbers the rows use."""
        if not self._findings_by_layer:
            return
        yield []
        yield [("LAYERS", "heading"), ("  that brought them", "dim")]
        for layer in self._report.layers:
            found = self._findings_by_layer[layer.diff_id]
            if found:
                number = f"#{self._layers[layer.diff_id]}"
                yield [
                    (f"  {number:<4}", "strong"),
                    (f"{short(layer.digest or layer.diff_id)}  {layer.side:<11} {counted(found, 'finding'):>12}  ", ""),
                    (one_line(layer.created_by[:2000]), "dim"),
                ]

    def _header(self, last: str) -> list[Span]:
        letters = "".join(_LETTERS[severity].rjust(self._count_width) for severity in self._severities)
        words = f"  RISK  {pad('PACKAGE', self._name)}  {pad('INSTALLED', self._version)}   {pad(last, self._version)}"
        return [(f"{words}{letters}" + ("  LAYER" if self._layer_width else ""), "dim")]

    def _line(self, row: Row, findings: tuple[Finding, ...], last: list[Span]) -> list[Span]:
        risk = max(map(risk_of, findings))
        worst = max((finding.severity for finding in findings), key=lambda severity: severity.rank)
        counts = Counter(finding.severity for finding in findings)
        spans: list[Span] = [
            (f"  {risk:>4}  ", worst.value),
            (pad(printable(row.name), self._name), "strong"),
            (f"  {pad(printable(row.version), self._version)}", ""),
            *last,
        ]
        for severity in self._severities:
            number = counts[severity]
            spans.append(
                ((f"{number:,}" if number else "·").rjust(self._count_width), severity.value if number else "dim")
            )
        if row.layers and row.layers[0] in self._layers:
            spans.append((f"  #{self._layers[row.layers[0]]}", "dim"))
        return spans

    def _place(self, row: Row) -> Lines:
        """Where it lies, if no layer says so. Go's own library is in a binary of another name: that one is told."""
        has_layer = row.layers and row.layers[0] in self._layers
        if row.places and (not has_layer or (row.type, row.name) == _GO_LIBRARY):
            yield [(f"        in {place_words(row.places, self._width - 11)}", "dim")]

    def _detail(self, row: Row, findings: tuple[Finding, ...]) -> list[Span]:
        """The worst by id, as many as fit, and how many more; behind them the binary packages where they differ."""
        spans: list[Span] = [("        ", "")]
        used, left = 8, len(findings)
        for finding in findings:
            mark = _mark(finding)
            name = cut(printable(finding.rule), 40)
            needed = columns(name) + columns(mark) + 2
            if used + needed + (len(f"and {left - 1:,} more") if left > 1 else 0) > self._width:
                break
            spans += [(name, finding.severity.value), (mark, "exploited" if is_exploited(finding) else "dim")]
            used, left = used + needed, left - 1
            spans.append((", " if left else "", "dim"))
        if left:
            spans.append(
                (f"and {left:,} more" if left < len(findings) else counted(left, "advisory", "advisories"), "dim")
            )
        elif row.binaries and row.binaries != (row.name,):
            spans.append((f"  in {printable(', '.join(row.binaries))}", "dim"))
        return spans


def short(digest: str) -> str:
    """The first twelve hex digits of a digest, as container engines show it."""
    return printable(digest.rpartition(":")[2][:12])


def place_words(places: Sequence[str], width: int) -> str:
    """The first of some paths and how many more there are, in at most `width` columns; the path's end is kept."""
    more = f", +{len(places) - 1:,} more" if len(places) > 1 else ""
    return cut_front(printable(places[0]), width - len(more)) + more


def _shares(rows: Sequence[Row], room: int) -> tuple[int, int]:
    """The widths of the name and of each of two versions: what they need, cut down to what there is."""
    name = max([7, *(columns(printable(row.name)) for row in rows)])
    versions = [printable(row.version) for row in rows]
    versions += [printable(finding.fix.version) for row in rows for finding in row.findings]
    version = max([12, *map(columns, versions)])
    name = min(name, max(room - 2 * version, room // 3))
    return name, max(8, min(version, (room - name) // 2))


def _by_risk(rows: Iterable[tuple[Row, tuple[Finding, ...]]]) -> list[tuple[Row, tuple[Finding, ...]]]:
    """The rows that have findings left, by the risk of those."""
    return sorted((pair for pair in rows if pair[1]), key=lambda pair: -max(map(risk_of, pair[1])))


def _state_words(findings: tuple[Finding, ...]) -> str:
    states = dict.fromkeys(_WITHOUT_FIX[finding.fix.state] for finding in findings)
    return ", ".join(states)


def _mark(finding: Finding) -> str:
    evidence = finding.evidence
    if not isinstance(evidence, VulnerabilityEvidence):
        return ""
    mark = " exploited" if evidence.known_exploited else ""
    if evidence.epss and evidence.epss.percentile >= _HIGH_PERCENTILE:
        mark += f" EPSS {int(evidence.epss.percentile * 100)}%"
    return mark
