"""CISA's catalogue of known exploited vulnerabilities."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, field

from holdfast.advisory.record import MEBIBYTE, Dated, KevEntry, Record, Resource, read_bytes
from holdfast.model.advisory import KnownExploited
from holdfast.model.errors import InputError
from holdfast.settings import FeedSettings

_LIMIT = 64 * MEBIBYTE


class _Entry(Struct):
    cve: str = field(name="cveID")
    added: str = field(name="dateAdded")
    due: str = field(name="dueDate", default="")
    name: str = field(name="vulnerabilityName", default="")
    ransomware: str = field(name="knownRansomwareCampaignUse", default="")


class _Catalogue(Struct):
    vulnerabilities: list[_Entry]
    released: str = field(name="dateReleased", default="")


class KevFeed:
    """Reads `known_exploited_vulnerabilities.json`."""

    name = "kev"
    folder = "kev"
    patterns = ("known_exploited_vulnerabilities.json",)

    def address(self, settings: FeedSettings) -> str:
        """The folder at cisa.gov."""
        return settings.kev

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """The one file."""
        return (Resource(self.patterns[0], _LIMIT),)

    def source(self, resource: str) -> str:
        """`kev`."""
        return self.name

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """The date of the catalogue and its entries."""
        try:
            catalogue = msgspec.json.decode(read_bytes(file, _LIMIT), type=_Catalogue)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"is not CISA's catalogue: {error}", where=str(file)) from error
        yield Dated(catalogue.released)
        for entry in catalogue.vulnerabilities:
            known = KnownExploited(entry.added, entry.due, entry.ransomware.lower() == "known", entry.name)
            yield KevEntry(entry.cve, known)
