"""A token server as a registry with `auth: token` relies on: real JWTs, asked by GET and by OAuth2's POST.

    with (
        token_server(users={"ci": "s3cret"}, allow={"ci": ["app", "team/*"]}, anonymous=["public/*"]) as token,
        registry(tmp_path, token=token) as it,
    ):
        ...
    token.asked[0]             # Asked(method="GET", user="ci", scopes=("repository:app:pull",), service=…, grant="", …)
    token.issued, token.refresh_tokens                    # every access token, and {refresh token: user}
    token.identity_token("ci")                            # one to put into a client's configuration
    token.expires_in = 2                                  # what the answer says (None: says nothing)
    token.lifetime = -3600                                # what the token says: this one has expired already
    token.oauth = False                                   # POST is answered with 405, as old servers do
    token.members = ("access_token",)                     # which members hold the token: ("token", "access_token")
    token.instead = lambda request: Answer(503)           # something else than an answer
    heard("s3cret", token)                                # it is a Listener too

Who is not in `allow` may pull and push everything; anonymous clients may pull what `anonymous` names ("catalog" stands
for the scope registry:catalog:*). What may not be had is left out of the token, as real servers do; a wrong password is
answered with 401. Sources: distribution's docs/content/spec/auth/{token,oauth,jwt,scope}.md. docker-registry 2.8 takes
a token up to 60 s after its end (its `Leeway`), hence `lifetime`; `fake` takes it to the second.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from daemons.authority import Authority
from daemons.listener import Listener, running
from daemons.message import Answer, Request, Respond

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PATH = "/token"


@dataclass(frozen=True)
class Asked:
    """One request for a token; `grant` is empty for a GET. `refused` says that the credentials were wrong."""

    method: str
    user: str
    scopes: tuple[str, ...]
    service: str
    client: str
    grant: str = ""
    offline: bool = False
    refused: bool = False


class TokenServer(Listener):
    """See the module."""

    def __init__(
        self,
        *,
        users: Mapping[str, str],
        allow: Mapping[str, Sequence[str]],
        anonymous: Sequence[str],
        algorithm: str,
        authority: Authority | None,
        host: str,
    ) -> None:
        super().__init__(self._respond, host=host, authority=authority)
        self.users, self.allow, self.anonymous = dict(users), dict(allow), tuple(anonymous)
        self.algorithm = algorithm
        self.service, self.issuer = "holdfast-registry", "holdfast-tokens"
        self.expires_in: float | None = 300
        self.lifetime: float | None = None
        self.oauth = True
        self.members: Sequence[str] = ("token", "access_token")
        self.instead: Respond | None = None
        self.asked: list[Asked] = []
        self.issued: list[str] = []
        self.refresh_tokens: dict[str, str] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def realm(self) -> str:
        """The address that a registry sends its clients to."""
        return self.url + PATH

    def challenge(self, scope: str = "", error: str = "") -> str:
        """What a registry says in WWW-Authenticate."""
        parameters = {"realm": self.realm, "service": self.service, "scope": scope, "error": error}
        return "Bearer " + ",".join(f'{name}="{value}"' for name, value in parameters.items() if value)

    def identity_token(self, user: str) -> str:
        """A refresh token of a user's."""
        token = f"refresh-{secrets.token_urlsafe(24)}"
        self.refresh_tokens[token] = user
        return token

    def permits(self, token: str, kind: str, name: str, action: str) -> bool:
        """Whether one of our tokens is still good for something."""
        claims = self._claims.get(token)
        return (
            claims is not None
            and claims["nbf"] <= time.time() < claims["exp"]
            and any(
                one["type"] == kind and one["name"] == name and action in one["actions"] for one in claims["access"]
            )
        )

    def issue(self, user: str, scopes: Sequence[str]) -> str:
        """An access token for as much of the scopes as a user (or nobody: "") may have."""
        now = int(time.time())
        lifetime = self.lifetime if self.lifetime is not None else (self.expires_in or 60)
        start = now - 10 + min(0, int(lifetime))
        claims = {
            "iss": self.issuer, "sub": user, "aud": self.service, "exp": now + int(lifetime), "nbf": start,
            "iat": start, "jti": secrets.token_hex(8),
            "access": [one for scope in scopes if (one := self._grant(user, scope))],
        }  # fmt: skip
        head = {"typ": "JWT", "alg": self.algorithm, "kid": self._key_id}
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        token = (signed + b"." + _encoded(self._sign(signed))).decode()
        self.issued.append(token)
        self._claims[token] = claims
        return token

    def _grant(self, user: str, scope: str) -> dict[str, Any] | None:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        patterns = self.allow.get(user, ("*",)) if user else self.anonymous
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            return None
        wanted = [action for action in actions.split(",") if user or action in ("pull", "*")]
        return {"type": kind, "name": name, "actions": wanted}

    def _respond(self, request: Request) -> Answer:
        if request.path != PATH:
            return Answer(404)
        with self._lock:
            if request.method == "POST":
                return self._post(request)
            return self._get(request)

    def _get(self, request: Request) -> Answer:
        query, basic = request.query, request.basic
        refused = basic is not None and self.users.get(basic[0]) != basic[1]
        scopes = tuple(scope for value in query.get("scope", ()) for scope in value.split())
        offline = query.get("offline_token", [""])[-1] in ("true", "1")
        self._note(request, query, basic[0] if basic else "", scopes, offline=offline, refused=refused)
        if self.instead is not None:
            return self.instead(request)
        if refused:
            return self._refusal("incorrect username or password")
        return self._answer(basic[0] if basic else "", scopes, "", refresh=offline and basic is not None)

    def _post(self, request: Request) -> Answer:
        form = request.form
        grant, refresh = (form.get(name, [""])[-1] for name in ("grant_type", "refresh_token"))
        user = form.get("username", [""])[-1] if grant == "password" else self.refresh_tokens.get(refresh, "")
        refused = not user or (grant == "password" and self.users.get(user) != form.get("password", [""])[-1])
        scopes = tuple(" ".join(form.get("scope", ())).split())
        offline = form.get("access_type", [""])[-1] == "offline"
        self._note(request, form, user, scopes, grant=grant, offline=offline, refused=refused and self.oauth)
        if self.instead is not None:
            return self.instead(request)
        if not self.oauth:
            return Answer(405)
        if refused:
            return self._refusal("invalid_grant")
        return self._answer(user, scopes, refresh, refresh=offline)

    def _note(
        self, request: Request, parameters: Mapping[str, Sequence[str]], user: str, scopes: tuple[str, ...],
        *, grant: str = "", offline: bool = False, refused: bool = False,
    ) -> None:  # fmt: skip
        service, client = ("".join(parameters.get(name, [""])[-1:]) for name in ("service", "client_id"))
        self.asked.append(Asked(request.method, user, scopes, service, client, grant, offline, refused))

    def _refusal(self, why: str) -> Answer:
        body = {"error": why, "errors": [{"code": "UNAUTHORIZED", "message": why}]}
        return Answer(401, [("Content-Type", "application/json")], json.dumps(body).encode())

    def _answer(self, user: str, scopes: Sequence[str], kept: str, *, refresh: bool) -> Answer:
        token = self.issue(user, scopes)
        body: dict[str, Any] = dict.fromkeys(self.members, token)
        if self.expires_in is not None:
            body["expires_in"] = self.expires_in
            body["issued_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if kept or refresh:
            body["refresh_token"] = kept or self.identity_token(user)
        return Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode())

    @cached_property
    def _key(self) -> "EllipticCurvePrivateKey | RSAPrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        if self.algorithm == "RS256":
            return rsa.generate_private_key(65537, 2048)
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _key_id(self) -> str:
        """libtrust's name for a key: the SHA-256 of its DER cut to 240 bits, in base32, in groups of four."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
        return ":".join(text[i : i + 4] for i in range(0, len(text), 4))

    @cached_property
    def certificate(self) -> bytes:
        """The PEM that a registry knows our signature by (`rootcertbundle`)."""
        from datetime import UTC, datetime, timedelta

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import Encoding

        name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.issuer)]), datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        key = self._key
        if isinstance(key, ec.EllipticCurvePrivateKey):  # RFC 7518 §3.4: both numbers side by side
            return b"".join(
                part.to_bytes(32, "big") for part in decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
            )
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def token_server(
    *,
    users: Mapping[str, str] = {},
    allow: Mapping[str, Sequence[str]] = {},
    anonymous: Sequence[str] = (),
    algorithm: str = "ES256",
    authority: Authority | None = None,
    host: str = "127.0.0.1",
) -> Iterator[TokenServer]:
    """A running token server; `algorithm` is ES256 or RS256, an `authority` makes it https."""
    server = TokenServer(
        users=users, allow=allow, anonymous=anonymous, algorithm=algorithm, authority=authority, host=host
    )
    with running(server):
        yield server
