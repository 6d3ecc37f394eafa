"""Files kept for later scans: there whole or not at all, and swept when nobody has needed them for long."""

import contextlib
import os
import time
from pathlib import Path

from holdfast.fs.whole import PART, write_whole

UNUSED_SECONDS = 90 * 86400.0
ABANDONED_SECONDS = 3600.0
SWEEP_SECONDS = 86400.0
SWEPT = ".swept"


class KeptFiles:
    """A folder of small files by name. Those older than `unused_seconds` are removed now and then; none where infinite.

    It is a convenience: what cannot be read counts as absent, and a folder that cannot be written is no error.
    """

    def __init__(self, folder: Path, unused_seconds: float = UNUSED_SECONDS) -> None:
        self.folder = folder
        self._unused_seconds = unused_seconds

    def get(self, name: str, limit: int) -> bytes | None:
        """The content of a file; None where it is absent, unreadable, or longer than `limit` bytes."""
        path = self.folder / name
        try:
            # Without O_NONBLOCK a FIFO in that place would hold us for ever.
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
                data = stream.read(limit + 1)
        except OSError:
            return None
        return data if len(data) <= limit else None

    def put(self, name: str, data: bytes) -> None:
        """Keep a file."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            write_whole(self.folder / name, data)

    def _sweep(self) -> None:
        """Remove, once a day, what was written long ago, and what a killed process left half written.

        Looking through a hundred thousand files takes as long as scanning a small image.
        """
        mark, now = self.folder / SWEPT, time.time()
        if mark.exists() and now - mark.stat().st_mtime < SWEEP_SECONDS:
            return
        mark.touch()
        for path in [*self.folder.iterdir()]:
            with contextlib.suppress(OSError):  # another process sweeps, or has renamed it
                age = now - path.stat().st_mtime
                if age > (ABANDONED_SECONDS if path.name.startswith(PART) else self._unused_seconds):
                    path.unlink()
