"""Which findings somebody accepts, and which waivers no longer mean anything."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from holdfast.model.finding import Finding, Subject, VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.policy import Waiver
from holdfast.model.report import Target
from holdfast.model.status import Gravity, Problem
from holdfast.model.verdict import SetAside
from holdfast.policy.glob import matches, path_matches
from holdfast.policy.package import is_subject, is_within
from holdfast.policy.target import is_meant

_MOST_TOLD = 20
_SOON = 14


class Waivers:
    """The waivers that hold for one target on one day. It remembers which of them were of use.

    `packages` are the report's by purl: they say what a finding's source package is called. `names` are other names of
    the target.
    """

    def __init__(
        self,
        waivers: Iterable[Waiver],
        target: Target,
        packages: Mapping[str, Package],
        *,
        today: date,
        names: Sequence[str] = (),
    ) -> None:
        self._packages = packages
        here = [
            one
            for one in waivers
            if not one.target or is_meant(one.target, target) or any(matches(one.target, name) for name in names)
        ]
        day = today.isoformat()
        self.expired = [one for one in here if one.expires and one.expires < day]
        self.holding: list[Waiver] = [one for one in here if not one.expires or one.expires >= day]
        self._today = today
        self._used: set[int] = set()
        # Most name one id: those are looked up, and only the others are tried one after the other.
        self._by_rule: dict[str, list[int]] = {}
        self._others: list[int] = []
        self._by_fingerprint: dict[str, list[int]] = {}
        for number, one in enumerate(self.holding):
            if one.fingerprint:
                self._by_fingerprint.setdefault(one.fingerprint, []).append(number)
            elif one.rule and (one.exact or not set(one.rule) & set("*?[")):
                self._by_rule.setdefault(one.rule, []).append(number)
            else:
                self._others.append(number)

    def of(self, finding: Finding) -> Waiver | None:
        """The waiver that accepts a finding, or None."""
        package = self._packages.get(finding.subject.purl)
        ids = ids_of(finding)
        looked_up = [number for rule in ids for number in self._by_rule.get(rule, ())]
        if self._by_fingerprint:  # a hash for every finding, which most policies can do without
            looked_up += self._by_fingerprint.get(finding.fingerprint, [])
        for number in (*looked_up, *self._others):
            one = self.holding[number]
            if _accepts(one, finding, ids, package):
                self._used.add(number)
                return one
        return None

    def of_demand(self, rule: str, package: Package | None = None) -> Waiver | None:
        """The waiver that accepts a broken demand (`policy.user`, `check.name`), or None."""
        for number in (*self._by_rule.get(rule, []), *self._others):
            one = self.holding[number]
            if one.origin or one.fingerprint or one.path or not one.rule or not matches(one.rule, rule):
                continue
            if one.package and not (package and _is_package(one, package)):
                continue
            self._used.add(number)
            return one
        return None

    def warnings(self) -> tuple[Problem, ...]:
        """Waivers that expired, that end within two weeks, or that matched nothing; imported ones counted by file."""
        told: list[Problem] = []
        for one in self.expired:
            message = f"the waiver for {named(one)} expired on {one.expires} and no longer applies"
            told.append(_warning("expired", message, one, f"mend it, or let {one.owner} decide anew"))
        unused = [one for number, one in enumerate(self.holding) if number not in self._used]
        told += [
            _warning("unused", f"the waiver for {named(one)} matched nothing", one, "take it out")
            for one in unused
            if not one.origin
        ]
        soon = (self._today + timedelta(days=_SOON)).isoformat()
        for number in sorted(self._used):
            one = self.holding[number]
            if one.expires and one.expires <= soon:
                told.append(_warning("ending", f"the waiver for {named(one)} ends on {one.expires}", one, ""))
        counts = Counter(one.origin for one in unused if one.origin)
        for origin, count in sorted(counts.items()):
            told.append(Problem("waiver.unused", "entries matched nothing", Gravity.NOTE, origin, count=count))
        return _bounded(told)


def set_aside(finding: Finding, waiver: Waiver) -> SetAside:
    """What is told of a finding that a waiver accepts."""
    return SetAside(
        finding.rule, "waiver", waiver.reason, called(finding), finding.fingerprint, waiver.owner, waiver.expires,
        waiver.where,
    )  # fmt: skip


def ids_of(finding: Finding) -> tuple[str, ...]:
    """Every id of what was found: the rule, and for vulnerabilities the aliases and the deciding advisory."""
    evidence = finding.evidence
    if isinstance(evidence, VulnerabilityEvidence):
        return tuple(dict.fromkeys((finding.rule, *evidence.aliases, evidence.advisory)))
    return (finding.rule,)


def called(finding: Finding) -> str:
    """What a finding is about, for people: package and version, or the path."""
    subject = finding.subject
    if subject.purl:
        return f"{subject.name} {subject.version}".strip()
    return finding.location.path or subject.name


def named(waiver: Waiver) -> str:
    """What a waiver is for, in a few words."""
    parts = (waiver.rule, waiver.fingerprint, waiver.package, waiver.path)
    return " · ".join(part for part in parts if part) or "findings"


def _accepts(waiver: Waiver, finding: Finding, ids: tuple[str, ...], package: Package | None) -> bool:
    subject = finding.subject
    if waiver.kinds and finding.kind not in waiver.kinds:
        return False
    if waiver.rule and not any(_is_rule(waiver, one) for one in ids):
        return False
    if waiver.fix_states and finding.fix.state.value not in waiver.fix_states:
        return False
    if waiver.type and not subject.purl.startswith(f"pkg:{waiver.type}/"):
        return False
    if waiver.package and not is_subject(waiver.package, subject, package):
        return False
    if waiver.versions and not is_within(subject.version, _type(subject.purl), waiver.versions):
        return False
    if waiver.path and not any(path_matches(waiver.path, path) for path in _paths(finding, package)):
        return False
    # The costliest last: it takes a hash.
    return not waiver.fingerprint or waiver.fingerprint == finding.fingerprint


def _is_rule(waiver: Waiver, rule: str) -> bool:
    return waiver.rule == rule if waiver.exact else matches(waiver.rule, rule)


def _is_package(waiver: Waiver, package: Package) -> bool:
    return is_subject(waiver.package, Subject(package.name, package.version, package.purl), package)


def _type(purl: str) -> str:
    return purl.removeprefix("pkg:").partition("/")[0]


def _paths(finding: Finding, package: Package | None) -> Iterable[str]:
    if finding.location.path:
        yield finding.location.path
    yield from package.locations if package else ()


def _warning(what: str, message: str, waiver: Waiver, remedy: str) -> Problem:
    return Problem(f"waiver.{what}", message, Gravity.NOTE, waiver.where, remedy)


def _bounded(told: list[Problem]) -> tuple[Problem, ...]:
    """The first of each sort, and how many more there are."""
    kept: list[Problem] = []
    counts: Counter[str] = Counter()
    for problem in told:
        counts[problem.code] += 1
        if counts[problem.code] <= _MOST_TOLD:
            kept.append(problem)
    for code, count in counts.items():
        if count > _MOST_TOLD:
            kept.append(Problem(code, "more of the same", Gravity.NOTE, count=count - _MOST_TOLD))
    return tuple(kept)
