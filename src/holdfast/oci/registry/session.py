"""Requests to one endpoint of a registry: authorised, redirected, tried again, and bounded."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from holdfast.model.errors import AuthError, HoldfastError, NotFound, SourceError
from holdfast.oci.registry.authorizer import Authorizer
from holdfast.oci.registry.endpoint import Endpoint
from holdfast.oci.registry.keychain import Keychain
from holdfast.transport.address import Address
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import SpeaksPlainHttp, Transient, refuse
from holdfast.transport.retry import Retry
from holdfast.transport.stream import read
from holdfast.transport.wire import Wire

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

REDIRECTS = 5
DOCUMENT_SECONDS = 120.0
CHALLENGES = 3  # for a token that ran out, and for one of too small a scope
LONGEST_PAUSE = 120.0
_ERROR_BYTES = 64 << 10
_SETTLE_SECONDS = 5.0
_MOVED = (301, 302, 303, 307, 308)
_T = TypeVar("_T")


class _Fault(Struct):
    code: str | None = None
    message: str | None = None


class _Faults(Struct):
    errors: list[_Fault] | None = None


class Session:
    """A conversation with one endpoint. It may be used from several threads."""

    def __init__(self, endpoint: Endpoint, wire: Wire, keychain: Keychain, retry: Retry, deadline: Deadline) -> None:
        self.endpoint = endpoint
        self.deadline = deadline
        self._wire, self._keychain, self._retry = wire, keychain, retry
        self._schemes = list(endpoint.schemes)
        self._authorizer: Authorizer | None = None
        self._lock = threading.Lock()

    @property
    def base(self) -> Address:
        """Where it is reached, as far as that is known by now."""
        return self.endpoint.base(self._schemes[0])

    def again(self, attempt: Callable[[], _T]) -> _T:
        """What an attempt gives, made as often as `Retry` says where it fails for the moment only."""
        unanswered = silent = 0
        for count in range(self._retry.attempts):
            self.deadline.check(self.endpoint.host)
            try:
                return attempt()
            except Transient as failure:
                unanswered += failure.connecting
                silent += failure.silent  # what costs as long as one waits is not tried as often
                if unanswered == self._retry.connects:
                    self._wire.give_up(failure.address or self.base, failure.error)
                if count + 1 == self._retry.attempts or max(unanswered, silent) == self._retry.connects:
                    raise failure.error from failure
                self.wait(count, failure)
        raise AssertionError("the last attempt returns or raises")

    def wait(self, count: int, failure: Transient) -> None:
        """Pause before attempt number `count` + 1, as long as was asked for; its error where that is too long."""
        pause = self._retry.pause(count) if failure.pause is None else failure.pause
        if pause >= min(self.deadline.remaining, LONGEST_PAUSE):
            error = failure.error
            asked = f", and wants us to wait {pause:,.0f} seconds" if failure.pause else ""
            raise SourceError(f"{error.what}{asked}", where=error.where, remedy=error.remedy) from failure
        time.sleep(pause)

    def ask(
        self, method: str, path: str, scope: str, headers: Mapping[str, str] = {}, *, accepted: tuple[int, ...] = (200,)
    ) -> "BaseHTTPResponse":
        """The answer to one request for `path` (with its query), its content still to be read.

        `scope` is what a token has to permit. Raises Transient for what may go well the next time, NotFound,
        AuthError, SourceError.
        """
        for _ in range(CHALLENGES):
            response, ours = self._send(method, path, scope, headers)
            # What others want, to whom we were redirected, is no business of this registry's credentials.
            if response.status != 401 or not ours:
                break
            challenges = response.headers.getlist("WWW-Authenticate")
            self._settle(response)
            if not self._authorizer_now().challenged(challenges, scope):
                raise AuthError("access refused (HTTP 401)", where=self._where(path))
        if response.status not in accepted:
            self._refuse(response, path)
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            response.close()
            raise SourceError("sent in an encoding that was not asked for", where=self._where(path))
        return response

    def read(
        self, path: str, scope: str, limit: int, headers: Mapping[str, str] = {}
    ) -> tuple[bytes, Mapping[str, str]]:
        """All of an answer, tried again where it breaks off, and its headers. LimitError beyond `limit` bytes."""

        def attempt() -> tuple[bytes, Mapping[str, str]]:
            response = self.ask("GET", path, scope, {"Accept-Encoding": "identity", **headers})
            data = read(response, self._where(path), self.deadline.within(DOCUMENT_SECONDS), limit)
            if not data:  # no document is empty; an answer whose head breaks off looks like this
                raise Transient(SourceError("sent nothing", where=self._where(path)))
            return data, response.headers

        return self.again(attempt)

    def _send(self, method: str, path: str, scope: str, headers: Mapping[str, str]) -> "tuple[BaseHTTPResponse, bool]":
        """One request and the redirections it meets: the answer, and whether it is the registry's own."""
        address, response = self._begin(method, path, scope, headers)
        ours = True
        for _ in range(REDIRECTS):
            location = response.headers.get("Location")
            if response.status not in _MOVED or not location:
                return response, ours
            self._settle(response)
            address = address.redirected(location, signed=self.endpoint.plain_http)
            # What authorises is for the registry alone: wherever it sends us, that goes without.
            ours = _origin(address) == _origin(self.base)
            sent = self._authorised(headers, scope) if ours else headers
            trust = self.endpoint.trust if ours else self.endpoint.trust.of_others
            response = self._wire.ask(method, address, sent, self.deadline, trust=trust)
        if response.status not in _MOVED or not response.headers.get("Location"):
            return response, ours
        response.close()
        raise SourceError(f"redirects more than {REDIRECTS} times", where=self._where(path))

    def _begin(
        self, method: str, path: str, scope: str, headers: Mapping[str, str]
    ) -> "tuple[Address, BaseHTTPResponse]":
        """The registry's first answer; by the next scheme where the first is not spoken."""
        while True:
            base = self.base
            address = Address.parse(f"{base.url.rstrip('/')}{path}")
            sent = self._authorised(headers, scope)
            try:
                return address, self._wire.ask(method, address, sent, self.deadline, trust=self.endpoint.trust)
            except SpeaksPlainHttp:
                if not self._lower(base.scheme):
                    raise

    def _lower(self, scheme: str) -> bool:
        """Go on to the scheme after this one, if there is one; another thread may have done so."""
        with self._lock:
            if self._schemes[0] == scheme:
                if len(self._schemes) == 1:
                    return False
                del self._schemes[0]
                self._authorizer = None
            return True

    def _authorised(self, headers: Mapping[str, str], scope: str) -> Mapping[str, str]:
        authorization = self._authorizer_now().header(scope)
        return {**headers, "Authorization": authorization} if authorization else headers

    def _settle(self, response: "BaseHTTPResponse") -> None:
        """Read what an answer has to say that nobody needs, so that its connection serves again."""
        with suppress(Transient, HoldfastError):
            read(response, self.endpoint.host, self.deadline.within(_SETTLE_SECONDS), _ERROR_BYTES)

    def _where(self, path: str) -> str:
        return f"{self.endpoint.host}{path.partition('?')[0]}"

    def _authorizer_now(self) -> Authorizer:
        with self._lock:
            if self._authorizer is None:
                told = self.endpoint.plain_http
                self._authorizer = Authorizer(
                    self.endpoint.registry, self.base, self._keychain, self._fetch, plain_http=told
                )
            return self._authorizer

    def _fetch(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request to the server that gives tokens. It is followed nowhere: it was sent what is secret."""
        address = Address.parse(url)
        trust = self.endpoint.trust if address.host == self.base.host else self.endpoint.trust.of_others

        def attempt() -> tuple[int, Mapping[str, str], bytes]:
            response = self._wire.ask(method, address, headers, self.deadline, body=body, trust=trust)
            if response.status in (429, 500, 502, 503, 504):
                try:
                    refuse(response, f"{address.host}{address.path}")
                finally:
                    response.close()
            within = self.deadline.within(DOCUMENT_SECONDS)
            return response.status, response.headers, read(response, f"{address.host}{address.path}", within, limit)

        return self.again(attempt)

    def _refuse(self, response: "BaseHTTPResponse", path: str) -> None:
        """Raise what an answer without content means, with what the registry says of it."""
        said = ""
        with suppress(Transient, HoldfastError):
            said = _said(read(response, path, self.deadline.within(DOCUMENT_SECONDS), _ERROR_BYTES))
        response.close()
        if self._authorizer_now().gave(said):
            said = ""  # it says our own secret back
        said = ascii(said[:200])[1:-1]
        try:
            refuse(response, self._where(path))
        except Transient as failure:
            raise Transient(_told(failure.error, said), pause=failure.pause) from failure
        except SourceError as error:
            raise _told(error, said) from error


def _origin(address: Address) -> tuple[str, str, int | None]:
    return address.scheme, address.host, address.port or {"https": 443, "http": 80}.get(address.scheme)


def _said(body: bytes) -> str:
    """The first error of a registry's answer (distribution-spec, error codes), as it stands there."""
    try:
        faults = msgspec.json.decode(body, type=_Faults).errors or []
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    return next((text for fault in faults if (text := fault.message or fault.code)), "")


def _told(error: SourceError, said: str) -> SourceError:
    remedy = error.remedy
    if "rate limit" in said:
        remedy = "log in to it for a higher limit, or use a mirror"
    what = f'{error.what}: the registry says "{said}"' if said else error.what
    kind = type(error) if type(error) in (AuthError, NotFound) else SourceError
    told = kind(what, where=error.where, remedy=remedy)
    told.status = error.status
    return told
