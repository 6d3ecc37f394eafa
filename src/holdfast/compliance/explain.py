"""What a rule means, found by its id: a rule of a room, or the family that an advisory belongs to."""

import re
from collections.abc import Iterable

from holdfast.advisory.rules import MALICIOUS_PACKAGE, RULES, VULNERABILITY
from holdfast.model.finding import Rule

_ADVISORY = re.compile(r"[A-Za-z][A-Za-z0-9]{1,19}-[A-Za-z0-9:._-]{1,80}", re.ASCII)


def explain(rule_id: str, rules: Iterable[Rule]) -> Rule | None:
    """The rule of that id among `rules` and the families; an advisory's id (`CVE-…`, `MAL-…`) gives its family."""
    known = {rule.id: rule for rule in (*RULES, *rules)}
    if rule_id in known:
        return known[rule_id]
    if not _ADVISORY.fullmatch(rule_id):
        return None
    return MALICIOUS_PACKAGE if rule_id.upper().startswith("MAL-") else VULNERABILITY
