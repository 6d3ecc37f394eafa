"""Advisory databases as small as a test's sentence.

world = database(osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2023-30861"]),
                 tracker("openssl", "CVE-2023-1", fixed="3.0.9-1"))
found(match([pypi("flask", "2.2.4")], None, [world])) == {"CVE-2023-30861"}
"""

import sqlite3
from collections.abc import Iterable

from holdfast.advisory.database import Database
from holdfast.advisory.match import Matching
from holdfast.advisory.record import Record
from holdfast.advisory.schema import Writer, create
from holdfast.model.advisory import Advisory, Affected, FixState, Score, SourceInfo
from holdfast.model.finding import Finding, VulnerabilityEvidence
from holdfast.model.package import Distribution, Origin, Package

DEBIAN = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm")
UBUNTU = Distribution("ubuntu", "22.04", "Ubuntu 22.04.3 LTS", "jammy")
ALPINE = Distribution("alpine", "3.18.4", "Alpine Linux v3.18")
ALMA = Distribution("almalinux", "9.3", "AlmaLinux 9.3")
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def database(*records: Record, ecosystems: Iterable[str] = ()) -> Database:
    """A database in memory of these records, which holds `ecosystems` even where no record is of them."""
    connection = sqlite3.connect(":memory:")
    create(connection)
    writer = Writer(connection)
    for ecosystem in ecosystems:
        writer.ecosystem(ecosystem)
    for record in records:
        writer.add(record)
    for source in {record.source for record in records if isinstance(record, Advisory)}:
        writer.describe(SourceInfo(source, "2026-01-01", 1))
    writer.finish()
    return Database(connection, where="test")


def osv(
    identity: str,
    ecosystem: str,
    name: str,
    *,
    introduced: str = "",
    fixed: str = "",
    last_affected: str = "",
    versions: Iterable[str] = (),
    aliases: Iterable[str] = (),
    related: Iterable[str] = (),
    vector: str = "",
    severity: str = "",
    urgency: str = "",
    note: str = "",
    withdrawn: str = "",
    source: str = "",
    summary: str = "",
) -> Advisory:
    """One OSV record about one stretch of one package."""
    state = FixState.FIXED if fixed else FixState.AFFECTED
    row = Affected(ecosystem, name, introduced, fixed, last_affected, tuple(versions), state, urgency, note)
    return Advisory(
        identity,
        source or f"osv/{ecosystem.partition(':')[0]}",
        (row,),
        tuple(aliases),
        tuple(related),
        summary,
        (Score("CVSS_V4" if "CVSS:4" in vector else "CVSS_V3", vector),) if vector else (),
        severity,
        withdrawn=withdrawn,
    )


def tracker(
    name: str,
    cve: str,
    *,
    fixed: str = "",
    state: FixState | None = None,
    urgency: str = "",
    release: str = "12",
    note: str = "",
    source: str = "debian",
    ecosystem: str = "Debian",
) -> Advisory:
    """What a distribution's own tracker says of one source package."""
    state = state or (FixState.FIXED if fixed else FixState.AFFECTED)
    row = Affected(f"{ecosystem}:{release}", name, fixed=fixed, state=state, urgency=urgency, note=note)
    return Advisory(cve, source, (row,))


def deb(name: str, version: str, *, source: str = "", source_version: str = "", **other: object) -> Package:
    """A Debian package as installed."""
    fields = {"purl": f"pkg:deb/debian/{name}@{version}", "locations": ("var/lib/dpkg/status",)} | other
    return Package(name, version, "deb", source_name=source, source_version=source_version, **fields)  # type: ignore[arg-type]


def apk(name: str, version: str, *, source: str = "", **other: object) -> Package:
    """An Alpine package as installed."""
    return Package(name, version, "apk", purl=f"pkg:apk/alpine/{name}@{version}", source_name=source, **other)  # type: ignore[arg-type]


def rpm(name: str, version: str, *, source: str = "", **other: object) -> Package:
    """An rpm package as installed."""
    return Package(name, version, "rpm", purl=f"pkg:rpm/almalinux/{name}@{version}", source_name=source, **other)  # type: ignore[arg-type]


def library(kind: str, name: str, version: str, **other: object) -> Package:
    """A package of a language ecosystem as installed; `kind` is its purl type."""
    return Package(name, version, kind, purl=f"pkg:{kind}/{name}@{version}", **other)  # type: ignore[arg-type]


def declared(kind: str, name: str, version: str, **other: object) -> Package:
    """A package that only a lock file names."""
    return library(kind, name, version, origin=Origin.DECLARED, **other)


def found(matching: Matching) -> set[str]:
    """The rules of the findings."""
    return {finding.rule for finding in matching.findings}


def only(matching: Matching) -> Finding:
    """The one finding there is."""
    assert len(matching.findings) == 1, [finding.rule for finding in matching.findings]
    return matching.findings[0]


def evidence(finding: Finding) -> VulnerabilityEvidence:
    """A finding's evidence, which is a vulnerability's."""
    assert isinstance(finding.evidence, VulnerabilityEvidence)
    return finding.evidence


def codes(matching: Matching) -> set[str]:
    """The codes of the problems."""
    return {problem.code for problem in matching.problems}
