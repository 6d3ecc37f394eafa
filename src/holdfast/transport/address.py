"""Addresses that may be fetched: `https`, `file`, and `http` only to this machine or for signed content."""

import ipaddress
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from msgspec import Struct

from holdfast.model.errors import SourceError


class Address(Struct, frozen=True):
    """An address taken apart.

    `url` has no user, password or fragment in it and is safe to show; `credentials` is `user:password` or empty.
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

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, by its name or literal address."""
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def is_local(self) -> bool:
        """Whether the host is loopback, link-local or unspecified: nothing that foreign input may send us to."""
        try:
            literal = ipaddress.ip_address(self.host.partition("%")[0])
        except ValueError:
            return self.is_loopback
        return literal.is_loopback or literal.is_link_local or literal.is_unspecified

    def require_allowed(self, *, signed: bool) -> None:
        """SourceError for plain http beyond this machine, unless the content is `signed` and so protected otherwise."""
        if self.scheme == "http" and not (signed or self.is_loopback):
            raise SourceError("plain http can be read and changed on its way", where=self.url, remedy="use https")

    def redirected(self, location: str, *, signed: bool) -> "Address":
        """Where a redirection leads; SourceError where it would lower the protection or turn to this machine."""
        try:
            target = Address.parse(urljoin(self.url, _printable(location)))
        except ValueError as error:
            raise SourceError(f"redirects to what is no address: {error}", where=self.url) from error
        if target.scheme == "file" or (self.scheme == "https" and target.scheme == "http"):
            raise SourceError(f"redirects from {self.scheme} to {target.scheme}", where=self.url)
        if target.is_local and not self.is_loopback:
            raise SourceError("redirects to this machine", where=self.url)
        target.require_allowed(signed=signed)
        same = (target.scheme, target.host, target.port) == (self.scheme, self.host, self.port)
        return Address(
            target.scheme, target.host, target.port, target.path, target.url, self.credentials if same else ""
        )


def _bare(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _printable(location: str) -> str:
    # Servers send raw spaces and non-ASCII in Location; RFC 3986 wants them quoted.
    return quote(location, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")


def _shown(text: str) -> str:
    """The text without anything that may be a password."""
    scheme, separator, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    return ascii(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"[:200])[1:-1]
