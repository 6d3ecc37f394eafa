"""What was found to be attached to an image, remembered for a day, so that a registry is not asked at every scan."""

import hashlib
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.fs.kept import KeptFiles
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
        self._files = KeptFiles(folder, unused_seconds=2 * SECONDS)
        self._name = f"{hashlib.sha256(named).hexdigest()}.json"

    def get(self) -> tuple[Attachment, ...] | None:
        """What was attached less than a day ago; None where nobody asked."""
        try:
            answer = msgspec.json.decode(self._files.get(self._name, _LIMIT) or b"", type=_Answer)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        return answer.attachments if 0 <= time.time() - answer.asked < SECONDS else None

    def put(self, attachments: tuple[Attachment, ...]) -> None:
        """Keep an answer of now."""
        self._files.put(self._name, msgspec.json.encode(_Answer(time.time(), attachments)))
