"""What the findings of this room mean, and the facts behind one vulnerability, for `holdfast explain`."""

from collections.abc import Sequence

from msgspec import Struct

from holdfast.advisory.database import Database
from holdfast.advisory.finding import MALWARE_CONTROLS, VULNERABILITY_CONTROLS
from holdfast.advisory.severity import rate, scored
from holdfast.model.advisory import Advisory, Epss, KnownExploited, Score
from holdfast.model.finding import Rule, Severity

RULES: tuple[Rule, ...] = (
    Rule(
        "vulnerability",
        "A package with a known vulnerability",
        "An attacker who can reach the flaw may use it; for many a ready-made exploit exists.",
        "Move to the version that the finding names, in the base image where the finding says so.",
        controls=VULNERABILITY_CONTROLS,
    ),
    Rule(
        "malicious-package",
        "A package that is malware",
        "It was published to steal, to destroy or to open a back door, and has run already where it was installed.",
        "Remove it, and treat what it could reach (secrets, build machines) as compromised.",
        Severity.CRITICAL,
        MALWARE_CONTROLS,
        ("T1195.001",),
    ),
)
"""The rules of kinds; a finding's own rule is the CVE, or the advisory where there is none."""


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Everything the databases know of one id."""

    id: str
    advisories: tuple[Advisory, ...]
    severity: Severity = Severity.UNKNOWN
    scores: tuple[Score, ...] = ()
    known_exploited: KnownExploited | None = None
    epss: Epss | None = None


def explain(databases: Sequence[Database], identity: str) -> Explanation | None:
    """What is known of a CVE, GHSA or other id, in any case; None where nothing is."""
    advisories: list[Advisory] = []
    exploited: KnownExploited | None = None
    epss: Epss | None = None
    for name in dict.fromkeys((identity.strip(), identity.strip().upper())):
        for database in databases:
            advisories += [found for found in database.advisory(name) if found not in advisories]
            exploited = exploited or database.known_exploited((name,)).get(name)
            epss = epss or database.epss((name,)).get(name)
        if advisories or exploited or epss:
            scores = tuple(dict.fromkeys(score for one in advisories for score in scored(one.scores, one.id)))
            severity, _ = rate((), scores, [one.severity for one in advisories])
            return Explanation(name, tuple(advisories), severity, scores, exploited, epss)
    return None
