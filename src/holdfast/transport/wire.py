"""One request and one answer, over connections that are kept open: no redirection, no second attempt, no policy."""

import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from holdfast.model.errors import SourceError
from holdfast.transport.address import Address
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import Transient, of_connection
from holdfast.transport.proxy import Proxy
from holdfast.transport.trust import Trust

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
GIVEN_UP_SECONDS = 60.0


class Wire:
    """Connections to the internet, to this machine (never through a proxy), and to Unix sockets.

    With `offline` every network address is refused before a socket exists; a Unix socket is none. A host that could
    not be reached is not tried again for GIVEN_UP_SECONDS. It may be used from several threads.
    """

    def __init__(self, *, offline: bool = False, proxy: Proxy = Proxy(), trust: Trust = Trust()) -> None:
        self.offline = offline
        self._proxy, self._trust = proxy, trust
        self._pools: dict[tuple[str, Trust], PoolManager] = {}
        self._local: dict[str, HTTPConnectionPool] = {}
        self._unreachable: dict[tuple[str, int | None], tuple[SourceError, float]] = {}
        self._answered: set[tuple[str, int | None]] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        for manager in self._pools.values():
            manager.clear()
        for pool in self._local.values():
            pool.close()

    def ask(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        deadline: Deadline,
        *,
        body: bytes | None = None,
        trust: Trust = Trust(),
        patience: float = READ_SECONDS,
    ) -> "BaseHTTPResponse":
        """The answer to one request, its content not read yet: close it, or release its connection.

        `trust` stands for the wire's own where a host has an authority of its own or wants a certificate; `patience`
        is how many seconds the peer may be silent. Raises Transient; SourceError for what another try cannot mend.
        """
        self.require_allowed(address)
        if self.offline:
            _import_quietly()
        from urllib3 import Timeout, exceptions

        place = address.host, address.port
        gone, since = self._unreachable.get(place, (None, 0.0))
        if gone is not None and time.monotonic() - since < GIVEN_UP_SECONDS:
            raise SourceError(gone.what, where=address.where, remedy=gone.remedy)
        left = max(deadline.remaining, 0.001)
        timeout = Timeout(connect=min(CONNECT_SECONDS, left), read=min(patience, left))
        pool, target = self._pool(address, trust.beside(self._trust))
        try:
            response = pool.urlopen(
                method, target, body=body, headers=dict(headers), redirect=False, retries=False,
                preload_content=False, decode_content=False, timeout=timeout,
            )  # fmt: skip
        except (exceptions.HTTPError, OSError, ValueError) as error:
            failure = of_connection(error, host=address.host, where=address.where)
            if isinstance(failure, SourceError) and isinstance(error, exceptions.ConnectTimeoutError):
                if place in self._answered:  # it was there a moment ago: it may be starting anew
                    raise Transient(failure) from error
                self.give_up(address, failure)
            if isinstance(failure, Transient):
                failure.address = address
            raise failure from error
        self._answered.add(place)
        return response

    def require_allowed(self, address: Address) -> None:
        """SourceError for an address that must not be asked offline: not even its name may be looked up."""
        if self.offline and address.scheme != "unix":
            raise SourceError("not fetched: --offline", where=address.where, remedy="carry the data here by hand")

    def give_up(self, address: Address, failure: SourceError) -> None:
        """Do not try this address's host again for a while: it cannot be reached."""
        self._unreachable[address.host, address.port] = failure, time.monotonic()

    def _pool(self, address: Address, trust: Trust) -> "tuple[PoolManager | HTTPConnectionPool, str]":
        """The connections that lead to an address, and how the address is written for them."""
        from holdfast.transport.pool import LocalPool, connect

        with self._lock:
            if address.scheme == "unix":
                if address.host not in self._local:
                    self._local[address.host] = LocalPool(address.host)
                return self._local[address.host], address.path
            port = address.port or (443 if address.scheme == "https" else 80)
            proxy = "" if address.is_loopback else self._proxy.for_host(address.host, port)
            if (proxy, trust) not in self._pools:
                self._pools[proxy, trust] = connect(proxy=proxy, trust=trust)
            return self._pools[proxy, trust], address.url


def _import_quietly() -> None:
    """Import urllib3 without the socket that it opens to find out about IPv6, which a Unix socket does not need."""
    if "urllib3" not in sys.modules:
        known, socket.has_ipv6 = socket.has_ipv6, False
        try:
            import urllib3  # noqa: F401
        finally:
            socket.has_ipv6 = known
