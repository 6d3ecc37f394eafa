"""Where a store is, and a connection to it: made, brought to the newest shape, or refused with the reason.

A newer store is refused before anything is written. A file that is damaged, or no store, is never replaced.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from holdfast.model.errors import StoreError
from holdfast.store.migrations import REVISIONS
from holdfast.store.migrations.upgrade import upgrade

WRITING = "holdfast_writing"
"""The execution option of a connection that is going to write."""

_WAIT_SECONDS = 60
_CONNECT_SECONDS = 10
_POLL_SECONDS = 0.02
_ADVISORY_LOCK = 0x484C4446  # any number of our own: "HLDF"
_DISK_FULL = ("disk is full", "no space left", "could not extend")
_DAMAGED = ("malformed", "not a database", "corrupt", "invalid page")


class Place(Struct, frozen=True):
    """A store's address. `shown` is what may be told of it: never a password, user or option."""

    url: str
    shown: str
    file: Path | None = None


def place_of(location: str, data: Path) -> Place:
    """The place that a setting names: `store.db` in the data folder where it is empty. StoreError."""
    if not location:
        return _file(data / "store.db")
    try:
        url = sa.make_url(location)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        backend = ""
    if backend == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return _file(Path(url.database))
    if backend in ("postgresql", "postgres"):
        named = url.set(drivername="postgresql+psycopg")
        return Place(named.render_as_string(hide_password=False), f"postgresql://{url.host or ''}/{url.database or ''}")
    # It may hold a password, wherever its author put it.
    raise StoreError(
        "the setting `store` is no address of a store",
        remedy="leave it empty, or write postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:////PATH",
    )  # fmt: skip


def _file(path: Path) -> Place:
    return Place(URL.create("sqlite+pysqlite", database=str(path)).render_as_string(), str(path), path)


def connect(place: Place, *, revisions: Sequence[str] = REVISIONS, more: Sequence[Path] = ()) -> Engine:
    """An engine on a store of the newest shape. `revisions` and `more` migrations are those of another version."""
    with told(place):
        if place.file is not None:
            _prepare_file(place.file, revisions)
            engine = _sqlite(place)
        else:
            engine = _postgresql(place)
        try:
            if _revision(engine, place, revisions) != revisions[-1]:
                with _migrating(engine, place):
                    _migrate(engine, place, revisions, more)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextlib.contextmanager
def told(place: Place) -> Iterator[None]:
    """Turn what a database says into a StoreError that names the place, what is wrong and what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _in_words(error, place) from None  # the error itself may show an address with its password
    except OSError as error:
        raise StoreError(f"cannot be used: {os.strerror(error.errno or 0)}", where=place.shown) from error


def _in_words(error: Exception, place: Place) -> StoreError:
    said = str(getattr(error, "orig", None) or error).strip()
    line = _without_password(said.partition("\n")[0][:300], place)
    lower = said.lower()
    if any(word in lower for word in _DAMAGED):
        remedy = "move it away, or put a copy from before in its place; it was not changed"
        return StoreError(f"the store is damaged: {line}", where=place.shown, remedy=remedy)
    if any(word in lower for word in _DISK_FULL):
        return StoreError("the store cannot be written: the disk is full", where=place.shown)
    if "locked" in lower:
        return StoreError("another process has held the store for too long", where=place.shown, remedy="try again")
    return StoreError(f"the store cannot be used: {line}", where=place.shown)


def _without_password(text: str, place: Place) -> str:
    if place.file is None:
        url = sa.make_url(place.url)
        for secret in (url.password, *(str(value) for name, value in url.query.items() if "pass" in name)):
            text = text.replace(secret, "…") if secret else text
    return text


def _prepare_file(path: Path, revisions: Sequence[str]) -> None:
    """Refuse what is no store of ours, by reading alone; else make an empty file, for this user only."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return
    if not head:
        return
    if head != b"SQLite format 3\0":
        remedy = "move it away, or put a copy from before in its place; it was not changed"
        raise StoreError("the store is damaged: it is no SQLite database", where=str(path), remedy=remedy)
    if path.with_name(f"{path.name}-journal").exists():
        return  # a killed process left it: what only reads cannot take back what that one had begun
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise StoreError("this SQLite database is no store of Holdfast", where=str(path))
        if tables:
            _refuse_newer([row[0] for row in connection.execute("SELECT * FROM alembic_version")], path, revisions)


def _refuse_newer(found: Sequence[str], where: object, revisions: Sequence[str]) -> None:
    unknown = [revision for revision in found if revision not in revisions]
    if unknown:
        raise StoreError(
            f"a newer version of Holdfast made this store (revision {unknown[0][:20]!r}; this one knows "
            f"{revisions[-1]!r}): nothing was read or written", where=str(where), remedy="use the newer version",
        )  # fmt: skip


def _sqlite(place: Place) -> Engine:
    """SQLite with transactions of our own making: those that write begin by taking the lock (and not half way)."""
    engine = sa.create_engine(
        place.url, poolclass=NullPool, connect_args={"timeout": _WAIT_SECONDS, "isolation_level": None}
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(place: Place) -> Engine:
    try:
        return sa.create_engine(place.url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_SECONDS})
    except ModuleNotFoundError:
        raise StoreError(
            "a store on PostgreSQL needs psycopg", where=place.shown, remedy="pip install 'holdfast[postgresql]'"
        ) from None


def _revision(engine: Engine, place: Place, revisions: Sequence[str]) -> str:
    """The revision that the store is at, empty for a new one; StoreError for one that we do not know."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return ""
        found = [str(row[0]) for row in connection.execute(sa.text("SELECT version_num FROM alembic_version"))]
    _refuse_newer(found, place.shown, revisions)
    return found[0] if found else ""


@contextlib.contextmanager
def _migrating(engine: Engine, place: Place) -> Iterator[None]:
    """Be the only process that changes this store's shape."""
    if place.file is None:
        with engine.connect() as connection, connection.begin():
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield
        return
    end = time.monotonic() + _WAIT_SECONDS
    with place.file.with_name(f"{place.file.name}.lock").open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    message = "another process has been changing the store's shape for a minute"
                    raise StoreError(message, where=place.shown, remedy="try again") from None
                time.sleep(_POLL_SECONDS)
        yield


def _migrate(engine: Engine, place: Place, revisions: Sequence[str], more: Sequence[Path]) -> None:
    now = _revision(engine, place, revisions)  # another process may have done it while we waited
    if now == revisions[-1]:
        return
    if place.file is not None and now:
        _back_up(place.file, now)
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        upgrade(connection, revisions[-1], more=more)


def _back_up(path: Path, revision: str) -> None:
    """A copy of the store as it was, beside it: `store.db.0001` for one at revision 0001."""
    part, copy = path.with_name(f".part-{path.name}"), path.with_name(f"{path.name}.{revision}")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(part)) as target,
    ):
        source.backup(target)
    part.replace(copy)
