"""What one report says of its target's findings, and which of those known before it shows to be gone."""

from collections.abc import Collection, Iterable

from msgspec import Struct

from holdfast.model.advisory import FixState
from holdfast.model.errors import InputError
from holdfast.model.finding import Finding, Kind, Severity, VulnerabilityEvidence
from holdfast.model.package import Package, Purl
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Status
from holdfast.store.store import Origin

# Rooms whose problems are about advisories and versions, not about what could be read of the target.
_OF_ADVISORIES = ("archive.", "database.", "distribution.", "ecosystem.", "feed.", "package.", "version.")
_ENGINES = {
    "vulnerabilities": Kind.VULNERABILITY,
    "secrets": Kind.SECRET,
    "malware": Kind.MALWARE,
    "configuration": Kind.CONFIGURATION,
}
# Notes, and yet: not one layer was read, or findings were left out.
_UNSEEN = ("image.attested", "filter.hidden")
FAILED = "failed"


class Sighting(Struct, frozen=True):
    """A finding in a report. Several with one fingerprint are one, with the gravest's evidence and all their counts."""

    finding: Finding
    count: int

    @property
    def risk(self) -> int:
        """0–100; 0 where the finding has none."""
        return self.finding.evidence.risk if isinstance(self.finding.evidence, VulnerabilityEvidence) else 0


class Gaps(Struct, frozen=True):
    """What a scan could not see: codes of grave problems with the `content`, and what of the `advisories` lacked."""

    content: frozenset[str] = frozenset()
    advisories: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Both in one."""
        return self.content | self.advisories


def sightings(report: Report) -> dict[str, Sighting]:
    """The report's findings by fingerprint. What is not affected is none."""
    found: dict[str, Sighting] = {}
    for finding in report.findings:
        if finding.fix.state is FixState.NOT_AFFECTED:
            continue
        name = finding.fingerprint
        known = found.get(name)
        if known is None:
            found[name] = Sighting(finding, finding.count)
        else:
            worst = max(known.finding, finding, key=lambda one: one.severity.rank)
            found[name] = Sighting(worst, known.count + finding.count)
    return found


def engine(finding: Finding) -> Kind:
    """The kind of looking that finds it: a package known to be malware is found as vulnerabilities are."""
    return Kind.VULNERABILITY if isinstance(finding.evidence, VulnerabilityEvidence) else finding.kind


def looked_for(report: Report, origin: Origin = Origin.SCAN) -> frozenset[Kind]:
    """The kinds that a scan really looked for: without advisories nothing was checked, whatever was asked for.

    A report that names no engines is taken to be by all of them. A rescan looks for vulnerabilities alone.
    """
    looked = {kind for name, kind in _ENGINES.items() if name in report.engines or not report.engines}
    if origin is Origin.RESCAN:
        looked = {Kind.VULNERABILITY}
    else:
        looked.add(Kind.INTEGRITY)
    return frozenset(looked if report.database is not None else looked - {Kind.VULNERABILITY})


def gaps(report: Report) -> Gaps:
    """What this scan could not see."""
    grave = {problem.code for problem in report.problems if problem.gravity is not Gravity.NOTE}
    advisories = {code for code in grave if code.startswith(_OF_ADVISORIES)}
    starter = {"database.starter"} if report.database and report.database.starter else set()
    unread = {problem.code for problem in report.problems if problem.code in _UNSEEN}
    if report.status is Status.FAILED:
        unread.add(FAILED)
    return Gaps(frozenset(grave - advisories | unread), frozenset(advisories | starter | {*report.not_checked}))


def is_gone(found_by: Kind, purl: str, seen_with: Collection[str], now: Gaps, present: Collection[str]) -> bool:
    """Whether a finding that a scan did not see is gone: only what could see at least as much as the one before tells.

    `seen_with` are the gaps of the scan that saw it last; `present` are the packages that are there now
    (`lasting_purl`): a vulnerability has gone with its package, whatever is known of advisories.
    """
    if FAILED in now.content or not now.content <= {*seen_with}:
        return False
    if found_by is not Kind.VULNERABILITY or (purl and lasting_purl(purl) not in present):
        return True
    return now.advisories <= {*seen_with}


def lasting_purl(purl: str) -> str:
    """The package that a purl names, whatever its version."""
    try:
        found = Purl.parse(purl)
    except InputError:
        return purl.partition("@")[0]
    return f"{found.type}/{found.namespace}/{found.name}"


def present(packages: Iterable[Package]) -> frozenset[str]:
    """The packages that are there, as `lasting_purl` names them."""
    return frozenset(lasting_purl(purl) for purl in {package.purl for package in packages} if purl)


def counts(found: Iterable[Sighting]) -> dict[Kind, dict[Severity, int]]:
    """How many findings there are of each kind and severity."""
    table: dict[Kind, dict[Severity, int]] = {}
    for one in found:
        of_kind = table.setdefault(one.finding.kind, {})
        of_kind[one.finding.severity] = of_kind.get(one.finding.severity, 0) + 1
    return table


def database_date(report: Report) -> str:
    """The newest date that its advisories state, as YYYY-MM-DD; empty where there is none. No date is yet to come."""
    today = report.created[:10] or "9999"
    dates = [source.date[:10] for source in report.database.sources] if report.database else []
    return max((date for date in dates if date <= today), default="")
