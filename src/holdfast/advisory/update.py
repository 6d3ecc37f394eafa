"""Brings the advisory database up to date: fetch, build beside, compare, swap. What fails leaves the old in place."""

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast.advisory.build import Built, build
from holdfast.advisory.database import Database
from holdfast.advisory.feed import FEEDS, Feed, Input, inputs_below
from holdfast.advisory.fetch import Task, fetch
from holdfast.advisory.holdings import Good, Holdings
from holdfast.advisory.places import database_path
from holdfast.advisory.record import Resource
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.errors import HoldfastError, InputError, NotFound, StoreError
from holdfast.model.status import Gravity, Problem
from holdfast.settings import Settings
from holdfast.transport.client import Client, Download
from holdfast.transport.deadline import Deadline
from holdfast.transport.retry import parse_http_date

_LOCK = "advisories.lock"
_ASK_AGAIN_SECONDS = 0.1

Say = Callable[[str], None]


class UpdateResult(Struct, frozen=True):
    """What an update left: the database (None: there is none), whether it is a new one, and what went wrong."""

    info: DatabaseInfo | None
    changed: bool
    problems: tuple[Problem, ...] = ()


class FeedAddress(Struct, frozen=True):
    """Where a feed is fetched from, and how many files that is."""

    name: str
    address: str
    resources: int


def addresses(settings: Settings, feeds: Sequence[Feed] = FEEDS) -> list[FeedAddress]:
    """Where each feed is fetched from under these settings."""
    return [FeedAddress(feed.name, feed.address(settings.feeds), len(feed.resources(settings.feeds))) for feed in feeds]


def update(
    settings: Settings,
    client: Client,
    *,
    feeds: Sequence[Feed] = FEEDS,
    folder: Path | None = None,
    only: Sequence[str] = (),
    deadline: Deadline | None = None,
    say: Say = lambda _text: None,
) -> UpdateResult:
    """Fetch what changed, build a database of it beside the old one, and swap them.

    `folder` is read instead of the network, laid out as Feed says. `only` names feeds or sources (`osv`, `osv/PyPI`).
    A resource that cannot be fetched, cannot be read, or has lost more than half of its records keeps the data from
    before, and is a Problem. The fetching ends at the deadline, with what has come by then. `say` is told the steps.
    Raises StoreError where another update runs until the deadline, or the disk does not let us.
    """
    deadline = deadline or Deadline()
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error.strerror}", where=str(settings.data)) from error
    with _alone(settings.data / _LOCK, deadline, say):
        return _Update(settings, client, feeds, say).run(_tasks(settings, feeds, folder, only), deadline)


def _tasks(settings: Settings, feeds: Sequence[Feed], folder: Path | None, only: Sequence[str]) -> list[Task]:
    """What to fetch. InputError where there is nothing in the folder, or nothing has one of the names."""
    tasks: list[Task] = []
    for feed in feeds:
        known = {resource.path: resource for resource in feed.resources(settings.feeds)}
        if folder is None:
            tasks += [Task(feed, resource, feed.address(settings.feeds)) for resource in known.values()]
        else:
            base = f"{folder.absolute().as_uri()}/{feed.folder}"
            present = [item.resource for item in inputs_below(folder, (feed,))]
            tasks += [Task(feed, known.get(path, Resource(path)), base) for path in present]
    if folder is not None and not tasks:
        remedy = "it has to hold osv/, debian/, alpine/, kev/ or epss/"
        raise InputError("not a folder of advisory feeds", where=str(folder), remedy=remedy)
    names = {name for task in tasks for name in (task.feed.name, task.feed.source(task.resource.path))}
    if wrong := [name for name in only if name not in names]:
        raise InputError(f"no source is called {wrong[0]!r}", remedy=f"there are {', '.join(sorted(names))}")
    wanted = set(only) or names
    return [task for task in tasks if {task.feed.name, task.feed.source(task.resource.path)} & wanted]


@contextmanager
def _alone(path: Path, deadline: Deadline, say: Say) -> Iterator[None]:
    """Only one update at a time: a second one waits. The kernel releases the lock of a process that dies."""
    with path.open("w") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("waiting for another update to finish")
                told = True
            if not deadline.remaining:
                raise StoreError("another update is running", where=str(path), remedy="wait until it is done")
            time.sleep(_ASK_AGAIN_SECONDS)
        yield


class _Update:
    """One update, under the lock."""

    def __init__(self, settings: Settings, client: Client, feeds: Sequence[Feed], say: Say) -> None:
        self._client, self._say = client, say
        self._downloads = settings.cache / "feeds"
        self._database = database_path(settings)
        self._candidate = self._database.with_name(f"{self._database.name}.candidate")
        self._holdings = Holdings(settings.data / "feeds")
        self._inputs = self._holdings.inputs(feeds)
        self._old = self._inputs.copy()
        self._failures: dict[str, HoldfastError] = {}
        self._before = _info(self._database)
        self._absent = self._downloads / "absent"
        self._new: set[str] = set()

    def run(self, tasks: Sequence[Task], deadline: Deadline) -> UpdateResult:
        """Fetch, and build if anything is new."""
        self._say(f"fetching {len(tasks)} files")
        for task, outcome in fetch(tasks, self._client, self._downloads, deadline):
            self._take(task, outcome)
        if not self._has_news() or not any(item.file.is_file() for item in self._inputs.values()):
            return UpdateResult(self._before, changed=False, problems=self._problems(()))
        self._say("building the database")
        try:
            built = self._build()
        except InputError as error:
            self._fail("the new database", error)
            return UpdateResult(self._before, changed=False, problems=self._problems(()))
        finally:
            self._candidate.unlink(missing_ok=True)
        self._holdings.adopt(built.info.sha256)
        return UpdateResult(built.info, changed=True, problems=self._problems(built.problems))

    def _take(self, task: Task, outcome: Download | HoldfastError) -> None:
        """Note what came of a task: a new file to build with, the same one, or the old one and why."""
        path = task.resource.path
        name = f"{task.feed.folder}/{path}"
        if isinstance(outcome, Download):
            good = Good(outcome.sha256, _day(outcome.last_modified))
            if (offered := self._holdings.offer(task.feed, path, outcome.path, good)) is not None:
                self._inputs[name] = offered
                self._new.add(name)
        elif isinstance(outcome, NotFound) and task.resource.optional:
            self._inputs.pop(name, None)
        else:
            self._fail(task.feed.source(path), outcome)
            # A file that is not there still makes the failure known in the database.
            kept = self._inputs.get(name) or Input(task.feed, path, self._absent)
            self._inputs[name] = replace(kept, failure=outcome.what)

    def _has_news(self) -> bool:
        """Whether a build would make another database: other content, or a failure that is no more.

        So would one where the database is not the one that was built of the files at hand: it was imported, or an
        update was ended between the two.
        """
        if self._before is None or self._new or self._before.sha256 != self._holdings.database:
            return True
        return any(source.failure and source.name not in self._failures for source in self._before.sources)

    def _build(self) -> Built:
        """A database that is no worse than the one before, in its place.

        Where new files cannot be read, or their source has shrunk, their old ones are taken, and it is built again.
        """
        try:
            built = build(self._inputs.values(), self._candidate)
            worse = self._worse(built)
        except InputError as error:
            if not self._old.keys() & self._new:
                raise
            worse = dict.fromkeys(sorted(self._old.keys() & self._new), error.what)
        again = False
        for name, why in worse.items():
            item = self._inputs[name]
            self._fail(item.feed.source(item.resource), InputError(why, where=name))
            self._holdings.reject(item.feed, item.resource)
            if old := self._old.get(name):
                self._inputs[name] = replace(old, failure=why)
                again = True
        if again:
            self._say("building it again with the old data of what is damaged")
            built = build(self._inputs.values(), self._candidate)
        if shrunk := self._shrunk(built.info):
            source, why = next(iter(shrunk.items()))
            raise InputError(f"{source} {why}: the database from before stays", where=source)
        self._candidate.replace(self._database)
        return built

    def _worse(self, built: Built) -> dict[str, str]:
        """The new files, by name, that cannot be read or whose source has shrunk, and why."""
        unreadable = {problem.where: problem.message for problem in built.problems if problem.code == "feed.unreadable"}
        shrunk = self._shrunk(built.info)
        found = {}
        for name in sorted(self._new):
            item = self._inputs[name]
            why = unreadable.get(str(item.file)) or shrunk.get(item.feed.source(item.resource))
            if why:
                found[name] = why
        return found

    def _shrunk(self, after: DatabaseInfo) -> dict[str, str]:
        """The sources that have lost more than half of their records: an empty feed never replaces a full one."""
        now = {source.name: source.records for source in after.sources}
        before = {source.name: source.records for source in self._before.sources} if self._before else {}
        return {
            name: f"holds {now.get(name, 0):,} records instead of {had:,}"
            for name, had in before.items()
            if now.get(name, 0) < had / 2
        }

    def _fail(self, source: str, error: HoldfastError) -> None:
        self._failures.setdefault(source, error)

    def _problems(self, told: Sequence[Problem]) -> tuple[Problem, ...]:
        """One problem for each cause, naming the sources it concerns, and what the build had to say of the rest."""
        causes: dict[str, list[str]] = {}
        errors: dict[str, HoldfastError] = {}
        dates = {source.name: source.date for source in self._before.sources} if self._before else {}
        for source, error in sorted(self._failures.items()):
            date = dates.get(source)
            causes.setdefault(error.what, []).append(f"{source} (data of {date[:10]} stays)" if date else source)
            errors.setdefault(error.what, error)
        failed = [
            Problem(
                "feed.failed",
                f"{', '.join(names)}: {what}",
                Gravity.PARTIAL,
                errors[what].where,
                errors[what].remedy,
                len(names),
            )
            for what, names in causes.items()
        ]
        incoming = f"{self._holdings.incoming}/"
        said = (incoming, str(self._absent))
        rest = (problem for problem in told if problem.code != "feed.unreadable" or not problem.where.startswith(said))
        return (*failed, *(replace(problem, where=problem.where.removeprefix(incoming)) for problem in rest))


def _info(path: Path) -> DatabaseInfo | None:
    """What a database says of itself; None where it is absent, damaged, or of another version."""
    try:
        with Database.open(path) as database:
            return database.info()
    except StoreError:
        return None


def _day(last_modified: str) -> str:
    moment = parse_http_date(last_modified)
    return "" if moment is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
