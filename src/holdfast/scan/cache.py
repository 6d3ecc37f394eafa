"""Layer records kept between scans: one file a layer, named by its diff ID, in a folder named by what read it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from holdfast.model.artifact import is_digest
from holdfast.scan.record import LayerRecord

_LIMIT = 256 << 20
_FORMAT = 1  # of LayerRecord and what is in it: another one is another folder
STALE_SECONDS = 20.0
_BEAT_SECONDS = 4.0
_POLL_SECONDS = 0.02
_PART = ".part-"
_UNUSED_SECONDS = 60 * 86400.0
_ABANDONED_SECONDS = 3600.0
_SWEEP_SECONDS = 86400.0


class LayerCache:
    """Records by diff ID. A damaged or foreign file counts as absent; a cache that cannot be written is no error.

    `fingerprint` stands for the engines and their versions: another one is another folder, so nothing stale is read.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder / "layers" / f"{fingerprint}-{_FORMAT}"
        self._verified = folder / "verified"
        self._locks = folder / "locks"
        self._decoder = msgspec.msgpack.Decoder(LayerRecord)

    def get(self, diff_id: str) -> LayerRecord | None:
        """The record of a layer, where one is kept and whole."""
        path = self._path(diff_id)
        if path is None:
            return None
        try:
            data = path.read_bytes()
            # The frame's own word on its size is what gets allocated.
            if not 0 <= zstandard.frame_content_size(data) <= _LIMIT:
                return None
            record = self._decoder.decode(zstandard.ZstdDecompressor().decompress(data))
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError, MemoryError):
            return None
        return record if record.diff_id == diff_id else None

    def put(self, record: LayerRecord) -> None:
        """Keep a record. Written beside and renamed, so that a reader or a crash never meets half of one."""
        path = self._path(record.diff_id)
        if path is None:
            return
        try:
            data = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(msgspec.msgpack.encode(record))
        except UnicodeEncodeError:
            return  # A package in a folder whose name is not UTF-8: too rare to be worth a second encoding.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=_PART)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink()

    def _sweep(self) -> None:
        """Remove, once a day, what scans that were killed left half written, and what nobody has needed for long."""
        swept = self._folder / ".swept"
        if swept.exists() and _age(swept) < _SWEEP_SECONDS:
            return  # looking through a hundred thousand layers takes as long as scanning a small image
        swept.touch()
        for left in self._folder.glob(f"{_PART}*"):
            if _age(left) > _ABANDONED_SECONDS:
                left.unlink(missing_ok=True)
        for other in self._folder.parent.iterdir():
            if other != self._folder and _age(other) > _UNUSED_SECONDS:
                shutil.rmtree(other, ignore_errors=True)  # of an older version of the engines

    @contextlib.contextmanager
    def claim(self, diff_id: str) -> Iterator[bool]:
        """Be the only one, of all processes with this cache, who reads a layer; whether another one was before us.

        Whoever has it shows so every few seconds. After STALE_SECONDS without (it was stopped, or sleeps) we go on
        all the same, and where no file can be locked: it only saves work.
        """
        with contextlib.ExitStack() as stack:
            waited = False
            with contextlib.suppress(OSError):
                self._locks.mkdir(parents=True, exist_ok=True)
                name = hashlib.sha256(diff_id.encode(errors="surrogatepass")).hexdigest()[:3]
                lock = stack.enter_context((self._locks / name).open("ab"))
                begun = time.time()
                while not (ours := _lock(lock.fileno())):
                    waited = True
                    if time.time() - max(begun, os.fstat(lock.fileno()).st_mtime) > STALE_SECONDS:
                        break
                    time.sleep(_POLL_SECONDS)
                if ours:
                    stack.enter_context(_beating(lock.fileno()))
            yield waited

    def is_verified(self, diff_id: str, digest: str, identity: str) -> bool:
        """Whether these very stored bytes (by their identity: device, inode, size, times) were verified before."""
        return bool(identity) and self._mark(diff_id, digest, identity).exists()

    def mark_verified(self, diff_id: str, digest: str, identity: str) -> None:
        """Remember that the bytes with this identity have this digest and this diff ID."""
        if identity:
            mark = self._mark(diff_id, digest, identity)
            with contextlib.suppress(OSError):
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.touch()

    def _mark(self, diff_id: str, digest: str, identity: str) -> Path:
        name = hashlib.sha256("\n".join((diff_id, digest, identity)).encode()).hexdigest()
        return self._verified / name

    def _path(self, diff_id: str) -> Path | None:
        return self._folder / diff_id.replace(":", "-") if is_digest(diff_id) else None


def _age(path: Path) -> float:
    """Seconds since it was changed; none for what another scan has renamed or removed meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _lock(descriptor: int) -> bool:
    """Whether the lock could be had now; closing the file gives it back."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _beating(descriptor: int) -> Iterator[None]:
    """Meanwhile a file's time of change is always a recent one: a process that is stopped cannot do that."""
    done = threading.Event()

    def beat() -> None:
        with contextlib.suppress(OSError):
            os.utime(descriptor)
            while not done.wait(_BEAT_SECONDS):
                os.utime(descriptor)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()  # before the descriptor is closed: its number may be given to another file
