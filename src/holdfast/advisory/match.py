"""Holds packages against advisory databases: what is vulnerable, what was not checked, and why.

Findings are one per vulnerability, side and source package (for a distribution) or package and version (for a
language): the binaries of one source, or the copies of one library, are its count. What both the base image and the
application brought is two findings, as two people have to move. The subject is the most telling package of them: the
one named like the source, else the shortest name.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Struct

from holdfast.advisory import coverage
from holdfast.advisory.coordinate import Coordinate
from holdfast.advisory.database import Database, Malicious, Row
from holdfast.advisory.ecosystem import DISTRIBUTED, normal_name
from holdfast.advisory.finding import Vulnerable, findings_of
from holdfast.advisory.merge import Decision, Said, decide
from holdfast.advisory.stretch import Version, affected, covers
from holdfast.model.artifact import Side
from holdfast.model.finding import Finding
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity, Problem
from holdfast.version import ordering_for


class Matching(Struct, frozen=True):
    """What came of a match. `checked` and `not_checked` name ecosystems (`Debian:12`, `PyPI`), or what was left out.

    `end_of_life` is the day since when the distribution is not mended any more, where that has passed.
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    end_of_life: str = ""


def match(
    packages: Iterable[Package],
    distribution: Distribution | None,
    databases: Sequence[Database],
    *,
    today: date | None = None,
    host: bool = False,
) -> Matching:
    """The findings for these packages, most pressing first; the same for the same input, in whatever order it comes.

    `databases` are the main one (or the starter), then what is laid over it (the archive's). `today` decides what is
    past its end of life. `host` says that the packages are a running system's, whose kernel is the one that runs.
    """
    plan = coverage.plan(packages, distribution, databases, today or date.today())
    groups = _look_up(plan.units, databases)
    vulnerable = _combine(_decide(groups, databases))
    problems = [*plan.problems, *_unreadable(groups)]
    findings = findings_of(vulnerable, databases, host=host)
    return Matching(tuple(findings), tuple(problems), plan.checked, plan.not_checked, plan.end_of_life)


class _Group(Struct):
    """One coordinate, its packages, and the rows that each database has of it."""

    coordinate: Coordinate
    packages: list[Package]
    version: Version
    rows: list[tuple[int, str, Row]]
    malicious: list[Malicious]
    affected: list[bool]

    @property
    def distributed(self) -> bool:
        return self.packages[0].type in DISTRIBUTED

    def vulnerable(self, decision: Decision | None = None, malicious: Malicious | None = None) -> Iterable[Vulnerable]:
        """One vulnerability of these packages, once for each side that brought some of them."""
        for side in Side:
            if members := [package for package in self.packages if package.side is side]:
                yield Vulnerable(self.coordinate, members, self.version, decision, malicious)


def _look_up(units: dict[Coordinate, list[Package]], databases: Sequence[Database]) -> list[_Group]:
    """Every unit of which a database knows anything, with what it knows, in the units' order."""
    asked: dict[str, set[str]] = defaultdict(set)
    for coordinate in units:
        for ecosystem in coordinate.ecosystems:
            asked[ecosystem].add(normal_name(ecosystem, coordinate.name))
    rows: dict[tuple[str, str], list[tuple[int, str, Row]]] = defaultdict(list)
    malicious: dict[tuple[str, str], list[Malicious]] = defaultdict(list)
    for ecosystem, names in sorted(asked.items()):
        for place, database in enumerate(databases):
            for name, found in database.lookup_many(ecosystem, sorted(names)).items():
                rows[ecosystem, name] += [(place, ecosystem, row) for row in found]
            for name, bad in database.malicious(ecosystem, sorted(names)).items():
                malicious[ecosystem, name] += bad
    groups = []
    for coordinate, members in units.items():
        keys = [(ecosystem, normal_name(ecosystem, coordinate.name)) for ecosystem in coordinate.ecosystems]
        own = [row for key in keys for row in rows.get(key, ())]
        bad = [one for key in keys for one in malicious.get(key, ())]
        if own or bad:
            version = Version.of(coordinate.version, ordering_for(coordinate.ecosystems[0]))
            inside = affected([row for _, _, row in own], version)
            groups.append(_Group(coordinate, members, version, own, bad, inside))
    return groups


def _decide(groups: Sequence[_Group], databases: Sequence[Database]) -> Iterable[Vulnerable]:
    """The vulnerabilities of every group. Headings are read only for groups in which some row holds the version."""
    wanted: list[set[int]] = [set() for _ in databases]
    hit = [group for group in groups if any(group.affected)]
    for group in hit:
        for place, _, row in group.rows:
            wanted[place].add(row.advisory)
    headings = [database.headings(sorted(numbers)) for database, numbers in zip(databases, wanted, strict=True)]
    for group in groups:
        for bad in group.malicious:
            if covers(bad.row, group.version):
                yield from group.vulnerable(malicious=bad)
    for group in hit:
        said = []
        for (place, ecosystem, row), inside in zip(group.rows, group.affected, strict=True):
            heading = headings[place][row.advisory]
            said.append(Said(place, _tier(ecosystem, heading.source), ecosystem, row, heading, inside))
        for decision in decide(said, group.version, distributed=group.distributed):
            yield from group.vulnerable(decision)


@lru_cache(maxsize=1024)
def _tier(ecosystem: str, source: str) -> int:
    """How far a source is from a package's own: the distribution's tracker, OSV, changelogs, the starter; Pro last."""
    feed = source.partition("/")[0]
    place = {"debian": 0, "alpine": 0, "osv": 1, "archive": 2, "starter": 3}.get(feed, 1)
    return place + (4 if ecosystem.startswith("Ubuntu:Pro:") else 0)


def _combine(found: Iterable[Vulnerable]) -> list[Vulnerable]:
    """One per vulnerability, side and source: binaries that are looked up one by one (rpm) come together here."""
    combined: dict[tuple[str, str, str, str, str], Vulnerable] = {}
    for one in found:
        first, coordinate = one.packages[0], one.coordinate
        key = one.vulnerability, first.type, first.side.value, coordinate.source, coordinate.source_version
        known = combined.get(key)
        combined[key] = one if known is None else known.with_packages_of(one)
    return list(combined.values())


def _unreadable(groups: Sequence[_Group]) -> list[Problem]:
    """Versions that their ordering cannot read are compared all the same; whoever reads the report should know."""
    names = sorted({f"{group.coordinate.name} {group.version.text}" for group in groups if not group.version.readable})
    if not names:
        return []
    told = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    message = f"versions that cannot be read were compared as well as they allow: {told}"
    return [Problem("version.unreadable", message, Gravity.NOTE, count=len(names))]
