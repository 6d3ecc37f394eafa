"""The one place that fetches: whole resources, to memory or to a file, within limits of bytes and time."""

import hashlib
import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from holdfast.model.errors import HoldfastError, LimitError, SourceError
from holdfast.transport import folder, kept
from holdfast.transport.address import Address
from holdfast.transport.content import Budget, Progress
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import Transient, words
from holdfast.transport.job import Job
from holdfast.transport.kept import Kept
from holdfast.transport.proxy import Proxy
from holdfast.transport.retry import Retry
from holdfast.transport.trust import Trust
from holdfast.transport.wire import Wire

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

REDIRECTS = 5
RESOURCE_SECONDS = 1800.0
LONGEST_PAUSE = 120.0


class Download(Struct, frozen=True):
    """A resource on disk. `changed` is false where the server or the content says it is what was there before."""

    path: Path
    size: int
    sha256: str
    changed: bool
    last_modified: str = ""


class Client:
    """Fetches over https, from `file:` folders, and over http where that is safe. One client is one command's work.

    With `offline` every network address is refused before a socket exists. A host that could not be reached is not
    tried a second time. It may be used from several threads.
    """

    def __init__(
        self,
        *,
        offline: bool = False,
        proxy: Proxy = Proxy(),
        trust: Trust = Trust(),
        retry: Retry | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.offline = offline
        self._wire = Wire(offline=offline, proxy=proxy, trust=trust)
        self._retry = retry or Retry()
        self._progress: Progress = progress or (lambda _resource, _done, _total: None)
        self._confined: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._wire.close()

    def confine(self, base: str) -> None:
        """From now on let what lies below this address, wherever it redirects to, come from the internet only."""
        self._confined.add(Address.parse(base).url.rstrip("/") + "/")

    def get(
        self, address: str, *, limit: int, deadline: Deadline | None = None, signed: bool = False, name: str = ""
    ) -> bytes:
        """The whole resource, of at most `limit` bytes.

        `signed` says that the caller verifies the content by a signature or digest, which permits plain http. `name`
        is what progress calls it. Raises SourceError (AuthError, NotFound) or LimitError.
        """
        source = Address.parse(address)
        sink = io.BytesIO()
        self._fetch(Job(source, sink, self._budget(source, limit, deadline, name)), signed=signed)
        return sink.getvalue()

    def download(
        self,
        address: str,
        target: Path,
        *,
        limit: int,
        deadline: Deadline | None = None,
        signed: bool = False,
        name: str = "",
    ) -> Download:
        """The resource as the file `target`, which is replaced by rename once everything has come.

        Until then it stands in `target.part`, from where a later call resumes. What the server said of it (ETag,
        Last-Modified) is kept beside it as `target.http`, so that an unchanged resource is not sent again.
        """
        source = Address.parse(address)
        budget = self._budget(source, limit, deadline, name)
        known, part = kept.read(target, source.url), kept.part_of(target)
        partial = kept.read(part, source.url)
        try:
            with part.open("r+b" if partial.validator else "w+b") as sink:
                job = Job(source, sink, budget, known=known, partial=partial, part=part)
                answer = self._fetch(job, signed=signed)
            if answer is None:
                kept.drop(part)
                return Download(target, known.size, known.sha256, changed=False, last_modified=known.last_modified)
            with part.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            complete = Kept(source.url, answer.etag, answer.last_modified, part.stat().st_size, digest)
            kept.settle(part, target, complete)
        except OSError as error:
            raise SourceError(f"cannot be stored: {error.strerror or error}", where=str(part)) from error
        except HoldfastError:
            if not kept.read(part, source.url).validator:
                kept.drop(part)
            raise
        return Download(target, complete.size, digest, digest != known.sha256, answer.last_modified)

    def _budget(self, source: Address, limit: int, deadline: Deadline | None, name: str) -> Budget:
        shown = name or source.path.rpartition("/")[2] or source.host
        until = (deadline or Deadline()).within(RESOURCE_SECONDS)
        return Budget(limit, until, where=source.url, name=shown, progress=self._progress)

    def _fetch(self, job: Job, *, signed: bool) -> Kept | None:
        """Fill the job's sink; what the server said of it, or None where what is known still holds."""
        address, deadline = job.address, job.budget.deadline
        if address.scheme == "file":
            return folder.copy(address, job.sink, job.budget)
        self._wire.require_allowed(address)
        address.require_allowed(signed=signed)
        unanswered = 0
        for attempt in range(self._retry.attempts):
            deadline.check(address.url)
            try:
                return self._attempt(job, signed=signed)
            except Transient as failure:
                unanswered += failure.connecting
                if unanswered == self._retry.connects:
                    self._wire.give_up(failure.address or address, failure.error)
                pause = self._retry.pause(attempt) if failure.pause is None else failure.pause
                last = attempt + 1 == self._retry.attempts or unanswered == self._retry.connects
                if last or pause >= min(deadline.remaining, LONGEST_PAUSE):
                    raise failure.error from failure
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, job: Job, *, signed: bool) -> Kept | None:
        from urllib3.exceptions import HTTPError

        response = self._open(job, signed=signed)
        done = False
        try:
            answer = job.receive(response)
            done = True
        except LimitError:
            # More time may bring the rest; more bytes than the limit are no part of anything that we want.
            if job.budget.deadline.remaining:
                job.forget()
            raise
        except (HTTPError, OSError, ValueError) as error:
            raise Transient(SourceError(f"the transfer broke off: {words(error)}", where=job.address.url)) from error
        finally:
            response.release_conn() if done else response.close()
        return answer

    def _open(self, job: Job, *, signed: bool) -> "BaseHTTPResponse":
        """The answer, after at most REDIRECTS redirections."""
        address, headers = job.address, job.headers()
        confined = address.url.startswith(tuple(self._confined))
        for _ in range(REDIRECTS + 1):
            if confined:
                address.require_public()
            response = self._ask(address, headers, job.budget.deadline)
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                return response
            response.close()
            address = address.redirected(location, signed=signed)
        raise SourceError(f"redirects more than {REDIRECTS} times", where=job.address.url)

    def _ask(self, address: Address, headers: dict[str, str], deadline: Deadline) -> "BaseHTTPResponse":
        if address.credentials and (address.scheme == "https" or address.is_loopback):
            from urllib3.util import make_headers

            headers = headers | make_headers(basic_auth=address.credentials)
        return self._wire.ask("GET", address, headers, deadline)
