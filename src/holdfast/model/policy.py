"""What somebody demands of an image before it is built or run, and what they accept all the same.

A policy is read by policy.parse and applied by policy.evaluate. Every part that is None, or an empty tuple, demands
nothing.
"""

from msgspec import Struct

from holdfast.model.finding import Confidence, Kind, Severity
from holdfast.model.verdict import Decision


class Threshold(Struct, frozen=True, omit_defaults=True):
    """From where on a finding counts: its severity and confidence at least; `fixable_only`: where a fix is known."""

    severity: Severity
    confidence: Confidence = Confidence.LOW
    fixable_only: bool = False


class KindRules(Struct, frozen=True, omit_defaults=True):
    """From where on findings of one kind are denied, and from where on they are warned about."""

    deny: Threshold | None = None
    warn: Threshold | None = None


class Exploited(Struct, frozen=True, omit_defaults=True):
    """What a vulnerability leads to that CISA's catalogue knows to be exploited."""

    decision: Decision = Decision.DENY
    fixable_only: bool = False


class Likely(Struct, frozen=True, omit_defaults=True):
    """What a vulnerability leads to whose EPSS percentile (0…1) is at least this."""

    percentile: float
    decision: Decision = Decision.DENY
    fixable_only: bool = False


class RuleOverride(Struct, frozen=True, omit_defaults=True):
    """What findings of the rules that match (id or glob) lead to, whatever their severity; the first match counts."""

    match: str
    decision: Decision
    confidence: Confidence = Confidence.LOW


class Bases(Struct, frozen=True, omit_defaults=True):
    """Which base images are allowed (names, globs, digests), and what else, unknown or unscanned ones lead to.

    `denied` is what a base leads to whose own last verdict was deny.
    """

    allow: tuple[str, ...] = ()
    decision: Decision = Decision.DENY
    unknown: Decision = Decision.WARN
    unscanned: Decision = Decision.ALLOW
    denied: Decision = Decision.DENY


class Registries(Struct, frozen=True, omit_defaults=True):
    """Where images may come from: hosts, or globs of host and repository."""

    allow: tuple[str, ...]
    decision: Decision = Decision.DENY


class VersionRange(Struct, frozen=True):
    """One comparison: `operator` is one of `=`, `!=`, `<`, `<=`, `>`, `>=`."""

    operator: str
    version: str


class DeniedPackage(Struct, frozen=True, omit_defaults=True):
    """A package that must not be inside: a purl or name (globs), of any version or of those in all the `versions`."""

    match: str
    versions: tuple[VersionRange, ...] = ()
    decision: Decision = Decision.DENY
    reason: str = ""
    where: str = ""


class Licences(Struct, frozen=True, omit_defaults=True):
    """Licences (SPDX ids, globs) that must not be inside, or are warned about; `unknown`: where a package names none.

    Of `A OR B` one acceptable side is enough; of `A AND B` both have to be.
    """

    deny: tuple[str, ...] = ()
    warn: tuple[str, ...] = ()
    unknown: Decision = Decision.ALLOW


class RequiredLabel(Struct, frozen=True, omit_defaults=True):
    """A label that has to be there, with a value that matches `pattern` (a glob; empty: any that is not empty)."""

    name: str
    pattern: str = ""
    decision: Decision = Decision.DENY


class RequiredUser(Struct, frozen=True, omit_defaults=True):
    """Who containers run as: `non-root`, or one of the named users (or numbers)."""

    allow: tuple[str, ...]
    decision: Decision = Decision.DENY


class RequiredAttachments(Struct, frozen=True, omit_defaults=True):
    """Which kinds of attachments have to be there: `sbom`, `provenance`, `vex`, `signature`."""

    require: tuple[str, ...]
    decision: Decision = Decision.DENY


class Pinned(Struct, frozen=True, omit_defaults=True):
    """What has to be named by its digest: `image`, `base`, or both."""

    require: tuple[str, ...]
    decision: Decision = Decision.DENY


class Age(Struct, frozen=True, omit_defaults=True):
    """How many days ago the image may have been built at most."""

    days: int
    decision: Decision = Decision.DENY


class Demands(Struct, frozen=True, omit_defaults=True):
    """All that can also be said for some targets alone; None is "as elsewhere", and nowhere said it is no demand.

    `grace_days` are the days after its publication in which a vulnerability is warned about instead of denied;
    `alive` is what a secret leads to that its issuer still accepts.
    """

    incomplete: Decision | None = None
    vulnerability: KindRules | None = None
    secret: KindRules | None = None
    malware: KindRules | None = None
    configuration: KindRules | None = None
    integrity: KindRules | None = None
    known_exploited: Exploited | None = None
    epss: Likely | None = None
    grace_days: int | None = None
    alive: Decision | None = None
    rules: tuple[RuleOverride, ...] | None = None
    base: Bases | None = None
    registry: Registries | None = None
    packages: tuple[DeniedPackage, ...] | None = None
    licence: Licences | None = None
    labels: tuple[RequiredLabel, ...] | None = None
    user: RequiredUser | None = None
    attachments: RequiredAttachments | None = None
    pinned: Pinned | None = None
    age: Age | None = None

    def of_kind(self, kind: Kind) -> KindRules:
        """The thresholds for findings of one kind."""
        rules: KindRules | None = getattr(self, kind.value)
        return rules or KindRules()


class TargetDemands(Struct, frozen=True, omit_defaults=True):
    """Demands for the targets whose name matches a glob; they take the place of the general ones, part by part."""

    match: str
    demands: Demands


class Check(Struct, frozen=True, omit_defaults=True):
    """A condition in CEL that has to be true. `line` is where it stands, `on_error` what follows if it fails."""

    name: str
    expression: str
    message: str = ""
    decision: Decision = Decision.DENY
    on_error: Decision = Decision.WARN
    line: int = 0


class Waiver(Struct, frozen=True, omit_defaults=True):
    """Findings that somebody accepts, for a reason and for a time: those that all given parts match.

    `rule` is an id or glob (a vulnerability's aliases count), `package` a purl or name, `path` a glob over paths
    (`**` for any folders), `target` a glob over target names. `expires` is the last day on which it holds; it is
    empty only in waivers that were made of another tool's ignore file, whose name `origin` then is. `kinds`,
    `fix_states` and `versions` narrow it further; `exact` says that `rule` is no glob.
    """

    reason: str
    owner: str
    expires: str = ""
    rule: str = ""
    fingerprint: str = ""
    package: str = ""
    path: str = ""
    target: str = ""
    kinds: tuple[Kind, ...] = ()
    fix_states: tuple[str, ...] = ()
    versions: tuple[VersionRange, ...] = ()
    type: str = ""
    exact: bool = False
    origin: str = ""
    where: str = ""


class Policy(Struct, frozen=True, omit_defaults=True):
    """A whole policy. `source` is the file it was read from."""

    name: str
    description: str = ""
    demands: Demands = Demands()
    targets: tuple[TargetDemands, ...] = ()
    checks: tuple[Check, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    source: str = ""
