"""Reports in the formats that people and other programs read."""

from holdfast.report.cyclonedx import CycloneDxWriter
from holdfast.report.html import HtmlWriter
from holdfast.report.json import JsonWriter
from holdfast.report.sarif import SarifWriter
from holdfast.report.table import TableWriter
from holdfast.report.writer import Writer

WRITERS: tuple[Writer, ...] = (
    TableWriter(),
    JsonWriter(),
    SarifWriter(),
    HtmlWriter(),
    CycloneDxWriter("cyclonedx"),
    CycloneDxWriter("cyclonedx-1.6", "1.6"),
    CycloneDxWriter("cyclonedx-1.7", "1.7"),
)


def writer(name: str) -> Writer | None:
    """The writer of a format, or None where there is none of that name."""
    return next((candidate for candidate in WRITERS if candidate.name == name), None)
