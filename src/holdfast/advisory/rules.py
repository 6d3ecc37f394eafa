"""What the findings of this room mean, and the facts behind one vulnerability, for `holdfast explain`."""

from collections.abc import Sequence

from msgspec import Struct

from holdfast.advisory.database import Database
from holdfast.advisory.finding import MALWARE_CONTROLS, VULNERABILITY_CONTROLS
from holdfast.advisory.severity import rate, scored
from holdfast.advisory.wording import MALICIOUS
from holdfast.model.advisory import Advisory, Epss, KnownExploited, Score
from holdfast.model.finding import Rule, Severity

VULNERABILITY = Rule(
    id="image.vulnerability",
    title="A package with a known vulnerability",
    why="An advisory says that this version of the package can be attacked. What is in every layer counts: an "
    "attacker needs only one way in, and the base image brings most of them.",
    fix="Upgrade to the version that the finding names. Where the base image brought the package, move to a newer "
    "base. Where there is no fix yet, see whether the package is needed at all.",
    # The same advisories speak of container runtimes and of the host's own packages (`dir:/`).
    controls=(*VULNERABILITY_CONTROLS, "nist-800-190:4.4.1", "nist-800-190:4.5.3"),
    techniques=("T1190", "T1068", "T1611"),
)

MALICIOUS_PACKAGE = Rule(
    id="image.malicious-package",
    title="A package that was published to do harm",
    why="The record says that this version was made to attack whoever installs it: its code has run, at the latest "
    "when the image was built.",
    fix="Remove the package, rebuild from a clean cache, and treat every secret that the build or the container could "
    "read as known to the attacker.",
    severity=Severity.CRITICAL,
    controls=MALWARE_CONTROLS,
    techniques=("T1195.001", "T1525"),
)

RULES = (VULNERABILITY, MALICIOUS_PACKAGE)
"""The families of rules whose members are the advisories themselves: a finding's own rule is the CVE."""


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Everything the databases know of one id; of another id than a CVE's also the ranks of the CVEs that it is.

    Where these are several, `epss` is the highest and `known_exploited` the first that was.
    """

    id: str
    advisories: tuple[Advisory, ...]
    severity: Severity = Severity.UNKNOWN
    scores: tuple[Score, ...] = ()
    known_exploited: KnownExploited | None = None
    epss: Epss | None = None


def explain(databases: Sequence[Database], identity: str) -> Explanation | None:
    """What is known of a CVE, GHSA, MAL or other id, in any case; None where nothing is."""
    for name in dict.fromkeys((identity.strip(), identity.strip().upper())):
        advisories: list[Advisory] = []
        for database in databases:
            advisories += [found for found in database.advisory(name) if found not in advisories]
        exploited, epss = _ranks(databases, _cves(name, advisories))
        if advisories or exploited or epss:
            scores = tuple(dict.fromkeys(score for one in advisories for score in scored(one.scores, one.id)))
            severity, _ = rate((), scores, [one.severity for one in advisories])
            if any(one.severity == MALICIOUS for one in advisories):
                severity = MALICIOUS_PACKAGE.severity
            return Explanation(name, tuple(advisories), severity, scores, exploited, epss)
    return None


def _cves(name: str, advisories: Sequence[Advisory]) -> list[str]:
    """The CVEs that an id stands for: itself, or the aliases of what is known by it (not of what only refers to it)."""
    if name.startswith("CVE-"):
        return [name]
    names = {each for one in advisories if name in (one.id, *one.aliases) for each in (one.id, *one.aliases)}
    return sorted(each for each in names if each.startswith("CVE-"))


def _ranks(databases: Sequence[Database], cves: Sequence[str]) -> tuple[KnownExploited | None, Epss | None]:
    """The first of these CVEs to be known as exploited, and the highest EPSS; earlier databases are believed first."""
    exploited: dict[str, KnownExploited] = {}
    epss: dict[str, Epss] = {}
    for database in reversed(databases):
        exploited |= database.known_exploited(cves)
        epss |= database.epss(cves)
    first = min(exploited.values(), key=lambda entry: entry.added, default=None)
    return first, max(epss.values(), key=lambda entry: entry.probability, default=None)
