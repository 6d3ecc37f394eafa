"""What was found to be attached to an image, remembered for a day, so that a registry is not asked at every scan."""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.model.artifact import Attachment

SECONDS = 86400.0
_LIMIT = 32 << 20


class _Answer(Struct, frozen=True):
    asked: float
    attachments: tuple[Attachment, ...]


class Remembered:
    """The answer for one image of one repository; a folder that cannot be written is no error.

    What is attached belongs to a repository and to the way to an image: the same image may be elsewhere without it.
    """

    def __init__(self, folder: Path, repository: str, digest: str, index_digest: str) -> None:
        named = "\n".join((repository, digest, index_digest)).encode(errors="surrogatepass")
        self._path = folder / f"{hashlib.sha256(named).hexdigest()}.json"

    def get(self) -> tuple[Attachment, ...] | None:
        """What was attached less than a day ago; None where nobody asked."""
        try:
            if self._path.stat().st_size > _LIMIT:
                return None
            answer = msgspec.json.decode(self._path.read_bytes(), type=_Answer)
        except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        return answer.attachments if 0 <= time.time() - answer.asked < SECONDS else None

    def put(self, attachments: tuple[Attachment, ...]) -> None:
        """Keep an answer of now; written beside and renamed."""
        data = msgspec.json.encode(_Answer(time.time(), attachments))
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".part-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                Path(name).replace(self._path)
            except OSError:
                Path(name).unlink()
