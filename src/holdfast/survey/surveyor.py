"""From candidates to a survey: every image once, ranked, with what they have in common."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from holdfast import __version__
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.finding import Severity
from holdfast.model.status import Gravity, Problem, Status, status_of
from holdfast.model.survey import Survey, Surveyed, SurveyStatistics
from holdfast.survey.ahead import Ahead
from holdfast.survey.candidate import Candidate, Candidates
from holdfast.survey.crew import SECONDS, Crew, alone
from holdfast.survey.examiner import Examiner
from holdfast.survey.journal import Journal
from holdfast.survey.summary import Summary
from holdfast.survey.tally import Tally

TOOL = f"holdfast {__version__}"
MOST_NAMES_OF_ONE = 20

Progress = Callable[[str, int, int | None], None]
"""Is told `("images", done, known so far)`; the number known is None while the list is not at its end."""


class Interrupted(KeyboardInterrupt):
    """Somebody ended a survey: `done` of at least `known` images were done, `whole` says that there are no more.

    `kept`: what is done stands in the journal.
    """

    def __init__(self, done: int, known: int, *, whole: bool, kept: bool) -> None:
        super().__init__()
        self.done, self.known, self.whole, self.kept = done, known, whole, kept


class Manner(Struct, frozen=True):
    """How a survey is done: workers (1: this process itself), seconds an image may take, and how many at most.

    `database` is what the images are checked against; `problems` are those of the survey as a whole.
    """

    workers: int = 1
    seconds: float = SECONDS
    most: int | None = None
    progress: Progress = lambda _name, _done, _known: None
    database: DatabaseInfo | None = None
    problems: tuple[Problem, ...] = ()


def survey(
    target: str,
    kind: str,
    candidates: Candidates,
    examiner: Examiner,
    manner: Manner,
    journal: Journal | None = None,
) -> Survey:
    """Scan every image that the candidates name. Raises what listing them does, and Interrupted."""
    return _Surveyor(target, kind, candidates, examiner, manner, journal).run()


class _Surveyor:
    """One survey under way."""

    def __init__(
        self,
        target: str,
        kind: str,
        candidates: Candidates,
        examiner: Examiner,
        manner: Manner,
        journal: Journal | None,
    ) -> None:
        self._target, self._kind, self._candidates = target, kind, candidates
        self._examiner, self._manner, self._journal = examiner, manner, journal
        self._tally = Tally()
        self._calls: dict[str, _Calls] = {}
        self._images: dict[str, tuple[Surveyed, _Calls]] = {}
        self._seen = self._done = self._distinct = self._resumed = 0
        self._whole = False
        self._problems = list(manner.problems)
        self._totals = SurveyStatistics()

    def run(self) -> Survey:
        """The whole of it."""
        started = time.monotonic()
        ahead = Ahead(self._candidates)
        try:
            with ExitStack() as stack:
                if self._manner.workers == 1:
                    done = alone(self._examiner, self._fresh(ahead))
                else:
                    crew = stack.enter_context(Crew(self._examiner, self._manner.workers, self._manner.seconds))
                    done = crew.run(self._fresh(ahead))
                for candidate, summary in done:
                    if self._journal is not None:
                        self._journal.put(candidate.digest, summary)
                    self._take(candidate, summary)
                    read = summary.statistics
                    self._totals = replace(
                        self._totals,
                        bytes_read=self._totals.bytes_read + read.bytes_read,
                        bytes_inflated=self._totals.bytes_inflated + read.bytes_inflated,
                        layers=self._totals.layers + summary.layers,
                        layers_cached=self._totals.layers_cached + read.layers_cached,
                    )
        except KeyboardInterrupt:
            kept = self._journal is not None
            raise Interrupted(self._done, self._distinct, whole=self._whole, kept=kept) from None
        finally:
            ahead.stop()
        if self._journal is not None:
            self._journal.complete()
        return self._result(round(time.monotonic() - started, 3))

    def _fresh(self, ahead: Ahead[Candidate]) -> Iterator[Candidate | None]:
        """The candidates that have to be scanned: each image once, and none that the journal answers."""
        for candidate in ahead:
            if candidate is None:
                yield None
                continue
            self._seen += 1
            key = candidate.key
            if (calls := self._calls.get(key)) is not None:
                calls.add(candidate)
                continue
            if self._distinct == self._manner.most:
                message = f"there are more images than --most {self._manner.most:,}: the others were left out"
                self._problems.append(Problem("survey.left-out", message))
                break
            self._distinct += 1
            self._calls[key] = _Calls(candidate)
            known = self._journal.get(candidate.digest) if self._journal is not None and candidate.digest else None
            if known is not None and self._examiner.has_written(known):
                self._resumed += 1
                self._take(candidate, replace(known, image=replace(known.image, name=candidate.name)))
            else:
                yield candidate
        self._whole = True

    def _take(self, candidate: Candidate, summary: Summary) -> None:
        """Count what came of an image, unless it turns out to be one that is there already."""
        self._done += 1
        self._manner.progress("images", self._done, self._distinct if self._whole else None)
        calls = self._calls[candidate.key]
        identity = self._identity(candidate, summary.image)
        if identity in self._images:
            self._images[identity][1].join(calls)
        else:
            self._images[identity] = summary.image, calls
            self._tally.add(summary)

    def _identity(self, candidate: Candidate, image: Surveyed) -> str:
        """What makes an image the same: engines know it by its configuration, registries by its manifest or index."""
        if self._kind == "running" and image.config_digest:
            return image.config_digest
        return candidate.digest or image.digest or image.name

    def _result(self, seconds: float) -> Survey:
        images = tuple(sorted((calls.on(image) for image, calls in self._images.values()), key=_by_risk))
        failed = sum(image.status is Status.FAILED for image in images)
        listing = (*self._problems, *self._candidates.problems)
        status = status_of(listing)
        if images and failed == len(images):
            status = Status.FAILED
        elif any(image.status is not Status.COMPLETE for image in images) and status is Status.COMPLETE:
            status = Status.PARTIAL
        # What fails one image leaves the survey without a part.
        of_images = (
            replace(problem, gravity=Gravity.PARTIAL) if problem.gravity is Gravity.FAILED else problem
            for problem in self._tally.problems
        )
        return Survey(
            target=self._target,
            kind=self._kind,
            status=status,
            tool=TOOL,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            problems=(*listing, *of_images),
            images=images,
            upgrades=self._tally.upgrades(),
            findings=self._tally.findings(),
            database=self._manner.database,
            statistics=replace(
                self._totals, seconds=seconds, names=self._seen, images=len(images), resumed=self._resumed
            ),
        )


class _Calls:
    """The names of one image, of which the first are kept, and the containers that run it."""

    def __init__(self, candidate: Candidate) -> None:
        self.names: dict[str, None] = {}
        self.containers: dict[str, None] = {}
        self.count = 0
        self.add(candidate)

    def add(self, candidate: Candidate) -> None:
        self.count += candidate.name not in self.names
        self._keep(candidate.name)
        self.containers |= dict.fromkeys(candidate.containers)

    def join(self, other: "_Calls") -> None:
        self.count += other.count - len(self.names.keys() & other.names.keys())
        for name in other.names:
            self._keep(name)
        self.containers |= other.containers

    def on(self, image: Surveyed) -> Surveyed:
        """The image with what it is called."""
        others = tuple(name for name in self.names if name != image.name)
        return replace(image, names=others, more_names=self.count - len(self.names), containers=tuple(self.containers))

    def _keep(self, name: str) -> None:
        if len(self.names) < MOST_NAMES_OF_ONE:
            self.names[name] = None


def _by_risk(image: Surveyed) -> tuple[object, ...]:
    """What has the highest risk first; what could not be read comes last."""
    counts = (-image.counts.get(severity, 0) for severity in sorted(Severity, key=lambda one: -one.rank))
    return (image.status is Status.FAILED, -image.risk, -image.known_exploited, *counts, image.name)
