"""Software packages, and the purls that name them."""

from enum import StrEnum
from typing import Self
from urllib.parse import quote, unquote

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.errors import InputError


def _quote(text: str, safe: str = "") -> str:
    # A name need not be UTF-8: its odd bytes are surrogates here.
    return quote(text, f"~:{safe}", errors="surrogatepass")


class Purl(Struct, frozen=True):
    """A package URL (ECMA-427, package-url specification): `pkg:deb/debian/openssl@3.0.11-1?arch=amd64`."""

    type: str
    name: str
    version: str = ""
    namespace: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()
    subpath: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A purl from its string; InputError where it is none."""
        scheme, _, rest = text.partition(":")
        if scheme.lower() != "pkg" or not rest:
            raise InputError(f"not a purl: {text[:120]!r}")
        rest, _, subpath = rest.partition("#")
        rest, _, query = rest.partition("?")
        kind, _, path = rest.strip("/").partition("/")
        # The version follows the last @ after the last slash: an npm scope also begins with an @.
        head, slash, tail = path.rpartition("/")
        name, _, version = tail.partition("@") if not tail.startswith("@") else (tail, "", "")
        if not kind or not name:
            raise InputError(f"not a purl: {text[:120]!r}")
        pairs = (item.partition("=") for item in query.split("&") if "=" in item)
        return cls(
            kind.lower(),
            unquote(name),
            unquote(version),
            "/".join(unquote(part) for part in head.split("/") if part) if slash else "",
            tuple(sorted((key.lower(), unquote(value)) for key, _, value in pairs if value)),
            "/".join(unquote(part) for part in subpath.split("/") if part not in ("", ".", "..")),
        )

    def __str__(self) -> str:
        parts = [f"pkg:{self.type}/"]
        if self.namespace:
            parts.append("/".join(_quote(part) for part in self.namespace.split("/")) + "/")
        parts.append(_quote(self.name))
        if self.version:
            parts.append("@" + _quote(self.version))
        if self.qualifiers:
            parts.append("?" + "&".join(f"{key}={_quote(value, '/')}" for key, value in self.qualifiers))
        if self.subpath:
            parts.append("#" + "/".join(_quote(part) for part in self.subpath.split("/")))
        return "".join(parts)

    def qualifier(self, key: str) -> str:
        """The value of one qualifier, or an empty string."""
        return next((value for name, value in self.qualifiers if name == key), "")

    def without_version(self) -> "Purl":
        """The same package, whatever its version and that of its source: what a finding's fingerprint is made of."""
        lasting = tuple(pair for pair in self.qualifiers if pair[0] not in ("upstream", "epoch"))
        return Purl(self.type, self.name, "", self.namespace, lasting, self.subpath)


class Origin(StrEnum):
    """How a package is known: `installed` in the image, or only `declared` by a lock file that was copied in."""

    INSTALLED = "installed"
    DECLARED = "declared"


class Distribution(Struct, frozen=True, omit_defaults=True):
    """An operating system distribution as os-release(5) names it: id `debian`, version `12`, name for people."""

    id: str
    version: str = ""
    name: str = ""
    codename: str = ""
    like: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name or f"{self.id} {self.version}".strip()


DEBIAN_RELEASES = {
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
    "duke": "15",
}
"""Debian's releases by codename: testing and unstable have no number of their own, only their next one's name."""


class Package(Struct, frozen=True, omit_defaults=True):
    """One piece of software found.

    `type` is the purl type; `source_name` and `source_version` are what a distribution's advisories speak of (empty:
    same as the binary's); `locations` the files that show it; `diff_id` the layer that brought it; `owner` the purl of
    the operating system package that owns those files; `vendor` who built it (a maintainer or vendor field);
    `development` true where a lock file says that it is not part of the running application.
    `purl` is empty until the distribution is known: catalog.assemble fills it in.
    """

    name: str
    version: str
    type: str
    purl: str = ""
    namespace: str = ""
    architecture: str = ""
    source_name: str = ""
    source_version: str = ""
    origin: Origin = Origin.INSTALLED
    licenses: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    diff_id: str = ""
    side: Side = Side.UNKNOWN
    owner: str = ""
    vendor: str = ""
    development: bool = False
    qualifiers: tuple[tuple[str, str], ...] = ()
