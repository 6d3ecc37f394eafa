"""One resource on its way over HTTP: where it goes, and how far it has come over several attempts."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from holdfast.model.errors import SourceError
from holdfast.transport import kept
from holdfast.transport.address import Address
from holdfast.transport.content import CHUNK, Budget, pour
from holdfast.transport.failure import Transient, refuse
from holdfast.transport.kept import Kept

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

# What is compressed by itself is kept as sent, because servers mislabel it (`Content-Encoding: x-gzip`).
_COMPRESSED = (".gz", ".xz", ".zst", ".bz2", ".zip", ".deb", ".tgz")


class Job:
    """A resource, the sink it goes to, and what is `known` (complete, from before) or `partial` of it.

    `part` is the file behind the sink, if the next process is to be able to go on with it.
    """

    def __init__(
        self,
        address: Address,
        sink: BinaryIO,
        budget: Budget,
        *,
        known: Kept | None = None,
        partial: Kept | None = None,
        part: Path | None = None,
    ) -> None:
        self.address, self.sink, self.budget, self.part = address, sink, budget, part
        self.known, self.partial = known or Kept(), partial or Kept()
        self.as_sent = address.path.endswith(_COMPRESSED)

    @property
    def done(self) -> int:
        """The bytes at hand that the server may add to."""
        return self.sink.seek(0, io.SEEK_END) if self.partial.validator else 0

    def headers(self) -> dict[str, str]:
        """What to ask for: the rest of a partial resource, or the whole one if it has changed (RFC 9110 §13, §14)."""
        if done := self.done:
            return {"Accept-Encoding": "identity", "Range": f"bytes={done}-", "If-Range": self.partial.validator}
        headers = {"Accept-Encoding": "identity" if self.as_sent else "gzip"}
        if self.known.etag:
            headers["If-None-Match"] = self.known.etag
        if self.known.last_modified:
            headers["If-Modified-Since"] = self.known.last_modified
        return headers

    def receive(self, response: "BaseHTTPResponse") -> Kept | None:
        """Take an answer's content in. What the server said of it, or None where what is known still holds."""
        where = self.address.url
        if response.status == 304 and self.known.validator:
            return None
        if response.status == 416 and self.done:
            self.forget()
            raise Transient(SourceError("what was fetched before does not fit any more", where=where), pause=0.0)
        if response.status not in (200, 206):
            refuse(response, where)
        encoding = "" if self.as_sent else response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise SourceError(f"sent in an encoding that was not asked for: {encoding[:40]!r}", where=where)
        packed = "gzip" in encoding
        answer = Kept(where, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
        self._begin(response, Kept() if packed else answer)
        pour(
            lambda: response.read1(CHUNK, decode_content=False),
            self.sink, self.budget, packed=packed, left=response.length_remaining,
        )  # fmt: skip
        return answer

    def _begin(self, response: "BaseHTTPResponse", partial: Kept) -> None:
        """Set the sink to where the content belongs, and note what would let us resume it."""
        if response.status == 206:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {self.done}-"):
                self.forget()
                raise Transient(SourceError("the server sent another part than asked for", where=self.address.url))
        else:
            self.sink.seek(0)
            self.sink.truncate()
        self._note(partial)

    def forget(self) -> None:
        """Start from nothing the next time."""
        self._note(Kept())

    def _note(self, partial: Kept) -> None:
        self.partial = partial
        if self.part is not None:
            kept.write(self.part, partial)
