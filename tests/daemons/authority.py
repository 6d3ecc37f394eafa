"""A certificate authority of the tests' own: server certificates for this machine, client certificates, PEM files.

authority = Authority(tmp_path / "ca")
with registry(tmp_path / "registry", authority=authority) as it: ...      # https
Trust(ca_bundle=str(authority.bundle))                                   # what a client is given

clients = Authority(tmp_path / "clients")
with registry(..., authority=authority, client_authority=clients): ...    # wants a certificate from the client
me = clients.client("ci"); me.certificate, me.key                        # paths

authority.naming("other.test")     # the same authority, whose servers have a certificate for another name
authority.expired()                # … whose servers' certificates are a day too old
"""

import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

THIS_MACHINE = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "localhost", "registry.localhost", "::1")


@dataclass(frozen=True)
class Certificate:
    """PEM files of a certificate with its chain, and of its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """See the module. `folder` holds what it issued; `names` stand in its servers' certificates."""

    folder: Path
    names: tuple[str, ...] = THIS_MACHINE
    until: datetime | None = None
    signer: "trustme.CA | None" = None

    @cached_property
    def _ca(self) -> "trustme.CA":
        import trustme

        return self.signer or trustme.CA()

    @cached_property
    def bundle(self) -> Path:
        """The authority's own certificate."""
        return self._write("authority.pem", self._ca.cert_pem.bytes())

    def naming(self, *names: str) -> "Authority":
        """The same authority, issuing for other names."""
        return replace(self, folder=self.folder / names[0], names=names, signer=self._ca)

    def expired(self) -> "Authority":
        """The same authority, issuing what ended yesterday."""
        until = datetime.now(UTC) - timedelta(days=1)
        return replace(self, folder=self.folder / "expired", until=until, signer=self._ca)

    @cached_property
    def server(self) -> Certificate:
        """A server's certificate."""
        return self._issue("server", self.names)

    def client(self, name: str = "client") -> Certificate:
        """A client's certificate, made out to `name`."""
        return self._issue(name, (f"{name}.test",), common_name=name)

    def context(self, client: Certificate | None = None) -> ssl.SSLContext:
        """What a client trusts this authority with, and appears as."""
        context = ssl.create_default_context(cafile=str(self.bundle))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return context

    def server_context(self, client_authority: "Authority | None" = None) -> ssl.SSLContext:
        """A server's side; with `client_authority` it wants a certificate from every client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate, self.server.key)
        if client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_authority.bundle)
        return context

    def _issue(self, what: str, names: tuple[str, ...], common_name: str | None = None) -> Certificate:
        issued = self._ca.issue_cert(*names, common_name=common_name, not_after=self.until)
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        return Certificate(
            self._write(f"{what}.pem", chain), self._write(f"{what}.key", issued.private_key_pem.bytes())
        )

    def _write(self, name: str, content: bytes) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_bytes(content)
        return path
