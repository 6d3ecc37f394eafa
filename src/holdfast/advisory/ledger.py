"""What changelogs said, kept for ever: a second advisory database, which only ever grows.

A changelog of one version of one source package never changes, so it is read once and never again. Readers take the
file as immutable, as they do the built database: whoever adds to it works on a copy, under a lock, and renames it.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from holdfast.advisory.changelog import Mention
from holdfast.advisory.schema import APPLICATION_ID, VERSION, Writer, create
from holdfast.model.advisory import Advisory, Affected, FixState, SourceInfo
from holdfast.model.errors import StoreError

NAME = "archive"
_READING = "2"
"""Which way of reading changelogs the rows come of. What another way made of them is not believed: raise it to read
everything again."""
_PREFIX = ".ledger-"
_TABLE = """CREATE TABLE changelog (ecosystem TEXT NOT NULL, source TEXT NOT NULL, version TEXT NOT NULL,
  suite TEXT NOT NULL, PRIMARY KEY (ecosystem, source, version)) WITHOUT ROWID"""


class Entry(Struct, frozen=True):
    """One changelog that was read: of which source package and version, in which suite, and the fixes it names."""

    source: str
    version: str
    suite: str
    mentions: tuple[Mention, ...]


class Ledger:
    """The file at `path`, which need not be there yet. Raises StoreError where it is damaged or cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def discard_outdated(self) -> None:
        """Remove the file if another version of this program read the changelogs in it, and read them differently."""
        try:
            if self._is_outdated():
                with _alone(self.path):
                    if self._is_outdated():  # nobody else has replaced it meanwhile
                        self.path.unlink()
        except OSError as error:
            raise _unusable(self.path, error) from error

    def _is_outdated(self) -> bool:
        if not self.path.is_file():
            return False
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as rows:
                _require_ours(rows, self.path)
                reading = rows.execute("SELECT value FROM meta WHERE key = 'reading'").fetchone()
                return reading is None or reading[0] != _READING
        except (sqlite3.Error, StoreError):
            return False  # damaged, or no ledger: whoever reads it will say so

    def known(self, ecosystem: str, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these `(source, version)` pairs were read before."""
        if not self.path.is_file():
            return set()
        query = "SELECT 1 FROM changelog WHERE ecosystem = ? AND source = ? AND version = ?"
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as rows:
                _require_ours(rows, self.path)
                return {pair for pair in wanted if rows.execute(query, (ecosystem, *pair)).fetchone()}
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

    def append(self, ecosystem: str, entries: Iterable[Entry], info: SourceInfo) -> None:
        """Add changelogs, in one step, and what is known of the source as a whole."""
        import shutil
        import tempfile

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path), tempfile.TemporaryDirectory(dir=self.path.parent, prefix=_PREFIX) as folder:
                copy = Path(folder) / self.path.name
                fresh = not self.path.is_file()
                if not fresh:
                    shutil.copyfile(self.path, copy)
                with closing(sqlite3.connect(copy)) as connection:
                    # The copy is private until it is renamed; a crash loses it anyway.
                    connection.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
                    if fresh:
                        create(connection)
                        connection.execute(_TABLE)
                        connection.execute("INSERT INTO meta VALUES ('reading', ?)", (_READING,))
                    _require_ours(connection, self.path)
                    _write(connection, ecosystem, entries, info)
                copy.replace(self.path)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.path, error) from error


def _write(connection: sqlite3.Connection, ecosystem: str, entries: Iterable[Entry], info: SourceInfo) -> None:
    writer = Writer(connection)
    writer.ecosystem(ecosystem)
    for entry in entries:
        key = (ecosystem, entry.source, entry.version, entry.suite)
        if connection.execute("INSERT OR IGNORE INTO changelog VALUES (?, ?, ?, ?)", key).rowcount:
            for mention in entry.mentions:
                writer.add(advisory_of(ecosystem, entry, mention))
    writer.describe(info)
    writer.finish()


def advisory_of(ecosystem: str, entry: Entry, mention: Mention) -> Advisory:
    """The advisory that one mention of a CVE in a changelog is.

    A changelog's urgency ranks the upload, not the vulnerability: it stands in the note, and is no severity.
    """
    note = f"fixed by the upload of {mention.date or 'an unknown date'}, as the changelog in {entry.suite} says"
    note += f" (urgency {mention.urgency})" if mention.urgency else ""
    row = Affected(ecosystem, entry.source, fixed=mention.fixed, state=FixState.FIXED, note=note)
    return Advisory(mention.cve, NAME, (row,))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one writer at a time; the others wait. The kernel releases the lock of a process that dies."""
    from shutil import rmtree

    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in path.parent.glob(_PREFIX + "*"):  # by a process that was killed: nobody else is here
            rmtree(left, ignore_errors=True)
        yield


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (identity, version) != (APPLICATION_ID, VERSION):
        raise StoreError("not a ledger of this version of Holdfast", where=str(path), remedy=f"delete {path.name}")


def _unusable(path: Path, error: Exception) -> StoreError:
    return StoreError(f"the archive's ledger cannot be used: {error}", where=str(path), remedy=f"delete {path.name}")
