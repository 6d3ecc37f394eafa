"""The feeds' files as last found good, kept so that a feed that fails tomorrow still has its data of today."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.advisory.feed import Feed, Input, inputs_below
from holdfast.model.errors import StoreError


class Good(Struct, frozen=True):
    """One file that went into a database: its SHA-256, and the date the server gave it."""

    sha256: str
    date: str = ""


class _List(Struct, frozen=True):
    """What stands in the folder, and the SHA-256 (as DatabaseInfo has it) of the database that was built of it."""

    files: dict[str, Good] = {}
    database: str = ""


class Holdings:
    """A folder that mirrors the feeds, and a list of what stands in it.

    New files wait in `.incoming` until a database was built of them; `adopt` then renames them into place. Whatever
    happens in between, the list never says of a file what is not so.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / ".incoming"
        self._list = root / "holdings.json"
        self.good: dict[str, Good] = {}
        self.database = ""
        self._new: dict[str, Good] = {}
        try:
            shutil.rmtree(self.incoming, ignore_errors=True)
            self.incoming.mkdir(parents=True, exist_ok=True)
            known = msgspec.json.decode(self._list.read_bytes(), type=_List)
            self.good, self.database = known.files, known.database
        except FileNotFoundError:
            pass
        except (msgspec.MsgspecError, RecursionError):
            pass  # without the list every file counts as changed: it is made anew
        except OSError as error:
            raise StoreError(f"cannot be written: {error.strerror}", where=str(root)) from error

    def inputs(self, feeds: Sequence[Feed]) -> dict[str, Input]:
        """The good files, by name."""
        found = {}
        for item in inputs_below(self.root, feeds):
            name = _name(item.feed, item.resource)
            known = self.good.get(name)
            found[name] = Input(item.feed, item.resource, item.file, known.date if known else "")
        return found

    def offer(self, feed: Feed, resource: str, file: Path, good: Good) -> Input | None:
        """Take a copy of a fetched file for the next database; None where it is what we have."""
        name = _name(feed, resource)
        kept = self.root / name
        if kept.is_file() and (known := self.good.get(name)) and known.sha256 == good.sha256:
            return None
        waiting = self.incoming / name
        try:
            waiting.parent.mkdir(parents=True, exist_ok=True)
            # A link costs nothing; what is fetched later takes the place of the name, not of the content.
            try:
                os.link(file, waiting)
            except OSError:
                shutil.copyfile(file, waiting)
        except OSError as error:
            raise StoreError(f"cannot be stored: {error.strerror}", where=str(waiting)) from error
        self._new[name] = good
        return Input(feed, resource, waiting, good.date)

    def reject(self, feed: Feed, resource: str) -> None:
        """Forget a file that turned out to be worse than what it was to replace."""
        name = _name(feed, resource)
        if self._new.pop(name, None) is not None:
            (self.incoming / name).unlink(missing_ok=True)

    def adopt(self, database: str) -> None:
        """Make what was offered, and not rejected, the good files, and `database` what was built of them."""
        try:
            # Until they are all in place, nothing is said of those that are replaced.
            self._write({name: good for name, good in self.good.items() if name not in self._new}, "")
            for name in self._new:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                (self.incoming / name).replace(self.root / name)
            self.good |= self._new
            self._write(self.good, database)
        except OSError as error:
            raise StoreError(f"cannot be stored: {error.strerror}", where=str(self.root)) from error
        finally:
            with suppress(OSError):
                shutil.rmtree(self.incoming)

    def _write(self, files: dict[str, Good], database: str) -> None:
        part = self._list.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(_List(files, database), order="deterministic"))
        part.replace(self._list)


def _name(feed: Feed, resource: str) -> str:
    return f"{feed.folder}/{resource}"
