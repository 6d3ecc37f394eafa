"""A store opened, with the scans that waited put into it; and a scan kept, whatever happens."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.model.errors import HoldfastError, StoreError
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem
from holdfast.store.inbox import MANY, drop, fold, waiting
from holdfast.store.store import KEPT_REPORTS, Accepted, Origin

if TYPE_CHECKING:
    from holdfast.store.sql import SqlStore


def open_store(
    location: str, data: Path, *, now: Callable[[], datetime] | None = None, keep: int = KEPT_REPORTS
) -> "SqlStore":
    """The store at a SQLAlchemy address (empty: `store.db` in the data folder), with all waiting scans in it.

    It is made where there is none, and brought to the newest shape where it is older. StoreError where it is newer,
    damaged, out of reach. Where waiting scans cannot be stored it opens all the same, and its `problems` say so.
    """
    from holdfast.store.place import connect, place_of
    from holdfast.store.sql import SqlStore, utc_now

    place = place_of(location, data)
    store = SqlStore(connect(place), place, now=now or utc_now, keep=keep)
    try:
        store.problems = fold(data, store.keep)
    except StoreError as error:
        store.problems = (Problem.of("store.not-folded", error),)
    except BaseException:
        store.__exit__()
        raise
    return store


def keep(
    location: str,
    data: Path,
    report: Report,
    sources: dict[str, bytes],
    origin: Origin = Origin.SCAN,
) -> tuple[Problem, ...]:
    """Keep a scan, quickly; what stood in the way, as notes, since the scan itself went well. Never raises.

    In SQLite it waits as a file until somebody reads the store. PostgreSQL gets it at once, with all that waits here;
    where that is out of reach it waits too.
    """
    try:
        drop(data, report, sources, origin)
    except HoldfastError as error:
        return (_note(Problem.of("store.not-kept", error)),)
    if not location and waiting(data) < MANY:
        return ()
    try:
        with open_store(location, data) as store:
            return tuple(map(_note, store.problems))
    except HoldfastError as error:
        return (_note(Problem.of("store.waiting", error)),)
    except OSError as error:
        return (Problem("store.waiting", f"the store cannot be used: {error.strerror}", Gravity.NOTE),)


def accepted(location: str, data: Path, target: str) -> tuple[Accepted, ...]:
    """What is accepted of a target (as typed) now. Where no store was ever made, none is made for it. StoreError."""
    if not location and not (data / "store.db").exists():
        return ()
    with open_store(location, data) as store:
        return store.accepted(target)


def _note(problem: Problem) -> Problem:
    return replace(problem, gravity=Gravity.NOTE)
