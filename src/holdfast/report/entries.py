"""Findings as formats with room for all of them show them: each cause once, in words that are safe to show."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from holdfast.model.advisory import FixState
from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Finding, Kind, SecretEvidence, Severity
from holdfast.model.report import Report
from holdfast.report.rows import Row, is_about_a_package, is_exploited, is_fixable, risk_of, rows
from holdfast.report.text import listed, printable
from holdfast.report.words import (
    ENGINE_OF,
    KINDS,
    advice_of,
    by_rule,
    deleted_by,
    facts_of,
    is_alive,
    layer_numbers,
    of_kind,
    other_places,
    place_of,
    times,
    title_of,
)

_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]{1,500}", re.ASCII)
_MOST_LINKS = 6
_MOST_PLACES = 30
_KIND_ORDER = {kind: position for position, kind in enumerate(KINDS)}
_WITHOUT_FIX = {FixState.WILL_NOT_FIX: "will not be fixed", FixState.END_OF_LIFE: "end of life"}


class Entry(Struct, frozen=True):
    """One cause. `layer` is its number (0: none), `rank` the severity's, `more` how many other places there are.

    Every text is cut and has no character that is not printable; nothing is escaped for a markup.
    """

    kind: str
    severity: str
    rank: int
    confidence: str
    title: str
    rule: str
    subject: str
    where: str = ""
    more: int = 0
    layer: int = 0
    side: str = ""
    fix: str = ""
    fixable: bool = False
    exploited: bool = False
    alive: bool = False
    deleted: bool = False
    advice: str = ""
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    links: tuple[str, ...] = ()


def shown(text: str, most: int = 300) -> str:
    """The text in at most about `most` characters, with everything that is not printable written as an escape."""
    return printable(text) if len(text) <= most else printable(text[: most - 1]) + "…"


class Cause(Struct, frozen=True):
    """A finding that stands for all of its cause: of a vulnerability the package's row, of a rule its members."""

    finding: Finding
    row: Row | None = None
    members: tuple[Finding, ...] = ()

    @property
    def layer(self) -> str:
        """The diff ID of the layer that brought it."""
        return self.row.layers[0] if self.row and self.row.layers else self.finding.location.diff_id


def causes(report: Report) -> list[Cause]:
    """Every cause once, most urgent first.

    Vulnerabilities count as in the table (once in a source package), configuration by rule and severity.
    """
    found = [Cause(one, row) for kind in (Kind.VULNERABILITY, Kind.MALWARE) for row in rows(report, kind)
             for one in row.findings]  # fmt: skip
    single = (Kind.INTEGRITY, Kind.SECRET, Kind.MALWARE, Kind.VULNERABILITY)
    found += [Cause(one) for kind in single for one in of_kind(report, kind) if not is_about_a_package(one)]
    for _, members in by_rule(of_kind(report, Kind.CONFIGURATION)):
        for severity in dict.fromkeys(member.severity for member in members):
            same = tuple(member for member in members if member.severity is severity)
            found.append(Cause(same[0], None, same))
    return sorted(found, key=_urgency)


def entry(cause: Cause, layers: dict[str, int]) -> Entry:
    """What is shown of a cause, where `layers` numbers them by diff ID."""
    finding, row = cause.finding, cause.row
    number = layers.get(cause.layer, 0)
    subject = f"{row.name} {row.version}" if row else finding.subject.name
    where, total = place_of(finding), sum(map(times, cause.members or (finding,)))
    if row:
        where, total = (row.places[0], len(row.places)) if row.places else ("", 1)
    side = row.side if row else finding.location.side
    evidence = finding.evidence
    if isinstance(evidence, SecretEvidence):
        subject = evidence.redacted
    return Entry(
        kind=str(finding.kind),
        severity=str(finding.severity),
        rank=finding.severity.rank,
        confidence=str(finding.confidence),
        title=shown(title_of(finding)),
        rule=shown(finding.rule, 120) if finding.rule != title_of(finding) else "",
        subject=shown(subject, 200) if subject != where else "",
        where=shown(where),
        more=max(total - 1, 0),
        layer=number,
        side="" if side is Side.UNKNOWN else str(side),
        fix=shown(_fix(finding), 120),
        fixable=is_fixable(finding) or (finding.kind is not Kind.VULNERABILITY and bool(advice_of(finding))),
        exploited=is_exploited(finding),
        alive=is_alive(finding),
        deleted=bool(deleted_by(finding)),
        advice=shown(advice_of(finding), 1500),
        facts=tuple(_facts(cause, layers)),
        links=tuple(link for link in dict.fromkeys(finding.references) if _LINK.fullmatch(link))[:_MOST_LINKS],
    )


def entries(report: Report, most: int) -> tuple[list[Entry], int]:
    """The `most` most urgent entries, and how many there are in all."""
    layers = layer_numbers(report)
    found = causes(report)
    return [entry(cause, layers) for cause in found[:most]], len(found)


def is_looked_for(report: Report, kind: Kind) -> bool:
    """Whether the absence of findings of a kind means something. Broken integrity is seen in every scan."""
    if kind is Kind.INTEGRITY:
        return True
    if kind is Kind.VULNERABILITY:
        return report.database is not None and bool(report.checked)
    return ENGINE_OF[kind] in report.engines


def _urgency(cause: Cause) -> tuple[int, bool, int, int, int, str, str]:
    """Broken integrity, malware, live secrets and what is exploited; then all by severity, kind and risk."""
    finding = cause.finding
    low = finding.confidence is Confidence.LOW and not is_alive(finding)
    if finding.kind is Kind.INTEGRITY:
        group = 0
    elif finding.kind is Kind.MALWARE and not low:
        group = 1
    else:
        group = 2 if is_alive(finding) or _is_attacked(finding) else 3
    rank, kind = -finding.severity.rank, _KIND_ORDER[finding.kind]
    return group, low, rank, kind, -risk_of(finding), finding.rule, finding.location.path


def _is_attacked(finding: Finding) -> bool:
    return is_exploited(finding) and finding.severity.rank >= Severity.HIGH.rank


def _fix(finding: Finding) -> str:
    if finding.fix.version:
        return f"→ {finding.fix.version}"
    if finding.kind is Kind.VULNERABILITY:
        return _WITHOUT_FIX.get(finding.fix.state, "no fix yet")
    return {Kind.SECRET: "replace it", Kind.MALWARE: "remove it", Kind.CONFIGURATION: "change it"}.get(finding.kind, "")


def _facts(cause: Cause, layers: dict[str, int]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The evidence, then where it stands: each value in lines."""
    finding = cause.finding
    for name, value in facts_of(finding):
        if value:
            yield shown(name, 60), tuple(shown(line, 500) for line in value[:8000].split("\n")[:_MOST_PLACES])
    if cause.row and cause.row.binaries and cause.row.binaries != (cause.row.name,):
        yield "Packages", (shown(listed(cause.row.binaries, _MOST_PLACES), 1000),)
    if places := _places(cause):
        more = (f"and {len(places) - _MOST_PLACES:,} more",) if len(places) > _MOST_PLACES else ()
        yield "Places", (*(shown(place, 400) for place in places[:_MOST_PLACES]), *more)
    if number := layers.get(cause.layer):
        made = finding.location.created_by
        yield "Layer", (f"#{number} {shown(cause.layer, 80)}", *((shown(made, 300),) if made else ()))
    if deleted := deleted_by(finding):
        by = f"layer #{layers[deleted]}" if deleted in layers else shown(deleted, 80)
        yield "Deleted", (f"by {by}: it is still in the image",)
    if finding.confidence is not Confidence.HIGH:
        yield "Confidence", (str(finding.confidence),)
    yield "Rule", (shown(finding.rule, 120),)
    if finding.controls:
        yield "Controls", (shown(", ".join(finding.controls[:20])),)
    yield "Fingerprint", (finding.fingerprint,)


def _places(cause: Cause) -> Sequence[str]:
    if cause.row:
        return cause.row.places
    found: dict[str, None] = {}
    for member in cause.members or (cause.finding,):
        for place in (place_of(member), *other_places(member)):
            if place:
                found.setdefault(place)
    return list(found)
