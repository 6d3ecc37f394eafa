"""The store in a database: SQLite or PostgreSQL, by the same statements."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection, Row
from sqlalchemy.engine import Engine

from holdfast.model.errors import InputError, NotFound, StoreError
from holdfast.model.finding import Finding
from holdfast.model.report import Report
from holdfast.model.status import Problem
from holdfast.store.document import portable, unpack
from holdfast.store.identity import identities, key
from holdfast.store.inbox import DamagedScan, Kept, kept
from holdfast.store.place import WRITING, Place, told
from holdfast.store.rows import (
    history_of,
    in_state,
    scan_of,
    select_findings,
    select_scans,
    targets_named,
    time_of,
    tracked_of,
)
from holdfast.store.saving import Saving
from holdfast.store.store import (
    KEPT_REPORTS,
    Accepted,
    Detail,
    Origin,
    Saved,
    Selection,
    State,
    StoredScan,
    StoredTarget,
    Tracked,
    Triage,
    What,
)
from holdfast.store.tables import DOCUMENT, EVENT, FINDING, SCAN, TARGET

_SHORTEST_PREFIX = 4
_HEX = frozenset("0123456789abcdef")


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class SqlStore:
    """A store.Store on an engine (store.place). `now` is the clock; `keep` how many reports of a target stay whole."""

    def __init__(
        self, engine: Engine, place: Place, *, now: Callable[[], datetime] = utc_now, keep: int = KEPT_REPORTS
    ) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._engine, self._place, self._now, self._keep = engine, place, now, keep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    # Scans

    def save(
        self,
        report: Report,
        sources: dict[str, bytes],
        origin: Origin = Origin.SCAN,
    ) -> Saved:
        """See store.Store."""
        return self.keep(kept(report, sources, origin))

    def keep(self, one: Kept) -> Saved:
        """Store a scan in one transaction; one that is there already changes nothing. DamagedScan, StoreError."""
        try:
            report = unpack(one.report, Report)
            unpack(one.sources, dict[str, bytes])
        except StoreError as error:
            raise DamagedScan(error.what) from error
        with self._writing() as connection:
            return Saving(connection, one, report, self._keep).run()

    def targets(self) -> tuple[StoredTarget, ...]:
        """See store.Store."""
        count, last = sa.func.count(), sa.func.max(SCAN.c.created)
        query = (
            sa.select(TARGET.c.name, TARGET.c.platform, count, last)
            .join(SCAN, SCAN.c.target == TARGET.c.id)
            .group_by(TARGET.c.id, TARGET.c.name, TARGET.c.platform)
            .order_by(TARGET.c.name, TARGET.c.platform)
        )
        with self._reading() as connection:
            return tuple(StoredTarget(*row) for row in connection.execute(query))

    def scans(self, target: str, *, limit: int = 1000) -> tuple[StoredScan, ...]:
        """See store.Store."""
        newest = (SCAN.c.created.desc(), SCAN.c.number.desc())
        with self._reading() as connection:
            for same in identities(target):
                query = select_scans().where(TARGET.c.name == key(same.target)).order_by(*newest).limit(limit)
                exact = query.where(SCAN.c.reference == key(same.reference))
                found = (connection.execute(exact).all() if same.reference else []) or connection.execute(query).all()
                if found:
                    return tuple(map(scan_of, found))
        return ()

    def scan(self, prefix: str) -> StoredScan | None:
        """See store.Store."""
        if len(prefix) < _SHORTEST_PREFIX or not _HEX.issuperset(prefix):
            return None
        with self._reading() as connection:
            found = connection.execute(select_scans().where(SCAN.c.id.startswith(prefix)).limit(2)).all()
        if len(found) > 1:
            raise InputError("several scans begin so", where=prefix, remedy="give more of its id")
        return scan_of(found[0]) if found else None

    def report(self, scan: str) -> Report | None:
        """See store.Store."""
        data = self._document(scan, DOCUMENT.c.report)
        return None if data is None else self._unpacked(data, Report)

    def sources(self, scan: str) -> dict[str, bytes]:
        """See store.Store."""
        data = self._document(scan, DOCUMENT.c.sources)
        return {} if data is None else self._unpacked(data, dict[str, bytes])

    def _document(self, scan: str, column: sa.Column[bytes]) -> bytes | None:
        query = sa.select(column).join(SCAN, SCAN.c.number == DOCUMENT.c.scan).where(SCAN.c.id == scan)
        with self._reading() as connection:
            return connection.scalar(query)

    def _unpacked(self, data: bytes, kind: type[Any]) -> Any:
        try:
            return unpack(data, kind)
        except StoreError as error:
            raise StoreError(error.what, where=self._place.shown) from error

    # Findings

    def findings(self, selection: Selection) -> tuple[Tracked, ...]:
        """See store.Store."""
        today = self._today()
        query = select_findings().order_by(FINDING.c.severity_rank.desc(), FINDING.c.risk.desc(), FINDING.c.rule)
        query = query.order_by(TARGET.c.name, TARGET.c.platform, FINDING.c.path, FINDING.c.fingerprint)
        if selection.kinds:
            query = query.where(FINDING.c.kind.in_([kind.value for kind in selection.kinds]))
        if selection.severities:
            query = query.where(FINDING.c.severity.in_([severity.value for severity in selection.severities]))
        if selection.since:
            query = query.where(FINDING.c.first_seen >= selection.since)
        if selection.state is not None:
            query = query.where(in_state(selection.state, today))
        with self._reading() as connection:
            if selection.target:
                query = query.where(TARGET.c.id.in_(targets_named(connection, selection.target)))
            return tuple(tracked_of(row, today) for row in connection.execute(query))

    def detail(self, prefix: str, target: str = "") -> tuple[Detail, ...]:
        """See store.Store."""
        today = self._today()
        with self._reading() as connection:
            return tuple(
                Detail(tracked_of(row, today), self._unpacked(row.content, Finding), history_of(connection, row.id))
                for row in self._matching(connection, prefix, target)
            )

    def accept(self, prefix: str, triage: Triage, target: str = "") -> tuple[Tracked, ...]:
        """See store.Store."""
        if not triage.reason.strip() or not triage.owner.strip():
            raise InputError("to accept a finding takes a reason and an owner", where=prefix)
        if triage.expires:
            _check_date(triage.expires)
            if triage.expires < self._today():
                raise InputError("that day has passed", where=triage.expires)
        decided = {
            "reason": portable(triage.reason.strip()),
            "owner": portable(triage.owner.strip()),
            "expires": triage.expires,
        }
        return self._decide(prefix, target, What.ACCEPTED, decided)

    def reopen(self, prefix: str, reason: str = "", target: str = "") -> tuple[Tracked, ...]:
        """See store.Store."""
        return self._decide(prefix, target, What.REOPENED, {"reason": portable(reason), "owner": "", "expires": ""})

    def accepted(self, target: str) -> tuple[Accepted, ...]:
        """See store.Store."""
        return tuple(
            Accepted(
                one.target, one.fingerprint, one.rule, one.kind,
                one.triage.reason, one.triage.owner, one.triage.expires,
            )
            for one in self._accepted(target)
            if one.triage is not None
        )  # fmt: skip

    def _accepted(self, target: str) -> tuple[Tracked, ...]:
        try:
            return self.findings(Selection(target, state=State.ACCEPTED))
        except NotFound:
            return ()

    def _decide(self, prefix: str, target: str, what: What, words: dict[str, str]) -> tuple[Tracked, ...]:
        accepting = what is What.ACCEPTED
        at = time_of(self._now())
        with self._writing() as connection:
            rows = [row for row in self._matching(connection, prefix, target) if accepting or row.is_accepted]
            if not rows:
                raise InputError("it was not accepted: there is nothing to take back", where=prefix)
            ids = [row.id for row in rows]
            values = {"is_accepted": accepting, "decided": at, **words}
            connection.execute(sa.update(FINDING).where(FINDING.c.id.in_(ids)).values(**values))
            events = [{"finding": one, "at": at, "what": what.value, "scan": "", **words} for one in ids]
            connection.execute(sa.insert(EVENT), events)
            changed = connection.execute(select_findings().where(FINDING.c.id.in_(ids)).order_by(FINDING.c.id))
            return tuple(tracked_of(row, self._today()) for row in changed)

    def _matching(self, connection: Connection, prefix: str, target: str) -> Sequence[Row[Any]]:
        """The rows of the one finding whose fingerprint begins so."""
        lower = prefix.lower()
        if len(lower) < _SHORTEST_PREFIX or not _HEX.issuperset(lower):
            raise InputError(
                f"a fingerprint is hexadecimal; give {_SHORTEST_PREFIX} digits of it or more", where=prefix[:80],
                remedy="holdfast findings list shows them",
            )  # fmt: skip
        query = select_findings().add_columns(FINDING.c.content).order_by(TARGET.c.name, TARGET.c.platform)
        query = query.where(FINDING.c.fingerprint.startswith(lower))
        if target:
            query = query.where(TARGET.c.id.in_(targets_named(connection, target)))
        rows = connection.execute(query).all()
        if not rows:
            raise NotFound("no finding has this fingerprint", where=prefix, remedy="holdfast findings list shows them")
        if len({row.fingerprint for row in rows}) > 1:
            raise InputError("several findings have fingerprints that begin so", where=prefix, remedy="give more of it")
        return rows

    # Connections

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._place), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            told(self._place),
            self._engine.connect().execution_options(**{WRITING: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def _today(self) -> str:
        return self._now().date().isoformat()


def _check_date(text: str) -> None:
    try:
        good = datetime.strptime(text, "%Y-%m-%d").date().isoformat() == text
    except ValueError:
        good = False
    if not good:
        raise InputError("not a day", where=text[:40], remedy="write it as 2027-01-31")
