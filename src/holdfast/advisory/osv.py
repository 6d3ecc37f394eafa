"""The Open Source Vulnerability format (https://ossf.github.io/osv-schema/) of any ecosystem: a zip of JSON files."""

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from holdfast.advisory.record import MEBIBYTE, Dated, Record, Resource
from holdfast.advisory.wording import MALICIOUS, disputed, rejected, short
from holdfast.model.advisory import Advisory, Affected, FixState, Score
from holdfast.model.errors import InputError, LimitError, SourceError
from holdfast.model.status import Problem
from holdfast.settings import FeedSettings
from holdfast.version import Key, ordering_for

_ARCHIVE_LIMIT = 2048 * MEBIBYTE
_MEMBER_LIMIT = 16 * MEBIBYTE
_MEMBERS_LIMIT = 4_000_000
_NOTHING = ("", "0", "0.0.0-0")  # introduced: these say "from the first version"
_CVE_INSIDE = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII | re.IGNORECASE)
# Bug fixes and enhancements of the rebuilds of Red Hat's distribution: no vulnerability in them.
_NOT_SECURITY = re.compile(r"(AL|RL|RH)[BE]A-")
_WORD = re.compile(r"(Critical|Important|Moderate|Low):")
# `unmaintained` and `notice` (RustSec) are no vulnerabilities.
_NO_VULNERABILITY = ("unmaintained", "notice")
_UNPACKING = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class _Severity(Struct):
    type: str = ""
    score: str = ""


class _Reference(Struct):
    url: str = ""


class _Event(Struct):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(Struct):
    type: str = ""
    events: list[_Event] | None = None


class _Named(Struct):
    ecosystem: str
    name: str


class _Specific(Struct):
    """The parts of `ecosystem_specific` and `database_specific` that are read, whatever their types."""

    severity: Any = None
    urgency: Any = None
    ubuntu_priority: Any = None
    review_status: Any = None
    informational: Any = None
    categories: Any = None
    custom_ranges: Any = None


class _Affected(Struct):
    package: _Named | None = None
    ranges: list[_Range] | None = None
    versions: list[str] | None = None
    severity: list[_Severity] | None = None
    ecosystem_specific: _Specific | None = None
    database_specific: _Specific | None = None


class _Osv(Struct):
    id: str
    modified: str | None = None
    published: str | None = None
    withdrawn: str | None = None
    aliases: list[str] | None = None
    related: list[str] | None = None
    upstream: list[str] | None = None
    summary: str | None = None
    details: str | None = None
    severity: list[_Severity] | None = None
    affected: list[_Affected] | None = None
    references: list[_Reference] | None = None
    database_specific: _Specific | None = None


_DECODER = msgspec.json.Decoder(_Osv)


class OsvFeed:
    """Reads `<Ecosystem>/all.zip`."""

    name = "osv"
    folder = "osv"
    patterns = ("*/all.zip",)

    def address(self, settings: FeedSettings) -> str:
        """OSV's bucket."""
        return settings.osv

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """One archive for each ecosystem that the settings ask for."""
        return tuple(Resource(f"{ecosystem}/all.zip", _ARCHIVE_LIMIT) for ecosystem in settings.ecosystems)

    def source(self, resource: str) -> str:
        """`osv/<Ecosystem>`."""
        return f"{self.name}/{resource.rpartition('/')[0]}"

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """The advisories in the order of their file names, then the newest `modified` among them."""
        source = self.source(resource)
        damaged, newest = 0, ""
        for content in _members(file):
            try:
                record = _DECODER.decode(content) if content is not None else None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                record = None
            if record is None:
                damaged += 1
            elif advisory := advisory_of(record, source):
                newest = max(newest, advisory.modified)
                yield advisory
        if newest:
            yield Dated(newest)
        if damaged:
            yield Problem("feed.damaged", "records that cannot be read", where=str(file), count=damaged)


def decode(content: bytes, source: str) -> Advisory | None:
    """One OSV record; None where it is no vulnerability. InputError where it is no OSV record."""
    try:
        return advisory_of(_DECODER.decode(content), source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"is not an OSV record: {error}") from error


def _members(file: Path) -> Iterator[bytes | None]:
    """The content of each JSON file in a zip, sorted by name; None for one that is damaged or too large."""
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"is not a zip archive: {error}", where=str(file)) from error
    with archive:
        members = sorted((info for info in archive.infolist() if info.filename.endswith(".json")), key=_name)
        if len(members) > _MEMBERS_LIMIT:
            raise LimitError(f"holds more than {_MEMBERS_LIMIT} records", where=str(file))
        for info in members:
            if info.file_size > _MEMBER_LIMIT:
                yield None
                continue
            try:
                yield archive.read(info)
            except (OSError, EOFError, ValueError, RuntimeError, MemoryError, *_UNPACKING):
                # RuntimeError (and NotImplementedError): encrypted, or a compression that zipfile does not know.
                yield None


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename


def advisory_of(record: _Osv, source: str) -> Advisory | None:
    """The advisory that an OSV record is; None where it is a bug fix, a notice, or a rejected id."""
    summary, details = record.summary or "", record.details or ""
    if _NOT_SECURITY.match(record.id) or rejected(details) or rejected(summary):
        return None
    identity = record.id.upper() if record.id[:4].upper() == "CVE-" else record.id
    aliases, related = _other_names(identity, record)
    named_malicious = any(name.startswith("MAL-") for name in (identity, *aliases))
    malicious = named_malicious or any(map(_malicious, record.affected or ()))
    notes = "disputed" if disputed(details) or disputed(summary) else _text(record.database_specific, "review_status")
    note = {"disputed": "disputed", "unreviewed": "unreviewed"}.get(notes.lower(), "")
    word = _WORD.match(summary)
    return Advisory(
        identity,
        source,
        tuple(row for affected in record.affected or () for row in _rows(affected, note)),
        aliases,
        related,
        short(summary or details),
        tuple(_scores(record)),
        MALICIOUS if malicious else _text(record.database_specific, "severity") or (word[1] if word else ""),
        tuple(reference.url for reference in (record.references or ())[:20] if reference.url),
        _date(record.published),
        _date(record.modified),
        _date(record.withdrawn),
    )


def _other_names(identity: str, record: _Osv) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The aliases and the related ids.

    `upstream` of a record named after one CVE (`UBUNTU-CVE-2024-1`) is that same vulnerability; an erratum's
    `upstream` and `related` are the several that it mends.
    """
    aliases = list(record.aliases or ())
    if inside := _CVE_INSIDE.search(identity):
        aliases.append(inside[0].upper())
    others = (*(record.related or ()), *(record.upstream or ()))
    unique = dict.fromkeys(name for name in aliases if name and name != identity)
    return tuple(unique), tuple(dict.fromkeys(name for name in others if name not in unique and name != identity))


def _text(specific: _Specific | None, name: str) -> str:
    value = getattr(specific, name, None)
    return value if isinstance(value, str) else ""


def _malicious(affected: _Affected) -> bool:
    categories = affected.database_specific.categories if affected.database_specific else None
    return isinstance(categories, list) and MALICIOUS in categories


def _date(text: str | None) -> str:
    """A date without its fractions of a second; the year 1 (Go's zero time) is no date."""
    return "" if not text or text.startswith("0001-") else text[:19] + ("Z" if len(text) > 19 else "")


def _scores(record: _Osv) -> Iterable[Score]:
    severities = [*(record.severity or ())]
    for affected in record.affected or ():
        severities += affected.severity or ()
    found = dict.fromkeys((severity.type, severity.score) for severity in severities if severity.score)
    return (Score(kind, vector=score) for kind, score in found)


def _rows(affected: _Affected, note: str) -> Iterator[Affected]:
    package = affected.package
    if package is None or not package.ecosystem or not package.name:
        return
    specific, own = affected.ecosystem_specific, affected.database_specific
    if _text(own, "informational") in _NO_VULNERABILITY:
        return
    urgency = _text(specific, "urgency") or _text(specific, "ubuntu_priority") or _text(specific, "severity")
    urgency = "" if urgency == "not yet assigned" else urgency
    note = note or _text(own, "informational")
    # A range of commits says nothing about a version; `versions` stands beside it then.
    ranges = [one for one in affected.ranges or () if one.type != "GIT"]
    if custom := _custom(specific):
        # The Go database's own word for a module whose versions are no SemVer: `ranges` is then just "all".
        ranges = custom
    for one in ranges:
        for introduced, fixed, last, limit in bounds(_in_order(one.events or [], package.ecosystem)):
            yield Affected(
                package.ecosystem,
                package.name,
                introduced,
                fixed or limit,
                last,
                state=FixState.FIXED if fixed else FixState.AFFECTED,
                urgency=urgency,
                note=note,
            )
    # With ranges the list says nothing new, except where their events make no sense by themselves.
    if affected.versions and not (ranges and all(_alternate(one.events or []) for one in ranges)):
        versions = tuple(sorted(set(affected.versions)))
        yield Affected(package.ecosystem, package.name, versions=versions, urgency=urgency, note=note)


def _custom(specific: _Specific | None) -> list[_Range]:
    try:
        return msgspec.convert(getattr(specific, "custom_ranges", None) or [], list[_Range])
    except msgspec.ValidationError:
        return []


def _in_order(events: list[_Event], ecosystem: str) -> list[_Event]:
    """The events from the lowest version up. They nearly always stand so already, and then nothing is compared."""
    if _alternate(events):
        return events
    key = ordering_for(ecosystem).key

    def place(event: _Event) -> tuple[bool, Key, bool]:
        version = event.introduced or event.fixed or event.last_affected or event.limit or "0"
        return version not in _NOTHING, key(version), event.introduced is not None

    return sorted(events, key=place)


def _alternate(events: list[_Event]) -> bool:
    starts = [event.introduced is not None for event in events]
    return all(before != after for before, after in pairwise(starts))


def bounds(events: Iterable[_Event]) -> Iterator[tuple[str, str, str, str]]:
    """(introduced, fixed, last_affected, limit) of each stretch of versions that a list of events describes.

    An end without an introduction at all is the end of a stretch from the first version; a second end after one
    introduction says nothing (OSV's evaluation algorithm). `limit` of `*` is none.
    """
    start: str | None = None
    began = False
    for event in events:
        if event.introduced is not None:
            if start is not None:
                yield start, "", "", ""
            start, began = "" if event.introduced in _NOTHING else event.introduced, True
            continue
        limit = "" if event.limit == "*" else event.limit or ""
        end = (event.fixed or "", event.last_affected or "", limit)
        if any(end) and (start is not None or not began):
            yield start or "", *end
            start, began = None, True
    if start is not None:
        yield start, "", "", ""
