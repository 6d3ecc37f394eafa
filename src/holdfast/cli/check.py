"""Packages held against whatever advisories can be had: the database, the archive's changelogs, the starter pack."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime

from msgspec.structs import replace

from holdfast.advisory import archive
from holdfast.advisory.database import Database
from holdfast.advisory.ecosystem import LANGUAGES, ecosystems_of
from holdfast.advisory.match import Matching, match
from holdfast.advisory.places import archive_path, database_path
from holdfast.cli.archives import host_apt_sources
from holdfast.cli.progress import Meter
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.errors import HoldfastError, StoreError
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity, Problem
from holdfast.scan.options import Checked
from holdfast.settings import Settings
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.transport.proxy import Proxy
from holdfast.transport.trust import Trust

_OLD_DAYS = 7
_ARCHIVE_SECONDS = 180.0
_REMEDY = "run `holdfast db update` where they can be reached, or bring a database: `holdfast db import FILE`"


def client_of(settings: Settings, meter: Meter) -> Client:
    """The client that these settings describe."""
    proxy = Proxy(settings.proxy, settings.no_proxy)
    return Client(offline=settings.offline, proxy=proxy, trust=Trust(settings.ca_bundle), progress=meter)


class AdvisoryCheck:
    """A scan's Check. `host` says that the packages are those of this running system, with the kernel that runs.

    `opened` is what many checks in a row share; `sources` the apt source files of the last one, by path.

    Without a database it first makes one of what can be reached. For ecosystems that no database holds the starter
    pack has to do, and says so.
    """

    def __init__(
        self, settings: Settings, meter: Meter, *, host: bool = False, opened: archive.Opened | None = None
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._host = host
        self._opened = opened
        self._problems: list[Problem] = []
        self.sources: dict[str, bytes] = {}

    def __call__(
        self, packages: Sequence[Package], distribution: Distribution | None, sources: dict[str, bytes]
    ) -> Checked:
        """Findings, what was and was not checked, and which data that rests on."""
        self.sources = sources
        deadline = self._prepare()
        with ExitStack() as stack:
            databases = [stack.enter_context(database) for database in self._databases(packages)]
            info = databases[0].info()
            if archive.applies_to(distribution):
                result = self._ask_archive(packages, distribution, sources, deadline)
                spoken_for = distribution is not None and _hold(databases, ecosystems_of(distribution))
                known = spoken_for or self._settings.offline
                self._problems += [_lowered(problem) if known else problem for problem in result.problems]
                source = replace(result.source, failure="") if self._settings.offline else result.source
                info = replace(info, sources=(*info.sources, source))
                databases += [stack.enter_context(database) for database in self._ledger(result)]
            matching, info = self._match(packages, distribution, databases, info)
        problems = (*self._problems, *matching.problems, *_age(info, matching.checked))
        return Checked(matching.findings, problems, matching.checked, matching.not_checked, info, matching.end_of_life)

    def _prepare(self) -> Deadline:
        """Make a database where there is none; how long all that is fetched for this scan may take together."""
        if database_path(self._settings).exists() or self._settings.offline:
            return Deadline.after(_ARCHIVE_SECONDS)
        from holdfast.advisory.update import update

        deadline = Deadline.after(self._settings.first_update_seconds)
        try:
            with client_of(self._settings, self._meter) as client:
                # Feeds that hang must leave the archive its share of the time.
                share = deadline.within(self._settings.first_update_seconds * 2 / 3)
                self._problems += _in_one(update(self._settings, client, deadline=share).problems)
        except HoldfastError as error:
            self._problems.append(Problem.of("database.first-update", error))
        return deadline

    def _databases(self, packages: Sequence[Package]) -> Iterator[Database]:
        """The database where it is there and whole; the starter where there is none, or it lacks an ecosystem."""
        from holdfast.advisory import starter

        main: Database | None = None
        path = database_path(self._settings)
        if path.exists():
            try:
                main = Database.open(path)
                main.info()  # reads enough of it to notice most damage
            except StoreError as error:
                self._problems.append(Problem.of("database.unreadable", error))
                main = None
        if main is None:
            yield starter.database()
            return
        yield main
        spoken = {LANGUAGES[package.type] for package in packages if package.type in LANGUAGES and not package.owner}
        missing = [ecosystem for ecosystem in spoken if not main.holds(ecosystem)]
        if missing:
            yield starter.database()

    def _match(
        self,
        packages: Sequence[Package],
        distribution: Distribution | None,
        databases: Sequence[Database],
        info: DatabaseInfo,
    ) -> tuple[Matching, DatabaseInfo]:
        """The matching, by the starter alone where a database turns out to be damaged: never is the report lost."""
        from holdfast.advisory import starter

        # Where one is damaged: the ledger, which is laid over the others, comes last.
        for tried in (databases, databases[:-1]):
            try:
                return match(packages, distribution, tried, host=self._host), info
            except StoreError as error:
                self._problems.append(Problem.of("database.unreadable", error))
        with starter.database() as pack:
            return match(packages, distribution, [pack], host=self._host), pack.info()

    def _ask_archive(
        self,
        packages: Sequence[Package],
        distribution: Distribution | None,
        sources: dict[str, bytes],
        deadline: Deadline,
    ) -> archive.ArchiveResult:
        with client_of(self._settings, self._meter) as client:
            return archive.collect(
                packages,
                distribution,
                sources,
                client,
                archive_path(self._settings),
                cache=self._settings.cache / "archive",
                deadline=deadline,
                progress=self._meter,
                host_sources=host_apt_sources(),
                opened=self._opened,
            )

    def _ledger(self, result: archive.ArchiveResult) -> Iterator[Database]:
        if result.path is None:
            return
        try:
            yield Database.open(result.path, immutable=False)
        except StoreError as error:
            self._problems.append(Problem.of("archive.ledger", error))


def _hold(databases: Sequence[Database], ecosystems: Sequence[str]) -> bool:
    return any(database.holds(ecosystem) for database in databases for ecosystem in ecosystems)


def _in_one(problems: Sequence[Problem]) -> Iterator[Problem]:
    """A first scan is no update: which feeds failed is one line, whatever their addresses and reasons were."""
    failed = [problem for problem in problems if problem.code == "feed.failed"]
    yield from (problem for problem in problems if problem not in failed)
    if failed:
        names = sorted({part.partition("/")[0] for one in failed for part in one.message.partition(":")[0].split(", ")})
        reason = failed[0].message.rpartition(": ")[2]
        yield Problem(
            "feed.failed", f"these advisory feeds could not be had: {', '.join(names)} ({reason})", remedy=_REMEDY
        )


def _lowered(problem: Problem) -> Problem:
    """What the archive could not say is no gap where a database knows the distribution, nor news offline.

    That what it once said cannot be read any more is one, whatever else is known.
    """
    return problem if problem.code == "archive.ledger" else replace(problem, gravity=Gravity.NOTE)


def _age(info: DatabaseInfo, checked: Sequence[str]) -> Iterator[Problem]:
    """Which of the sources that this scan rests on are older than a week, or do not say how old they are."""
    families = {ecosystem.partition(":")[0] for ecosystem in checked}
    names = {f"osv/{family}" for family in families} | {family.lower() for family in families}
    today = datetime.now(UTC).date()
    for source in info.sources:
        if source.name not in names:
            continue
        day = source.date[:10]
        if not day or day > today.isoformat():
            yield Problem(
                "database.undated", "this advisory data states no date that could be judged", Gravity.NOTE, source.name
            )
        elif (days := (today - date.fromisoformat(day)).days) > _OLD_DAYS:
            message = f"this advisory data is {days} days old: what was published since then is not in it"
            yield Problem("database.old", message, Gravity.NOTE, source.name, "run `holdfast db update`")
