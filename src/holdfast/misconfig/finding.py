"""Findings made of a rule and what was found."""

from collections.abc import Iterable, Sequence

from holdfast.misconfig.rule import expected, find
from holdfast.misconfig.scene import Placed
from holdfast.model.artifact import Image
from holdfast.model.finding import Confidence, ConfigurationEvidence, Finding, Fix, Kind, Location, Severity, Subject

MAX_PLACES = 10
_MAX_WORDS = 5
_MAX_LENGTH = 160


def finding(
    rule_id: str,
    subject: str,
    found: str,
    *,
    location: Location = Location(),  # noqa: B008  (frozen)
    places: Sequence[str] = (),
    count: int = 1,
    severity: Severity | None = None,
    confidence: Confidence = Confidence.HIGH,
) -> Finding:
    """One finding of a rule; `severity` where it differs from the rule's own."""
    rule = find(rule_id)
    return Finding(
        rule=rule.id,
        kind=Kind.CONFIGURATION,
        severity=severity or rule.severity,
        confidence=confidence,
        subject=Subject(subject),
        evidence=ConfigurationEvidence(found, expected(rule_id), tuple(places[:MAX_PLACES])),
        location=location,
        fix=Fix(advice=rule.fix, side=location.side),
        title=rule.title,
        references=rule.references,
        controls=rule.controls,
        count=count,
    )


def of_places(
    rule_id: str, subject: str, placed: Sequence[Placed], image: Image | None, *, severity: Severity | None = None
) -> Finding:
    """One finding for all places where the same is wrong; it stands at the first of them. `placed` is not empty."""
    ordered = sorted(placed, key=lambda one: (one.path, one.trait.line))
    return finding(
        rule_id,
        subject,
        summary(one.trait.value or one.path for one in ordered),
        location=location(ordered[0], image),
        places=[place(one) for one in ordered],
        count=len(ordered),
        severity=severity,
    )


def place(placed: Placed) -> str:
    """A path, with the line where one is known."""
    return f"{placed.path}:{placed.trait.line}" if placed.trait.line else placed.path


def location(placed: Placed, image: Image | None) -> Location:
    """Where a trait stands, with what made its layer."""
    made = next((one for one in image.layers if one.diff_id == placed.diff_id), None) if image else None
    return Location(
        placed.path, made.digest if made else "", placed.diff_id, made.created_by if made else "", placed.side,
        placed.trait.line,
    )  # fmt: skip


def summary(words: Iterable[str]) -> str:
    """The first few of the words, each once, and how many there are beside them."""
    different = list(dict.fromkeys(word[:_MAX_LENGTH] for word in words))
    shown = ", ".join(different[:_MAX_WORDS])
    more = len(different) - _MAX_WORDS
    return f"{shown} and {more} more" if more > 0 else shown
