"""What each layer of an image brought, as numbers for bars: its size, its packages, its findings by severity."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from holdfast.model.artifact import Layer, Side
from holdfast.model.finding import Severity
from holdfast.model.report import Report
from holdfast.report.columns import short
from holdfast.report.entries import Cause, shown
from holdfast.report.inspection import size
from holdfast.report.text import counted
from holdfast.report.words import WORST_FIRST

MOST_LAYERS = 60
"""More layers than this are only counted: an image may state any number of them."""

_SIDES = {Side.BASE: "base image", Side.APPLICATION: "application", Side.UNKNOWN: ""}
_TALL = 4.0  # of the 20 units that a layer's three bars are high


class Bar(Struct, frozen=True):
    """A rectangle, in hundredths of the picture's width and units of its height."""

    style: str
    x: float
    y: float
    width: float
    height: float
    title: str


class Brought(Struct, frozen=True):
    """One layer: its words, and its bars from the left, each as long as its share of the largest layer's."""

    number: int
    side: str
    side_words: str
    created_by: str
    digest: str
    size: str
    packages: str
    findings: str
    label: str
    bars: tuple[Bar, ...]


class Strip(Struct, frozen=True):
    """All layers side by side, each as wide as its share of the image's size."""

    label: str
    bars: tuple[Bar, ...]


def brought(report: Report, causes: Iterable[Cause]) -> tuple[Brought, ...]:
    """The first MOST_LAYERS layers, from the bottom, with what they brought."""
    packages = Counter(package.diff_id for package in report.packages)
    findings: dict[str, Counter[Severity]] = {}
    for cause in causes:
        findings.setdefault(cause.layer, Counter())[cause.finding.severity] += max(1, len(cause.members))
    told: set[str] = set()
    made = []
    most_size = max((layer.size for layer in report.layers), default=0) or 1
    most_packages = max(packages.values(), default=0) or 1
    most_findings = max((sum(counts.values()) for counts in findings.values()), default=0) or 1
    for number, layer in enumerate(report.layers[:MOST_LAYERS], 1):
        counts: Counter[Severity] = Counter()
        held = 0
        if layer.diff_id not in told:  # an empty layer may come many times, with one diff ID
            told.add(layer.diff_id)
            counts, held = findings.get(layer.diff_id, counts), packages[layer.diff_id]
        shares = (max(layer.size, 0) / most_size, held / most_packages, most_findings)
        made.append(_brought(number, layer, held, counts, shares))
    return tuple(made)


def strip(report: Report) -> Strip | None:
    """The whole image by size, base and application apart; None where no sizes are known."""
    total = sum(max(layer.size, 0) for layer in report.layers)
    if not total or len(report.layers) < 2:
        return None
    bars, x = [], 0.0
    sides: Counter[Side] = Counter()
    for number, layer in enumerate(report.layers[:MOST_LAYERS], 1):
        width = max(layer.size, 0) / total * 100
        sides[layer.side] += max(layer.size, 0)
        if width >= 0.05:
            bars.append(_bar(str(layer.side), x, 0, width, f"layer #{number}: {size(max(layer.size, 0))}", 6))
        x += width
    parts = ", ".join(f"{_SIDES[side] or 'not known whose'} {size(count)}" for side, count in sides.items() if count)
    return Strip(f"The layers by size, {size(total)} in all: {parts}", tuple(bars))


def _brought(
    number: int, layer: Layer, held: int, counts: Counter[Severity], shares: tuple[float, float, float]
) -> Brought:
    of_size, of_packages, most_findings = shares
    told = size(max(layer.size, 0)) if layer.size > 0 else "size not known"
    total = counts.total()
    bars = [_bar("track", 0, y, 100, "", _TALL) for y in (1, 8, 15)]
    bars += _filled("size", 1, of_size * 100, told)
    bars += _filled("packages", 8, of_packages * 100, counted(held, "package"))
    x = 0.0
    for severity in WORST_FIRST:
        if counts[severity]:
            width = max(counts[severity] / most_findings * 100, 0.6)
            bars.append(_bar(str(severity), x, 15, min(width, 100 - x), f"{counts[severity]:,} {severity}", _TALL))
            x = min(x + width, 99.4)
    by_severity = ", ".join(f"{counts[severity]:,} {severity}" for severity in WORST_FIRST if counts[severity])
    findings = counted(total, "finding")
    return Brought(
        number=number,
        side=str(layer.side),
        side_words=_SIDES[layer.side],
        created_by=shown(" ".join(layer.created_by[:2000].split()), 240) or "not said what made it",
        digest=short(layer.digest or layer.diff_id),
        size=told,
        packages=counted(held, "package"),
        findings=findings,
        label=f"Layer {number}: {told}, {counted(held, 'package')}, {findings}{': ' + by_severity if total else ''}",
        bars=tuple(bars),
    )


def _filled(style: str, y: float, width: float, title: str) -> Sequence[Bar]:
    return [_bar(style, 0, y, max(width, 0.6), title, _TALL)] if width else []


def _bar(style: str, x: float, y: float, width: float, title: str, height: float) -> Bar:
    return Bar(style, round(x, 2), y, round(width, 2), height, title)
