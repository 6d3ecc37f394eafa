"""A man in the middle between a client and a registry or token server: it forwards, except where it is told otherwise.

    with registry(tmp_path / "registry") as real, meddler(real) as it:
        it.on(BLOBS, truncate(1000), times=2)                   # the first two answers; then the truth
        it.on("/v2/app/manifests/1.0", instead("old"))          # always; fnmatch patterns, * crosses slashes
        it.on(MANIFESTS, expired_token(), skip=3)               # from the fourth on
        it.on(BLOBS, delay(0.1), cut(64), method="GET")         # several at once: the first is the outermost
        it.on(lambda request: "last=" in request.target, status(500))
        holdfast("scan", f"{it.host}/app:1.0", "--plain-http")
        it.paths, it.requests, it.sent, heard("s3cret", it)     # it is a Listener: it keeps every byte it was sent
        it.answers                                              # what the real one said, in order
    with meddler(real, authority=authority) as it: ...          # https outside, whatever the real one speaks
    with meddler(token) as it: token_realm = it.url + "/token"  # in front of a token server

The newest rule that matches and is not used up decides. Behaviours stand in behaviours.py; one is any function of the
request and of what forwards it.
"""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from urllib.parse import urlsplit

from daemons.authority import Authority
from daemons.listener import Listener, running
from daemons.message import Answer, Request, Respond
from daemons.push import Place

ANY = "*"
PING = "/v2/"
MANIFESTS, BLOBS, REFERRERS = "/v2/*/manifests/*", "/v2/*/blobs/*", "/v2/*/referrers/*"
TAGS, CATALOG = "/v2/*/tags/list", "/v2/_catalog"

Behaviour = Callable[[Request, Respond], Answer]
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "expect", "proxy-authorization", "proxy-connection"}
_OURS = _HOP_BY_HOP | {"content-length", "x-forwarded-proto"}
_SECONDS = 30


@dataclass
class Rule:
    """What is done to which requests, and how many of them it still leaves alone or still meets."""

    matches: Callable[[Request], bool]
    behaviours: tuple[Behaviour, ...]
    skip: int
    left: float
    met: int = 0

    def takes(self, request: Request) -> bool:
        if not self.left or not self.matches(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.left -= 1
        self.met += 1
        return True


class Meddler(Listener):
    """See the module."""

    def __init__(
        self,
        upstream: Place,
        *,
        host: str = "127.0.0.1",
        authority: Authority | None = None,
        client_authority: Authority | None = None,
    ) -> None:
        super().__init__(self._respond, host=host, authority=authority, client_authority=client_authority)
        self.upstream = upstream
        self.answers: list[Answer] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def on(
        self,
        where: str | Callable[[Request], bool],
        *behaviours: Behaviour,
        times: float = float("inf"),
        skip: int = 0,
        method: str = "",
    ) -> Rule:
        """Do this to requests for a path (without its query); `rule.met` counts those that it was done to."""

        def matches(request: Request) -> bool:
            here = where(request) if callable(where) else fnmatchcase(request.path, where)
            return here and method in ("", request.method)

        rule = Rule(matches, behaviours, skip, times)
        with self._lock:
            self._rules.insert(0, rule)
        return rule

    def forget(self) -> None:
        """Forward everything from now on."""
        with self._lock:
            self._rules.clear()

    def forward(self, request: Request) -> Answer:
        """What the real one says."""
        answer = forwarded(request, self.upstream, "https" if self.tls else "http")
        self.answers.append(answer)
        return answer

    def _respond(self, request: Request) -> Answer:
        with self._lock:
            rule = next((rule for rule in self._rules if rule.takes(request)), None)
        respond: Respond = self.forward
        for behaviour in reversed(rule.behaviours if rule else ()):
            respond = partial(_through, behaviour, respond)
        return respond(request)


def forwarded(request: Request, to: Place, scheme: str = "http") -> Answer:
    """What a server says to a request; `scheme` is the one that the client used."""
    parts = urlsplit(to.url)
    assert parts.hostname
    if to.context is not None:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_SECONDS, context=to.context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        if name.lower() not in _OURS:
            connection.putheader(name, value)
    # A registry writes absolute addresses, by the Host that it is told and by this.
    connection.putheader("X-Forwarded-Proto", scheme)
    connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    with connection.getresponse() as response:
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
        answer = Answer(response.status, headers, response.read())
    connection.close()
    return answer


def _through(behaviour: Behaviour, forward: Respond, request: Request) -> Answer:
    return behaviour(request, forward)


@contextmanager
def meddler(
    upstream: Place,
    *,
    host: str = "127.0.0.1",
    authority: Authority | None = None,
    client_authority: Authority | None = None,
) -> Iterator[Meddler]:
    """A running man in the middle; see the module."""
    it = Meddler(upstream, host=host, authority=authority, client_authority=client_authority)
    with running(it):
        yield it
