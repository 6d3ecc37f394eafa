"""What can be checked and what cannot, before anything is looked up: nothing is left out without being named."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from holdfast.advisory.coordinate import Coordinate, of_distributed, of_language
from holdfast.advisory.database import Database
from holdfast.advisory.ecosystem import DISTRIBUTED, LANGUAGES, ecosystems_of
from holdfast.advisory.eol import KNOWN
from holdfast.advisory.origin import is_third_party
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.status import Gravity, Problem

_UPDATE = "run `holdfast db update`"
_ARCHIVE = "archive"


class Plan(Struct, frozen=True):
    """Which packages are looked up under which coordinate, and what is said of all others."""

    units: dict[Coordinate, list[Package]]
    problems: tuple[Problem, ...]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    end_of_life: str = ""


class _Draft:
    """A plan in the making."""

    def __init__(self, databases: Sequence[Database]) -> None:
        self.databases = databases
        self.units: dict[Coordinate, list[Package]] = defaultdict(list)
        self.problems: list[Problem] = []
        self.checked: set[str] = set()
        self.not_checked: set[str] = set()
        self.unversioned: list[str] = []
        self.unpinned: list[str] = []
        self.end_of_life = ""

    def holders(self, ecosystems: Iterable[str]) -> list[Database]:
        return [one for one in self.databases if any(one.holds(ecosystem) for ecosystem in ecosystems)]

    def leave_out(self, what: str, code: str, message: str, *, count: int = 1, remedy: str = "") -> None:
        self.not_checked.add(what)
        self.problems.append(Problem(code, message, where=what, remedy=remedy, count=count))

    def without_version(self, package: Package, name: str) -> None:
        if package.type == "golang" and name != "stdlib":
            return  # A program's own module, built from a working tree: nothing was published under it.
        is_unpinned = package.origin is Origin.DECLARED and not package.development
        (self.unpinned if is_unpinned else self.unversioned).append(name)


def plan(
    packages: Iterable[Package], distribution: Distribution | None, databases: Sequence[Database], today: date
) -> Plan:
    """Sort packages into coordinates, in an order that does not depend on theirs."""
    draft = _Draft(databases)
    ordered = sorted(packages, key=_order)
    distributed = [package for package in ordered if package.type in DISTRIBUTED]
    foreign = {one.purl for one in distributed if distribution is None or is_third_party(one, distribution)}
    languages: dict[str, list[Package]] = defaultdict(list)
    for package in ordered:
        # A library that a distribution packaged was patched by it: the distribution's package stands for it. Nobody
        # speaks for what another repository packaged.
        if package.type not in DISTRIBUTED and (not package.owner or package.owner in foreign):
            languages[package.type].append(package)
    _say_nothing_found(draft, distribution, bool(ordered), bool(distributed))
    if not databases:
        _without_database(draft, distributed, languages, distribution)
        return _finished(draft)
    if distributed:
        _plan_distribution(draft, distributed, distribution)
    if distribution is not None:
        draft.end_of_life = _end_of_life(distribution, databases, today)
        if draft.end_of_life:
            draft.problems.append(_unsupported(distribution, draft.end_of_life))
    for kind, members in sorted(languages.items()):
        _plan_language(draft, kind, members)
    _say_starter(draft)
    _say_unversioned(draft)
    return _finished(draft)


def _finished(draft: _Draft) -> Plan:
    checked, not_checked = tuple(sorted(draft.checked)), tuple(sorted(draft.not_checked))
    return Plan(draft.units, tuple(draft.problems), checked, not_checked, draft.end_of_life)


def _say_nothing_found(draft: _Draft, distribution: Distribution | None, any_found: bool, distributed: bool) -> None:
    """A root file system whose packages are nowhere has not been checked, however little was found wrong with it."""
    if distribution is not None and not distributed:
        message = f"{distribution} was recognised, but no package database could be read: its packages were not checked"
        draft.leave_out(str(distribution), "distribution.no-packages", message)
    elif distribution is None and not any_found:
        draft.problems.append(Problem("packages.none", "no package was found: nothing was checked"))


def _say_unversioned(draft: _Draft) -> None:
    if draft.unversioned:
        message = f"packages without a version that says anything were not matched: {_some(draft.unversioned)}"
        draft.problems.append(Problem("package.unversioned", message, Gravity.NOTE, count=len(draft.unversioned)))
    if draft.unpinned:
        message = f"requirements name no exact version, which was installed is not known: {_some(draft.unpinned)}"
        draft.problems.append(Problem("package.unpinned", message, count=len(draft.unpinned)))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _order(package: Package) -> tuple[str, ...]:
    return package.type, package.name, package.version, package.namespace, package.purl, *package.locations


def _without_database(
    draft: _Draft,
    distributed: Sequence[Package],
    languages: dict[str, list[Package]],
    distribution: Distribution | None,
) -> None:
    if distributed:
        draft.not_checked.add(str(distribution) if distribution else distributed[0].type)
    draft.not_checked.update(LANGUAGES.get(kind, kind) for kind in languages)
    message = "there is no advisory database: nothing was checked for known vulnerabilities"
    draft.problems.append(Problem("database.missing", message, Gravity.PARTIAL, remedy=_UPDATE))


def _plan_distribution(draft: _Draft, packages: Sequence[Package], distribution: Distribution | None) -> None:
    count = len(packages)
    if distribution is None:
        message = "the distribution is not known: its packages were catalogued, not checked"
        draft.leave_out(f"{packages[0].type} packages", "distribution.unknown", message, count=count)
        return
    ecosystems = ecosystems_of(distribution)
    holders = draft.holders(ecosystems)
    if not holders:
        message = f"there is no advisory data for {distribution}: its packages were catalogued, not checked"
        remedy = f"{_UPDATE}; `holdfast db sources` lists what there is" if ecosystems else ""
        draft.leave_out(str(distribution), "distribution.not-checked", message, count=count, remedy=remedy)
        return
    draft.checked.update(ecosystem for ecosystem in ecosystems if draft.holders((ecosystem,)))
    if all(_is_archive(one) for one in holders):
        message = f"of {distribution} only what its own changelogs say was fixed is known; not what is still open"
        draft.problems.append(
            Problem("distribution.fixes-only", message, Gravity.PARTIAL, where=str(distribution), remedy=_UPDATE)
        )
    foreign = []
    for package in packages:
        if is_third_party(package, distribution):
            foreign.append(package)
            continue
        coordinate = of_distributed(package, distribution)
        if coordinate is not None and coordinate.version:
            draft.units[coordinate].append(package)
        elif coordinate is not None:
            draft.without_version(package, package.name)
    if foreign:
        names = ", ".join(sorted({package.name for package in foreign})[:8])
        message = f"packages of other repositories than {distribution}'s were not checked: {names}"
        what = f"third-party packages ({names})"
        draft.leave_out(what, "package.third-party", message, count=len(foreign))


def _is_archive(database: Database) -> bool:
    return {source.name for source in database.info().sources} == {_ARCHIVE}


def _plan_language(draft: _Draft, kind: str, packages: Sequence[Package]) -> None:
    ecosystem = LANGUAGES.get(kind, kind)
    holders = draft.holders((ecosystem,))
    if not holders:
        message = f"there is no advisory data for {ecosystem}: its packages were catalogued, not checked"
        draft.leave_out(ecosystem, "ecosystem.not-checked", message, count=len(packages), remedy=_UPDATE)
        return
    if all(one.starter for one in holders):
        draft.not_checked.add(f"{ecosystem} (starter pack only)")
    else:
        draft.checked.add(ecosystem)
    for package in packages:
        coordinate = of_language(package)
        if coordinate is not None and coordinate.version:
            draft.units[coordinate].append(package)
        elif coordinate is not None:
            draft.without_version(package, coordinate.name)


def _say_starter(draft: _Draft) -> None:
    starters = [one for one in draft.databases if one.starter]
    if not starters:
        return
    info = starters[0].info()
    records = sum(source.records for source in info.sources)
    when = max((source.date for source in info.sources), default="")
    message = f"only the starter pack was at hand: {records} famous advisories of {when}, of language packages alone"
    draft.problems.append(Problem("database.starter", message, Gravity.PARTIAL, remedy=_UPDATE))


def _end_of_life(distribution: Distribution, databases: Sequence[Database], today: date) -> str:
    """The day since when nobody mends the distribution any more; empty where it is still mended, or nobody knows."""
    parts = distribution.version.split(".")
    # Debian's releases are whole numbers and Alpine's have two parts; the longest form that is known counts.
    for release in (".".join(parts[:2]), parts[0]):
        known = next((found for one in databases if (found := one.release(distribution.id, release))), None)
        known = known or next((e for e in KNOWN if (e.product, e.release) == (distribution.id, release)), None)
        if known is not None:
            return "" if known.end >= today.isoformat() else known.end
    return ""


def _unsupported(distribution: Distribution, end: str) -> Problem:
    """What is known of a distribution stopped growing when nobody mended it any more."""
    message = f"{distribution} is unsupported since {end}: results are incomplete"
    remedy = "move to a release that is still supported"
    return Problem("distribution.end-of-life", message, Gravity.PARTIAL, str(distribution), remedy)
