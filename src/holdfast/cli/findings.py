"""`holdfast findings`: what was found so far, since when, and what was decided about it."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
import msgspec

from holdfast.cli.environment import width
from holdfast.cli.stored import KINDS, SHORT, Line, about, opened, several, show, show_json, since, table
from holdfast.model.finding import (
    ConfigurationEvidence,
    Finding,
    IntegrityEvidence,
    Kind,
    MalwareEvidence,
    SbomEvidence,
    SecretEvidence,
    Severity,
    TagEvidence,
    VulnerabilityEvidence,
)
from holdfast.report.text import Lines, counted, paragraph, printable

if TYPE_CHECKING:
    from holdfast.store.store import Detail, Tracked

_STATES = ("open", "accepted", "gone", "all")
_form = click.option(
    "-f", "--format", "form", type=click.Choice(("table", "json")), default="table", help="Format on standard output."
)
_target = click.option("--target", default="", metavar="TARGET", help="Only where this target has it.")


@click.group(name="findings")
def command() -> None:
    """List the findings of all stored scans, and accept those that you can live with."""


@command.command(name="list")
@click.option("--target", default="", metavar="TARGET", help="Only those of one target: an image with any tag, a path.")
@click.option("--kind", callback=partial(several, allowed=KINDS), metavar="LIST", help=f"Only {', '.join(KINDS)}.")
@click.option("--severity", callback=several, metavar="LIST", help="Only these severities: critical,high …")
@click.option("--state", type=click.Choice(_STATES), default="open", show_default=True, help="Where they stand.")
@click.option("--since", "first_seen", callback=since, metavar="AGE", help="First seen since: 12h, 7d, 4w, or a day.")
@_form
def show_list(
    target: str, kind: tuple[str, ...], severity: tuple[str, ...], state: str, first_seen: str, form: str
) -> None:
    """List findings, the gravest first, with the beginning of their fingerprints."""
    from holdfast.store.store import Selection, State

    selection = Selection(
        target,
        tuple(map(Kind, kind)),
        tuple(map(Severity, severity)),
        None if state == "all" else State(state),
        first_seen,
    )
    with opened() as store:
        found = store.findings(selection)
        targets = store.targets()
    if form == "json":
        show_json({"schema": "holdfast.findings/1", "findings": found})
        return
    if not targets:
        click.echo("No scan is stored yet: `holdfast scan TARGET` stores one.")
        return
    show(_listed(found, state))


@command.command(name="show")
@click.argument("fingerprint")
@_target
@_form
def show_one(fingerprint: str, target: str, form: str) -> None:
    """Show all that is known of a finding: evidence, place, fix, since when, and what was decided."""
    with opened() as store:
        details = store.detail(fingerprint, target)
    if form == "json":
        show_json({"schema": "holdfast.finding/1", "findings": details})
        return
    for number, detail in enumerate(details):
        show(_detail(detail, blank=number > 0))


@command.command(name="accept")
@click.argument("fingerprint")
@click.option("--reason", required=True, help="Why it can stay.")
@click.option("--owner", required=True, help="Who answers for that.")
@click.option("--expires", default="", metavar="DATE", help="The last day that this holds (UTC), such as 2027-01-31.")
@_target
def accept(fingerprint: str, reason: str, owner: str, expires: str, target: str) -> None:
    """Accept a finding, in all targets that have it or in one. When that expires it is open again."""
    from holdfast.store.store import Triage

    with opened() as store:
        _tell(store.accept(fingerprint, Triage(reason, owner, expires), target), "accepted")


@command.command(name="reopen")
@click.argument("fingerprint")
@click.option("--reason", default="", help="Why it cannot stay.")
@_target
def reopen(fingerprint: str, reason: str, target: str) -> None:
    """Take back that a finding was accepted."""
    with opened() as store:
        _tell(store.reopen(fingerprint, reason, target), "open again")


def _tell(changed: "Sequence[Tracked]", what: str) -> None:
    for one in changed:
        until = f" until {one.triage.expires}" if one.triage and one.triage.expires else ""
        click.echo(f"{one.fingerprint[:SHORT]}  {printable(one.rule)} in {printable(_place(one))}: {what}{until}")


def _listed(found: "Sequence[Tracked]", state: str) -> Lines:
    """The findings, by target."""
    word = "" if state == "all" else f"{state} "
    if not found:
        yield [(f"no {word}findings of those asked for", "good" if state == "open" else "")]
        return
    by_target: dict[str, list[Tracked]] = {}
    for one in found:
        by_target.setdefault(_place(one), []).append(one)
    for number, (place, findings) in enumerate(by_target.items()):
        if number:
            yield []
        yield [(printable(place), "heading"), (f"  {counted(len(findings), f'{word}finding')}", "")]
        yield from table(map(_line, findings), ("ID", "SEVERITY", "RULE", "IN", "SINCE"), width())


def _line(one: "Tracked") -> Line:
    state = "" if one.state == "open" else f" {one.state}"
    words = about(one.name, one.version, one.path) + (f" ×{one.count}" if one.count > 1 else "")
    return Line(one.fingerprint[:SHORT], one.severity, one.rule, words, one.first_seen[:10] + state)


def _place(one: "Tracked") -> str:
    return f"{one.target} ({one.platform})" if one.platform else one.target


def _detail(detail: "Detail", *, blank: bool) -> Lines:
    one, finding, room = detail.tracked, detail.finding, width()
    if blank:
        yield []
    yield [(printable(one.rule), "heading"), (f"  {one.severity}", one.severity.value), (f"  {one.kind}", "dim")]
    if finding.title:
        yield from paragraph("", finding.title, room)
    yield [(f"  {'fingerprint':<13}{one.fingerprint}", "")]
    for name, words in _facts(detail):
        if words:
            yield from paragraph(f"  {name:<13}", words, room)
    yield []
    yield [("HISTORY", "heading")]
    for at, words in _history(detail):
        yield from paragraph(f"  {_minute(at):<18}", words, room)


def _facts(detail: "Detail") -> Iterator[tuple[str, str]]:
    one, finding = detail.tracked, detail.finding
    yield "target", _place(one)
    yield "in", f"{one.name} {one.version}".strip()
    location = finding.location
    yield "file", f"{location.path}:{location.line}" if location.line else location.path
    yield "layer", " ".join(filter(None, (location.layer or location.diff_id, location.created_by)))
    yield "side", "" if location.side == "unknown" else f"{location.side} image"
    yield "found", f"{one.count:,} times" if one.count > 1 else ""
    yield from evidence_facts(finding)
    yield "confidence", finding.confidence
    yield "fix", finding.fix.advice or (f"{finding.fix.state} {finding.fix.version}".strip())
    yield "controls", ", ".join(finding.controls)
    yield "see", ", ".join(finding.references[:3])
    yield "state", _state(one)


def _state(one: "Tracked") -> str:
    triage = one.triage
    if one.state == "gone":
        return f"gone since {_minute(one.gone_since)}"
    if one.state == "accepted" and triage is not None:
        return f"accepted by {triage.owner}" + (f" until {triage.expires}" if triage.expires else "")
    if triage is not None:
        return f"open: it was accepted until {triage.expires}"
    return "open"


def _history(detail: "Detail") -> Iterator[tuple[str, str]]:
    one = detail.tracked
    yield one.first_seen, "first seen"
    for event in detail.history:
        by = f" by {event.owner}" if event.owner else ""
        until = f" until {event.expires}" if event.expires else ""
        scan = f" (scan {event.scan[:8]})" if event.scan else ""
        yield event.at, f"{event.what}{by}{until}{scan}" + (f": {event.reason}" if event.reason else "")
    if one.last_seen != one.first_seen:
        yield one.last_seen, "last seen"


def evidence_facts(finding: Finding) -> Iterator[tuple[str, str]]:
    """Why it is believed, as names and words."""
    match finding.evidence:
        case VulnerabilityEvidence() as evidence:
            yield "what", evidence.summary
            yield "because", f"{evidence.compared} is affected: {evidence.affected} ({evidence.source})"
            yield "aliases", ", ".join(evidence.aliases)
            yield "exploited", f"since {evidence.known_exploited.added} (CISA KEV)" if evidence.known_exploited else ""
            yield "risk", str(evidence.risk)
        case SecretEvidence() as evidence:
            yield "secret", f"{evidence.redacted} ({evidence.length} characters)"
            yield "place", evidence.place
            yield "checked", ", ".join(evidence.checks)
            yield "alive", evidence.alive
            yield "also in", ", ".join(evidence.places)
        case MalwareEvidence() as evidence:
            yield "matched", "; ".join(evidence.matched)
            yield "inside", evidence.inside
            yield "sha256", evidence.sha256
            yield "rules", evidence.rules
        case ConfigurationEvidence() as evidence:
            yield "is", evidence.found
            yield "should be", evidence.expected
            yield "places", ", ".join(evidence.places)
        case IntegrityEvidence() as evidence:
            yield "promised", evidence.expected
            yield "is", evidence.actual
        case SbomEvidence() as evidence:
            yield "packages", ", ".join(evidence.packages)
        case TagEvidence() as evidence:
            yield "now", evidence.now
            yield "before", evidence.before
        case other:
            yield "evidence", msgspec.json.encode(other).decode(errors="replace")


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
