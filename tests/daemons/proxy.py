"""A forward proxy that leads names which exist nowhere to servers of the test, and keeps what it was asked.

    authority = Authority(tmp_path / "ca").naming("registry.test")
    with registry(tmp_path / "registry", authority=authority) as real, proxy({"registry.test:443": real}) as it:
        holdfast("scan", "registry.test/app:1.0", environment={"HTTPS_PROXY": it.url})
        it.paths                                     # ["CONNECT registry.test:443"]
    proxy({"registry.test:80": real}, auth=("me", "s3cret"))          # plain http, and a password for the proxy

So a test can speak of hosts that are not this machine. What no route leads to is answered with 502: nothing leaves.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from daemons.listener import Listener, running
from daemons.meddler import forwarded
from daemons.message import Answer, Relay, Request
from daemons.push import Place


class Reachable(Place, Protocol):
    """A server of the test: a `Registry`, or any `Listener`."""

    @property
    def host(self) -> str: ...


class Proxy(Listener):
    """See the module; `routes` may be changed while it runs."""

    def __init__(self, routes: Mapping[str, Reachable], auth: tuple[str, str] | None) -> None:
        super().__init__(self._respond)
        self.routes, self.auth = dict(routes), auth

    def _respond(self, request: Request) -> Answer:
        if self.auth is not None and _proxy_credentials(request) != self.auth:
            return Answer(407, [("Proxy-Authenticate", 'Basic realm="proxy"')])
        if request.method == "CONNECT":
            to = self.routes.get(request.target)
            if to is None:
                return Answer(502)
            name, _, port = to.host.rpartition(":")
            return Answer(200, [("Content-Length", "0")], [Relay((name, int(port)))])
        parts = urlsplit(request.target)
        to = self.routes.get(f"{parts.hostname}:{parts.port or 80}")
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        return Answer(502) if to is None else forwarded(replace(request, target=target), to)


def _proxy_credentials(request: Request) -> tuple[str, str] | None:
    return Request("", "", (("Authorization", request.header("Proxy-Authorization")),)).basic


@contextmanager
def proxy(routes: Mapping[str, Reachable], *, auth: tuple[str, str] | None = None) -> Iterator[Proxy]:
    """A running proxy; `routes` lead from HOST:PORT to a server."""
    it = Proxy(routes, auth)
    with running(it):
        yield it
