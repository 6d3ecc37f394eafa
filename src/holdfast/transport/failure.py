"""What the network libraries and servers say when something fails, in our own errors."""

import re
from typing import TYPE_CHECKING, NoReturn

from holdfast.model.errors import AuthError, NotFound, SourceError
from holdfast.transport.address import Address
from holdfast.transport.retry import retry_after

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

# What OpenSSL, by its version, makes of a line of text where a handshake belongs.
_NOT_ENCRYPTED = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
_OBJECT = re.compile(r"^\w+\(host=[^)]*\): ")  # how urllib3 names its connections
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Transient(Exception):
    """A failure that another attempt may not meet.

    `connecting` says that nothing answered at all, and `address` where; `silent` that somebody did, and then said
    nothing for as long as one waits; `pause` is how many seconds the server wants us to wait.
    """

    address: Address | None = None
    silent = False

    def __init__(self, error: SourceError, *, connecting: bool = False, pause: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.connecting, self.pause = error, connecting, pause


class SpeaksPlainHttp(SourceError):
    """A server that was to be reached over https and does not encrypt."""


def refuse(response: "BaseHTTPResponse", where: str) -> NoReturn:
    """Raise what an answer without content means."""
    error = _meaning(response.status, where)
    error.status = response.status
    if response.status in _AGAIN:
        raise Transient(error, pause=retry_after(response.headers.get("Retry-After")))
    raise error


def _meaning(status: int, where: str) -> SourceError:
    if status in (401, 403):
        return AuthError(f"access refused (HTTP {status})", where=where, remedy="check the address and its credentials")
    if status == 407:
        return _proxy_refuses(where)
    if status in (404, 410):
        return NotFound(f"not there (HTTP {status})", where=where)
    return SourceError(f"the server answered HTTP {status}", where=where, remedy="try again later")


def of_connection(error: Exception, *, host: str, where: str) -> SourceError | Transient:
    """What an exception of urllib3 means for a request that got no answer."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.SSLError):
        if any(sign in str(error) for sign in _NOT_ENCRYPTED):
            remedy = "if that is meant to be so, allow plain http for this host"
            return SpeaksPlainHttp("does not speak https, but plain http", where=where, remedy=remedy)
        if "EOF occurred" in str(error):  # cut in the handshake: by the network, or by who misses a certificate of ours
            remedy = "if it wants a client certificate, set certificate and key"
            return Transient(SourceError("no encrypted connection: the server hung up", where=where, remedy=remedy))
        remedy = "where a proxy opens https connections, set ca_bundle to its certificate"
        if "CERTIFICATE_REQUIRED" in str(error) or "HANDSHAKE_FAILURE" in str(error):
            remedy = "it may want a client certificate: set certificate and key"
        return SourceError(f"no trusted https connection: {words(error)}", where=where, remedy=remedy)
    if isinstance(error, exceptions.LocationValueError):
        return SourceError(f"not an address: {words(error)}", where=where)
    if isinstance(error, exceptions.ProxyError) and "failed: 407" in str(error.original_error):  # its answer to CONNECT
        return _proxy_refuses(where)
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ProxyError):
        remedy = "check the network, or set the proxy"
        # A proxy that answers for a host it cannot reach has been reached itself.
        itself = isinstance(error, exceptions.ProxyError) and "Tunnel connection failed" not in str(error)
        who = "the proxy" if itself else host
        failure = SourceError(f"{who} cannot be reached: {words(error)}", where=where, remedy=remedy)
        return failure if _is_final(error) else Transient(failure, connecting=True)
    transient = Transient(SourceError(f"no proper answer: {words(error)}", where=where))
    transient.silent = isinstance(error, exceptions.ReadTimeoutError)
    return transient


def _proxy_refuses(where: str) -> AuthError:
    return AuthError("the proxy wants credentials (HTTP 407)", where=where, remedy="put them into the proxy setting")


def _is_final(error: BaseException) -> bool:
    """Whether trying again is pointless: the connection was refused, or the name is not known."""
    from urllib3.exceptions import NameResolutionError

    while not isinstance(error, NameResolutionError):
        cause = error.__cause__ or getattr(error, "original_error", None)  # ProxyError carries its cause apart
        if cause is None:
            break
        error = cause
    return isinstance(error, NameResolutionError | ConnectionRefusedError)


def words(error: BaseException) -> str:
    """An exception of the network libraries in a few words, without its object addresses."""
    cause = error.__cause__ or error
    if len(cause.args) > 1 and isinstance(cause.args[-1], Exception):  # ('Connection aborted.', RemoteDisconnected(…))
        cause = cause.args[-1]
    text = getattr(cause, "strerror", None) or getattr(cause, "reason", None) or str(cause)
    plain = _OBJECT.sub("", str(text).rpartition(">: ")[2])
    return plain[:200] or type(cause).__name__
