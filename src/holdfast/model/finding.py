"""What is wrong, in one shape for every front."""

import hashlib
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from holdfast.model.advisory import Epss, FixState, KnownExploited, Score
from holdfast.model.artifact import Side
from holdfast.model.errors import InputError
from holdfast.model.package import Purl


class Kind(StrEnum):
    """Which family a finding is of."""

    VULNERABILITY = "vulnerability"
    MALWARE = "malware"
    INTEGRITY = "integrity"


class Severity(StrEnum):
    """How bad, from `unknown` to `critical`; ordered by `rank`."""

    UNKNOWN = "unknown"
    NEGLIGIBLE = "negligible"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for unknown … 5 for critical."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Confidence(StrEnum):
    """How sure we are that the finding is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Rule(Struct, frozen=True, omit_defaults=True):
    """What a finding means: why it matters, how to mend it, and which controls it serves.

    `controls` are `<framework>:<id>` (`nist-800-190:4.1.1`); `techniques` are ATT&CK ids.
    """

    id: str
    title: str
    why: str
    fix: str
    severity: Severity = Severity.UNKNOWN
    controls: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class Subject(Struct, frozen=True, omit_defaults=True):
    """What a finding is about: a package by its purl, or an image, layer or file by its name."""

    name: str
    version: str = ""
    purl: str = ""


class Location(Struct, frozen=True, omit_defaults=True):
    """Where it was found. `layer` is the blob's digest where one is known, `diff_id` the uncompressed layer's."""

    path: str = ""
    layer: str = ""
    diff_id: str = ""
    created_by: str = ""
    side: Side = Side.UNKNOWN


class Fix(Struct, frozen=True, omit_defaults=True):
    """What to change: the version to move to, the side (base or application) that has to move, and words for people."""

    state: FixState = FixState.AFFECTED
    version: str = ""
    side: Side = Side.UNKNOWN
    advice: str = ""


class VulnerabilityEvidence(Struct, frozen=True, omit_defaults=True, tag="vulnerability"):
    """Why a package is said to be vulnerable.

    `advisory` is the record that decided and `source` its feed; `compared` the name and version that were held against
    `affected` (the source package's, for distributions); `risk` orders findings, 0–100 (advisory.risk states how).
    """

    advisory: str
    source: str
    compared: str
    affected: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    scores: tuple[Score, ...] = ()
    known_exploited: KnownExploited | None = None
    epss: Epss | None = None
    risk: int = 0
    published: str = ""
    modified: str = ""
    note: str = ""


class IntegrityEvidence(Struct, frozen=True, omit_defaults=True, tag="integrity"):
    """What was promised of some bytes, and what they turned out to be (digests, or sizes in bytes)."""

    expected: str
    actual: str


class SbomEvidence(Struct, frozen=True, omit_defaults=True, tag="sbom"):
    """How far a bill of materials that is attached to an image departs from what is inside.

    `attachment` is the digest of the blob that holds it; `inside` and `listed` count the packages that were compared;
    `packages` are the first of those that differ, in words (the finding's `count` says how many there are).
    """

    attachment: str
    inside: int
    listed: int
    packages: tuple[str, ...] = ()


class TagEvidence(Struct, frozen=True, omit_defaults=True, tag="tag"):
    """Where a tag leads `now`, where it led `before`, and when it was last seen where it is again (ISO 8601, UTC)."""

    now: str
    before: str
    seen: str


Evidence = VulnerabilityEvidence | IntegrityEvidence | SbomEvidence | TagEvidence


class Finding(Struct, frozen=True, omit_defaults=True):
    """One cause, once, with everything needed to believe it and to mend it."""

    rule: str
    kind: Kind
    severity: Severity
    confidence: Confidence
    subject: Subject
    evidence: Evidence
    location: Location = Location()
    fix: Fix = Fix()
    title: str = ""
    references: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    count: int = 1

    @property
    def fingerprint(self) -> str:
        """32 hex digits that survive a rebuild: of rule, subject and path without a version; never the layer."""
        name = _without_version(self.subject.purl) if self.subject.purl else self.subject.name
        path = self.location.path
        if len(self.subject.version) > 1:
            path = path.replace(self.subject.version, "")  # flask-3.1.2.dist-info
        # A path need not be UTF-8: its odd bytes are surrogates here.
        return hashlib.sha256(f"{self.rule}\n{name}\n{path}".encode(errors="surrogatepass")).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _without_version(purl: str) -> str:
    try:
        return str(Purl.parse(purl).without_version())
    except InputError:
        return purl.partition("@")[0]
