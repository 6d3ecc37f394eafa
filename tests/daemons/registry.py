"""Debian's docker-registry (distribution 2.8) as it really runs, on a free port of loopback.

    with registry(tmp_path / "registry") as it:                                    # open
        push(it, layout, "app:1.0")
        holdfast("scan", f"{it.host}/app:1.0", "--plain-http")
    with registry(tmp_path / "registry", users={"ci": "s3cret"}) as it: ...        # basic authentication (htpasswd)
    with registry(tmp_path / "registry", token=token) as it: ...                   # bearer tokens of a `token_server`
    with registry(tmp_path / "registry", authority=authority) as it: ...           # https
    with registry(tmp_path / "registry", authority=authority, client_authority=clients) as it: ...

    it.host, it.url                     "127.0.0.1:41234", "http://127.0.0.1:41234"
    it.asked()                          [("GET", "/v2/app/manifests/1.0", 200), …]: from its access log
    it.blob(digest)                     the file that holds a blob, for tests that tamper with what is stored
    it.stop(); it.start()               goes and comes back, on the same port with the same content
    it.log                              the file with all that it said

Its traits: no referrers API (404), a catalog of at most `catalog_max` names a page, Range requests on blobs, OCI and
Docker media types, tags/list in one piece. A folder keeps its content for the next registry started on it.
"""

import ctypes
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemons.authority import Authority, Certificate
from daemons.program import Program, need, start
from daemons.token import TokenServer

PROGRAM = "docker-registry"
_ACCESS = re.compile(r'"([A-Z]+) (\S+) HTTP/[0-9.]+" (\d{3}) ')


@dataclass
class Registry:
    """See the module. `client` is a certificate that our own pusher shows where the registry wants one."""

    folder: Path
    settings: dict[str, Any]
    authority: Authority | None = None
    client: Certificate | None = None
    host: str = ""
    _program: Program | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://{self.host}"

    @property
    def context(self) -> ssl.SSLContext | None:
        """What a client trusts it with."""
        return self.authority.context(self.client) if self.authority else None

    @property
    def log(self) -> Path:
        return self.folder / f"{PROGRAM}.log"

    def asked(self) -> list[tuple[str, str, int]]:
        """Method, target and status of each request since it was started."""
        found = _ACCESS.findall(self.log.read_text(errors="replace"))
        return [(method, target, int(status)) for method, target, status in found]

    def blob(self, digest: str) -> Path:
        """The file that holds a blob or manifest."""
        algorithm, _, value = digest.partition(":")
        return self.folder / "storage/docker/registry/v2/blobs" / algorithm / value[:2] / value / "data"

    def start(self) -> None:
        """Start it, at the same place as before where there was one."""
        self.settings["http"]["addr"] = self.host or "127.0.0.1:0"
        config = self.folder / "config.yml"
        config.write_text(json.dumps(self.settings))  # YAML knows all of JSON
        self._program = start(PROGRAM, "serve", config, folder=self.folder)
        try:
            self.host = self._program.wait_for(r"listening on (127\.0\.0\.1:\d+)")[1]
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it. What it stores stays."""
        if self._program is not None:
            self._program.end()


@contextmanager
def registry(
    folder: Path,
    *,
    users: Mapping[str, str] | None = None,
    token: TokenServer | None = None,
    authority: Authority | None = None,
    client_authority: Authority | None = None,
    delete: bool = True,
    catalog_max: int = 1000,
) -> Iterator[Registry]:
    """A running registry that keeps everything in `folder`; the test is skipped where the program is absent."""
    need(PROGRAM)
    folder.mkdir(parents=True, exist_ok=True)
    http: dict[str, Any] = {"secret": "not one"}
    if authority is not None:
        http["tls"] = {"certificate": str(authority.server.certificate), "key": str(authority.server.key)}
        if client_authority is not None:
            http["tls"]["clientcas"] = [str(client_authority.bundle)]
    settings = {
        "version": "0.1",
        "log": {"level": "info"},  # the port it found stands in its log
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": delete}},
        "http": http,
        "catalog": {"maxentries": catalog_max},
        "auth": _authentication(folder, users, token),
    }
    client = client_authority.client("pusher") if client_authority else None
    it = Registry(folder, settings, authority, client)
    it.start()
    try:
        yield it
    finally:
        it.stop()


def _authentication(folder: Path, users: Mapping[str, str] | None, token: TokenServer | None) -> dict[str, Any]:
    if token is not None:
        bundle = folder / "tokens.pem"
        bundle.write_bytes(token.certificate)
        return {
            "token": {
                "realm": token.realm, "service": token.service, "issuer": token.issuer, "rootcertbundle": str(bundle),
            }
        }  # fmt: skip
    if users is not None:
        lines = [f"{user}:{bcrypt(password)}\n" for user, password in users.items()]
        (folder / "htpasswd").write_text("".join(lines))
        return {"htpasswd": {"realm": "holdfast", "path": str(folder / "htpasswd")}}
    return {}


def bcrypt(password: str) -> str:
    """A password's hash for an htpasswd file. Python has no bcrypt; the system's libcrypt has."""
    try:
        crypt = ctypes.CDLL("libcrypt.so.1").crypt
    except OSError:
        pytest.skip("libcrypt.so.1 is absent: no htpasswd file can be made")
    crypt.restype = ctypes.c_char_p
    hashed: bytes | None = crypt(password.encode(), b"$2b$04$holdfastholdfasthold..")
    assert hashed is not None
    assert hashed.startswith(b"$2b$")
    return hashed.decode()
