"""What one finding leads to by a policy's thresholds."""

from datetime import date, timedelta

from msgspec import Struct

from holdfast.model.finding import Confidence, Finding, Kind, SecretEvidence, VulnerabilityEvidence
from holdfast.model.policy import Demands, Threshold
from holdfast.model.verdict import Decision
from holdfast.policy import rules
from holdfast.policy.glob import matches
from holdfast.policy.waive import ids_of

_SURE = {confidence: rank for rank, confidence in enumerate(Confidence)}


class Judgement(Struct, frozen=True):
    """What a finding leads to, and by which rule: one of the policy's, or the finding's own.

    `until` is the day from which on a finding within its period of grace is denied.
    """

    decision: Decision
    rule: str
    until: str = ""


def judge(finding: Finding, demands: Demands, today: date) -> Judgement | None:
    """The gravest that the demands say of a finding; None where it does not matter."""
    for override in demands.rules or ():
        if any(matches(override.match, one) for one in ids_of(finding)):
            if _SURE[finding.confidence] < _SURE[override.confidence]:
                continue
            return None if override.decision is Decision.ALLOW else Judgement(override.decision, finding.rule)
    found = [*_ranked(finding, demands), *_by_threshold(finding, demands)]
    if not found:
        return None
    # Of equally grave ones the first: that it is exploited says more than its severity.
    worst = max(found, key=lambda one: one.decision.rank)
    until = grace_until(finding, demands, today)
    if worst.decision is Decision.DENY and until:
        return Judgement(Decision.WARN, rules.GRACE.id, until)
    return worst


def grace_until(finding: Finding, demands: Demands, today: date) -> str:
    """The first day on which a new vulnerability is no longer let through; empty where there is no grace.

    There is none without a date of publication, for a date to come, and for what is known to be exploited.
    """
    evidence = finding.evidence
    if not demands.grace_days or not isinstance(evidence, VulnerabilityEvidence) or evidence.known_exploited:
        return ""
    if finding.kind is not Kind.VULNERABILITY:
        return ""
    try:
        published = date.fromisoformat(evidence.published[:10])
        end = published + timedelta(days=demands.grace_days)
    except (ValueError, OverflowError):
        return ""
    return end.isoformat() if published <= today < end else ""


def is_fixable(finding: Finding) -> bool:
    """Whether there is a version to move to; what is no vulnerability can always be mended."""
    return finding.kind is not Kind.VULNERABILITY or bool(finding.fix.version)


def _by_threshold(finding: Finding, demands: Demands) -> list[Judgement]:
    own = finding.rule if finding.kind is not Kind.VULNERABILITY else rules.VULNERABILITY.id
    kind = demands.of_kind(finding.kind)
    if kind.deny and _reaches(finding, kind.deny):
        return [Judgement(Decision.DENY, own)]
    return [Judgement(Decision.WARN, own)] if kind.warn and _reaches(finding, kind.warn) else []


def _reaches(finding: Finding, threshold: Threshold) -> bool:
    return (
        finding.severity.rank >= threshold.severity.rank
        and _SURE[finding.confidence] >= _SURE[threshold.confidence]
        and (not threshold.fixable_only or is_fixable(finding))
    )


def _ranked(finding: Finding, demands: Demands) -> list[Judgement]:
    """What is known of attacks: exploited, likely to be, or a secret that is still good."""
    evidence, found = finding.evidence, []
    if isinstance(evidence, VulnerabilityEvidence):
        exploited, likely = demands.known_exploited, demands.epss
        if exploited and evidence.known_exploited and (is_fixable(finding) or not exploited.fixable_only):
            found.append(Judgement(exploited.decision, rules.KNOWN_EXPLOITED.id))
        if (
            likely
            and evidence.epss
            and evidence.epss.percentile >= likely.percentile
            and (is_fixable(finding) or not likely.fixable_only)
        ):
            found.append(Judgement(likely.decision, rules.LIKELY_EXPLOITED.id))
    elif isinstance(evidence, SecretEvidence) and evidence.alive == "yes" and demands.alive:
        found.append(Judgement(demands.alive, finding.rule))
    return [one for one in found if one.decision is not Decision.ALLOW]
