"""Packages held against whatever advisories can be had: the database, the archive's changelogs, the starter pack."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from msgspec.structs import replace

from holdfast.advisory import archive
from holdfast.advisory.database import Database
from holdfast.advisory.ecosystem import ecosystems_of
from holdfast.advisory.match import match
from holdfast.advisory.places import archive_path, database_path
from holdfast.cli.archives import host_apt_sources
from holdfast.cli.progress import Meter
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.errors import HoldfastError, StoreError
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity, Problem
from holdfast.scan.scanner import Checked
from holdfast.settings import Settings
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline

_OLD_DAYS = 7
_ARCHIVE_SECONDS = 180.0
_REMEDY = "run `holdfast db update` where they can be reached, or bring a database: `holdfast db import FILE`"


def client_of(settings: Settings, meter: Meter) -> Client:
    """The client that these settings describe."""
    return Client(offline=settings.offline, proxy=settings.proxy, ca_bundle=settings.ca_bundle, progress=meter)


class AdvisoryCheck:
    """A scan's Check. `host` says that the packages are those of this running system, with the kernel that runs.

    Without a database it first makes one of what can be reached; without that, the starter pack has to do, and says so.
    """

    def __init__(self, settings: Settings, meter: Meter, *, host: bool = False) -> None:
        self._settings = settings
        self._meter = meter
        self._host = host
        self._problems: list[Problem] = []

    def __call__(
        self, packages: Sequence[Package], distribution: Distribution | None, sources: dict[str, bytes]
    ) -> Checked:
        """Findings, what was and was not checked, and which data that rests on."""
        with self._main() as main:
            info, databases = main.info(), [main]
            if archive.applies_to(distribution):
                result = self._ask_archive(packages, distribution, sources)
                covered = distribution is not None and any(main.holds(name) for name in ecosystems_of(distribution))
                known = covered or self._settings.offline
                self._problems += [_lowered(problem) if known else problem for problem in result.problems]
                source = replace(result.source, failure="") if self._settings.offline else result.source
                info = replace(info, sources=(*info.sources, source))
                databases += self._ledger(result)
            try:
                matching = match(packages, distribution, databases, host=self._host)
            finally:
                for database in databases[1:]:
                    database.close()
        problems = (*self._problems, *matching.problems, *_age(info))
        return Checked(matching.findings, problems, matching.checked, matching.not_checked, info)

    def _main(self) -> Database:
        path = database_path(self._settings)
        if not path.exists() and not self._settings.offline:
            self._first_update()
        if path.exists():
            try:
                return Database.open(path)
            except StoreError as error:
                self._problems.append(Problem.of("database.unreadable", error))
        from holdfast.advisory import starter

        return starter.database()

    def _first_update(self) -> None:
        from holdfast.advisory.update import update

        deadline = Deadline.after(self._settings.first_update_seconds)
        try:
            with client_of(self._settings, self._meter) as client:
                self._problems += _in_one(update(self._settings, client, deadline=deadline).problems)
        except HoldfastError as error:
            self._problems.append(Problem.of("database.first-update", error))

    def _ask_archive(
        self, packages: Sequence[Package], distribution: Distribution | None, sources: dict[str, bytes]
    ) -> archive.ArchiveResult:
        with client_of(self._settings, self._meter) as client:
            return archive.collect(
                packages, distribution, sources, client, archive_path(self._settings),
                cache=self._settings.cache / "archive", deadline=Deadline.after(_ARCHIVE_SECONDS),
                progress=self._meter, host_sources=host_apt_sources(),
            )  # fmt: skip

    def _ledger(self, result: archive.ArchiveResult) -> list[Database]:
        if result.path is None:
            return []
        try:
            return [Database.open(result.path, immutable=False)]
        except StoreError as error:
            self._problems.append(Problem.of("archive.ledger", error))
            return []


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
    """What the archive could not say is no gap where the database knows the distribution, nor news offline."""
    return replace(problem, gravity=Gravity.NOTE)


def _age(info: DatabaseInfo) -> list[Problem]:
    """A note where even the newest of the feeds is older than a week. A date still to come says nothing."""
    today = datetime.now(UTC).date()
    dates = [source.date[:10] for source in info.sources if source.date and source.name != "archive"]
    newest = max((day for day in dates if day <= today.isoformat()), default="")
    if not newest or info.starter:
        return []
    days = (today - date.fromisoformat(newest)).days
    if days <= _OLD_DAYS:
        return []
    message = f"the advisory database is {days} days old: what was published since then is not in it"
    return [Problem("database.old", message, Gravity.NOTE, remedy="holdfast db update")]
