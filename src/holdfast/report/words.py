"""What every format says of a finding, whatever its kind: its title, where it is, who deletes it, what shows it."""

from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.advisory import FixState
from holdfast.model.finding import (
    Confidence,
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
from holdfast.model.report import Report
from holdfast.report.rows import risk_of

KINDS = {
    Kind.INTEGRITY: ("tampered part", "tampered parts"),
    Kind.MALWARE: ("malware", "malware"),
    Kind.SECRET: ("secret", "secrets"),
    Kind.VULNERABILITY: ("vulnerability", "vulnerabilities"),
    Kind.CONFIGURATION: ("configuration finding", "configuration findings"),
}
"""What one and what several findings of a kind are called, in the order in which kinds are told."""

ENGINE_OF = {
    Kind.MALWARE: "malware",
    Kind.SECRET: "secrets",
    Kind.VULNERABILITY: "vulnerabilities",
    Kind.CONFIGURATION: "configuration",
}
"""The engine, as `Report.engines` names it, that looks for a kind."""

WORST_FIRST = tuple(sorted(Severity, key=lambda severity: -severity.rank))
"""The severities from critical to unknown."""

STILL_THERE = "deleted by a later layer, still in the image"
_CONFIDENCES = tuple(Confidence)
_MOST_FACTS = 20


def title_of(finding: Finding) -> str:
    """What is wrong, in a phrase: the finding's title, an advisory's summary, or at least the rule."""
    evidence = finding.evidence
    summary = evidence.summary if isinstance(evidence, VulnerabilityEvidence) else ""
    return finding.title or summary or finding.rule


def advice_of(finding: Finding) -> str:
    """What to do about it, or an empty string."""
    return finding.fix.advice or (f"Upgrade to {finding.fix.version}." if finding.fix.version else "")


def place_of(finding: Finding) -> str:
    """Where it is: `path`, `path:line`, `archive!/member`, a history line or variable; empty where it has no place."""
    evidence, location = finding.evidence, finding.location
    if isinstance(evidence, SecretEvidence) and evidence.place and not location.path:
        return evidence.place
    path = location.path
    if isinstance(evidence, MalwareEvidence) and evidence.inside:
        path = f"{path}!/{evidence.inside}"
    if location.line:
        path = f"{path}:{location.line}"
    return f"{path} ({evidence.place})" if isinstance(evidence, SecretEvidence) and evidence.place else path


def other_places(finding: Finding) -> tuple[str, ...]:
    """The other places that the evidence names, without the finding's own."""
    if not isinstance(finding.evidence, SecretEvidence | MalwareEvidence | ConfigurationEvidence):
        return ()
    own = {place_of(finding), finding.location.path}
    return tuple(place for place in dict.fromkeys(finding.evidence.places) if place not in own)


def times(finding: Finding) -> int:
    """In how many places it is, as far as that is known."""
    return max(finding.count, 1 + len(other_places(finding)) if place_of(finding) else 1)


def deleted_by(finding: Finding) -> str:
    """The diff ID of the layer that deletes the file which a secret or malware is in, or an empty string."""
    return finding.evidence.deleted_by if isinstance(finding.evidence, SecretEvidence | MalwareEvidence) else ""


def is_alive(finding: Finding) -> bool:
    """Whether it is a secret that its issuer still accepts."""
    return isinstance(finding.evidence, SecretEvidence) and finding.evidence.alive == "yes"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, worst first: live secrets, then by severity, confidence, risk and rule; low confidence last."""
    return sorted(findings, key=_urgency)


def of_kind(report: Report, kind: Kind) -> list[Finding]:
    """The report's findings of one kind that affect it, malicious packages among the malware."""
    return [one for one in report.findings if one.kind is kind and one.fix.state is not FixState.NOT_AFFECTED]


def layer_numbers(report: Report) -> dict[str, int]:
    """The layers by diff ID as people count them, from 1 at the bottom; of a diff ID that comes twice the first."""
    numbers: dict[str, int] = {}
    for number, layer in enumerate(report.layers, 1):
        numbers.setdefault(layer.diff_id, number)
    return numbers


def facts_of(finding: Finding) -> Iterator[tuple[str, str]]:
    """What shows that it is so, as pairs of a name and its value; nothing of it is escaped, and no secret is whole."""
    evidence = finding.evidence
    match evidence:
        case VulnerabilityEvidence():
            yield from _of_vulnerability(finding, evidence)
        case SecretEvidence():
            yield "Shown as", f"{evidence.redacted} ({evidence.length:,} characters)"
            yield "Key", evidence.key_id
            yield "Stands in", evidence.place
            yield "Encoded as", evidence.encoding
            yield "Checks", ", ".join(evidence.checks)
            yield "Alive", {"yes": "yes, its issuer says", "no": "no, its issuer says"}.get(evidence.alive, "")
        case MalwareEvidence():
            yield "SHA-256", evidence.sha256
            yield "Inside", evidence.inside
            yield "Matched", "\n".join(evidence.matched[:_MOST_FACTS])
            yield "Rules", evidence.rules
        case ConfigurationEvidence():
            yield "Found", evidence.found
            yield "Should be", evidence.expected
        case IntegrityEvidence():
            yield "Promised", evidence.expected
            yield "Found", evidence.actual
        case SbomEvidence():
            yield "Bill", evidence.attachment
            yield "Packages", f"{evidence.inside:,} inside, {evidence.listed:,} listed"
            yield "Differ", "\n".join(evidence.packages[:_MOST_FACTS])
        case TagEvidence():
            yield "Before", evidence.before
            yield "Now", f"{evidence.now}, as it was on {evidence.seen[:10]}"


def _of_vulnerability(finding: Finding, evidence: VulnerabilityEvidence) -> Iterator[tuple[str, str]]:
    yield "Compared", f"{evidence.compared} with {evidence.affected}".strip()
    yield "Advisory", f"{evidence.advisory} ({evidence.source})"
    yield "Also known as", ", ".join(alias for alias in evidence.aliases[:_MOST_FACTS] if alias != finding.rule)
    yield "Summary", evidence.summary if evidence.summary != finding.title else ""
    for score in tuple(dict.fromkeys(evidence.scores))[:6]:
        value = f"{score.value} " if score.value else ""
        yield score.system.replace("_", " "), f"{value}{score.vector}" + (f" ({score.source})" if score.source else "")
    if evidence.known_exploited:
        yield "Exploited", f"known since {evidence.known_exploited.added} (CISA KEV)"
    if evidence.epss:
        yield "EPSS", f"{evidence.epss.probability:.1%}, percentile {evidence.epss.percentile:.0%}"
    yield "Risk", str(evidence.risk) if evidence.risk else ""
    yield "Published", evidence.published[:10]
    yield "Note", evidence.note


def concerns_packages(report: Report) -> bool:
    """Whether packages were looked at, so that something has to be said of them."""
    return not report.engines or bool({"packages", "vulnerabilities"} & {*report.engines})


def source_folder(report: Report) -> str | None:
    """Where in a repository the paths of a report begin, if its target is source named by a relative path; else None.

    With a slash at its end, or empty for the repository's own folder; empty too where nobody can tell.
    """
    target = report.target
    if target.kind not in ("dir", "dockerfile"):
        return None
    name = target.name.removeprefix(f"{target.kind}:")
    if name.startswith("/"):
        return "" if target.kind == "dockerfile" else None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if target.kind == "dockerfile":
        parts = parts[:-1]
    return "" if not parts or ".." in parts else "/".join(parts) + "/"


def by_rule(findings: Sequence[Finding]) -> list[tuple[Finding, list[Finding]]]:
    """The findings by rule, each rule with its worst one; the rules worst first."""
    groups: dict[str, list[Finding]] = {}
    for finding in in_order(findings):
        groups.setdefault(finding.rule, []).append(finding)
    return [(members[0], members) for members in groups.values()]


def _urgency(finding: Finding) -> tuple[bool, bool, int, int, int, str, str]:
    return (
        not is_alive(finding),
        finding.confidence is Confidence.LOW,
        -finding.severity.rank,
        -_CONFIDENCES.index(finding.confidence),
        -risk_of(finding),
        finding.rule,
        finding.location.path,
    )
