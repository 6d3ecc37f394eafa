"""Turns what was decided about packages into findings: severity, confidence, evidence, fix and risk."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from holdfast.advisory.advice import fix_for
from holdfast.advisory.coordinate import Coordinate, is_kernel
from holdfast.advisory.database import Database, Malicious, Row
from holdfast.advisory.ecosystem import DISTRIBUTED
from holdfast.advisory.merge import Decision
from holdfast.advisory.risk import Circumstances, risk
from holdfast.advisory.schema import Content
from holdfast.advisory.severity import rate, scored
from holdfast.advisory.stretch import Version, readable
from holdfast.advisory.wording import MALICIOUS, MALICIOUS_PAGE
from holdfast.model.advisory import Epss, FixState, KnownExploited, Score
from holdfast.model.finding import (
    Confidence,
    Finding,
    Fix,
    Kind,
    Location,
    Severity,
    Subject,
    VulnerabilityEvidence,
)
from holdfast.model.package import Origin, Package

VULNERABILITY_CONTROLS = ("nist-800-190:4.1.1",)
MALWARE_CONTROLS = ("nist-800-190:4.1.3",)
_REFERENCES = 10
_KERNEL_NOTE = "an image's kernel is not the one that runs: by its version alone nothing follows"
_PAGES = (
    ("debian", "https://security-tracker.debian.org/tracker/{}"),
    ("archive", "https://security-tracker.debian.org/tracker/{}"),
    ("alpine", "https://security.alpinelinux.org/vuln/{}"),
    ("osv/", "https://osv.dev/vulnerability/{}"),
)


class Vulnerable(Struct, frozen=True):
    """One vulnerability (or malicious package) that some packages of one side have."""

    coordinate: Coordinate
    packages: list[Package]
    version: Version
    decision: Decision | None = None
    malicious: Malicious | None = None

    @property
    def vulnerability(self) -> str:
        """The id that the finding will have as its rule."""
        if self.decision is not None:
            return self.decision.vulnerability
        return self.malicious.advisory if self.malicious is not None else ""

    def with_packages_of(self, other: "Vulnerable") -> "Vulnerable":
        """The same vulnerability of both packages' binaries; of two decisions, the one with a fix."""
        decisions = [one for one in (self.decision, other.decision) if one is not None]
        best = max(decisions, key=lambda decision: bool(decision.fixed), default=None)
        return replace(self, packages=[*self.packages, *other.packages], decision=best)


class _Known(Struct):
    """What the databases add to the decisions: texts by database and number, ranks by CVE."""

    contents: list[dict[int, Content]]
    exploited: dict[str, KnownExploited]
    epss: dict[str, Epss]
    scores: dict[str, tuple[Score, ...]]


def findings_of(vulnerable: Sequence[Vulnerable], databases: Sequence[Database], *, host: bool) -> list[Finding]:
    """The findings, most pressing first."""
    known = _known(vulnerable, databases)
    findings = [
        _malware(one) if one.decision is None else _vulnerability(one, one.decision, known, host) for one in vulnerable
    ]
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[int, int, str, str, str, str, str]:
    evidence = finding.evidence
    rank = evidence.risk if isinstance(evidence, VulnerabilityEvidence) else 0
    subject, location = finding.subject, finding.location
    return -rank, -finding.severity.rank, finding.rule, subject.purl, subject.name, location.side, location.path


def _known(vulnerable: Sequence[Vulnerable], databases: Sequence[Database]) -> _Known:
    wanted: list[set[int]] = [set() for _ in databases]
    cves: set[str] = set()
    for one in vulnerable:
        if one.decision is not None:
            for said in one.decision.said:
                wanted[said.database].add(said.row.advisory)
            cves.add(one.decision.vulnerability)
    contents = [database.contents(sorted(numbers)) for database, numbers in zip(databases, wanted, strict=True)]
    known = _Known(contents, {}, {}, {})
    for database in reversed(databases):
        known.exploited |= database.known_exploited(sorted(cves))
        known.epss |= database.epss(sorted(cves))
    unscored = {
        one.decision.vulnerability
        for one in vulnerable
        if one.decision is not None
        and not any(contents[said.database][said.row.advisory].scores for said in one.decision.said)
    }
    for database in databases:
        known.scores |= _scores_elsewhere(database, unscored - known.scores.keys())
    return known


def _scores_elsewhere(database: Database, cves: set[str]) -> dict[str, tuple[Score, ...]]:
    """The scores that records about other packages give to these CVEs: trackers of distributions have none."""
    named = database.named(sorted(cve for cve in cves if cve.startswith("CVE-")))
    numbers = sorted({number for found in named.values() for number in found})
    headings, contents = database.headings(numbers), database.contents(numbers)
    found = {}
    for cve, places in named.items():
        for place in places:
            heading, content = headings[place], contents[place]
            alone = [name for name in (heading.id, *heading.aliases) if name.startswith("CVE-")] == [cve]
            if alone and content.scores and not content.withdrawn:
                found[cve] = scored(content.scores, heading.id)
                break
    return found


def _vulnerability(one: Vulnerable, decision: Decision, known: _Known, host: bool) -> Finding:
    said, packages = decision.deciding, one.packages
    told = {(each.database, each.row.advisory): each.heading.id for each in (said, *decision.said)}
    contents = [(known.contents[place][number], name) for (place, number), name in told.items()]
    content = contents[0][0]
    if content.severity == MALICIOUS:
        return _malware(one, content)
    scores = dict.fromkeys(score for text, name in contents for score in scored(text.scores, name))
    scores = scores or dict.fromkeys(known.scores.get(decision.vulnerability, ()))
    distributed = said.ecosystem in one.coordinate.ecosystems and packages[0].type in ("deb", "apk", "rpm")
    own = [said.row.urgency, *([content.severity] if distributed else [])]
    severity, figure = rate(own, scores, [text.severity for text, _ in contents])
    kernel = is_kernel(packages[0], one.coordinate.source) and not host
    clear = readable(said.row, one.version)
    confidence = _confidence(one, said.row, doubtful=kernel or not clear)
    around = Circumstances(
        said.row.state is FixState.FIXED,
        kernel,
        _development(packages),
        _declared(packages),
        confidence is Confidence.LOW and not kernel,
    )
    epss, exploited = known.epss.get(decision.vulnerability), known.exploited.get(decision.vulnerability)
    pro = said.ecosystem.startswith("Ubuntu:Pro:") or "esm" in decision.fixed
    summary = next((text.summary for text, _ in contents if text.summary), "")
    names = {name for each in decision.said for name in (each.heading.id, *each.heading.aliases)}
    evidence = VulnerabilityEvidence(
        said.heading.id,
        said.heading.source,
        f"{one.coordinate.name} {one.coordinate.version}",
        stretch_text(said.row),
        tuple(sorted(name for name in names if name != decision.vulnerability and not name.startswith("CVE-"))),
        summary,
        tuple(scores),
        exploited,
        epss,
        risk(figure, epss, exploited, around),
        content.published,
        content.modified,
        "; ".join(_notes(one, said.row, kernel, clear)),
    )
    return _finding(
        one,
        Kind.VULNERABILITY,
        severity,
        confidence,
        evidence,
        fix_for(said.row.state, decision.fixed, packages, subscription=pro),
        summary or f"{decision.vulnerability} in {one.coordinate.source}",
        _references(decision, [text for text, _ in contents]),
    )


def _malware(one: Vulnerable, content: Content | None = None) -> Finding:
    decision, malicious = one.decision, one.malicious
    row = decision.deciding.row if decision else malicious.row if malicious else None
    assert row is not None
    source = decision.deciding.heading.source if decision else "osv"
    evidence = VulnerabilityEvidence(
        decision.deciding.heading.id if decision else one.vulnerability,
        source,
        f"{one.coordinate.name} {one.coordinate.version}",
        stretch_text(row),
        malicious.aliases if malicious else (),
        content.summary if content else "",
        risk=100,
        published=content.published if content else "",
        modified=content.modified if content else "",
    )
    name = one.coordinate.name
    advice = f"remove {name}; what it could reach (secrets, build machines) counts as compromised"
    return _finding(
        one,
        Kind.MALWARE,
        Severity.CRITICAL,
        Confidence.HIGH,
        evidence,
        Fix(FixState.AFFECTED, "", one.packages[0].side, advice),
        f"{name} is a malicious package",
        (MALICIOUS_PAGE.format(one.vulnerability),),
    )


def _finding(
    one: Vulnerable,
    kind: Kind,
    severity: Severity,
    confidence: Confidence,
    evidence: VulnerabilityEvidence,
    fix: Fix,
    title: str,
    references: tuple[str, ...],
) -> Finding:
    telling = min(one.packages, key=lambda package: _telling(package, one.coordinate.source))
    location = Location(
        path=telling.locations[0] if telling.locations else "", diff_id=telling.diff_id, side=telling.side
    )
    return Finding(
        one.vulnerability,
        kind,
        severity,
        confidence,
        Subject(telling.name, telling.version, telling.purl),
        evidence,
        location,
        fix,
        title,
        references,
        MALWARE_CONTROLS if kind is Kind.MALWARE else VULNERABILITY_CONTROLS,
        sum(_copies(package) for package in one.packages),
    )


def _copies(package: Package) -> int:
    """How often a package is there: a library in every place that shows it, a distribution's package once."""
    return 1 if package.type in DISTRIBUTED else max(1, len(package.locations))


def _telling(package: Package, source: str) -> tuple[object, ...]:
    declared = package.origin is Origin.DECLARED
    named = package.name != source, len(package.name), package.name
    return declared, package.development, *named, package.locations, package.diff_id


def _declared(packages: Sequence[Package]) -> bool:
    return all(package.origin is Origin.DECLARED for package in packages)


def _development(packages: Sequence[Package]) -> bool:
    return all(package.development for package in packages)


def _confidence(one: Vulnerable, row: Row, *, doubtful: bool) -> Confidence:
    doubtful = doubtful or row.note == "disputed" or row.state is FixState.UNDER_INVESTIGATION
    # The Go database takes records over unreviewed: without an end they mostly mean that nobody looked.
    unreviewed = row.note == "unreviewed"
    if doubtful or (unreviewed and not row.fixed and not row.last_affected):
        return Confidence.LOW
    declared, development = _declared(one.packages), _development(one.packages)
    if declared and development:
        return Confidence.LOW
    return Confidence.MEDIUM if declared or development or unreviewed else Confidence.HIGH


def _notes(one: Vulnerable, row: Row, kernel: bool, clear: bool) -> list[str]:
    notes = [row.note] if row.note else []
    if kernel:
        notes.append(_KERNEL_NOTE)
    if _development(one.packages):
        notes.append("needed for development only")
    if _declared(one.packages):
        notes.append("declared by a lock file, not seen installed")
    if not clear:
        notes.append("a version could not be read: compared as well as it allows")
    return notes


def stretch_text(row: Row) -> str:
    """A row's versions for people: `>= 1.0, < 1.2.3`."""
    if row.versions:
        listed = row.versions.split("\n")
        return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
    parts = [f">= {row.introduced}"] if row.introduced else []
    if row.fixed:
        parts.append(f"< {row.fixed}")
    elif row.last_affected:
        parts.append(f"<= {row.last_affected}")
    return ", ".join(parts) or "all versions"


def _references(decision: Decision, contents: Sequence[Content]) -> tuple[str, ...]:
    heading = decision.deciding.heading
    page = next((page for prefix, page in _PAGES if heading.source.startswith(prefix)), "")
    own = page.format(decision.vulnerability if "tracker" in page else heading.id) if page else ""
    cve = f"https://www.cve.org/CVERecord?id={decision.vulnerability}"
    links = [own, cve if decision.vulnerability.startswith("CVE-") else ""]
    links += [link for content in contents for link in content.references]
    return tuple(dict.fromkeys(link for link in links if link))[:_REFERENCES]
