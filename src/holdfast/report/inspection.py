"""An inspection for a terminal."""

from collections.abc import Iterator

from holdfast.model.artifact import Attachment, Provenance
from holdfast.model.inspection import Inspection
from holdfast.report.columns import short
from holdfast.report.text import Lines, cut, one_line, pad, paint, paragraph, printable

_UNITS = ("B", "kB", "MB", "GB", "TB")
_MOST_LABELS = 20


def write(inspection: Inspection, *, width: int = 80, colour: bool = False) -> str:
    """What an image is made of, one thing a line."""
    return "".join(f"{paint(spans, width, colour=colour)}\n" for spans in _lines(inspection, width))


def size(count: int) -> str:
    """Bytes as people read them: `7.4 MB` (a million bytes, as registries count)."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _lines(inspection: Inspection, width: int) -> Lines:
    image = inspection.image
    yield [(printable(inspection.target), "heading")]
    facts = (
        ("manifest", image.digest), ("index", image.index_digest), ("config", image.config_digest),
        ("type", inspection.media_type), ("platform", str(image.platform or "")), ("created", image.created),
        ("user", image.user or "root (none is set)"),
    )  # fmt: skip
    for name, value in facts:
        if value:
            yield [(pad(name, 9), "dim"), (cut(printable(value), width - 9), "")]
    yield from _offers(inspection, width)
    yield []
    yield [(f"LAYERS  {len(image.layers)}, {size(inspection.size)} as stored", "heading")]
    for number, layer in enumerate(image.layers, 1):
        told = f"{number:>4}  {short(layer.digest or layer.diff_id):<14} {size(max(layer.size, 0)):>9}  "
        yield [(told, ""), (cut(one_line(layer.created_by), width - len(told)), "dim")]
    if empty := [line for line in image.history if line.empty]:
        yield []
        yield [("HISTORY  lines that made no layer", "heading")]
        for line in empty:
            yield [("  ", ""), (cut(one_line(line.created_by), width - 2), "dim")]
    if image.labels:
        yield []
        yield [("LABELS", "heading")]
        for key, value in sorted(image.labels.items())[:_MOST_LABELS]:
            yield [(cut(f"  {one_line(key)}={one_line(value)}", width), "")]
    yield from _attachments(inspection, width)
    for problem in inspection.problems:
        yield from paragraph("  ! ", f"{problem.message}{': ' + problem.where if problem.where else ''}", width, "warn")


def _offers(inspection: Inspection, width: int) -> Lines:
    if inspection.offers:
        platforms = ", ".join(str(offer.platform or "unknown") for offer in inspection.offers)
        yield from paragraph("offers   ", platforms, width, "")


def _attachments(inspection: Inspection, width: int) -> Lines:
    yield []
    count = len(inspection.attachments)
    yield [(f"ATTACHED  {count or 'nothing was found'}", "heading")]
    for attachment in inspection.attachments:
        yield [(cut(f"  {_told(attachment)}", width), "")]
    for provenance in inspection.provenance:
        for text in _origin(provenance):
            yield from paragraph("  ", text, width, "dim")


def _told(attachment: Attachment) -> str:
    what = one_line(attachment.predicate_type or attachment.media_type)
    signed = ", in a signed envelope (signature not checked)" if attachment.signed else ""
    return f"{attachment.kind:<11} {short(attachment.digest):<14} {size(max(attachment.size, 0)):>9}  {what}{signed}"


def _origin(provenance: Provenance) -> Iterator[str]:
    built = " ".join(part for part in (provenance.source, provenance.revision) if part)
    if built:
        yield f"built from {one_line(built)}"
    if provenance.builder:
        yield f"built by {one_line(provenance.builder)}"
    for uri, digest in provenance.materials[:10]:
        yield f"from {one_line(uri)} {digest}"
