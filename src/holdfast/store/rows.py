"""Rows of the tables as the words of a store."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from holdfast.model.errors import NotFound
from holdfast.model.finding import Kind, Severity
from holdfast.model.status import Status
from holdfast.store.identity import identities, key
from holdfast.store.store import Event, Origin, State, StoredScan, Tracked, Triage, What, holds
from holdfast.store.tables import DOCUMENT, EVENT, FINDING, SCAN, TARGET


def select_scans() -> sa.Select[Any]:
    """The scans with their targets: rows for `scan_of`."""
    has_report = sa.exists().where(DOCUMENT.c.scan == SCAN.c.number).label("has_report")
    query = sa.select(SCAN, TARGET.c.name.label("target_name"), TARGET.c.platform, has_report)
    return query.join(TARGET, TARGET.c.id == SCAN.c.target)


def scan_of(row: Row[Any]) -> StoredScan:
    """A row as a scan."""
    return StoredScan(
        id=row.id,
        target=row.target_name,
        platform=row.platform,
        name=row.name,
        kind=row.kind,
        digest=row.digest,
        created=row.created,
        tool=row.tool,
        status=Status(row.status),
        origin=Origin(row.origin),
        database=row.database,
        packages=row.packages,
        counts=msgspec.json.decode(row.counts, type=dict[Kind, dict[Severity, int]]),
        new=row.new,
        gone=row.gone,
        has_report=bool(row.has_report),
    )


def select_findings() -> sa.Select[Any]:
    """The findings with their targets and without their content: rows for `tracked_of`."""
    columns = [column for column in FINDING.c if column is not FINDING.c.content]
    query = sa.select(*columns, TARGET.c.name.label("target_name"), TARGET.c.platform)
    return query.join(TARGET, TARGET.c.id == FINDING.c.target)


def tracked_of(row: Row[Any], today: str) -> Tracked:
    """A row as a finding, in the state it is in today (YYYY-MM-DD)."""
    triage = Triage(row.reason, row.owner, row.expires, row.decided) if row.is_accepted else None
    if row.gone_since:
        state = State.GONE
    else:
        state = State.ACCEPTED if holds(triage, today) else State.OPEN
    return Tracked(
        fingerprint=row.fingerprint,
        target=row.target_name,
        platform=row.platform,
        rule=row.rule,
        kind=Kind(row.kind),
        severity=Severity(row.severity),
        name=row.name,
        version=row.version,
        path=row.path,
        title=row.title,
        count=row.occurrences,
        risk=row.risk,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        state=state,
        gone_since=row.gone_since,
        triage=triage,
    )


def in_state(state: State, today: str) -> sa.ColumnElement[bool]:
    """The condition that a finding is in a state today."""
    there = FINDING.c.gone_since == ""
    holding = FINDING.c.is_accepted & ((FINDING.c.expires == "") | (FINDING.c.expires >= today))
    if state is State.GONE:
        return sa.not_(there)
    return there & (holding if state is State.ACCEPTED else sa.not_(holding))


def targets_named(connection: Connection, typed: str) -> list[int]:
    """The numbers of a target as typed, one a platform. NotFound."""
    for same in identities(typed):
        found = connection.scalars(sa.select(TARGET.c.id).where(TARGET.c.name == key(same.target))).all()
        if found:
            return list(found)
    raise NotFound("no scan of this target is stored", where=typed[:200], remedy="`holdfast findings list` names all")


def history_of(connection: Connection, finding: int) -> tuple[Event, ...]:
    """What happened to a finding, oldest first."""
    rows = connection.execute(sa.select(EVENT).where(EVENT.c.finding == finding).order_by(EVENT.c.at, EVENT.c.id))
    return tuple(Event(row.at, What(row.what), row.scan, row.reason, row.owner, row.expires) for row in rows)


def as_json(value: object) -> str:
    """A column of JSON."""
    return msgspec.json.encode(value).decode()


def time_of(moment: datetime) -> str:
    """A moment as the store writes it: in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def stated_time(text: str) -> str:
    """A report's time as the store writes it; empty where it states none, or none that could be."""
    try:
        return time_of(datetime.fromisoformat(text)) if text else ""
    except (ValueError, OverflowError):
        return ""
