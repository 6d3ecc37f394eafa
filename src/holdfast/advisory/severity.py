"""How bad a vulnerability is: the distribution's own word, else CVSS as published.

In this order, the first that is there: the distribution's word · CVSS 3.1 · CVSS 3.0 · CVSS 4.0 · the record's own word
(GitHub's, Bitnami's) · CVSS 2. Versions of CVSS do not compare, so there is no maximum over them.
"""

from collections.abc import Iterable

from holdfast.advisory.cvss import base_score
from holdfast.model.advisory import Score
from holdfast.model.finding import Severity

_WORDS = {
    "unimportant": Severity.NEGLIGIBLE,
    "negligible": Severity.NEGLIGIBLE,
    "none": Severity.NEGLIGIBLE,
    "informational": Severity.NEGLIGIBLE,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "critical": Severity.CRITICAL,
}
_ORDER = (("CVSS:3.1",), ("CVSS:3.0",), ("CVSS:4.",))
_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
# The middle of a band, for ordering where there is only a word.
_TYPICAL = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.5,
    Severity.NEGLIGIBLE: 0.0,
    Severity.UNKNOWN: 5.0,
}


def severity_of_word(word: str) -> Severity:
    """The severity that a word of a feed means; unknown for any other."""
    return _WORDS.get(word.strip().rstrip("*").lower(), Severity.UNKNOWN)


def severity_of_score(value: float) -> Severity:
    """The qualitative rating of a CVSS score (CVSS v3.1 specification, section 5)."""
    return next((severity for least, severity in _BANDS if value >= least), Severity.NEGLIGIBLE)


def scored(scores: Iterable[Score], source: str) -> tuple[Score, ...]:
    """The scores with their values computed from their vectors, and their source."""
    return tuple(Score(one.system, one.vector, base_score(one.vector) or 0.0, one.source or source) for one in scores)


def rate(own_words: Iterable[str], scores: Iterable[Score], words: Iterable[str]) -> tuple[Severity, float]:
    """The severity and a figure of 0…10 for ordering, by the order that this module states.

    `own_words` are the distribution's, `words` the records'. Scores carry their values.
    """
    scores = tuple(scores)
    for score in scores:
        if not score.vector.startswith("CVSS") and score.system and not score.system.startswith("CVSS"):
            own_words = (*own_words, score.vector)  # OSV's severity of type `Ubuntu` is a word
    severity = _first(own_words)
    best = next((one for prefix in _ORDER for one in scores if one.vector.startswith(prefix) and one.value), None)
    if severity is Severity.UNKNOWN and best is not None:
        severity = severity_of_score(best.value)
    if severity is Severity.UNKNOWN:
        severity = _first(words)
    if severity is Severity.UNKNOWN:
        best = next((one for one in scores if one.system == "CVSS_V2" and one.value), None)
        severity = severity_of_score(best.value) if best else Severity.UNKNOWN
    agrees = best is not None and severity_of_score(best.value) is severity
    return severity, best.value if best is not None and agrees else _TYPICAL[severity]


def _first(words: Iterable[str]) -> Severity:
    found = (severity_of_word(word) for word in words)
    return next((severity for severity in found if severity is not Severity.UNKNOWN), Severity.UNKNOWN)
