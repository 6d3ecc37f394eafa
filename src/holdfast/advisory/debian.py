"""Debian's security tracker: what the distribution says of every CVE in every source package and release.

`{source: {CVE: {description, releases: {codename: {status, fixed_version, urgency, nodsa_reason}}}}}`. `resolved` with
version `0` means never affected; `open` with a `nodsa_reason` says whether a fix is postponed or refused.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.advisory.ecosystem import CODENAMES
from holdfast.advisory.record import MEBIBYTE, Record, Resource, read_bytes
from holdfast.advisory.wording import disputed, rejected, short
from holdfast.model.advisory import Advisory, Affected, FixState
from holdfast.model.errors import InputError
from holdfast.model.status import Problem
from holdfast.settings import FeedSettings

_LIMIT = 512 * MEBIBYTE

_OPEN = {"postponed": FixState.DEFERRED, "ignored": FixState.WILL_NOT_FIX}


class _Release(Struct):
    status: str
    fixed_version: str = ""
    urgency: str = ""
    nodsa_reason: str | None = ""
    nodsa: str | None = ""


class _Vulnerability(Struct):
    releases: dict[str, _Release] = {}
    description: str = ""


class DebianFeed:
    """Reads `data/json`."""

    name = "debian"
    folder = "debian/tracker"
    patterns = ("data/json",)

    def address(self, settings: FeedSettings) -> str:
        """The tracker's address."""
        return settings.debian

    def resources(self, settings: FeedSettings) -> tuple[Resource, ...]:
        """The one file."""
        return (Resource(self.patterns[0], _LIMIT),)

    def source(self, resource: str) -> str:
        """`debian`."""
        return self.name

    def read(self, resource: str, file: Path) -> Iterator[Record]:
        """One advisory per source package and CVE."""
        content = read_bytes(file, _LIMIT)
        try:
            # Raw keeps each package's bytes unparsed, so that one that is damaged or odd does not lose the rest.
            tracker = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"is not Debian's tracker: {error}", where=str(file)) from error
        decoder = msgspec.json.Decoder(dict[str, _Vulnerability])
        damaged = 0
        for name, raw in tracker.items():
            try:
                vulnerabilities = decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                damaged += 1
                continue
            yield from _advisories(name, vulnerabilities)
        if damaged:
            yield Problem("feed.damaged", "packages that cannot be read", where=str(file), count=damaged)


def _advisories(name: str, vulnerabilities: dict[str, _Vulnerability]) -> Iterator[Advisory]:
    for identity, vulnerability in vulnerabilities.items():
        if rejected(vulnerability.description):
            continue
        note = "disputed" if disputed(vulnerability.description) else ""
        affected = tuple(
            _affected(name, CODENAMES[codename], release, note)
            for codename, release in vulnerability.releases.items()
            if codename in CODENAMES
        )
        if affected:
            yield Advisory(identity, "debian", affected, summary=short(vulnerability.description))


def _affected(name: str, number: str, release: _Release, note: str) -> Affected:
    ecosystem = f"Debian:{number}"
    urgency = "" if release.urgency == "not yet assigned" else release.urgency.rstrip("*")
    if release.status == "resolved":
        if release.fixed_version == "0":
            return Affected(ecosystem, name, state=FixState.NOT_AFFECTED, urgency=urgency)
        return Affected(ecosystem, name, fixed=release.fixed_version, state=FixState.FIXED, urgency=urgency, note=note)
    if release.status == "undetermined":
        return Affected(ecosystem, name, state=FixState.UNDER_INVESTIGATION, urgency=urgency, note=note)
    state = FixState.END_OF_LIFE if urgency == "end-of-life" else _OPEN.get(release.nodsa_reason or "")
    return Affected(ecosystem, name, state=state or FixState.AFFECTED, urgency=urgency, note=release.nodsa or note)
