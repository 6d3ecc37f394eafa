"""What many images have in common: each cause once, with how many images have it, and what to do about most of them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec.structs import replace

from holdfast.model.artifact import Side
from holdfast.model.finding import Severity
from holdfast.model.status import Gravity, Problem
from holdfast.model.survey import Shared, SharedUpgrade
from holdfast.report.remedy import newest_version
from holdfast.survey.summary import Cause, Summary

MOST_FINDINGS = 20_000
MOST_UPGRADES = 2_000
_EXAMPLES = 5
_PLACES = 3
_MOST_PROBLEMS = 1_000


class Tally:
    """Takes summaries one after the other; at most `most` causes are kept, those with the highest risk."""

    def __init__(self, most: int = MOST_FINDINGS) -> None:
        self._most = most
        self._shared: dict[tuple[str, ...], _Counted] = {}
        self._upgrades: dict[tuple[str, str, Side, str], _Upgrading] = {}
        self._problems: dict[Problem, tuple[int, int, tuple[str, ...]]] = {}
        self._pruned = False

    def add(self, summary: Summary) -> None:
        """Count what one image has."""
        name = summary.image.name
        seen: set[tuple[str, ...]] = set()
        moves: dict[tuple[str, str, Side], list[Cause]] = {}
        for cause in summary.causes:
            key = (cause.kind, cause.rule, cause.type, cause.package, cause.fix, cause.side)
            if key not in seen:
                seen.add(key)
                self._shared.setdefault(key, _Counted(cause)).add(cause, name)
            if cause.fix and cause.apart != "development":
                moves.setdefault((cause.type, cause.package, cause.side), []).append(cause)
        for (kind, package, side), causes in moves.items():
            version = _newest(kind, tuple(dict.fromkeys(cause.fix for cause in causes)))
            self._upgrades.setdefault((kind, package, side, version), _Upgrading()).add(causes, name)
        self._prune()
        for problem in summary.problems:
            self._note(problem, name)

    @property
    def problems(self) -> Iterator[Problem]:
        """The problems of the images: like ones once, with how often, and in which images."""
        for problem, (count, images, names) in sorted(self._problems.items(), key=_as_told):
            if problem.where:  # it is not about the images
                yield problem
            else:
                more = f" and {images - _PLACES:,} more" if images > _PLACES else ""
                yield replace(problem, where=", ".join(names[:_PLACES]) + more, count=count)
        if self._pruned:
            message = f"the images have more than {self._most:,} findings that differ: those of least risk are left out"
            yield Problem("survey.findings-left-out", message, Gravity.NOTE)

    def findings(self) -> tuple[Shared, ...]:
        """The causes, those of the highest risk first, among equals those in most images."""
        ordered = sorted(self._shared.values(), key=lambda one: (*one.rank, -one.images, one.cause.rule))
        return tuple(one.shared() for one in ordered[: self._most])

    def upgrades(self) -> tuple[SharedUpgrade, ...]:
        """What to do, the most useful first: known exploited ones before all, then by risk summed over the images."""
        ordered = sorted(self._upgrades.items(), key=lambda item: (*item[1].rank, item[0]))
        return tuple(one.shared(*key) for key, one in ordered[:MOST_UPGRADES])

    def _prune(self) -> None:
        """Forget the least when there is twice as much as asked for: never anything that would be shown."""
        if len(self._shared) > 2 * self._most:
            kept = sorted(self._shared.items(), key=lambda item: (*item[1].rank, -item[1].images))
            self._shared = dict(kept[: self._most])
            self._pruned = True
        if len(self._upgrades) > 2 * self._most:
            moves = sorted(self._upgrades.items(), key=lambda item: (*item[1].rank, item[0]))
            self._upgrades = dict(moves[: self._most])

    def _note(self, problem: Problem, name: str) -> None:
        key = replace(problem, count=1)
        if key not in self._problems and len(self._problems) >= _MOST_PROBLEMS:
            key = Problem(problem.code, "and others of this sort", problem.gravity)
        count, images, names = self._problems.get(key, (0, 0, ()))
        self._problems[key] = (count + problem.count, images + 1, _first((*names, name)))


class _Counted:
    """A cause, and how many images have it; the gravest that any of them says of it counts."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        self.images = 0
        self.examples: tuple[str, ...] = ()
        self.severity: Severity = cause.severity
        self.risk, self.exploited = cause.risk, cause.exploited

    @property
    def rank(self) -> tuple[int, int, int]:
        return (-self.risk, -self.exploited, -self.severity.rank)

    def add(self, cause: Cause, name: str) -> None:
        self.images += 1
        self.risk, self.exploited = max(self.risk, cause.risk), self.exploited or cause.exploited
        self.severity = max(self.severity, cause.severity, key=lambda severity: severity.rank)
        self.examples = _first((*self.examples, name))

    def shared(self) -> Shared:
        cause = self.cause
        return Shared(
            cause.rule, cause.kind, self.severity, self.images, self.examples, cause.title, cause.aliases, cause.type,
            cause.package, cause.fix, cause.side, self.risk, self.exploited,
        )  # fmt: skip


class _Upgrading:
    """One upgrade as it is counted."""

    def __init__(self) -> None:
        self.images = self.weight = 0
        self.rules: set[str] = set()
        self.exploited: set[str] = set()
        self.installed: tuple[str, ...] = ()
        self.examples: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int, int]:
        return (-bool(self.exploited), -self.weight, -self.images)

    def add(self, causes: Iterable[Cause], name: str) -> None:
        self.images += 1
        self.examples = _first((*self.examples, name))
        for cause in causes:
            self.weight += 1 + cause.risk
            self.rules.add(cause.rule)
            if cause.exploited:
                self.exploited.add(cause.rule)
            if cause.installed not in self.installed:
                self.installed = _first((*self.installed, cause.installed))

    def shared(self, kind: str, package: str, side: Side, version: str) -> SharedUpgrade:
        return SharedUpgrade(
            kind, package, version, self.images, len(self.rules), side, self.installed, self.examples,
            len(self.exploited),
        )  # fmt: skip


def _as_told(item: tuple[Problem, object]) -> tuple[str, str, str]:
    problem = item[0]
    return problem.code, problem.message, problem.where


def _first(names: Iterable[str]) -> tuple[str, ...]:
    """The first names, in whatever order they come."""
    return tuple(sorted(names)[:_EXAMPLES])


@lru_cache(maxsize=1 << 14)
def _newest(kind: str, versions: tuple[str, ...]) -> str:
    return newest_version(kind, versions)
