"""Coverage for people and for programs."""

from collections import Counter

import msgspec

from holdfast.compliance.coverage import Coverage, State
from holdfast.report.text import Lines, paint, paragraph

_STYLES = {State.SERVED: "good", State.PARTIAL: "warn", State.NOT_COVERED: "dim"}
SCHEMA = "holdfast.coverage/1"
_NAMED = 8


def as_text(items: tuple[Coverage, ...], *, width: int = 80, colour: bool = False) -> str:
    """A line for each countermeasure, and under those that are served what serves them and what is missing."""
    return "".join(f"{paint(spans, width, colour=colour)}\n" for spans in _lines(items, width))


def as_json(items: tuple[Coverage, ...]) -> bytes:
    """The same as JSON: `holdfast.coverage/1`, with the number of each state."""
    states = Counter(item.state for item in items)
    document = {"schema": SCHEMA, "counts": {state: states[state] for state in State}, "countermeasures": items}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _lines(items: tuple[Coverage, ...], width: int) -> Lines:
    states = Counter(item.state for item in items)
    yield [("NIST SP 800-190", "heading"), (f"  {len(items)} countermeasures: ", "")]
    yield [("  " + " · ".join(f"{states[state]} {state}" for state in State), "")]
    for group in dict.fromkeys(item.group for item in items):
        yield []
        yield [(group.upper(), "heading")]
        for item in items:
            if item.group == group:
                yield from _item(item, width)


def _item(item: Coverage, width: int) -> Lines:
    yield [(f"  {item.id}  ", "strong"), (f"{item.state:<12}", _STYLES[item.state]), (item.title, "")]
    if item.state is State.NOT_COVERED:
        return
    yield from paragraph(" " * 9, item.reason, width)
    for part in item.served:
        yield from paragraph(" " * 9 + "✓ ", part.what, width, "good")
    for part in item.missing:
        yield from paragraph(" " * 9 + "– ", part.what, width, "dim")
    more = f" and {len(item.rules) - _NAMED} more" if len(item.rules) > _NAMED else ""
    yield from paragraph(" " * 9 + "rules: ", ", ".join(item.rules[:_NAMED]) + more, width, "dim")
