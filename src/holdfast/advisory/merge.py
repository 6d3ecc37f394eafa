"""Which of the records about one package tell of the same vulnerability, and what they come to together.

A finding is about one CVE, or about one record where no CVE is known. Records of a package that share an id (CVE, GHSA,
PYSEC, GO, RUSTSEC …) tell of the same thing; an erratum that mends five CVEs tells of five.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from holdfast.advisory.database import Heading, Row
from holdfast.advisory.stretch import Version, covers
from holdfast.model.advisory import FixState

_PREFERRED = ("GHSA-", "PYSEC-", "GO-", "RUSTSEC-")


class Said(Struct, frozen=True, gc=False):
    """One row about a package, who says it, and whether the installed version is in it.

    `tier` is how far from the package's own source of truth it stands: 0 decides before 1. `database` is the place of
    the database that it comes from.
    """

    database: int
    tier: int
    ecosystem: str
    row: Row
    heading: Heading
    affected: bool


class Decision(Struct, frozen=True):
    """One vulnerability that a package has: the row that decided, the version to move to, and everybody who said so."""

    vulnerability: str
    deciding: Said
    fixed: str
    said: tuple[Said, ...]


def decide(said: Sequence[Said], version: Version, *, distributed: bool) -> list[Decision]:
    """The vulnerabilities that everything said of one package comes to."""
    decisions = []
    for vulnerability, records in by_vulnerability(said).items():
        if any(one.affected for one in records):
            judged = _distribution(records, version) if distributed else _hits(records, version)
            if judged:
                best = min(judged, key=_preference)
                fixed = _fixed([one.row for one in judged], version) if best.row.state is FixState.FIXED else ""
                decisions.append(Decision(vulnerability, best, fixed, tuple(records)))
    return decisions


def _preference(said: Said) -> tuple[int, bool, str, str]:
    """Records with a fix first; then the nearest source; then by id, for the same choice every time."""
    return said.tier, said.row.state is not FixState.FIXED, said.heading.source, said.heading.id


def by_vulnerability(said: Iterable[Said]) -> dict[str, list[Said]]:
    """What is said, by the CVE that it is about; by an id of the record's where it is about none that anybody names."""
    said = list(said)
    if all(one.heading.id.startswith("CVE-") for one in said):  # a tracker's ids are CVEs: nothing to join
        found: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            found[one.heading.id].append(one)
        return dict(sorted(found.items()))
    joined = _Joined()
    for one in said:
        joined.join((one.heading.id, *one.heading.aliases))
    cves: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    for one in said:
        root = joined.root(one.heading.id)
        cves[root].update(_cves(one.heading))
        names[root].add(one.heading.id)
    found = defaultdict(list)
    for one in said:
        root = joined.root(one.heading.id)
        keys = _cves(one.heading) or cves[root] or {min(names[root], key=_by_kind)}
        for key in keys:
            found[key].append(one)
    return dict(sorted(found.items()))


def _cves(heading: Heading) -> set[str]:
    return {heading.id} if heading.id.startswith("CVE-") else {a for a in heading.aliases if a.startswith("CVE-")}


def _by_kind(identity: str) -> tuple[int, str]:
    return next((n for n, prefix in enumerate(_PREFERRED) if identity.startswith(prefix)), len(_PREFERRED)), identity


class _Joined:
    """Disjoint sets of ids (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def root(self, name: str) -> str:
        parent = self._parents.setdefault(name, name)
        while parent != name:
            self._parents[name] = self._parents[parent]
            name = self._parents[name]
            parent = self._parents[name]
        return name

    def join(self, names: Sequence[str]) -> None:
        first = self.root(names[0])
        for name in names[1:]:
            self._parents[self.root(name)] = first


def _distribution(records: Sequence[Said], version: Version) -> list[Said]:
    """What a distribution's sources come to: the nearest one that says "not affected" or names a fix decides.

    A source that only says "affected" is believed unless one further away (Ubuntu Pro, the archive's own changelogs)
    knows of a fix: that one is then held against the version.
    """
    pending: list[Said] = []
    for tier in sorted({one.tier for one in records}):
        here = [one for one in records if one.tier == tier]
        if any(one.row.state is FixState.NOT_AFFECTED for one in here):
            return pending
        if any(one.row.state is FixState.FIXED for one in here):
            return _hits(here, version)
        pending = pending or [one for one in here if one.affected]
    return pending


def _hits(records: Sequence[Said], version: Version) -> list[Said]:
    """The records whose stretch holds the version, without those that know of no fix where another one does know it.

    A record without a fix claims too much where another names a fix that the version has; not so where that fix is of a
    branch below the record's stretch.
    """
    if any(one.row.state is FixState.NOT_AFFECTED for one in records):
        return []
    key, order = version.key, version.ordering.key
    # One record names several fixes, one a branch: what counts is that of the branch the version is on.
    affecting = {one.heading.id for one in records if one.affected and one.row.state is FixState.FIXED}
    mended = [
        order(one.row.fixed)
        for one in records
        if one.row.state is FixState.FIXED and one.heading.id not in affecting and key >= order(one.row.fixed)
    ]
    hits = []
    for one in records:
        if not one.affected:
            continue
        claims_too_much = (
            one.row.state is not FixState.FIXED
            and not one.row.versions
            and any(fix > order(one.row.introduced) if one.row.introduced else True for fix in mended)
        )
        if not claims_too_much:
            hits.append(one)
    return hits


def _fixed(rows: Sequence[Row], version: Version) -> str:
    """The lowest fixed version above the installed one that none of these rows covers; the highest where all do."""
    order = version.ordering.key
    rows = [row for row in rows if row.state is FixState.FIXED]
    candidates = sorted({row.fixed for row in rows}, key=order)
    for candidate in candidates:
        there = Version.of(candidate, version.ordering)
        if order(candidate) > version.key and not any(covers(row, there) for row in rows):
            return candidate
    return candidates[-1] if candidates else ""
