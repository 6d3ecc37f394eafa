"""The connections themselves. Importing this imports urllib3, so only a fetch does."""

import os
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import urllib3
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from holdfast.model.errors import SourceError
from holdfast.transport.trust import Trust

POOLED = 8


class _Impatient:
    """Cuts a connection whose answer's head takes longer than the read timeout as a whole.

    A socket's timeout starts anew with every byte; a server that drips its headers would hold us for hours.
    """

    def getresponse(self, *arguments: Any, **named: Any) -> Any:
        connection: Any = self
        if connection.sock is None or not isinstance(connection.timeout, int | float):
            return super().getresponse(*arguments, **named)  # type: ignore[misc]
        late = threading.Event()
        cut = threading.Timer(connection.timeout, _shut, (connection.sock, late))
        cut.daemon = True
        cut.start()
        try:
            response = super().getresponse(*arguments, **named)  # type: ignore[misc]
        finally:
            cut.cancel()
        if late.is_set():  # http.client takes the end of the connection for that of the head
            response.close()
            raise TimeoutError("the head of the answer took too long")
        return response


def _shut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Plain(_Impatient, HTTPConnection):
    pass


class _Secure(_Impatient, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Local(_Impatient, HTTPConnection):
    """HTTP over a Unix socket, whose path stands where another connection has its host."""

    socket_path = ""

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
        try:
            connection.connect(self.socket_path)
        except OSError:
            connection.close()
            raise
        return connection


class LocalPool(HTTPConnectionPool):
    """Connections to the Unix socket at a path."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=8)
        self.ConnectionCls = type("_LocalAt", (_Local,), {"socket_path": path})


def connect(*, proxy: str, trust: Trust) -> PoolManager:
    """A pool of connections, through `proxy` where one is given, that trusts and presents what `trust` says."""
    context = _context(trust)
    try:
        if proxy:
            parsed = urllib3.util.parse_url(proxy)
            headers = urllib3.util.make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None
            manager: PoolManager = ProxyManager(
                proxy, maxsize=POOLED, proxy_headers=headers, ssl_context=context, proxy_ssl_context=context
            )
        else:
            manager = PoolManager(maxsize=POOLED, ssl_context=context)
    except (HTTPError, ValueError, OSError) as error:
        raise SourceError(
            f"the proxy setting cannot be used: {type(error).__name__}", remedy="write http://host:port"
        ) from error
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return manager


def _context(trust: Trust) -> ssl.SSLContext | None:
    """What connections are encrypted with; None for the library's own choice. SourceError names the file at fault."""
    if trust == Trust():
        return None
    try:
        context = ssl.create_default_context()
        if trust.ca_bundle:
            bundle = Path(trust.ca_bundle)
            for authority in sorted(bundle.glob("*.crt")) if bundle.is_dir() else [bundle]:
                context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as error:
        raise SourceError(
            f"not certificates: {_reason(error)}", where=trust.ca_bundle, remedy="give a PEM file"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust.certificate:
        try:
            context.load_cert_chain(trust.certificate, trust.key or None, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            remedy = "give a PEM certificate and its key, without a pass phrase"
            raise SourceError(
                f"no usable client certificate: {_reason(error)}", where=trust.certificate, remedy=remedy
            ) from error
    return context


def _no_password() -> str:
    raise ValueError("its key wants a pass phrase")  # without this, OpenSSL would ask on the terminal


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, ssl.SSLError) or not number:
        return str(getattr(error, "reason", None) or error)[:120]
    return os.strerror(number)
