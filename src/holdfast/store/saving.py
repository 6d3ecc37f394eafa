"""A report put into the tables: the scan, its documents, and what it says of findings known before."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row
from sqlalchemy.dialects import postgresql, sqlite

from holdfast.model.finding import Kind
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.store import tracking
from holdfast.store.document import pack, portable
from holdfast.store.identity import key
from holdfast.store.inbox import Kept
from holdfast.store.rows import as_json, stated_time
from holdfast.store.store import Saved, What
from holdfast.store.tables import DOCUMENT, EVENT, FINDING, SCAN, TARGET


class Saving:
    """One scan put into the tables, within one transaction."""

    def __init__(self, connection: Connection, one: Kept, report: Report, keep: int) -> None:
        self._connection, self._one, self._report, self._keep = connection, one, report, keep
        self._sightings = tracking.sightings(report)
        self._created = stated_time(report.created) or one.at
        self._looked = tracking.looked_for(report, one.origin)
        self._gaps = tracking.gaps(report)

    def run(self) -> Saved:
        """Store it, and say what it changed; nothing where a scan of this id is there already."""
        connection, one = self._connection, self._one
        target = self._target()
        if connection.scalar(sa.select(SCAN.c.number).where(SCAN.c.id == one.id)) is not None:
            return Saved(one.id, one.target)
        latest = connection.execute(
            sa.select(SCAN)
            .where(SCAN.c.target == target)
            .order_by(SCAN.c.created.desc(), SCAN.c.number.desc())
            .limit(1)
        ).one_or_none()
        number = self._insert_scan(target)
        connection.execute(
            sa.insert(DOCUMENT), {"scan": number, "target": target, "report": one.report, "sources": one.sources}
        )  # fmt: skip
        if latest is not None and latest.created > self._created:
            saved = self._add_late(target, number, latest)
        else:
            saved = self._track(target, number)
        values = {"new": len(saved.new) + len(saved.returned), "gone": len(saved.gone)}
        connection.execute(sa.update(SCAN).where(SCAN.c.number == number).values(**values))
        self._prune(target)
        return saved

    def _target(self) -> int:
        """The target's number; until the transaction ends nobody else stores a scan of it."""
        platform = key(str(self._report.target.platform or ""))
        names = {"name": self._one.target, "platform": platform}
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        self._connection.execute(insert(TARGET).values(**names).on_conflict_do_nothing())
        mine = (TARGET.c.name == names["name"]) & (TARGET.c.platform == platform)
        return int(self._connection.execute(sa.select(TARGET.c.id).where(mine).with_for_update()).scalar_one())

    def _insert_scan(self, target: int) -> int:
        report, one, gaps = self._report, self._one, self._gaps
        counts = tracking.counts(self._sightings.values())
        values: dict[str, Any] = {
            "id": one.id,
            "target": target,
            "name": portable(report.target.name),
            "reference": one.reference,
            "kind": portable(report.target.kind),
            "digest": portable(report.target.digest or report.target.config_digest),
            "created": self._created,
            "tool": portable(report.tool),
            "status": report.status.value,
            "origin": one.origin.value,
            "database": portable(tracking.database_date(report)),
            "packages": len(report.packages),
            "kinds": as_json(sorted(self._looked)),
            "counts": as_json(counts),
            "gaps": as_json(sorted(portable(gap) for gap in gaps.all)),
            "new": 0,
            "gone": 0,
        }
        number = self._connection.execute(sa.insert(SCAN).values(**values)).inserted_primary_key
        assert number is not None
        return int(number[0])

    def _track(self, target: int, number: int) -> Saved:
        """The findings of the newest scan: what is new, what came back, what is gone."""
        known = self._known(target)
        new, returned, changed, same = [], [], [], []
        for name, sighting in self._sightings.items():
            row = known.get(name)
            if row is None:
                new.append(self._row(target, number, name, sighting))
            elif tracking.engine(sighting.finding) not in self._looked:
                continue
            elif row.gone_since:
                returned.append(row)
                changed.append({"row": row.id, **self._values(number, sighting)})
            elif row.content != pack(sighting.finding) or row.occurrences != sighting.count:
                changed.append({"row": row.id, **self._values(number, sighting)})
            else:
                same.append({"row": row.id, "last_seen": self._created, "last_scan": number})
        gone = self._gone(known)
        self._write(new, changed, same)
        self._note(What.RETURNED, returned)
        self._note(What.GONE, gone)
        for row in gone:
            self._connection.execute(
                sa.update(FINDING).where(FINDING.c.id == row.id).values(gone_since=self._created)
            )  # fmt: skip
        return Saved(
            self._one.id,
            self._one.target,
            tuple(row["fingerprint"] for row in new),
            tuple(row.fingerprint for row in returned),
            tuple(row.fingerprint for row in gone),
        )

    def _add_late(self, target: int, number: int, latest: Row[Any]) -> Saved:
        """The findings of a scan older than the newest one: it only tells since when they have been there."""
        known = self._known(target)
        looked = msgspec.json.decode(latest.kinds) if latest.status == Status.COMPLETE.value else []
        new = []
        for name, sighting in self._sightings.items():
            row = known.get(name)
            if row is None:
                is_gone = tracking.engine(sighting.finding).value in looked
                gone_since = latest.created if is_gone else ""
                new.append(self._row(target, number, name, sighting) | {"gone_since": gone_since})
            elif row.first_seen > self._created:
                earlier = sa.update(FINDING).where(FINDING.c.id == row.id).values(first_seen=self._created)
                self._connection.execute(earlier)
        self._write(new, [], [])
        return Saved(self._one.id, self._one.target, tuple(row["fingerprint"] for row in new))

    def _known(self, target: int) -> dict[str, Row[Any]]:
        query = (
            sa.select(FINDING, SCAN.c.gaps)
            .join(SCAN, SCAN.c.number == FINDING.c.last_scan)
            .where(FINDING.c.target == target)
        )
        return {row.fingerprint: row for row in self._connection.execute(query)}

    def _gone(self, known: dict[str, Row[Any]]) -> list[Row[Any]]:
        present = tracking.present(self._report.packages)
        gaps = tracking.Gaps(
            frozenset(map(portable, self._gaps.content)), frozenset(map(portable, self._gaps.advisories))
        )
        return [
            row
            for name, row in known.items()
            if name not in self._sightings
            and not row.gone_since
            and Kind(row.found_by) in self._looked
            and tracking.is_gone(Kind(row.found_by), row.purl, msgspec.json.decode(row.gaps), gaps, present)
        ]

    def _row(self, target: int, number: int, name: str, sighting: tracking.Sighting) -> dict[str, Any]:
        return {
            "target": target,
            "fingerprint": name,
            "first_seen": self._created,
            "is_accepted": False,
            "reason": "",
            "owner": "",
            "expires": "",
            "decided": "",
            **self._values(number, sighting),
        }

    def _values(self, number: int, sighting: tracking.Sighting) -> dict[str, Any]:
        """What a sighting says of a finding."""
        finding = sighting.finding
        return {
            "rule": portable(finding.rule),
            "kind": finding.kind.value,
            "found_by": tracking.engine(finding).value,
            "severity": finding.severity.value,
            "severity_rank": finding.severity.rank,
            "name": portable(finding.subject.name),
            "version": portable(finding.subject.version),
            "purl": portable(finding.subject.purl),
            "path": portable(finding.location.path),
            "title": portable(finding.title),
            "occurrences": min(sighting.count, 2**31 - 1),
            "risk": sighting.risk,
            "last_seen": self._created,
            "last_scan": number,
            "gone_since": "",
            "content": pack(finding),
        }

    def _write(self, new: list[dict[str, Any]], changed: list[dict[str, Any]], same: list[dict[str, Any]]) -> None:
        if new:
            self._connection.execute(sa.insert(FINDING), new)
        for rows in (changed, same):
            if rows:
                self._connection.execute(sa.update(FINDING).where(FINDING.c.id == sa.bindparam("row")), rows)

    def _note(self, what: What, rows: Sequence[Row[Any]]) -> None:
        empty = {"reason": "", "owner": "", "expires": ""}
        events = [
            {"finding": row.id, "at": self._created, "what": what.value, "scan": self._one.id, **empty} for row in rows
        ]
        if events:
            self._connection.execute(sa.insert(EVENT), events)

    def _prune(self, target: int) -> None:
        """Leave the newest reports of this target whole."""
        whole = (
            sa.select(DOCUMENT.c.scan)
            .join(SCAN, SCAN.c.number == DOCUMENT.c.scan)
            .where(DOCUMENT.c.target == target)
            .order_by(SCAN.c.created.desc(), SCAN.c.number.desc())
        )
        old = self._connection.scalars(whole).all()[self._keep :]
        if old:
            self._connection.execute(sa.delete(DOCUMENT).where(DOCUMENT.c.scan.in_(old)))
