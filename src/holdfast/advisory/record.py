"""What feeds are made of: the files to fetch, the records in them, and how a file is read within its budget."""

from pathlib import Path

from msgspec import Struct

from holdfast.model.advisory import Advisory, Epss, KnownExploited
from holdfast.model.errors import LimitError, SourceError
from holdfast.model.status import Problem

MEBIBYTE = 1 << 20


class Resource(Struct, frozen=True):
    """One file of a feed: its path below the feed's address and folder, and the most bytes it may have.

    `optional` ones may be absent upstream (an Alpine release without `community`): that is no failure.
    """

    path: str
    limit: int = 256 * MEBIBYTE
    optional: bool = False


class Dated(Struct, frozen=True):
    """The date that a file states for itself, YYYY-MM-DD or longer (ISO 8601)."""

    date: str


class KevEntry(Struct, frozen=True):
    """One CVE in the catalogue of known exploited vulnerabilities."""

    cve: str
    entry: KnownExploited


class EpssEntry(Struct, frozen=True, gc=False):
    """One CVE's EPSS."""

    cve: str
    epss: Epss


class Release(Struct, frozen=True, omit_defaults=True):
    """How long a release of a product is supported: dates YYYY-MM-DD, empty where not known.

    `end` is the end of the support that everybody gets; `extended` the end of what only some get (paid for).
    """

    product: str
    release: str
    end: str
    extended: str = ""


Record = Advisory | KevEntry | EpssEntry | Release | Dated | Problem


def read_bytes(file: Path, limit: int) -> bytes:
    """A file's content, inflated where it is gzip; LimitError beyond `limit` bytes, SourceError if unreadable."""
    import gzip
    import zlib

    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(file, "rb") if zipped else file.open("rb") as stream:
            content = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"cannot be read: {error}", where=str(file)) from error
    if len(content) > limit:
        raise LimitError(f"is larger than {limit} bytes", where=str(file))
    return content
