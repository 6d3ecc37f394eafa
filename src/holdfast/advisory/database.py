"""Reads an advisory database: rows by ecosystem and name; titles, scores and references only of what matched."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from holdfast.advisory.ecosystem import normal_name
from holdfast.advisory.record import Release
from holdfast.advisory.schema import APPLICATION_ID, STATES, VERSION, Content, cve_number, unpack_epss
from holdfast.advisory.wording import MALICIOUS, MALICIOUS_PAGE
from holdfast.model.advisory import Advisory, Affected, DatabaseInfo, Epss, FixState, KnownExploited, SourceInfo
from holdfast.model.errors import StoreError

_REMEDY = "run `holdfast db update`, or import a database"
_BLOB_LIMIT = 1 << 20
_T = TypeVar("_T")
_TYPES: dict[str, type] = {"t": str, "i": int, "b": bytes}
# What a damaged file makes sqlite3 raise: UnicodeDecodeError comes of the names of columns.
_DAMAGE = (sqlite3.Error, UnicodeDecodeError)
_ROWS_OF_PACKAGES = (
    "SELECT package.name, advisory, introduced, fixed, last_affected, versions, state, urgency, note"
    " FROM json_each(?) CROSS JOIN package"
    " ON package.ecosystem = ? AND package.name = json_each.value CROSS JOIN affected ON affected.package = package.id"
)
_ROWS_OF_ADVISORY = (
    "SELECT ecosystem.name, package.name, introduced, fixed, last_affected, versions, state, urgency, note"
    " FROM affected JOIN package ON package.id = affected.package"
    " JOIN ecosystem ON ecosystem.id = package.ecosystem WHERE advisory = ? ORDER BY 1, 2"
)

# There is no index by id: only an explanation asks for one, and a scan of the table takes a moment.
_MALICIOUS_NAMED = (
    "SELECT advisory, aliases, ecosystem.name, malicious.name, introduced, fixed, last_affected, versions"
    " FROM malicious JOIN ecosystem ON ecosystem.id = malicious.ecosystem"
    " WHERE advisory = ? OR instr(' ' || aliases || ' ', ' ' || ? || ' ') ORDER BY 1, 3, 4, 5, 6, 7, 8"
)


class Row(Struct, frozen=True, gc=False):
    """One stretch of affected versions. `advisory` is the advisory's number in this database.

    A version is in it when introduced ≤ version < fixed (or ≤ last_affected), or when it is one of `versions` (one a
    line). `fixed` is a version to move to only where the state is FIXED.
    """

    advisory: int
    introduced: str
    fixed: str
    last_affected: str
    versions: str
    number: int
    urgency: str
    note: str

    @property
    def state(self) -> FixState:
        """What the advisory says of this stretch."""
        return STATES[self.number % len(STATES)]


class Malicious(Struct, frozen=True):
    """One stretch of versions of a package that is malware; a Row without an advisory's text."""

    advisory: str
    aliases: tuple[str, ...]
    row: Row


class Heading(Struct, frozen=True, gc=False):
    """What identifies an advisory, without its text."""

    id: str
    source: str
    aliases: tuple[str, ...]


class Database:
    """One advisory database, open for reading. Not for use by several threads at once."""

    def __init__(self, connection: sqlite3.Connection, *, where: str = "", starter: bool = False) -> None:
        self._connection = connection
        self._where = where
        self._starter = starter
        self._decompress: Any = None
        self._ecosystems: dict[str, int] = dict(self._rows("SELECT name, id FROM ecosystem", "ti"))
        self._sources: dict[int, str] = dict(self._rows("SELECT id, name FROM source", "it"))
        self._model = self._meta("epss-model")

    @classmethod
    def open(cls, path: Path, *, immutable: bool = True) -> Self:
        """Open a database file; StoreError where it is absent, damaged, no such database, or of another version.

        `immutable` promises that nobody writes to the file while it is open: it is then read without any lock.
        """
        if not path.is_file():
            raise StoreError("there is no advisory database", where=str(path), remedy=_REMEDY)
        options = "mode=ro&immutable=1" if immutable else "mode=ro"
        try:
            connection = sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise StoreError(f"cannot be opened: {error}", where=str(path), remedy=_REMEDY) from error
        try:
            _check(connection, path)
            return cls(connection, where=str(path))
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def holds(self, ecosystem: str) -> bool:
        """Whether anything at all is known of an ecosystem. Where not, a look-up that finds nothing says nothing."""
        return ecosystem in self._ecosystems

    @property
    def starter(self) -> bool:
        """Whether this is only the pack that travels inside the program."""
        return self._starter

    def lookup(self, ecosystem: str, name: str) -> Sequence[Row]:
        """Everything known of one package, by its name as its ecosystem writes it."""
        return self.lookup_many(ecosystem, (name,)).get(normal_name(ecosystem, name), ())

    def lookup_many(self, ecosystem: str, names: Iterable[str]) -> dict[str, list[Row]]:
        """The rows of many packages in one read, by normal name; names without a row are absent."""
        found: dict[str, list[Row]] = defaultdict(list)
        number = self._ecosystems.get(ecosystem)
        if number is not None:
            asked = _json(normal_name(ecosystem, name) for name in names)
            rows = self._rows(_ROWS_OF_PACKAGES, "tittttitt", (asked, number))
            for name, *row in rows:
                found[name].append(Row(*row))
        return found

    def malicious(self, ecosystem: str, names: Iterable[str]) -> dict[str, list[Malicious]]:
        """Which of these packages are known malware, by normal name."""
        found: dict[str, list[Malicious]] = defaultdict(list)
        number = self._ecosystems.get(ecosystem)
        if number is not None:
            rows = self._rows(
                "SELECT name, advisory, introduced, fixed, last_affected, versions, aliases FROM json_each(?)"
                " CROSS JOIN malicious ON ecosystem = ? AND name = json_each.value",
                "ttttttt",
                (_json(normal_name(ecosystem, name) for name in names), number),
            )
            for name, advisory, introduced, fixed, last, versions, aliases in rows:
                row = Row(0, introduced, fixed, last, versions, STATES.index(FixState.AFFECTED), "", "")
                found[name].append(Malicious(advisory, tuple(aliases.split()), row))
        return found

    def headings(self, advisories: Collection[int]) -> dict[int, Heading]:
        """The ids, sources and aliases of advisories, by their numbers."""
        rows = self._rows(
            "SELECT advisory.id, name, source, aliases FROM json_each(?)"
            " CROSS JOIN advisory ON advisory.id = json_each.value",
            "itit",
            (_json(advisories),),
        )
        found = {
            number: Heading(name, self._sources.get(source, ""), tuple(aliases.split()))
            for number, name, source, aliases in rows
        }
        return self._complete(found, advisories)

    def contents(self, advisories: Collection[int]) -> dict[int, Content]:
        """The texts, scores and references of advisories, by their numbers."""
        rows = self._rows(
            "SELECT advisory.id, content FROM json_each(?) CROSS JOIN advisory ON advisory.id = json_each.value",
            "ib",
            (_json(advisories),),
        )
        return self._complete({number: self._content(blob) for number, blob in rows}, advisories)

    def named(self, names: Iterable[str]) -> dict[str, list[int]]:
        """The numbers of the advisories that have, or refer to, each of these ids."""
        found: dict[str, list[int]] = defaultdict(list)
        for name, number in self._rows(
            "SELECT name, advisory FROM json_each(?) CROSS JOIN alias ON name = json_each.value", "ti", (_json(names),)
        ):
            found[name].append(number)
        return found

    def advisory(self, identity: str) -> tuple[Advisory, ...]:
        """Every advisory that has this id or names it as an alias, whole, for explaining it; malware's too."""
        numbers = self.named((identity,)).get(identity, [])
        headings, contents = self.headings(numbers), self.contents(numbers)
        whole = (self._whole(number, headings[number], contents[number]) for number in numbers)
        return (*whole, *self._malware(identity))

    def known_exploited(self, cves: Iterable[str]) -> dict[str, KnownExploited]:
        """Those of these CVEs that are in CISA's catalogue."""
        numbers = {number: cve for cve in cves if (number := cve_number(cve)) is not None}
        rows = self._rows(
            "SELECT cve, added, due, ransomware, name FROM json_each(?) CROSS JOIN kev ON cve = json_each.value",
            "ittit",
            (_json(numbers),),
        )
        return {numbers[cve]: KnownExploited(added, due, bool(ransom), name) for cve, added, due, ransom, name in rows}

    def epss(self, cves: Iterable[str]) -> dict[str, Epss]:
        """The EPSS of those of these CVEs that have one."""
        numbers = {number: cve for cve in cves if (number := cve_number(cve)) is not None}
        query = "SELECT cve, epss.value FROM json_each(?) CROSS JOIN epss ON cve = json_each.value"
        rows = self._rows(query, "ii", (_json(numbers),))
        return {numbers[cve]: Epss(*unpack_epss(value), self._model) for cve, value in rows}

    def release(self, product: str, release: str) -> Release | None:
        """How long a release of a product is supported, as endoflife.date says; None where it says nothing."""
        rows = self._rows(
            "SELECT product, release, ends, extended FROM release WHERE product = ? AND release = ?",
            "tttt",
            (product, release),
        )
        return next((Release(*row) for row in rows), None)

    def info(self) -> DatabaseInfo:
        """What is in it. `sha256` is the hash over its sources': equal inputs, equal database."""
        sources = self._rows("SELECT name, date, records, sha256, failure FROM source ORDER BY name", "ttitt")
        return DatabaseInfo(
            self._meta("sha256"),
            VERSION,
            tuple(SourceInfo(*row) for row in sources),
            self._starter,
            tuple(sorted(self._ecosystems)),
        )

    def _whole(self, number: int, heading: Heading, content: Content) -> Advisory:
        rows = self._rows(_ROWS_OF_ADVISORY, "ttttttitt", (number,))
        affected = []
        for ecosystem, name, introduced, fixed, last, versions, state, urgency, note in rows:
            listed = tuple(versions.split("\n")) if versions else ()
            bounds = introduced, fixed, last, listed
            affected.append(Affected(ecosystem, name, *bounds, STATES[state % len(STATES)], urgency, note))
        return Advisory(
            heading.id,
            heading.source,
            tuple(affected),
            heading.aliases,
            content.related,
            content.summary,
            content.scores,
            content.severity,
            content.references,
            content.published,
            content.modified,
            content.withdrawn,
        )

    def _malware(self, identity: str) -> Iterable[Advisory]:
        """The records of malicious packages of this id: of them only the stretches and other ids are kept."""
        found: dict[tuple[str, str], list[Affected]] = defaultdict(list)
        for advisory, aliases, ecosystem, name, introduced, fixed, last, versions in self._rows(
            _MALICIOUS_NAMED, "tttttttt", (identity, identity)
        ):
            listed = tuple(versions.split("\n")) if versions else ()
            found[advisory, aliases].append(Affected(ecosystem, name, introduced, fixed, last, listed))
        for (advisory, aliases), affected in found.items():
            summary = f"{affected[0].name} is a malicious package"
            page = MALICIOUS_PAGE.format(advisory)
            yield Advisory(
                advisory, "osv", tuple(affected), tuple(aliases.split()),
                summary=summary, severity=MALICIOUS, references=(page,),
            )  # fmt: skip

    def _content(self, blob: bytes) -> Content:
        try:
            if blob[:1] != b"[":
                blob = self._decompressor()(blob, max_output_size=_BLOB_LIMIT)
            return msgspec.json.decode(blob, type=Content)
        except Exception as error:  # zstandard's and msgspec's errors have no common ground, and all say: damaged
            raise self._damaged(error) from error

    def _decompressor(self) -> Any:
        if self._decompress is None:
            import zstandard

            ((dictionary,),) = self._rows("SELECT value FROM meta WHERE key = 'dictionary'", "b")
            learnt = zstandard.ZstdCompressionDict(dictionary)
            self._decompress = zstandard.ZstdDecompressor(dict_data=learnt).decompress
        return self._decompress

    def _meta(self, key: str) -> str:
        return next((str(row[0]) for row in self._rows("SELECT value FROM meta WHERE key = ?", "t", (key,))), "")

    def _complete(self, found: dict[int, _T], wanted: Collection[int]) -> dict[int, _T]:
        if len(found) < len(set(wanted)):
            raise self._damaged("rows speak of advisories that are not there")
        return found

    def _rows(self, query: str, types: str, parameters: Sequence[object] = ()) -> list[Any]:
        """The rows of a query. Its columns have these types (t text, i integer, b bytes), or the file is damaged."""
        try:
            rows = self._connection.execute(query, parameters).fetchall()
        except _DAMAGE as error:
            raise self._damaged(error) from error
        expected = {tuple(_TYPES[letter] for letter in types)}
        if not {tuple(map(type, row)) for row in rows} <= expected:
            raise self._damaged("a column is not of its type")
        return rows

    def _damaged(self, error: Exception | str) -> StoreError:
        return StoreError(f"the advisory database is damaged: {error}", where=self._where, remedy=_REMEDY)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except _DAMAGE as error:
        raise StoreError(f"is damaged: {error}", where=str(path), remedy=_REMEDY) from error
    if application != APPLICATION_ID:
        raise StoreError("is not an advisory database of Holdfast", where=str(path), remedy=_REMEDY)
    if version > VERSION:
        what = f"was made by a newer Holdfast (schema {version}, this one reads {VERSION})"
        raise StoreError(what, where=str(path), remedy="upgrade Holdfast, or run `holdfast db update`")
    if version < VERSION:
        raise StoreError(f"was made by an older Holdfast (schema {version})", where=str(path), remedy=_REMEDY)


def _json(values: Iterable[str | int]) -> str:
    """A JSON list for json_each; names that are not text (bytes that are not UTF-8) are in no advisory."""
    return msgspec.json.encode([value for value in values if isinstance(value, int) or _is_text(value)]).decode()


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
