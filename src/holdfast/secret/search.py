"""The search through one piece of data: candidates by Hyperscan, secrets by the rules' own patterns; for one thread."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

from holdfast.secret.match import Candidate, Match, Surroundings, Work
from holdfast.secret.rule import BEFORE
from holdfast.secret.wrapping import Run, unwrap

if TYPE_CHECKING:
    from holdfast.secret.confirm import Compiled
    from holdfast.secret.pack import Aim, Pack

MOST_CANDIDATES = 10_000
MOST_OF_AN_EXPRESSION = 500
MOST_CALLS = 1_000_000
MOST_RUNS = 2_000
MOST_UNWRAPPED = 16 << 20

Found = list[tuple[int, int]]
"""Expressions by their place in the pack, each with the end of what it matched."""


class Rules(Protocol):
    """What a search asks for: the pack, and its rules ready to confirm."""

    @property
    def pack(self) -> "Pack":
        """The databases."""

    def compiled(self, number: int) -> "Compiled":
        """A rule by its place in the pack."""


class Wrapped(NamedTuple):
    """What was found in a run of base64."""

    run: Run
    match: Match


class Secrets(Struct, frozen=True):
    """What was found in some data as it is, and in its base64."""

    plain: list[Match]
    wrapped: list[Wrapped]


class Search:
    """Searches with scratch space of its own. `flooded` says whether the last scan had to leave candidates out."""

    def __init__(self, rules: Rules) -> None:
        import hyperscan

        pack = rules.pack
        self._rules, self._aims, self._placed_aims = rules, pack.aims, pack.placed_aims
        self._database, self._placed = pack.database, pack.placed_database
        self._scratch = hyperscan.Scratch(pack.database) if pack.database else None
        self._placed_scratch = hyperscan.Scratch(pack.placed_database) if pack.placed_database else None
        self._terminated = hyperscan.ScanTerminated
        self.flooded = False
        self._found: Found = []
        found = self._found

        def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            found.append((expression, end))
            return True if len(found) > MOST_CANDIDATES else None

        self._note = note

    def scan(self, data: bytes) -> Found:
        """All candidates; of each expression the first, where there are too many. The list is used again."""
        found = self._found
        if found:
            found.clear()
        if self._database is None:
            return found
        try:
            self._database.scan(data, match_event_handler=self._note, scratch=self._scratch)
        except self._terminated:
            return self._scan_flooded(data)
        self.flooded = False
        return found

    def scan_placed(self, data: bytes) -> Found:
        """The candidates of the rules for certain files; the first, where there are too many."""
        if self._placed is None:
            return []
        self._found.clear()
        try:
            self._placed.scan(data, match_event_handler=self._note, scratch=self._placed_scratch)
        except self._terminated:
            self.flooded = True
        return list(self._found)

    def confirm(
        self, data: bytes, found: Found, placed: frozenset[int], surroundings: Surroundings, work: Work
    ) -> Secrets:
        """The secrets among the candidates that a scan found, and among those of the rules in `placed`."""
        plain, runs = self._sorted(found, self._aims, surroundings)
        matches = self._matches(data, plain, surroundings, work)
        wrapped = list(self._unwrapped(data, runs, surroundings, work))
        if placed:
            sorted_placed, _ = self._sorted(self.scan_placed(data), self._placed_aims, surroundings)
            held = {number: group for number, group in sorted_placed.items() if number in placed}
            matches += self._matches(data, held, surroundings, work)
        return Secrets(matches, wrapped)

    def _scan_flooded(self, data: bytes) -> Found:
        """The first candidates of each expression, where some have so many that others would be lost."""
        assert self._database is not None
        self.flooded = True
        seen = [0] * len(self._aims)
        found: Found = []
        calls = 0

        def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal calls
            calls += 1
            seen[expression] += 1
            if seen[expression] <= MOST_OF_AN_EXPRESSION:
                found.append((expression, end))
            return True if calls > MOST_CALLS else None

        with suppress(self._terminated):
            self._database.scan(data, match_event_handler=note, scratch=self._scratch)
        return found

    def _sorted(
        self, found: Found, aims: "tuple[Aim, ...]", surroundings: Surroundings
    ) -> tuple[dict[int, list[Candidate]], list[tuple[int, int]]]:
        """Candidates by rule, specific rules first; and the starts of what is base64, with their place in four."""
        plain: dict[int, list[Candidate]] = {}
        runs: list[tuple[int, int]] = []
        for expression, end in found:
            aim = aims[expression]
            if aim.wrapped:
                runs.append((end - aim.width, aim.place))
            else:
                plain.setdefault(aim.rule, []).append(Candidate(end, max(BEFORE, aim.width)))
        rules = self._rules.pack.rules
        if surroundings.binary:
            plain = {number: group for number, group in plain.items() if not rules[number].generic}
        order = sorted(plain, key=lambda number: (rules[number].generic, number))
        return {number: sorted(plain[number]) for number in order}, sorted(runs)

    def _matches(
        self, data: bytes, candidates: dict[int, list[Candidate]], surroundings: Surroundings, work: Work
    ) -> list[Match]:
        found: list[Match] = []
        for number, group in candidates.items():
            found += self._rules.compiled(number).matches(data, group, surroundings, work)
        return found

    def _unwrapped(
        self, data: bytes, runs: Iterable[tuple[int, int]], surroundings: Surroundings, work: Work
    ) -> Iterable[Wrapped]:
        """The secrets inside runs of base64; what is wrapped twice stays unseen, and so does what binaries wrap."""
        done: dict[int, int] = {}
        told = count = size = 0
        for start, place in () if surroundings.binary else runs:
            if start < max(told, done.get(place, 0)):  # the run was read already, from the same place within four
                continue
            if count >= MOST_RUNS or size > MOST_UNWRAPPED:
                work.left_out += 1
                continue
            run = unwrap(data, start, place)
            if run is None:
                continue
            done[place], count, size = run.end, count + 1, size + len(run.content)
            inside, _ = self._sorted(list(self.scan(run.content)), self._aims, surroundings)
            if matches := self._matches(run.content, inside, surroundings, work):
                told = run.end
                yield from (Wrapped(run, match) for match in matches)
