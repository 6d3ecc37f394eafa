"""Alpine's security database: which version of a package fixed what, in the distribution's own words.

One file per release and repository: `{"packages": [{"pkg": {"name", "secfixes": {version: [ids]}}}]}`. Version `0` says
that Alpine was never affected. An entry may hold several ids of one vulnerability (`CVE-2017-2887 TALOS-2017-0394`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.advisory.record import MEBIBYTE, Record, Resource, read_bytes
from holdfast.model.advisory import Advisory, Affected, FixState
from holdfast.model.errors import InputError
from holdfast.settings import FeedSettings

_LIMIT = 64 * MEBIBYTE
_RELEASES = (*(f"v3.{minor}" for minor in range(2, 31)), "edge")
_CVE = re.compile(r"CVE[-_](\d{4}-\d{4,19})", re.ASCII)
_ID = re.compile(r"(?!CVE\b)[A-Za-z]+[A-Za-z0-9]*(-[A-Za-z0-9]+)*\d[A-Za-z0-9-]*", re.ASCII)
_REMARK = re.compile(r"\([^)]*\)?")
_NOT_AFFECTED = re.compile(r"not (actually )?(affected|applicable)", re.IGNORECASE)


class _Package(Struct):
    name: str
    secfixes: dict[str, list[str] | None] = {}


class _Entry(Struct):
    pkg: _Package


class _Database(Struct):
    packages: list[_Entry]


class AlpineFeed:
    """Reads `vX.Y/main.json` and `vX.Y/community.json`. Releases not yet made are asked for and may be absent."""

    name = "alpine"
    folder = "alpine"
    patterns = ("*/main.json", "*/community.json")

    def address(self, settings: FeedSettings) -> str:
        """The host of the security database."""
        return settings.alpine

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """Both repositories of every release."""
        return tuple(
            Resource(f"{release}/{repository}.json", _LIMIT, optional=True)
            for release in _RELEASES
            for repository in ("main", "community")
        )

    def source(self, resource: str) -> str:
        """`alpine`."""
        return self.name

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """One advisory per release, package and vulnerability."""
        try:
            database = msgspec.json.decode(read_bytes(file, _LIMIT), type=_Database)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"is not an Alpine security database: {error}", where=str(file)) from error
        ecosystem = f"Alpine:{resource.partition('/')[0]}"
        for entry in database.packages:
            for version, texts in entry.pkg.secfixes.items():
                for text in texts or ():
                    affected = _affected(ecosystem, entry.pkg.name, version, text)
                    ids, others = ids_in(text)
                    for identity in ids:
                        yield Advisory(identity, self.name, (affected,), related=others)


def _affected(ecosystem: str, name: str, version: str, text: str) -> Affected:
    if version == "0" or _NOT_AFFECTED.search(text):
        return Affected(ecosystem, name, state=FixState.NOT_AFFECTED)
    return Affected(ecosystem, name, fixed=version, state=FixState.FIXED)


def ids_in(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The vulnerabilities that one entry names, and what else it calls them.

    Every CVE is one of its own, and the rest are only related: `XSA-196` is two CVEs, so it cannot be an alias. Without
    a CVE the words that look like ids are the vulnerabilities. Remarks in brackets are none, and
    `CVE-2017-17434-1` is the first half of the fix of CVE-2017-17434.
    """
    text = _REMARK.sub("", text)
    cves = tuple(dict.fromkeys(f"CVE-{match[1]}" for match in _CVE.finditer(text)))
    others = tuple(dict.fromkeys(word for word in text.split() if _ID.fullmatch(word) and not _CVE.match(word)))
    return (cves, others) if cves else (others, ())
