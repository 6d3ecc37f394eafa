"""Findings as people count them: the vulnerabilities of one package, once each, however many binaries show them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from holdfast.model.advisory import FixState
from holdfast.model.artifact import Side
from holdfast.model.errors import InputError
from holdfast.model.finding import Finding, Kind, Severity, VulnerabilityEvidence
from holdfast.model.package import Origin, Package, Purl
from holdfast.model.report import Report

_OF_A_DISTRIBUTION = ("deb", "rpm", "apk")


class Row(Struct, frozen=True):
    """What is wrong with one version of one package on one side of an image.

    For a distribution the package is the source package, since that is what gets fixed; `binaries` are those of it
    that are there. For all others `places` are the paths that show it, in every copy. `apart` is `declared`,
    `development` or empty: only told by a lock file, or not part of what runs.
    `findings` holds one for each rule, those with the highest risk first; `layers` the diff IDs that brought them.
    """

    type: str
    name: str
    version: str
    side: Side
    apart: str
    findings: tuple[Finding, ...]
    binaries: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def risk(self) -> int:
        """The highest risk among the findings, 0–100."""
        return max((risk_of(finding) for finding in self.findings), default=0)

    @property
    def fixable(self) -> tuple[Finding, ...]:
        """The findings that an upgrade makes go away."""
        return tuple(finding for finding in self.findings if is_fixable(finding))

    @property
    def counts(self) -> Counter[Severity]:
        """How many findings of each severity."""
        return Counter(finding.severity for finding in self.findings)


def rows(report: Report, kind: Kind = Kind.VULNERABILITY) -> tuple[Row, ...]:
    """The report's vulnerabilities, or its malware, by package, ordered by risk; not-affected ones left out."""
    packages = by_purl(report.packages)
    groups: dict[tuple[str, str, str, Side, str], list[tuple[Finding, Package]]] = {}
    for finding in report.findings:
        if finding.kind is not kind or not is_about_a_package(finding) or finding.fix.state is FixState.NOT_AFFECTED:
            continue
        package = _package(finding, packages)
        key = (package.type, display_name(package), _version(package), side_of(finding), _apart(package))
        groups.setdefault(key, []).append((finding, package))
    found = (_row(key, members, packages) for key, members in groups.items())
    return tuple(sorted(found, key=lambda row: (-row.risk, -_worst(row.findings), -len(row.findings), row.name)))


def is_about_a_package(finding: Finding) -> bool:
    """Whether a finding belongs into a row: it speaks of a package and what is known of it."""
    return finding.kind is not Kind.INTEGRITY and isinstance(finding.evidence, VulnerabilityEvidence)


def is_fixable(finding: Finding) -> bool:
    """Whether there is a version to move to."""
    return bool(finding.fix.version) and finding.fix.state is not FixState.NOT_AFFECTED


def is_exploited(finding: Finding) -> bool:
    """Whether the vulnerability is in CISA's catalogue of known exploited ones."""
    return isinstance(finding.evidence, VulnerabilityEvidence) and finding.evidence.known_exploited is not None


def risk_of(finding: Finding) -> int:
    """The risk of a finding, 0–100; 0 where it has none."""
    return finding.evidence.risk if isinstance(finding.evidence, VulnerabilityEvidence) else 0


def side_of(finding: Finding) -> Side:
    """The side that has to move, else the one where it was found."""
    return finding.location.side if finding.fix.side is Side.UNKNOWN else finding.fix.side


def display_name(package: Package) -> str:
    """What people call a package: a distribution's source package, else its name within its namespace."""
    if package.type in _OF_A_DISTRIBUTION:
        return package.source_name or package.name
    return f"{package.namespace}/{package.name}" if package.namespace else package.name


def places(finding: Finding, packages: Mapping[str, Iterable[Package]]) -> tuple[str, ...]:
    """The paths that show what a finding is about, its own first, then those of all packages with the same purl.

    `packages` are the report's by purl. A distribution's packages stand in one database: there its path is all.
    """
    paths = dict.fromkeys([finding.location.path] if finding.location.path else [])
    for package in packages.get(finding.subject.purl, ()) if finding.subject.purl else ():
        if package.type not in _OF_A_DISTRIBUTION:
            paths.update(dict.fromkeys(package.locations))
    return tuple(paths)


def by_purl(packages: Iterable[Package]) -> dict[str, list[Package]]:
    """Packages by their purl: copies of one version stand together."""
    found: dict[str, list[Package]] = {}
    for package in packages:
        found.setdefault(package.purl, []).append(package)
    return found


def _row(
    key: tuple[str, str, str, Side, str], members: list[tuple[Finding, Package]], packages: Mapping[str, list[Package]]
) -> Row:
    kind, name, version, side, apart = key
    by_rule: dict[str, Finding] = {}
    for finding, _ in sorted(members, key=lambda member: (-risk_of(member[0]), -member[0].severity.rank)):
        # The same rule with a fix says more than without.
        if finding.rule not in by_rule or (is_fixable(finding) and not is_fixable(by_rule[finding.rule])):
            by_rule[finding.rule] = finding
    binaries = {package.name: package.version for _, package in members}
    return Row(
        kind,
        name,
        next(iter(binaries.values())) if len(binaries) == 1 else version,
        side,
        apart,
        tuple(by_rule.values()),
        tuple(sorted(binaries)),
        tuple(dict.fromkeys(finding.location.diff_id for finding, _ in members if finding.location.diff_id)),
        ()
        if kind in _OF_A_DISTRIBUTION
        else tuple(dict.fromkeys(path for finding, _ in members for path in places(finding, packages))),
    )


def _worst(findings: Iterable[Finding]) -> int:
    return max((finding.severity.rank for finding in findings), default=0)


def _version(package: Package) -> str:
    if package.type in _OF_A_DISTRIBUTION:
        return package.source_version or package.version
    return package.version


def _apart(package: Package) -> str:
    if package.development:
        return "development"
    return "declared" if package.origin is Origin.DECLARED else ""


def _package(finding: Finding, packages: dict[str, list[Package]]) -> Package:
    """The package that a finding is about: of several with one purl, the one at the finding's place."""
    subject, location = finding.subject, finding.location
    same = packages.get(subject.purl, []) if subject.purl else []
    if same:
        at_place = [package for package in same if location.path in package.locations]
        in_layer = [package for package in same if package.diff_id == location.diff_id]
        return (at_place or in_layer or same)[0]
    try:
        purl = Purl.parse(subject.purl)
    except InputError:
        return Package(subject.name, subject.version, "")
    return Package(subject.name, subject.version, purl.type)
