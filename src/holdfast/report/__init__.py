"""Reports in the formats that people and other programs read."""

from holdfast.report.cyclonedx import CycloneDxWriter
from holdfast.report.gitlab import GitlabWriter
from holdfast.report.html import HtmlWriter
from holdfast.report.json import JsonWriter
from holdfast.report.junit import JunitWriter
from holdfast.report.markdown import MarkdownWriter
from holdfast.report.sarif import SarifWriter
from holdfast.report.spdx import SpdxWriter
from holdfast.report.table import TableWriter
from holdfast.report.writer import Writer

WRITERS: tuple[Writer, ...] = (
    TableWriter(),
    JsonWriter(),
    SarifWriter(),
    HtmlWriter(),
    MarkdownWriter(),
    JunitWriter(),
    GitlabWriter("gitlab", "container_scanning"),
    GitlabWriter("gitlab-secrets", "secret_detection"),
    CycloneDxWriter("cyclonedx"),
    CycloneDxWriter("cyclonedx-1.6", "1.6"),
    CycloneDxWriter("cyclonedx-1.7", "1.7"),
    SpdxWriter(),
)


def writer(name: str) -> Writer | None:
    """The writer of a format, or None where there is none of that name."""
    return next((candidate for candidate in WRITERS if candidate.name == name), None)
