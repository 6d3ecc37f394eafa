"""Builds the advisory database: one immutable SQLite file, the same bytes for the same inputs.

It is built in a folder of its own beside the target, copied once by `VACUUM INTO` (which leaves no slack and no
history of how it came about), flushed to disk, and renamed over the old file: who kills it keeps the old file.
"""

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from holdfast.advisory.database import Database
from holdfast.advisory.feed import Input
from holdfast.advisory.record import Dated, Record
from holdfast.advisory.schema import VERSION, Writer, create
from holdfast.model.advisory import Advisory, DatabaseInfo, SourceInfo
from holdfast.model.errors import HoldfastError, InputError, StoreError
from holdfast.model.status import Problem

_PREFIX = ".building-"
_ABANDONED_SECONDS = 3600
_DICTIONARY_BYTES = 64 * 1024
_SAMPLES = 8_000
_LEVEL = 6


class Built(Struct, frozen=True):
    """What a build made: the database's description, and what stood in the way of parts of it."""

    info: DatabaseInfo
    problems: tuple[Problem, ...] = ()


def build(inputs: Iterable[Input], target: Path, *, progress: Callable[[Input], None] | None = None) -> Built:
    """Make the database of these inputs at `target`, replacing what is there in one step.

    An input that cannot be read is a Problem and a failure of its source. InputError where none held an advisory:
    the old file stays then. StoreError where the disk does not let us.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_PREFIX) as folder:
            finished = Path(folder) / "finished"
            problems = _write(inputs, Path(folder) / "rows", finished, progress)
            with Database.open(finished) as database:
                info = database.info()
            _flush(finished)
            finished.replace(target)
            _flush(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"the advisory database cannot be written: {error}", where=str(target), remedy="check space and permissions"
        ) from error
    return Built(info, tuple(problems))


def sweep(folder: Path) -> None:
    """Remove what builds that were killed left behind in a folder."""
    for left in folder.glob(_PREFIX + "*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _flush(path: Path) -> None:
    """Make the kernel write a file or a folder's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(
    inputs: Iterable[Input], rows: Path, finished: Path, progress: Callable[[Input], None] | None
) -> list[Problem]:
    connection = sqlite3.connect(rows)
    try:
        # The file is private until it is renamed: a crash loses it anyway, so nothing is journalled or flushed.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -131072")
        create(connection)
        problems: list[Problem] = []
        if not fill(connection, inputs, problems, progress):
            raise InputError("no feed held an advisory", remedy="check the folder's layout and `holdfast db sources`")
        _compress(connection)
        connection.execute("VACUUM INTO ?", (str(finished),))
    finally:
        connection.close()
    return problems


def fill(
    connection: sqlite3.Connection,
    inputs: Iterable[Input],
    problems: list[Problem],
    progress: Callable[[Input], None] | None = None,
) -> int:
    """Write everything that the inputs hold into an empty database; the number of advisories that were read."""
    writer = Writer(connection)
    sources: dict[str, _Source] = {}
    advisories = 0
    for item in sorted(inputs, key=lambda item: (item.feed.name, item.resource)):
        if progress is not None:
            progress(item)
        source = sources.setdefault(item.feed.source(item.resource), _Source())
        for record in _records(item, source, problems):
            advisories += isinstance(record, Advisory)
            writer.add(record)
    for name, source in sources.items():
        writer.describe(source.info(name))
    hashes = "\n".join(f"{name} {source.hash.hexdigest()}" for name, source in sources.items())
    digest = hashlib.sha256(f"{VERSION}\n{hashes}".encode()).hexdigest()
    connection.execute("INSERT INTO meta VALUES ('sha256', ?)", (digest,))
    writer.finish()
    return advisories


class _Source:
    """What is learned of one source while its files are read."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.date = ""
        self.given_date = ""
        self.records = 0
        self.failure = ""

    def info(self, name: str) -> SourceInfo:
        return SourceInfo(name, (self.date or self.given_date)[:19], self.records, self.hash.hexdigest(), self.failure)


def _records(item: Input, source: _Source, problems: list[Problem]) -> Iterator[Record]:
    """The records of one input, with its date, hash and failures noted on the way."""
    source.given_date = max(source.given_date, item.date)
    source.failure = source.failure or item.failure
    try:
        with item.file.open("rb") as stream:
            source.hash.update(hashlib.file_digest(stream, "sha256").digest())
        for record in item.feed.read(item.resource, item.file):
            if isinstance(record, Dated):
                source.date = max(source.date, record.date)
            elif isinstance(record, Problem):
                problems.append(record)
            else:
                source.records += 1
                yield record
    except (HoldfastError, OSError) as error:
        told = error if isinstance(error, HoldfastError) else InputError(str(error), where=str(item.file))
        source.failure = source.failure or told.what
        problems.append(Problem.of("feed.unreadable", told))


def _compress(connection: sqlite3.Connection) -> None:
    """Compress every advisory's blob with a dictionary learnt from some of them."""
    import zstandard

    count = connection.execute("SELECT count(*) FROM advisory").fetchone()[0]
    step = max(1, count // _SAMPLES)
    samples = [row[0] for row in connection.execute("SELECT content FROM advisory WHERE id % ? = 0", (step,))]
    if len(samples) < 100:  # too few to learn from: JSON as it is
        return
    dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, samples, level=_LEVEL)
    compressor = zstandard.ZstdCompressor(_LEVEL, dict_data=dictionary, write_content_size=True)
    connection.create_function("compress", 1, compressor.compress, deterministic=True)
    connection.execute("UPDATE advisory SET content = compress(content)")
    connection.execute("INSERT INTO meta VALUES ('dictionary', ?)", (dictionary.as_bytes(),))
    connection.commit()
