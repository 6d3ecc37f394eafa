"""The connections themselves. Importing this imports urllib3, so only a fetch does."""

import socket
import threading
from contextlib import suppress
from typing import Any

import urllib3
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from holdfast.model.errors import SourceError


class _Impatient:
    """Cuts a connection whose answer's head takes longer than the read timeout as a whole.

    A socket's timeout starts anew with every byte; a server that drips its headers would hold us for hours.
    """

    def getresponse(self, *arguments: Any, **named: Any) -> Any:
        connection: Any = self
        if connection.sock is None or not isinstance(connection.timeout, int | float):
            return super().getresponse(*arguments, **named)  # type: ignore[misc]
        cut = threading.Timer(connection.timeout, _shut, (connection.sock,))
        cut.daemon = True
        cut.start()
        try:
            return super().getresponse(*arguments, **named)  # type: ignore[misc]
        finally:
            cut.cancel()


def _shut(connection: socket.socket) -> None:
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


def connect(*, proxy: str, ca_bundle: str) -> PoolManager:
    """A pool of connections, through `proxy` where one is given, trusting `ca_bundle` or else the system's store."""
    trust: dict[str, Any] = {"ca_certs": ca_bundle} if ca_bundle else {}
    try:
        if proxy:
            parsed = urllib3.util.parse_url(proxy)
            headers = urllib3.util.make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None
            manager: PoolManager = ProxyManager(proxy, maxsize=8, proxy_headers=headers, **trust)
        else:
            manager = PoolManager(maxsize=8, **trust)
    except (HTTPError, ValueError, OSError) as error:
        raise SourceError(
            f"the proxy setting cannot be used: {type(error).__name__}", remedy="write http://host:port"
        ) from error
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return manager
