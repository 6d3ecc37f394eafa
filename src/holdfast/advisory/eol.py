"""How long distributions are supported: endoflife.date's file where it was fetched, else what is known here."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from msgspec import Struct, field

from holdfast.advisory.record import MEBIBYTE, Dated, Record, Release, Resource, read_bytes
from holdfast.model.errors import InputError
from holdfast.model.package import Distribution
from holdfast.settings import FeedSettings

_LIMIT = 128 * MEBIBYTE

# What follows was last looked at on 2026-11-01.
_DEBIAN = (
    ("7", "2018-05-31"),
    ("8", "2020-06-30"),
    ("9", "2022-06-30"),
    ("10", "2024-06-30"),
    ("11", "2026-08-31"),
    ("12", "2028-06-30"),
    ("13", "2030-06-30"),
)  # the end of LTS, which everybody gets
_UBUNTU = (
    ("14.04", "2019-04-25"),
    ("16.04", "2021-04-30"),
    ("18.04", "2023-05-31"),
    ("20.04", "2025-05-31"),
    ("22.04", "2027-04-01"),
    ("22.10", "2023-07-20"),
    ("23.04", "2024-01-25"),
    ("23.10", "2024-07-11"),
    ("24.04", "2029-05-31"),
    ("24.10", "2025-07-10"),
    ("25.04", "2026-01-15"),
    ("26.04", "2031-05-31"),
)
_ALPINE = (
    ("3.2", "2017-05-01"),
    ("3.3", "2017-11-01"),
    ("3.4", "2018-05-01"),
    ("3.5", "2018-11-01"),
    ("3.6", "2019-05-01"),
    ("3.7", "2019-11-01"),
    ("3.8", "2020-05-01"),
    ("3.9", "2020-11-01"),
    ("3.10", "2021-05-01"),
    ("3.11", "2021-11-01"),
    ("3.12", "2022-05-01"),
    ("3.13", "2022-11-01"),
    ("3.14", "2023-05-01"),
    ("3.15", "2023-11-01"),
    ("3.16", "2024-05-23"),
    ("3.17", "2024-11-22"),
    ("3.18", "2025-05-09"),
    ("3.19", "2025-11-01"),
    ("3.20", "2026-04-01"),
    ("3.21", "2026-11-01"),
    ("3.22", "2027-05-01"),
)
_ENTERPRISE = (("6", "2020-11-30"), ("7", "2024-06-30"), ("8", "2029-05-31"), ("9", "2032-05-31"), ("10", "2035-05-31"))
_OTHER = (
    ("centos", "6", "2020-11-30"),
    ("centos", "7", "2024-06-30"),
    ("centos", "8", "2021-12-31"),
    ("amzn", "1", "2023-12-31"),
    ("amzn", "2", "2026-06-30"),
    ("amzn", "2023", "2029-06-30"),
    ("photon", "3.0", "2024-03-01"),
    ("fedora", "38", "2024-05-21"),
    ("fedora", "39", "2024-11-26"),
    ("fedora", "40", "2025-05-13"),
    ("fedora", "41", "2025-12-15"),
    ("opensuse-leap", "15.5", "2024-12-31"),
)

KNOWN: tuple[Release, ...] = (
    *(Release("debian", release, end) for release, end in _DEBIAN),
    *(Release("ubuntu", release, end) for release, end in _UBUNTU),
    *(Release("alpine", release, end) for release, end in _ALPINE),
    *(
        Release(product, release, end)
        for product in ("rhel", "almalinux", "rocky", "ol")
        for release, end in _ENTERPRISE
        if product in ("rhel", "ol") or release not in ("6", "7")
    ),
    *(Release(*facts) for facts in _OTHER),
)
"""The end of general support by os-release id and release, for use where the feed is absent: bare facts."""

# endoflife.date's product names where they differ from os-release ids.
_PRODUCTS = {
    "alpine-linux": "alpine",
    "amazon-linux": "amzn",
    "oracle-linux": "ol",
    "rocky-linux": "rocky",
    "opensuse": "opensuse-leap",
}


class _Cycle(Struct):
    name: str
    end: str | None = field(name="eolFrom", default=None)
    extended: str | None = field(name="eoesFrom", default=None)


class _Product(Struct):
    name: str
    releases: list[_Cycle] = []


class _Products(Struct):
    result: list[_Product]
    generated: str = field(name="generated_at", default="")


class EndOfLifeFeed:
    """Reads `products/full` of endoflife.date's API, version 1."""

    name = "endoflife"
    folder = "endoflife"
    patterns = ("products/full",)

    def address(self, settings: FeedSettings) -> str:
        """The address of the API."""
        return settings.endoflife

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """The one file."""
        return (Resource(self.patterns[0], _LIMIT),)

    def source(self, resource: str) -> str:
        """`endoflife`."""
        return self.name

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """The date of the file and every release of every product that has an end."""
        try:
            products = msgspec.json.decode(read_bytes(file, _LIMIT), type=_Products)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"is not endoflife.date's list of products: {error}", where=str(file)) from error
        if products.generated:
            yield Dated(products.generated)
        for product in products.result:
            name = _PRODUCTS.get(product.name, product.name)
            for cycle in product.releases:
                if not cycle.end:
                    continue
                # Debian's extended support is LTS: free, in the same archive, and so not the end.
                end = max(cycle.end, cycle.extended or "") if name == "debian" else cycle.end
                yield Release(name, cycle.name, end, cycle.extended or "")


def known_end(distribution: Distribution | None, today: date | None = None) -> str:
    """The past day on which a distribution's support ended, by the facts that come along; empty where it has not."""
    if distribution is None:
        return ""
    parts = distribution.version.split(".")
    day = (today or datetime.now(UTC).date()).isoformat()
    for release in (".".join(parts[:2]), parts[0]):
        found = next((one for one in KNOWN if (one.product, one.release) == (distribution.id, release)), None)
        if found is not None:
            return found.end if found.end < day else ""
    return ""
