"""What a feed is: a description of what to fetch, and a pure parser of the files fetched.

A feed's files stand at `<address>/<resource>` on the network and at `<folder>/<resource>` in a folder that mirrors
the feeds (where a plain file is absent there, `<resource>.gz` is taken). Resources are paths as people write them
(`Rocky Linux/all.zip`): whoever makes a URL of one has to quote it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from holdfast.advisory.alpine import AlpineFeed
from holdfast.advisory.debian import DebianFeed
from holdfast.advisory.eol import EndOfLifeFeed
from holdfast.advisory.epss import EpssFeed
from holdfast.advisory.kev import KevFeed
from holdfast.advisory.osv import OsvFeed
from holdfast.advisory.record import Record, Resource
from holdfast.settings import FeedSettings


class Feed(Protocol):
    """One kind of feed. It keeps no state: the same bytes give the same records, in the same order."""

    @property
    def name(self) -> str:
        """The feed's short name: `osv`, `debian`, `alpine`, `kev`, `epss`, `endoflife`."""

    @property
    def folder(self) -> str:
        """Where its files stand below a folder that mirrors the feeds."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """Globs below that folder for the resources it can read (without the `.gz` that a mirror may add)."""

    def address(self, settings: FeedSettings) -> str:
        """The base address it is fetched from."""

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """What to fetch."""

    def source(self, resource: str) -> str:
        """The name of the source that a resource belongs to, as reports show it: `osv/PyPI`, `alpine`."""

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """The records of one file.

        One damaged record is a Problem among them; a file that is none is an InputError, LimitError or SourceError.
        """


FEEDS: tuple[Feed, ...] = (AlpineFeed(), DebianFeed(), OsvFeed(), KevFeed(), EpssFeed(), EndOfLifeFeed())
"""Every feed of files. The order decides nothing but the numbers inside the database."""


class Input(Struct, frozen=True):
    """A resource that stands on disk. `date` is used where the file states none (HTTP's Last-Modified).

    `failure` says that this is older data, kept because fetching it anew failed, and why.
    """

    feed: Feed
    resource: str
    file: Path
    date: str = ""
    failure: str = ""


def inputs_below(root: Path, feeds: Iterable[Feed] = FEEDS) -> tuple[Input, ...]:
    """What a folder that mirrors the feeds holds, in a fixed order."""
    return tuple(Input(feed, resource, file) for feed in feeds for resource, file in _present(feed, root / feed.folder))


def _present(feed: Feed, folder: Path) -> list[tuple[str, Path]]:
    found: dict[str, Path] = {}
    for pattern in feed.patterns:
        for file in folder.glob(pattern + ".gz"):
            found[file.relative_to(folder).as_posix().removesuffix(".gz")] = file
        for file in folder.glob(pattern):
            found[file.relative_to(folder).as_posix()] = file
    return sorted((name, file) for name, file in found.items() if file.is_file())
