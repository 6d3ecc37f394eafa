"""Asking a token server for a bearer token (distribution's docs/content/spec/auth: token.md, oauth.md)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeGuard
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from holdfast.model.errors import AuthError, HoldfastError, LimitError, SourceError
from holdfast.oci.registry.challenge import Challenge
from holdfast.oci.registry.credential import Credential, basic, is_visible
from holdfast.transport.address import Address

CLIENT = "holdfast"
PLAIN_HTTP = "--plain-http lets credentials be sent to it unencrypted, where that is meant to be so"
_ANSWER_BYTES = 1 << 20
_TOKEN_CHARACTERS = 64 << 10
_ADDRESS_CHARACTERS = 4 << 10
_SECONDS = 60.0  # what a token lasts where nobody says how long
_LONGEST_SECONDS = 86400.0


class Fetch(Protocol):
    """How a token server is asked."""

    def __call__(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer to one request, which is redirected to no other origin.

        Raises HoldfastError where there is no answer, or one of more than `limit` bytes.
        """


class Refused(AuthError):
    """A token server does not give a token to whom we say we are."""


class Token(Struct, frozen=True):
    """A bearer token, how many seconds it lasts, and the refresh token that the next one can be had by, or empty."""

    value: str
    seconds: float = _SECONDS
    refresh: str = ""

    @classmethod
    def parse(cls, body: bytes, where: str) -> "Token":
        """The token in an answer; SourceError where there is none that can be used."""
        try:
            answer = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise SourceError("the token server's answer is not one", where=where) from error
        value, refresh = answer.get("token") or answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(value, str) or not value:
            raise SourceError("there is no token in the token server's answer", where=where)
        if not _is_usable(value):
            raise SourceError("the token server's answer holds what can be no token", where=where)
        return cls(value, _seconds(answer.get("expires_in")), refresh if _is_usable(refresh) else "")

    def __repr__(self) -> str:
        return f"Token(seconds={self.seconds})"


class TokenServer(Struct, frozen=True):
    """Where a registry has its tokens from, and its name there; `plain_http` lets secrets go there unencrypted."""

    address: Address
    service: str
    plain_http: bool

    @classmethod
    def of(cls, challenge: Challenge, origin: Address, *, plain_http: bool) -> "TokenServer":
        """The token server of a registry at `origin`, as its challenge says; AuthError for one that is not trusted.

        Another host than the registry is normal. This machine is not, unless the registry is there too: whoever wrote
        the challenge may want what only we can reach.
        """
        realm, service = challenge.parameters.get("realm", ""), challenge.parameters.get("service", "")
        if len(realm) > _ADDRESS_CHARACTERS or len(service) > _ADDRESS_CHARACTERS:
            raise _untrusted("is too long", origin)
        try:
            address = Address.parse(realm)
        except HoldfastError as error:
            raise _untrusted(f"is no address: {error.what}", origin) from error
        if address.scheme == "file" or "@" in urlsplit(realm).netloc:
            raise _untrusted("is no plain address of a server", origin)
        together = address.host == origin.host or (address.is_loopback and origin.is_loopback)
        if address.is_local and not together:
            raise _untrusted(f"({address.host}) is this machine or its own link, and the registry is elsewhere", origin)
        # What was told is that this registry may be had unencrypted, and not whoever it names.
        plain = (plain_http and together) or (address.is_loopback and origin.scheme == "http")
        if address.scheme == "http" and not plain:
            raise _untrusted(f"({address.host}) is reached by plain http", origin, PLAIN_HTTP)
        return cls(address, service, plain_http)

    @property
    def where(self) -> str:
        """How it is called in errors."""
        return f"{self.address.host}{self.address.path}"[:200]

    def token(self, fetch: Fetch, scopes: Sequence[str], credential: Credential | None, refresh: str = "") -> Token:
        """A token for scopes, by a refresh token, else a credential, else for anybody.

        Raises Refused, AuthError where a secret would go unencrypted, SourceError.
        """
        if (credential or refresh) and self.address.scheme != "https" and not self.plain_http:
            raise AuthError("credentials are not sent by plain http", where=self.where, remedy=PLAIN_HTTP)
        identity = refresh or (credential.identity_token if credential else "")
        status, body = self._post(fetch, scopes, identity) if identity else (405, b"")
        if status in (404, 405):  # not every token server knows OAuth 2
            status, body = self._get(fetch, scopes, credential)
        if status in (401, 403) or (identity and status == 400):  # RFC 6749 §5.2 has 400 for a token that is not good
            raise Refused(f"no token was given (HTTP {status})", where=self.where)
        if status != 200:
            redirected = " and leads elsewhere, which is not followed" if 300 <= status < 400 else ""
            raise SourceError(f"the token server answered HTTP {status}{redirected}", where=self.where)
        if len(body) > _ANSWER_BYTES:
            raise LimitError(f"the token server's answer is longer than {_ANSWER_BYTES:,} bytes", where=self.where)
        return Token.parse(body, self.where)

    def _get(self, fetch: Fetch, scopes: Sequence[str], credential: Credential | None) -> tuple[int, bytes]:
        asked = [("service", self.service)] if self.service else []
        query = urlencode(asked + [("scope", scope) for scope in scopes], quote_via=quote)
        url = self.address.url
        if query:
            url += f"&{query}" if "?" in url else f"?{query}"
        headers = {"Accept": "application/json"}
        if credential and credential.identity_token:
            headers["Authorization"] = basic(credential.username or "<token>", credential.identity_token)
        elif credential and credential.basic:
            headers["Authorization"] = credential.basic
        status, _, body = fetch("GET", url, headers, None, _ANSWER_BYTES)
        return status, body

    def _post(self, fetch: Fetch, scopes: Sequence[str], identity: str) -> tuple[int, bytes]:
        form = {
            "grant_type": "refresh_token",
            "service": self.service,
            "client_id": CLIENT,
            "scope": " ".join(scopes),
            "refresh_token": identity,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form, quote_via=quote).encode()
        status, _, answer = fetch("POST", self.address.url, headers, body, _ANSWER_BYTES)
        return status, answer


def _is_usable(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= _TOKEN_CHARACTERS and is_visible(value)


def _seconds(stated: object) -> float:
    """How long a token lasts. Some servers write the number as a string; an odd one counts as none."""
    if isinstance(stated, str) and stated.isascii() and stated.isdigit() and len(stated) < 16:
        stated = int(stated)
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not math.isfinite(stated) or stated <= 0:
        return _SECONDS
    return float(min(stated, _LONGEST_SECONDS))


def _untrusted(why: str, origin: Address, remedy: str = "") -> AuthError:
    return AuthError(f"the token server that the registry names {why}", where=origin.host, remedy=remedy)
