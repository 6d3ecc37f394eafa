"""How a target is set up, on a terminal: one line a rule, whatever number of places breaks it."""

from collections.abc import Sequence

from holdfast.model.finding import Finding, Severity
from holdfast.report.columns import place_words
from holdfast.report.text import Lines, Span, columns, counted, cut, one_line, pad, paragraph
from holdfast.report.words import WORST_FIRST, by_rule, place_of, times, title_of

_LOW = frozenset({Severity.LOW, Severity.NEGLIGIBLE})
_MOST_RULES = 60
_WIDE = 120


def configuration(found: Sequence[Finding], width: int) -> Lines:
    """A line for each rule that is broken, worst first; low ones are only counted where there are worse."""
    if not found:
        return
    groups = by_rule(found)
    yield []
    yield [
        ("CONFIGURATION", "heading"),
        (f"  {counted(len(groups), 'rule')} broken in {counted(sum(map(times, found)), 'place')}", "strong"),
    ]
    yield _severities(groups)
    grave = [group for group in groups if group[0].severity not in _LOW]
    told = (grave or groups)[:_MOST_RULES]
    name = min(max(columns(one_line(worst.rule[:100])) for worst, _ in told), max(width * 4 // 10, 30))
    for worst, members in told:
        yield _line(worst, members, name, width)
    if more := len(grave or groups) - len(told):
        yield [(f"  and {counted(more, 'more rule')}: see -f json", "dim")]
    if low := groups[len(grave) :] if grave else []:
        severities = ",".join(severity for severity in ("low", "negligible") if _has(low, Severity(severity)))
        words = f"and {counted(len(low), 'more rule')} of low or negligible severity: --severity {severities}"
        yield from paragraph("  ", words, width, "dim")
    yield [("    → holdfast explain RULE says why, and what to change", "")]


def _severities(groups: list[tuple[Finding, list[Finding]]]) -> list[Span]:
    spans: list[Span] = [("  ", "")]
    for severity in WORST_FIRST:
        if number := sum(worst.severity is severity for worst, _ in groups):
            spans.append((" · " if len(spans) > 1 else "", "dim"))
            spans.append((f"{number:,} {severity}", severity.value))
    return spans


def _has(groups: list[tuple[Finding, list[Finding]]], severity: Severity) -> bool:
    return any(worst.severity is severity for worst, _ in groups)


def _line(worst: Finding, members: list[Finding], name: int, width: int) -> list[Span]:
    """Severity, rule, and where it is first broken; what it means where there is no such place, or room for both."""
    spans: list[Span] = [
        (f"  {worst.severity:<10}  ", worst.severity.value),
        (pad(one_line(worst.rule[:200]), name), "strong"),
        ("  ", ""),
    ]
    room = width - 16 - name
    title = one_line(title_of(worst)[:300])
    if not place_of(worst):
        return [*spans, (title, "")]
    if width >= _WIDE:
        title = pad(title, room // 2 - 2)
        spans.append((f"{title}  ", ""))
        room -= columns(title) + 2
    places = [place_of(worst)] + [""] * (sum(map(times, members)) - 1)
    return [*spans, (cut(place_words(places, room), room), "dim")]
