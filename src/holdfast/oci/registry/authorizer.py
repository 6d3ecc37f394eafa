"""What stands in the Authorization header of requests to one registry."""

import threading
import time
from base64 import b64decode
from collections.abc import Callable, Sequence

from holdfast.model.errors import AuthError
from holdfast.oci.registry.challenge import Challenge, parse
from holdfast.oci.registry.credential import Credential
from holdfast.oci.registry.keychain import ENVIRONMENT, Keychain
from holdfast.oci.registry.token_server import PLAIN_HTTP, Fetch, Refused, Token, TokenServer
from holdfast.transport.address import Address

_MARGIN_SECONDS = 10.0  # a token is renewed this long before it ends, or a quarter of its life
_MOST_GRANTS = 512
_MOST_SCOPES = 16
_SCOPE_CHARACTERS = 1024
_STRIKES = 3


class _Grant:
    """What one scope is asked for by: the scopes that the registry wants in its place, and the token they gave."""

    def __init__(self, scope: str) -> None:
        self.lock = threading.Lock()  # held while a token is fetched, so that it is fetched once
        self.scopes: tuple[str, ...] = (scope,)
        self.server: TokenServer | None = None
        self.header = ""
        self.ends = 0.0
        self.refresh = ""

    def keep(self, token: Token, now: float) -> None:
        self.header, self.refresh = f"Bearer {token.value}", token.refresh
        self.ends = now + token.seconds - min(_MARGIN_SECONDS, token.seconds / 4)


class _Turn(threading.local):
    """A thread's request: its scope, the header it was given, and how often in a row it was refused."""

    scope = ""
    header = ""
    refusals = 0
    refused = False


class Authorizer:
    """What authorises us to one registry, learnt from its challenges. It may be used from several threads.

    A token is kept for each scope, and renewed before it ends. Credentials are looked for once the registry wants
    some; they go to it and to its token server only, and unencrypted only where `plain_http` says so. What this gives
    is meant for `origin` alone: the caller sends it nowhere else, and shows no challenge of anybody else.
    """

    def __init__(
        self,
        registry: str,
        origin: Address,
        keychain: Keychain,
        fetch: Fetch,
        *,
        plain_http: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._origin, self._keychain, self._fetch = registry, origin, keychain, fetch
        self._plain_http, self._clock = plain_http, clock
        self._lock = threading.Lock()
        self._grants: dict[str, _Grant] = {}
        self._scheme = ""
        self._server: TokenServer | None = None
        self._turn = _Turn()

    def header(self, scope: str) -> str:
        """The header for a request that needs `scope` (`repository:library/nginx:pull`); empty while none is wanted.

        A token is fetched or renewed where that is due: AuthError, SourceError, as for `challenged`.
        """
        turn = self._turn
        if turn.scope != scope or not turn.refused:
            turn.refusals = 0  # what was asked before went well
        turn.scope, turn.header, turn.refused = scope, "", False
        if self._scheme == "basic":
            credential = self._credential(scope)
            turn.header = credential.basic if credential else ""
        elif self._scheme == "bearer":
            grant = self._grant(scope)
            with grant.lock:
                turn.header = self._bearer(grant, scope)
        return turn.header

    def gave(self, text: str) -> bool:
        """Whether a text holds the secret that this thread's last request was authorised by: such is never shown."""
        scheme, _, secret = self._turn.header.partition(" ")
        secrets = [secret]
        if scheme == "Basic":
            secrets.append(b64decode(secret).decode().partition(":")[2])
        return any(one and one in text for one in secrets)

    def challenged(self, headers: Sequence[str], scope: str) -> bool:
        """Learn from the `WWW-Authenticate` headers of a 401: true where it is to be asked again with a new header.

        Raises AuthError, which says what is missing, where there is nothing more to try; SourceError where the token
        server fails. It is called by the thread that asked.
        """
        turn = self._turn
        sent = turn.header if turn.scope == scope else ""
        refusals = turn.refusals + 1 if turn.scope == scope else 1
        turn.scope, turn.header, turn.refusals, turn.refused = scope, "", 0, False
        challenges = parse(headers)
        # A token rather than a password, where both will do: it goes to one registry, and lasts for minutes.
        for challenge in sorted(challenges, key=_preference):
            if challenge.scheme == "bearer":
                self._answer_bearer(challenge, scope, sent, refusals)
                break
            if challenge.scheme == "basic":
                self._answer_basic(scope, sent)
                break
        else:
            raise self._unknown(challenges)
        turn.refusals, turn.refused = refusals, True
        return True

    def _answer_basic(self, scope: str, sent: str) -> None:
        credential = self._credential(scope)
        if credential is None:
            raise self._without(scope)
        if not credential.basic:
            raise self._error(f"a user and password are wanted; {credential.source} has a token only", self._login)
        if sent == credential.basic and self._other(credential, scope) is None:
            raise self._refused(credential)
        self._scheme = "basic"

    def _answer_bearer(self, challenge: Challenge, scope: str, sent: str, refusals: int) -> None:
        server = None
        if "realm" in challenge.parameters:
            server = TokenServer.of(challenge, self._origin, plain_http=self._plain_http)
        scopes = tuple(one for one in challenge.scopes if len(one) <= _SCOPE_CHARACTERS)[:_MOST_SCOPES] or (scope,)
        grant = self._grant(scope)
        with grant.lock:
            if grant.header and grant.header != sent and self._clock() < grant.ends:
                return  # another thread has renewed it meanwhile
            again = refusals > 1 and (server, scopes) == (grant.server, grant.scopes)
            if again or refusals == _STRIKES:
                raise self._insufficient(scope)
            if server != grant.server:
                grant.refresh = ""  # it belongs to the server that gave it
            grant.server, grant.scopes, grant.header = server, scopes, ""
            self._scheme, self._server = "bearer", server
            self._bearer(grant, scope)

    def _bearer(self, grant: _Grant, scope: str) -> str:
        """The grant's header, with a token that lasts. Its lock is held."""
        if not grant.header or self._clock() >= grant.ends:
            grant.header = ""
            grant.server = grant.server or self._server
            grant.keep(self._token(grant, scope), self._clock())
        return grant.header

    def _token(self, grant: _Grant, scope: str) -> Token:
        credential, server = self._credential(scope), grant.server
        if credential and credential.registry_token:
            return Token(credential.registry_token)
        if server is None:
            raise self._error("wants a token, and does not say whose")
        if grant.refresh:
            refresh, grant.refresh = grant.refresh, ""
            try:
                return server.token(self._fetch, grant.scopes, credential, refresh)
            except Refused:
                pass  # it is no longer good; what it was given for may still be
        try:
            return server.token(self._fetch, grant.scopes, credential)
        except Refused as refusal:
            if credential is None:
                raise self._without(scope) from refusal
            other = self._other(credential, scope)
            if other is None:
                raise self._refused(credential, server) from refusal
        try:
            return server.token(self._fetch, grant.scopes, other)
        except Refused as refusal:
            raise self._refused(other, server) from refusal

    def _credential(self, scope: str) -> Credential | None:
        """What is known for a scope; AuthError where sending it would show it to everybody on the way."""
        credential = self._keychain.credential(self._registry, _repository(scope))
        if credential and self._origin.scheme != "https" and not self._plain_http:
            raise self._error(
                f"wants credentials by plain http; those from {credential.source} were not sent", PLAIN_HTTP
            )
        return credential

    def _other(self, refused: Credential, scope: str) -> Credential | None:
        """Another credential than the one that was refused, from a helper whose secrets last for a while only."""
        if not self._keychain.forget(self._registry):
            return None
        other = self._credential(scope)
        return other if other != refused else None

    def _grant(self, scope: str) -> _Grant:
        with self._lock:
            grant = self._grants.pop(scope, None) or _Grant(scope)
            self._grants[scope] = grant  # the last used stands last
            if len(self._grants) > _MOST_GRANTS:
                del self._grants[next(iter(self._grants))]
            return grant

    def _unknown(self, challenges: Sequence[Challenge]) -> AuthError:
        """No way to log in that we know is offered."""
        schemes = ", ".join(sorted({one.scheme[:20] for one in challenges})[:5])
        what = f"offers no way to log in that is known here, but {schemes}" if schemes else "refuses without a word"
        return self._error(what, "it may be no registry, or a proxy stands before it: check the address")

    def _without(self, scope: str) -> AuthError:
        """Credentials are wanted, and we have none."""
        met = next((f"; {problem.where}: {problem.message}" for problem in self._keychain.problems), "")
        remedy = f"{self._login}, or set HOLDFAST_REGISTRY, HOLDFAST_USERNAME and HOLDFAST_PASSWORD{met}"
        return self._error(f"credentials are wanted{_for(scope)}, and none are known", remedy)

    def _refused(self, credential: Credential, server: TokenServer | None = None) -> AuthError:
        """Those that we have are not good, or not any longer."""
        by = f" by {server.address.host}" if server else ""
        again = f"{self._login}; for what everybody may pull, `docker logout {self._registry}` is enough"
        remedy = "correct or unset the variables HOLDFAST_…" if credential.source == ENVIRONMENT else again
        return self._error(f"the credentials from {credential.source} were refused{by}", remedy)

    def _insufficient(self, scope: str) -> AuthError:
        """There is a token, and it does not suffice."""
        check = "check the name, since what does not exist is refused alike; or " if _repository(scope) else ""
        credential = self._credential(scope)
        if credential is None:
            error = self._without(scope)
            return self._error(error.what, check + error.remedy)
        what = f"the credentials from {credential.source} do not suffice{_for(scope)}"
        return self._error(what, f"{check}{self._login} as somebody who may do this")

    def _error(self, what: str, remedy: str = "") -> AuthError:
        return AuthError(what, where=self._registry, remedy=remedy)

    @property
    def _login(self) -> str:
        return f"log in by `docker login {self._registry}` or `podman login {self._registry}`"


def _preference(challenge: Challenge) -> int:
    if challenge.scheme == "bearer":
        return 0 if "realm" in challenge.parameters else 2
    return 1


def _repository(scope: str) -> str:
    """The repository that a scope is about; empty where it is about the registry."""
    kind, _, rest = scope.partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def _for(scope: str) -> str:
    repository = _repository(scope)
    return f" for {repository}" if repository else " for its catalog" if scope.startswith("registry:catalog") else ""
