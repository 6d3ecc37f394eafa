"""What a rule means, found by its id: a rule of a room, or the family that an advisory belongs to."""

import re
from collections.abc import Iterable

from holdfast.model.finding import Rule, Severity

_ADVISORY = re.compile(r"[A-Za-z][A-Za-z0-9]{1,19}-[A-Za-z0-9:._-]{1,80}", re.ASCII)

VULNERABILITY = Rule(
    id="image.vulnerability",
    title="A package with a known vulnerability",
    why="An advisory says that this version of the package can be attacked. What is in every layer counts: an "
    "attacker needs only one way in, and the base image brings most of them.",
    fix="Upgrade to the version that the finding names. Where the base image brought the package, move to a newer "
    "base. Where there is no fix yet, see whether the package is needed at all.",
    controls=("nist-800-190:4.1.1", "nist-800-190:4.4.1", "nist-800-190:4.5.3"),
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
    controls=("nist-800-190:4.1.3",),
    techniques=("T1195.001", "T1525"),
)

RULES = (VULNERABILITY, MALICIOUS_PACKAGE)
"""The families of rules whose members are the advisories themselves."""


def explain(rule_id: str, rules: Iterable[Rule]) -> Rule | None:
    """The rule of that id among `rules` and the families; an advisory's id (`CVE-…`, `MAL-…`) gives its family."""
    known = {rule.id: rule for rule in (*RULES, *rules)}
    if rule_id in known:
        return known[rule_id]
    if not _ADVISORY.fullmatch(rule_id):
        return None
    return MALICIOUS_PACKAGE if rule_id.upper().startswith("MAL-") else VULNERABILITY
