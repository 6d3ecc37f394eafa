"""The way into the store that costs a scan next to nothing: one file, whole and on disk, for whoever opens it next.

Loading a database library takes longer than a warm scan. So a scan drops a file; commands that read the store put all
of them into it first. The file's id is the scan's: what a crash left both stored and waiting is not stored twice.
"""

import contextlib
import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.fs.whole import PART
from holdfast.model.errors import StoreError
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem
from holdfast.store.document import pack
from holdfast.store.identity import identity, key
from holdfast.store.store import Origin

FORMAT = 1
MOST = 10_000
"""Files that may wait; one more is refused, since nobody can have opened the store for long."""

MANY = 500
"""Files from which on whoever adds one puts all of them into the store."""

_SUFFIX = ".scan"
_DAMAGED = ".damaged"
_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{16}\.scan")
_LIMIT = 256 << 20
_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.02
_ABANDONED_SECONDS = 3600.0


class Kept(Struct, frozen=True, array_like=True):
    """One scan on its way into the store. `report` and `sources` are packed (store.document); `at` is when, in UTC."""

    format: int
    id: str
    at: str
    target: str
    reference: str
    origin: Origin
    report: bytes
    sources: bytes


def kept(report: Report, sources: dict[str, bytes], origin: Origin = Origin.SCAN) -> Kept:
    """A report made ready to be kept, under a new id."""
    same = identity(report.target.name, report.target.kind)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    name, reference = key(same.target), key(same.reference)
    return Kept(FORMAT, secrets.token_hex(8), at, name, reference, origin, pack(report), pack(sources))


def drop(
    data: Path,
    report: Report,
    sources: dict[str, bytes],
    origin: Origin = Origin.SCAN,
) -> str:
    """Keep a report for the store in `data`; the scan's id. When this returns it survives a crash and a power cut.

    StoreError where it cannot be written, or MOST files wait already.
    """
    one = kept(report, sources, origin)
    folder = inbox(data)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if waiting(data) >= MOST:
            raise StoreError(
                f"{MOST:,} scans wait to be stored", where=str(folder), remedy="look at `holdfast findings list`"
            )
        _write(folder / f"{time.time_ns():020d}-{one.id}{_SUFFIX}", msgspec.msgpack.encode(one))
    except OSError as error:
        raise StoreError(f"cannot be written: {os.strerror(error.errno or 0)}", where=str(folder)) from error
    return one.id


def inbox(data: Path) -> Path:
    """The folder where scans wait."""
    return data / "store" / "inbox"


def waiting(data: Path) -> int:
    """How many scans wait to be stored."""
    try:
        return sum(name.endswith(_SUFFIX) for name in os.listdir(inbox(data)))  # noqa: PTH208  # no Path a file
    except OSError:
        return 0


def fold(data: Path, keep: Callable[[Kept], object]) -> tuple[Problem, ...]:
    """Hand every waiting scan to `keep`, oldest first, and remove each that was kept; what could not be done.

    One process at a time. What cannot be read is set aside as `….damaged`; what a newer version wrote stays.
    Whatever `keep` raises ends it: what it was given last still waits.
    """
    folder = inbox(data)
    if not folder.is_dir():
        return ()
    problems: list[Problem] = []
    try:
        with _alone(folder.parent / "inbox.lock") as ours:
            if not ours:
                message = "another process is storing scans: the newest may be missing"
                return (Problem("store.busy", message, Gravity.NOTE, str(folder)),)
            for path in _waiting(folder):
                problems += _fold(path, keep)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        problems.append(Problem("store.not-folded", f"waiting scans cannot be stored: {reason}", where=str(folder)))
    return tuple(problems)


def _waiting(folder: Path) -> Iterator[Path]:
    """The scans that wait, oldest first; what a killed process left half written is removed when it is old."""
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        if _NAME.fullmatch(name):
            yield folder / name
        elif name.startswith(PART):
            with contextlib.suppress(OSError):
                if time.time() - (folder / name).stat().st_mtime > _ABANDONED_SECONDS:
                    (folder / name).unlink()


def _fold(path: Path, keep: Callable[[Kept], object]) -> Iterator[Problem]:
    try:
        one = _read(path)
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"a waiting scan cannot be read: {os.strerror(error.errno or 0)}"
        yield Problem("store.unread-scan", message, where=str(path))
        return
    except StoreError as error:
        path.rename(path.with_suffix(_DAMAGED))
        yield Problem.of("store.damaged-scan", error, where=str(path.with_suffix(_DAMAGED)))
        return
    if one is None:
        message = "a scan was kept by a newer version, which has to store it"
        yield Problem("store.newer-scan", message, Gravity.NOTE, str(path), "use that version of Holdfast")
        return
    try:
        keep(one)
    except DamagedScan as error:
        path.rename(path.with_suffix(_DAMAGED))
        yield Problem.of("store.damaged-scan", error, where=str(path.with_suffix(_DAMAGED)))
        return
    path.unlink()


class DamagedScan(StoreError):
    """What `keep` raises where the fault lies in the scan itself, and not in the store."""


def _read(path: Path) -> Kept | None:
    """The scan in a file; None where a newer version wrote it; StoreError where it is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as stream:
        data = stream.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise StoreError("is too large to be a scan that was kept here")
    try:
        if _version(data) > FORMAT:
            return None
        one = msgspec.msgpack.decode(data, type=Kept)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StoreError(f"is no scan that was kept here: {str(error)[:120]}") from error
    if not re.fullmatch(r"[0-9a-f]{16}", one.id) or path.name[21:37] != one.id or one.format != FORMAT:
        raise StoreError("is no scan that was kept here")
    return one


def _version(data: bytes) -> int:
    """The number that an array begins with, whatever follows; 0 where it is no such array."""
    first = data[1] if len(data) > 1 and 0x91 <= data[0] <= 0x9F else 0
    return first if first < 0x80 else 0


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, and see it onto the disk before it gets its name. OSError."""
    part = path.with_name(f"{PART}{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Be the only process here that stores waiting scans; False where another one still does after a minute."""
    end = time.monotonic() + _WAIT_SECONDS
    with path.open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    yield False
                    return
                time.sleep(_POLL_SECONDS)
                continue
            yield True
            return
