"""Layer records kept between scans: one file a layer, named by its diff ID, in a folder named by what read it."""

import contextlib
import fcntl
import hashlib
import math
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from holdfast.fs.kept import KeptFiles
from holdfast.model.artifact import is_digest
from holdfast.scan.record import LayerRecord

_LIMIT = 256 << 20
_FORMAT = 1  # of LayerRecord and what is in it: another one is another folder
STALE_SECONDS = 20.0
_BEAT_SECONDS = 4.0
_POLL_SECONDS = 0.02
_UNUSED_SECONDS = 60 * 86400.0


class LayerCache:
    """Records by diff ID. A damaged or foreign file counts as absent; a cache that cannot be written is no error.

    `fingerprint` stands for the engines and their versions: another one is another folder, so nothing stale is read.
    A `closed` one answers nothing.
    """

    def __init__(self, folder: Path, fingerprint: str, *, closed: bool = False) -> None:
        self._closed = closed
        self._files = KeptFiles(folder / "layers" / f"{fingerprint}-{_FORMAT}", unused_seconds=math.inf)
        self._verified = folder / "verified"
        self._locks = folder / "locks"
        self._decoder = msgspec.msgpack.Decoder(LayerRecord)

    def get(self, diff_id: str) -> LayerRecord | None:
        """The record of a layer, where one is kept and whole."""
        known = is_digest(diff_id) and not self._closed
        data = self._files.get(diff_id.replace(":", "-"), _LIMIT) if known else None
        if data is None:
            return None
        try:
            # The frame's own word on its size is what gets allocated.
            if not 0 <= zstandard.frame_content_size(data) <= _LIMIT:
                return None
            record = self._decoder.decode(zstandard.ZstdDecompressor().decompress(data))
        except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError, MemoryError):
            return None
        return record if record.diff_id == diff_id else None

    def put(self, record: LayerRecord) -> None:
        """Keep a record."""
        if not is_digest(record.diff_id):
            return
        try:
            data = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(msgspec.msgpack.encode(record))
        except UnicodeEncodeError:
            return  # A package in a folder whose name is not UTF-8: too rare to be worth a second encoding.
        if not self._files.folder.exists():
            self._forget_older()
        self._files.put(record.diff_id.replace(":", "-"), data)

    def _forget_older(self) -> None:
        """Remove what versions of the engines read that nobody has used for long."""
        with contextlib.suppress(OSError):
            for other in self._files.folder.parent.iterdir():
                if time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
                    shutil.rmtree(other, ignore_errors=True)

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
