"""The shape of an advisory database, and the writer that fills one: the built one, the starter's, the archive's.

Rows have integer keys; what only a match needs (titles, scores, references) is one compressed blob per advisory. A
package's rows lie together, so that a look-up is one read. `version` sets stand where a feed gives no range.
"""

import re
import sqlite3
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from holdfast.advisory.ecosystem import LANGUAGES, normal_name
from holdfast.advisory.record import Dated, EpssEntry, KevEntry, Record, Release
from holdfast.model.advisory import Advisory, Affected, FixState, Score, SourceInfo
from holdfast.model.status import Problem

APPLICATION_ID = 0x484C4446  # "HLDF", in the file's header (https://www.sqlite.org/fileformat2.html#application_id)
VERSION = 1
STATES: tuple[FixState, ...] = tuple(FixState)
"""A state's number in the database is its place here."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, date TEXT NOT NULL DEFAULT '',
  records INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL DEFAULT '', failure TEXT NOT NULL DEFAULT '');
CREATE TABLE ecosystem (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE package (ecosystem INTEGER NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (ecosystem, name)) WITHOUT ROWID;
CREATE TABLE advisory (id INTEGER PRIMARY KEY, name TEXT NOT NULL, source INTEGER NOT NULL, aliases TEXT NOT NULL,
  content BLOB NOT NULL);
CREATE TABLE alias (name TEXT NOT NULL, advisory INTEGER NOT NULL, PRIMARY KEY (name, advisory)) WITHOUT ROWID;
CREATE TABLE affected (package INTEGER NOT NULL, advisory INTEGER NOT NULL, introduced TEXT NOT NULL,
  fixed TEXT NOT NULL, last_affected TEXT NOT NULL, versions TEXT NOT NULL, state INTEGER NOT NULL,
  urgency TEXT NOT NULL, note TEXT NOT NULL,
  PRIMARY KEY (package, advisory, introduced, fixed, last_affected, versions, state)) WITHOUT ROWID;
CREATE TABLE malicious (ecosystem INTEGER NOT NULL, name TEXT NOT NULL, advisory TEXT NOT NULL,
  introduced TEXT NOT NULL, fixed TEXT NOT NULL, last_affected TEXT NOT NULL, versions TEXT NOT NULL,
  aliases TEXT NOT NULL,
  PRIMARY KEY (ecosystem, name, advisory, introduced, fixed, last_affected, versions)) WITHOUT ROWID;
CREATE TABLE kev (cve INTEGER PRIMARY KEY, added TEXT NOT NULL, due TEXT NOT NULL, ransomware INTEGER NOT NULL,
  name TEXT NOT NULL);
CREATE TABLE epss (cve INTEGER PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE release (product TEXT NOT NULL, release TEXT NOT NULL, ends TEXT NOT NULL, extended TEXT NOT NULL,
  PRIMARY KEY (product, release)) WITHOUT ROWID;
"""
# Small pages waste less on a table of blobs of 200 bytes; fixed, because the file has to be the same on every machine.
_PAGE_SIZE = 4096
_CVE = re.compile(r"CVE-(\d{4})-(\d{4,8})", re.ASCII)
_EPSS_UNIT = 100_000  # EPSS and its percentile are published with five decimals
_BATCH = 5_000

INSERTS = {
    "source": "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?)",
    "ecosystem": "INSERT INTO ecosystem VALUES (?, ?)",
    "package": "INSERT INTO package VALUES (?, ?, ?)",
    "advisory": "INSERT INTO advisory VALUES (?, ?, ?, ?, ?)",
    "alias": "INSERT OR IGNORE INTO alias VALUES (?, ?)",
    "affected": "INSERT OR IGNORE INTO affected VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "malicious": "INSERT OR IGNORE INTO malicious VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "kev": "INSERT OR REPLACE INTO kev VALUES (?, ?, ?, ?, ?)",
    "epss": "INSERT OR REPLACE INTO epss VALUES (?, ?)",
    "release": "INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?)",
}


class Content(Struct, frozen=True, array_like=True):
    """The part of an advisory that is kept in its blob: JSON, compressed in a built database."""

    summary: str = ""
    severity: str = ""
    scores: tuple[Score, ...] = ()
    related: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    published: str = ""
    modified: str = ""
    withdrawn: str = ""


def create(connection: sqlite3.Connection) -> None:
    """Make an empty advisory database of this version."""
    connection.executescript(
        f"PRAGMA page_size = {_PAGE_SIZE}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        + _TABLES
    )


def cve_number(identity: str) -> int | None:
    """A CVE id as a number that sorts the same way: years since 1990, then eight digits. None for other ids."""
    match = _CVE.fullmatch(identity)
    return (int(match[1]) - 1990) * 10**8 + int(match[2]) if match else None


def pack_epss(probability: float, percentile: float) -> int:
    """Both figures of one EPSS entry, with their five decimals, in one number."""
    return round(probability * _EPSS_UNIT) << 20 | round(percentile * _EPSS_UNIT)


def unpack_epss(value: int) -> tuple[float, float]:
    """The probability and the percentile in a packed number."""
    return (value >> 20) / _EPSS_UNIT, (value & 0xFFFFF) / _EPSS_UNIT


class Writer:
    """Adds records to a database, new or not; the same records in the same order make the same rows.

    Nothing is committed before `finish`. Rows that are there already are not written twice.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._buffers: dict[str, list[tuple[object, ...]]] = {table: [] for table in INSERTS}
        self._ecosystems: dict[str, int] = dict(connection.execute("SELECT name, id FROM ecosystem"))
        self._sources: dict[str, int] = dict(connection.execute("SELECT name, id FROM source"))
        self._packages: dict[tuple[int, str], int] = {
            (ecosystem, name): number
            for ecosystem, name, number in connection.execute("SELECT ecosystem, name, id FROM package")
        }
        self._advisories: dict[str, int] = {}
        self._advisories_of = 0
        self._next_advisory = 1 + (connection.execute("SELECT max(id) FROM advisory").fetchone()[0] or 0)
        self._next_package = 1 + max(self._packages.values(), default=0)
        self._model = ""

    def begin(self, source: str) -> int:
        """The number of a source, by its name; the source that advisories of this name belong to."""
        if source not in self._sources:
            self._sources[source] = number = len(self._sources) + 1
            self._put("source", (number, source, "", 0, "", ""))
        return self._sources[source]

    def describe(self, info: SourceInfo) -> None:
        """Record what is known of a source: its date, hash, count and failure."""
        number = self.begin(info.name)
        self._put("source", (number, info.name, info.date, info.records, info.sha256, info.failure))

    def ecosystem(self, name: str) -> int:
        """The number of an ecosystem, which from now on counts as held, even where no package in it is affected."""
        if name not in self._ecosystems:
            self._ecosystems[name] = number = len(self._ecosystems) + 1
            self._put("ecosystem", (number, name))
        return self._ecosystems[name]

    def add(self, record: Record) -> None:
        """Write one record of a feed; Problems and dates are not for the database."""
        match record:
            case Advisory():
                if record.id.startswith("MAL-"):
                    self._add_malicious(record)
                else:
                    self._add_advisory(record)
            case KevEntry():
                if (number := cve_number(record.cve)) is not None:
                    entry = record.entry
                    self._put("kev", (number, entry.added, entry.due, int(entry.ransomware), entry.name))
            case EpssEntry():
                if (number := cve_number(record.cve)) is not None:
                    self._put("epss", (number, pack_epss(record.epss.probability, record.epss.percentile)))
                    self._model = record.epss.model
            case Release():
                self._put("release", (record.product, record.release, record.end, record.extended))
            case Dated() | Problem():
                pass

    def finish(self) -> None:
        """Write what is still held back, and commit."""
        for table in self._buffers:
            self._flush(table)
        if self._model:
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('epss-model', ?)", (self._model,))
        self._connection.commit()

    def _put(self, table: str, row: tuple[object, ...]) -> None:
        buffer = self._buffers[table]
        buffer.append(row)
        if len(buffer) >= _BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        self._connection.executemany(INSERTS[table], self._buffers[table])
        self._buffers[table].clear()

    def _package(self, affected: Affected) -> int:
        key = self.ecosystem(affected.ecosystem), normal_name(affected.ecosystem, affected.name)
        number = self._packages.get(key)
        if number is None:
            self._packages[key] = number = self._next_package
            self._next_package += 1
            self._put("package", (*key, number))
        return number

    def _add_advisory(self, advisory: Advisory) -> None:
        number = self._advisory(advisory)
        # A withdrawn advisory can be explained, and matches nothing.
        for row in () if advisory.withdrawn else advisory.affected:
            bounds = (row.introduced, row.fixed, row.last_affected, "\n".join(row.versions))
            state = STATES.index(row.state)
            self._put("affected", (self._package(row), number, *bounds, state, row.urgency, row.note))

    def _advisory(self, advisory: Advisory) -> int:
        """The number of an advisory. Trackers tell of one CVE in many places: it is one advisory all the same."""
        source = self.begin(advisory.source)
        if source != self._advisories_of:
            self._advisories_of = source
            self._flush("advisory")
            known = self._connection.execute("SELECT name, id FROM advisory WHERE source = ?", (source,))
            self._advisories = dict(known)
        number = self._advisories.get(advisory.id)
        if number is None:
            self._advisories[advisory.id] = number = self._next_advisory
            self._next_advisory += 1
            aliases = " ".join(_words(vulnerabilities_in(advisory)))
            self._put("advisory", (number, advisory.id, source, aliases, content_of(advisory)))
        for name in (advisory.id, *_words(advisory.aliases), *_words(advisory.related)):
            self._put("alias", (name, number))
        return number

    def _add_malicious(self, advisory: Advisory) -> None:
        aliases = " ".join(_words(advisory.aliases))
        for row in () if advisory.withdrawn else advisory.affected:
            key = self.ecosystem(row.ecosystem), normal_name(row.ecosystem, row.name), advisory.id
            bounds = (row.introduced, row.fixed, row.last_affected, "\n".join(row.versions))
            self._put("malicious", (*key, *bounds, aliases))


def vulnerabilities_in(advisory: Advisory) -> tuple[str, ...]:
    """The other ids of what an advisory is about: its aliases; for a distribution's erratum also the CVEs it mends."""
    named = (advisory.id, *advisory.aliases)
    errata = any(row.ecosystem not in LANGUAGES.values() for row in advisory.affected)
    if not errata or any(name.startswith("CVE-") for name in named):
        return advisory.aliases
    return (*advisory.aliases, *(name for name in advisory.related if name.startswith("CVE-")))


def content_of(advisory: Advisory) -> bytes:
    """The uncompressed blob of an advisory."""
    return msgspec.json.encode(
        Content(
            advisory.summary,
            advisory.severity,
            advisory.scores,
            advisory.related,
            advisory.references[:10],
            advisory.published,
            advisory.modified,
            advisory.withdrawn,
        )
    )


def _words(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in name.split()]
