"""Secrets and malicious files on a terminal: what it is, where it is, which layer brought it, and what to do."""

from collections import Counter
from collections.abc import Sequence

from holdfast.model.finding import Confidence, Finding, SecretEvidence
from holdfast.model.report import Report
from holdfast.report.columns import place_words
from holdfast.report.text import Lines, Span, columns, counted, cut, listed, one_line, paragraph
from holdfast.report.words import by_rule, deleted_by, in_order, is_alive, layer_numbers, place_of, times, title_of

_DETAILED = 20
_MOST_ADVICE = 2
_MOST_RULES = 12


def secrets(report: Report, found: Sequence[Finding], width: int) -> Lines:
    """Every secret in its redacted form; behind the first ones only numbers by rule."""
    if not found:
        return
    alive = sum(map(is_alive, found))
    where = " in the image: whoever can pull it has them" if report.layers else ": whoever can read this has them"
    yield []
    yield [
        ("SECRETS", "bad"),
        (f"  {counted(len(found), 'secret')}{where}", ""),
        (f", {alive:,} still valid" if alive else "", "exploited"),
    ]
    advice = "revoke or change each where it was made, then build without it: holdfast explain RULE says how"
    yield from sightings(report, found, width, advice)


def sightings(report: Report, found: Sequence[Finding], width: int, advice: str) -> Lines:
    """Findings at places, worst first: what and how sure, where and in which layer, whether a later layer deletes it.

    Those of low confidence share a line a rule. What to do is told once: in the rules' words where these are few, else
    in the general ones of `advice`.
    """
    ordered = in_order(found)
    layers = layer_numbers(report)
    sure = [one for one in ordered if one.confidence is not Confidence.LOW or is_alive(one)]
    for finding in sure[:_DETAILED]:
        yield _title(finding, width)
        yield from _place(finding, layers, width)
    if rest := sure[_DETAILED:]:
        counts = Counter(finding.rule for finding in rest)
        names = listed([f"{one_line(rule[:100])} {number:,}" for rule, number in counts.items()], _MOST_RULES)
        yield from paragraph("  ", f"and {len(rest):,} more, each in -f json: {names}", width, "dim")
    doubtful = by_rule([one for one in ordered if one.confidence is Confidence.LOW and not is_alive(one)])
    for worst, members in doubtful[:_MOST_RULES]:
        yield from _doubtful(worst, members, layers, width)
    if more := len(doubtful[_MOST_RULES:]):
        yield [(f"  and {counted(more, 'more rule')} of low confidence: see -f json", "dim")]
    told = dict.fromkeys(finding.fix.advice for finding in (sure or ordered)[:_DETAILED] if finding.fix.advice)
    for words in told if len(told) <= _MOST_ADVICE else [advice]:
        yield from paragraph("    → ", words[:2000], width)


def _doubtful(worst: Finding, members: Sequence[Finding], layers: dict[str, int], width: int) -> Lines:
    """What may well be nothing, in two lines however much there is of it."""
    yield _title(worst, width)
    number = layers.get(worst.location.diff_id)
    words = f"  layer #{number}" if number else ""
    places = [place_of(worst) or worst.subject.name, *[""] * (sum(map(times, members)) - 1)]
    yield [(f"            {place_words(places, width - 12 - len(words))}", ""), (words, "dim")]


def _title(finding: Finding, width: int) -> list[Span]:
    """Severity, what it is, and what must not be cut off behind it: the redacted secret, and how sure we are."""
    evidence = finding.evidence
    spans: list[Span] = [(f"  {finding.severity:<9} ", finding.severity.value)]
    last: list[Span] = []
    if isinstance(evidence, SecretEvidence):
        last.append((f"  {cut(one_line(evidence.redacted[:80]), 24)}", ""))
        if evidence.alive:
            last.append(("  still valid" if evidence.alive == "yes" else "  no longer valid", "exploited"))
    else:
        spans.append((f"{cut(one_line(finding.rule[:100]), width // 2 - 12)}  ", "strong"))
    if finding.confidence is not Confidence.HIGH:
        last.append((f"  ({finding.confidence} confidence)", "dim"))
    room = width - sum(columns(text) for text, _ in (*spans, *last))
    style = "strong" if isinstance(evidence, SecretEvidence) else ""
    return [*spans, (cut(one_line(title_of(finding)[:200]), max(room, 8)), style), *last]


def _place(finding: Finding, layers: dict[str, int], width: int) -> Lines:
    """The first place and how many more with the layer that holds it, then the layer that deletes it."""
    number = layers.get(finding.location.diff_id)
    words = f"  layer #{number}" if number else ""
    places = [place_of(finding) or finding.subject.name, *[""] * (times(finding) - 1)]
    told = place_words(places, width - 12 - len(words))
    rule = f"  {one_line(finding.rule[:60])}" if isinstance(finding.evidence, SecretEvidence) else ""
    room = width - 12 - columns(told) - len(words)
    yield [(f"            {told}", ""), (words, "dim"), (rule if columns(rule) <= room else "", "dim")]
    if deleted_by(finding):
        later = layers.get(deleted_by(finding))
        by = f"layer #{later}" if later else "a later layer"
        yield [(f"            deleted by {by}, still in the image", "warn")]
