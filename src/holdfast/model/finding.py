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
    SECRET = "secret"  # noqa: S105
    MALWARE = "malware"
    CONFIGURATION = "configuration"
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
    """Where it was found. `layer` is the blob's digest where one is known, `diff_id` the uncompressed layer's.

    `line` counts from 1; 0 where the file as a whole, or none, is meant.
    """

    path: str = ""
    layer: str = ""
    diff_id: str = ""
    created_by: str = ""
    side: Side = Side.UNKNOWN
    line: int = 0


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


class SecretEvidence(Struct, frozen=True, omit_defaults=True, tag="secret"):
    """A secret that was found, shown so that it can be recognised and not used.

    `redacted` is its first and last characters and `length` how many it has; `key_id` the keyed hash of it (32 hex
    digits: equal for equal secrets on one installation, and nothing to guess it by elsewhere). `place` says what the
    location's path is not: `history 3`, `environment NAME`, `label NAME`, `argument NAME`; empty for a file. `encoding`
    is how it stood there: `utf-16`, `base64`, or empty. `checks` is what was held true of it (`checksum`, `structure`,
    `entropy 4.1`). `deleted_by` is the diff ID of the layer that deletes the file, which takes nothing away from who
    has the image. `places` are the other places of the same secret. `alive` is what its issuer said when asked: `yes`,
    `no`, or empty where nobody asked or it could not be said.
    """

    redacted: str
    key_id: str
    length: int
    place: str = ""
    encoding: str = ""
    checks: tuple[str, ...] = ()
    deleted_by: str = ""
    places: tuple[str, ...] = ()
    alive: str = ""


class MalwareEvidence(Struct, frozen=True, omit_defaults=True, tag="malware"):
    """Why a file is believed to be malicious.

    `sha256` is the file's own digest (of the member, where it lies `inside` an archive: its path there). `matched` is
    what the rule found, each as `offset: text` with nothing unprintable in it; `rules` where the rule comes from:
    `built-in`, or the name of the user's file. `deleted_by` is the diff ID of the layer that deletes the file. `places`
    are the first other paths of the same content; the finding's `count` says how many there are in all.
    """

    sha256: str = ""
    inside: str = ""
    matched: tuple[str, ...] = ()
    rules: str = "built-in"
    deleted_by: str = ""
    places: tuple[str, ...] = ()


class ConfigurationEvidence(Struct, frozen=True, omit_defaults=True, tag="configuration"):
    """What a setting is and what it should be, in words that hold no secret.

    `places` are paths or `path:line` where the same thing was found, the first of them at most; the finding's `count`
    says how many there are.
    """

    found: str
    expected: str = ""
    places: tuple[str, ...] = ()


Evidence = (
    VulnerabilityEvidence
    | IntegrityEvidence
    | SbomEvidence
    | TagEvidence
    | SecretEvidence
    | MalwareEvidence
    | ConfigurationEvidence
)


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
        """32 hex digits that survive a rebuild: of rule, subject and path without a version; never layer or line."""
        if isinstance(self.evidence, SecretEvidence):
            name = self.evidence.key_id
        else:
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
