"""Addresses that may be fetched: `https`, `file`, and `http` only to this machine or for signed content."""

import ipaddress
import socket
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from msgspec import Struct

from holdfast.model.errors import SourceError


class Address(Struct, frozen=True):
    """An address taken apart.

    `url` has no user, password or fragment in it, but perhaps a signature in its query: `where` is what may be shown.
    `credentials` is `user:password` or empty.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    url: str
    credentials: str = ""

    @classmethod
    def parse(cls, text: str) -> "Address":
        """An address from its string; SourceError where it is none that we fetch."""
        try:
            parts = urlsplit(text)
            port, host = parts.port, (parts.hostname or "").lower()
        except ValueError as error:
            raise SourceError(f"not an address: {error}", where=_shown(text)) from error
        if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in text):
            raise SourceError("an address has no spaces or control characters in it", where=_shown(text))
        if parts.scheme not in ("https", "http", "file"):
            raise SourceError("only https:, http: and file: addresses are fetched", where=_shown(text))
        if parts.scheme == "file":
            return cls("file", "", None, unquote(parts.path), text)
        if not host:
            raise SourceError("the address names no host", where=_shown(text))
        credentials = ""
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(parts.scheme, host, port, parts.path, _bare(parts), credentials)

    @classmethod
    def unix(cls, socket: str, path: str) -> "Address":
        """What is asked of a Unix socket: `path` is that of the request, with its query."""
        return cls("unix", socket, None, path, f"unix:{socket}:{path}")

    @property
    def where(self) -> str:
        """How it is called in errors: without its query, which with storages holds what opens them."""
        return self.url.partition("?")[0]

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, by its name or literal address."""
        literal = _literal(self.host)
        return self.host == "localhost" or self.host.endswith(".localhost") if literal is None else literal.is_loopback

    @property
    def is_local(self) -> bool:
        """Whether the host is loopback, link-local or unspecified: nothing that foreign input may send us to."""
        literal = _literal(self.host)
        if literal is None:
            return self.is_loopback or self.host.rstrip(".") in ("localhost", "localhost.localdomain")
        return literal.is_loopback or literal.is_link_local or literal.is_unspecified

    @property
    def may_be_public(self) -> bool:
        """Whether the host, as it is written, may be one of the internet: a name, or a public address plainly put."""
        literal = _literal(self.host)
        if literal is None:
            return not self.is_local
        return _is_public(literal) and (literal.version == 6 or str(literal) == self.host)

    def require_public(self) -> None:
        """SourceError unless the host is one of the internet, by its literal address and by what its name leads to.

        This asks the name service. A name that is not known passes: fetching it fails by itself, or a proxy knows it.
        """
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM) if self.may_be_public else []
        except (OSError, UnicodeError):
            return
        if not found or not all(_is_public(_bare_literal(str(entry[4][0]))) for entry in found):
            raise SourceError("leads into a private network, and only the image names it", where=self.where)

    def require_allowed(self, *, signed: bool) -> None:
        """SourceError for plain http beyond this machine, unless the content is `signed` and so protected otherwise."""
        if self.scheme == "http" and not (signed or self.is_loopback):
            raise SourceError("plain http can be read and changed on its way", where=self.where, remedy="use https")

    def redirected(self, location: str, *, signed: bool) -> "Address":
        """Where a redirection leads; SourceError where it would lower the protection or turn to this machine."""
        try:
            target = Address.parse(urljoin(self.url, _printable(location)))
        except ValueError as error:
            raise SourceError(f"redirects to what is no address: {error}", where=self.where) from error
        if target.scheme == "file" or (self.scheme == "https" and target.scheme == "http"):
            raise SourceError(f"redirects from {self.scheme} to {target.scheme}", where=self.where)
        if target.is_local and not self.is_loopback:
            raise SourceError("redirects to this machine", where=self.where)
        target.require_allowed(signed=signed)
        same = (target.scheme, target.host, target.port) == (self.scheme, self.host, self.port)
        return Address(
            target.scheme, target.host, target.port, target.path, target.url, self.credentials if same else ""
        )


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is literally; None for a name. Resolvers also know `127.1`, `2130706433` and `0x7f.1`."""
    try:
        return _bare_literal(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _bare_literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    literal = ipaddress.ip_address(host.partition("%")[0])
    # `::ffff:127.0.0.1` is 127.0.0.1 to the kernel.
    return (literal.ipv4_mapped or literal) if isinstance(literal, ipaddress.IPv6Address) else literal


def _is_public(literal: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return literal.is_global and not literal.is_multicast


def _bare(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _printable(location: str) -> str:
    # Servers send raw spaces and non-ASCII in Location; RFC 3986 wants them quoted.
    return quote(location, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")


def _shown(text: str) -> str:
    """The text without anything that may be a password."""
    scheme, separator, rest = text.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return ascii(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"[:200])[1:-1]
