"""An inspection: for a terminal, and as JSON (`holdfast.inspection/1`, described by docs/inspection.schema.json)."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from holdfast.model.artifact import Attachment, Layer, Provenance
from holdfast.model.inspection import SCHEMA, Inspection
from holdfast.model.status import Gravity
from holdfast.report.columns import short
from holdfast.report.text import Lines, Span, counted, cut, listed, one_line, pad, paint, paragraph, printable
from holdfast.report.writer import encode

_UNITS = ("B", "kB", "MB", "GB", "TB")
_MOST_LABELS = 20
_MOST_HISTORY = 40
_MOST_LAYERS = 150
_MOST_ATTACHED = 40
_MOST_OFFERS = 20
_MOST_MATERIALS = 10


def write(inspection: Inspection, *, width: int = 80, colour: bool = False) -> str:
    """What an image is made of, one thing a line; of anything without end its beginning, and how much more there is."""
    return "".join(f"{paint(spans, width, colour=colour)}\n" for spans in _lines(inspection, width))


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of an inspection, as the file in docs holds it."""
    root: dict[str, Any] = msgspec.json.schema(Inspection)
    inspection = root["$defs"]["Inspection"]
    inspection["properties"]["schema"] = {"const": SCHEMA}
    inspection["required"] = list(inspection["properties"])
    identity = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:holdfast:inspection:1", "title": SCHEMA,
    }  # fmt: skip
    return encode({**identity, **root}).decode()


def size(count: int) -> str:
    """Bytes as people read them: `7.4 MB` (a million bytes, as registries count)."""
    value, unit = float(count), 0
    # What would be written as 1000.0 is one of the next unit.
    while value >= 999.95 and unit < len(_UNITS) - 1:
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
            yield [(pad(name, 9), "dim"), (cut(one_line(value), width - 9), "")]
    if inspection.offers:
        platforms = [one_line(str(offer.platform or "unknown")) for offer in inspection.offers]
        yield from paragraph("offers   ", listed(platforms, _MOST_OFFERS), width)
    yield []
    stored = f", {size(inspection.size)} as stored" if inspection.size else ""
    yield [(f"LAYERS  {counted(len(image.layers), 'layer')}{stored}", "heading")]
    for number, layer in enumerate(image.layers[:_MOST_LAYERS], 1):
        yield _layer(number, layer, width)
    yield from _more(image.layers, _MOST_LAYERS)
    if empty := [line.created_by for line in image.history if line.empty]:
        yield from _section("HISTORY  lines that made no layer", empty, _MOST_HISTORY, width)
    if image.labels:
        names = sorted(image.labels)
        labels = [f"{name}={image.labels[name]}" for name in names[:_MOST_LABELS]]
        yield from _section("LABELS", labels, _MOST_LABELS, width)
        yield from _more(names, _MOST_LABELS)
    yield from _attached(inspection, width)
    if inspection.problems:
        yield []
    for problem in inspection.problems:
        lead, style = ("  ", "dim") if problem.gravity is Gravity.NOTE else ("  ! ", "warn")
        yield from paragraph(lead, f"{problem.message}{': ' + problem.where if problem.where else ''}", width, style)


def _layer(number: int, layer: Layer, width: int) -> list[Span]:
    stored = size(max(layer.size, 0)) if layer.digest else ""  # an engine keeps layers unpacked
    told = f"{number:>4}  {short(layer.digest or layer.diff_id):<12} {stored:>9}  "
    return [(told, ""), (cut(one_line(layer.created_by), width - len(told)), "dim")]


def _section(title: str, texts: Sequence[str], most: int, width: int) -> Lines:
    """A heading and a line for each text, as long as the terminal is wide."""
    yield []
    yield [(title, "heading")]
    for text in texts[:most]:
        yield [(cut(f"  {one_line(text)}", width), "dim")]
    yield from _more(texts, most)


def _more(items: Sequence[object], most: int) -> Lines:
    if len(items) > most:
        yield [(f"  … and {len(items) - most:,} more", "dim")]


def _attached(inspection: Inspection, width: int) -> Lines:
    attached = inspection.attachments
    yield []
    kept = any(layer.digest for layer in inspection.image.layers) or not inspection.image.layers
    nothing = "nothing was found" if kept else "not known: an engine keeps an image without what is attached to it"
    yield [(f"ATTACHED  {len(attached) or nothing}", "heading")]
    for attachment in attached[:_MOST_ATTACHED]:
        yield [(cut(f"  {_told(attachment)}", width), "")]
        if attachment.signed:
            yield [("      in a signed envelope: the signature was not checked", "dim")]
        provenance = inspection.provenance.get(attachment.digest)
        for text in _origin(provenance) if provenance else ():
            yield from paragraph("      ", text, width, "dim")
    yield from _more(attached, _MOST_ATTACHED)


def _told(attachment: Attachment) -> str:
    what = one_line(attachment.predicate_type or attachment.media_type)
    return f"{attachment.kind:<10} {short(attachment.digest):<12} {size(max(attachment.size, 0)):>9}  {what}"


def _origin(provenance: Provenance) -> Iterator[str]:
    """What a builder says of itself and of what it built from."""
    if built := " ".join(part for part in (provenance.source, provenance.revision) if part):
        yield f"built from {built}"
    if provenance.builder:
        yield f"built by {provenance.builder}"
    for uri, digest in provenance.materials[:_MOST_MATERIALS]:
        yield f"with {uri} {digest}"
    if len(provenance.materials) > _MOST_MATERIALS:
        yield f"and {len(provenance.materials) - _MOST_MATERIALS:,} more"
