"""Debian changelogs (deb-changelog(5)): which version of a source package first fixed which CVE."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.version import ordering_for

LIMIT = 32 << 20
_STANZAS = 20_000
_IDS = 200_000

_HEADER = re.compile(r"[a-z0-9][a-z0-9+.-]* \(([^\s()]{1,200})\) ([^;\n]{0,200});(.*)")
_TRAILER = re.compile(r" -- [^\n]*  (.{10,60})")
_URGENCY = re.compile(r"urgency=([A-Za-z]{1,20})")
# The number may stand on the next line; `/5`, `/1235` and `{1234,1235}` continue a list.
_CVE = re.compile(r"(?i:CVE)-\s{0,12}([12][0-9]{3})-\s{0,12}(?:\{([0-9, ]{4,400})\}|([0-9]{4,19})((?:/[0-9]{1,7})*))")
_ITEM = re.compile(r"^ {1,4}[*+-] |^ *\[", re.MULTILINE)
_UNDOES = re.compile(r"\b(?:revert|back(?:ing|ed)? out|temporarily (?:disable|drop|remove))", re.IGNORECASE)
_DENIES = re.compile(r"\bnot (?:affected|vulnerable)|\bunaffected\b|\bfalse positive\b", re.IGNORECASE)


class Mention(Struct, frozen=True):
    """A CVE, the lowest version that has the fix, and of the stanza that first names it the urgency and date (ISO)."""

    cve: str
    fixed: str
    urgency: str = ""
    date: str = ""


class Stanza(Struct, frozen=True):
    """One version's entry: its text is everything between the header and the trailer."""

    version: str
    urgency: str
    date: str
    text: str


def fixes(content: bytes) -> tuple[Mention, ...]:
    """Every CVE that a changelog claims to be fixed, in order of id, with the lowest version that has the fix.

    Read from the oldest stanza to the newest: the first mention counts, a later one (“drop the patch, it is upstream
    now”) does not. An item that reverts something takes its CVEs back, until they are named again; an item that says
    “not affected” says nothing. What a stanza fixes, every later one has too, and a later one may sort lower: the
    backport `1.3~deb12u6` is built of `1.3`. Raises InputError where there is no stanza at all.
    """
    stanzas = list(parse(content))
    if not stanzas:
        raise InputError("not a Debian changelog")
    found: dict[str, Mention] = {}
    lowest = _lowest_since(stanzas)
    for stanza, version in zip(reversed(stanzas), reversed(lowest), strict=True):
        for item in _items(stanza.text):
            if "-" not in item or _DENIES.search(item):
                continue
            undone = _UNDOES.search(item) is not None
            for cve in cves(item):
                if undone:
                    found.pop(cve, None)
                elif cve not in found and len(found) < _IDS:
                    found[cve] = Mention(cve, version, stanza.urgency, stanza.date)
    return tuple(found[cve] for cve in sorted(found))


def _lowest_since(stanzas: Sequence[Stanza]) -> list[str]:
    """For each stanza, newest first, the lowest version (as dpkg orders them) among it and all that are newer."""
    key = ordering_for("deb").key

    def lower(one: str, other: str) -> str:
        return min(one, other, key=key)

    return [*accumulate((stanza.version for stanza in stanzas), lower)]


def parse(content: bytes) -> Iterator[Stanza]:
    """The stanzas from the newest to the oldest. Text before the first header is skipped."""
    version, urgency, date = "", "", ""
    lines: list[str] = []
    count = 0
    for line in content[:LIMIT].decode("utf-8", "replace").split("\n"):
        if not line.startswith(" ") and (header := _HEADER.fullmatch(line.rstrip())):
            if version:
                yield Stanza(version, urgency, date, "\n".join(lines))
                count += 1
                if count == _STANZAS:
                    return
            urgent = _URGENCY.search(header[3])
            version, urgency, date, lines = header[1], urgent[1].lower() if urgent else "", "", []
        elif not date and (trailer := _TRAILER.fullmatch(line.rstrip())):
            date = _iso(trailer[1])
        elif version:
            lines.append(line)
    if version:
        yield Stanza(version, urgency, date, "\n".join(lines))


def cves(text: str) -> list[str]:
    """The CVE ids in a text, in order, also those that a list abbreviates."""
    found = []
    for year, braced, first, more in _CVE.findall(text):
        numbers = re.findall(r"[0-9]{4,19}", braced) if braced else [first]
        for tail in more.split("/")[1:]:
            numbers.append(tail if len(tail) >= 4 else first[: -len(tail)] + tail)
        found += [f"CVE-{year}-{number}" for number in numbers]
    return found


def _items(text: str) -> Iterator[str]:
    """The bullet points, each with its continuation lines."""
    starts = [0, *(match.start() for match in _ITEM.finditer(text)), len(text)]
    return (text[start:end] for start, end in pairwise(starts) if start < end)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _iso(text: str) -> str:
    match = re.match(r"(?:[A-Za-z]{3}, +)?([0-9]{1,2}) ([A-Za-z]{3}) ([12][0-9]{3}) ", text.strip() + " ")
    if not match or match[2] not in _MONTHS:
        return ""
    return f"{match[3]}-{_MONTHS.index(match[2]) + 1:02}-{match[1]:0>2}"
