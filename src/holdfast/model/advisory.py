"""What the world knows of vulnerabilities, whichever feed said it."""

from enum import StrEnum

from msgspec import Struct


class FixState(StrEnum):
    """What the distributor or author says of a vulnerability in a package."""

    FIXED = "fixed"
    AFFECTED = "affected"
    WILL_NOT_FIX = "will-not-fix"
    DEFERRED = "deferred"
    END_OF_LIFE = "end-of-life"
    NOT_AFFECTED = "not-affected"
    UNDER_INVESTIGATION = "under-investigation"


class Score(Struct, frozen=True, omit_defaults=True):
    """One severity as published: `system` is `CVSS_V2|V3|V4` (OSV's names) or a distribution's own word."""

    system: str
    vector: str = ""
    value: float = 0.0
    source: str = ""


class Affected(Struct, frozen=True, omit_defaults=True):
    """One range of versions of one package: introduced ≤ version < fixed, or ≤ last_affected; exact `versions` beside.

    `ecosystem` is OSV's, with the release (`Debian:12`, `Alpine:v3.20`, `PyPI`); `name` is the name that ecosystem's
    advisories use (the source package for Debian, Ubuntu and Alpine). Empty `introduced` means "from the first".
    """

    ecosystem: str
    name: str
    introduced: str = ""
    fixed: str = ""
    last_affected: str = ""
    versions: tuple[str, ...] = ()
    state: FixState = FixState.AFFECTED
    urgency: str = ""
    note: str = ""


class Advisory(Struct, frozen=True, omit_defaults=True):
    """One record of a feed. `source` names the feed (`osv/PyPI`, `debian`, `alpine`, `archive`, `starter`)."""

    id: str
    source: str
    affected: tuple[Affected, ...]
    aliases: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    summary: str = ""
    scores: tuple[Score, ...] = ()
    severity: str = ""
    references: tuple[str, ...] = ()
    published: str = ""
    modified: str = ""
    withdrawn: str = ""


class Epss(Struct, frozen=True):
    """FIRST's estimate that a CVE is exploited within 30 days: probability and percentile in 0…1, and its model."""

    probability: float
    percentile: float
    model: str


class KnownExploited(Struct, frozen=True, omit_defaults=True):
    """An entry of CISA's catalogue of known exploited vulnerabilities: dates as YYYY-MM-DD."""

    added: str
    due: str = ""
    ransomware: bool = False
    name: str = ""


class SourceInfo(Struct, frozen=True, omit_defaults=True):
    """One feed inside the advisory database: its date as the feed states it, the records kept, and its last failure."""

    name: str
    date: str = ""
    records: int = 0
    sha256: str = ""
    failure: str = ""


class DatabaseInfo(Struct, frozen=True, omit_defaults=True):
    """Which advisory data a report rests on. `starter` is true where only the pack inside the package was there."""

    sha256: str = ""
    schema: int = 0
    sources: tuple[SourceInfo, ...] = ()
    starter: bool = False
    ecosystems: tuple[str, ...] = ()
