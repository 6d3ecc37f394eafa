"""A report as GitLab's security reports: container scanning for packages, secret detection for secrets.

Source: gitlab-org/security-products/security-report-schemas 15.0.7, container-scanning-report-format.json and
secret-detection-report-format.json. Neither has a place for malware in files or for configuration: a message in the
scan counts what is left to the other formats.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.finding import Finding, Kind, SecretEvidence, Severity, VulnerabilityEvidence
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Status
from holdfast.report.entries import Cause, causes, entry, shown
from holdfast.report.text import counted
from holdfast.report.words import advice_of, deleted_by, is_alive, layer_numbers, place_of, source_folder, title_of
from holdfast.report.writer import emit, encode

_VERSION = "15.0.7"
_SCHEMA = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v{}/dist/{}-report-format.json"
_URL = "https://pypi.org/project/holdfast/"
_MOST_MESSAGES = 50
_NO_COMMIT = "0" * 40
_SEVERITIES = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.NEGLIGIBLE: "Info",
    Severity.UNKNOWN: "Unknown",
}
_LEVELS = {Gravity.NOTE: "info", Gravity.PARTIAL: "warn", Gravity.FAILED: "fatal"}
_TOLD = ("Compared", "Exploited", "EPSS", "Layer")
_DETAILS = (  # GitLab bounds the size of a report: the rest of the evidence stands in the other formats
    "Shown as", "Checks", "Encoded as", "Alive", "Exploited", "EPSS", "Risk", "Packages", "Places", "Layer", "Deleted",
    "Fingerprint",
)  # fmt: skip
_FLAG = {"type": "flagged-as-likely-false-positive", "origin": "holdfast", "description": "of low confidence"}
_TYPES = ("cve", "ghsa", "cwe", "osvdb", "usn", "rhsa", "elsa")


class GitlabWriter(Struct, frozen=True):
    """One of GitLab's report types: `container_scanning`, or `secret_detection`."""

    name: str = "gitlab"
    type: str = "container_scanning"
    suffix: str = ".json"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one JSON document of that type."""
        emit(encode(document(report, self.type)), output)


def document(report: Report, kind: str = "container_scanning") -> dict[str, Any]:
    """The security report as plain values."""
    found = causes(report)
    if kind == "secret_detection":
        chosen = [cause for cause in found if cause.finding.kind is Kind.SECRET]
    else:
        chosen = [cause for cause in found if isinstance(cause.finding.evidence, VulnerabilityEvidence)]
    layers = layer_numbers(report)
    entries = _identified([_vulnerability(report, cause, layers) for cause in chosen])
    return {
        "version": _VERSION,
        "schema": _SCHEMA.format(_VERSION, kind.replace("_", "-")),
        "scan": _scan(report, kind, len(found) - len(chosen)),
        "vulnerabilities": entries,
    }


def _identified(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with an id each: of what it is about, and a number where that comes again."""
    import uuid

    taken: dict[str, int] = {}
    made = []
    for item in entries:
        content = item.pop("id")
        taken[content] = taken.get(content, 0) + 1
        name = f"urn:holdfast:finding:{content}:{taken[content]}"
        made.append({"id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), **item})
    return made


def _scan(report: Report, kind: str, elsewhere: int) -> dict[str, Any]:
    tool, _, version = report.tool.partition(" ")
    who = {
        "id": tool or "holdfast",
        "name": (tool or "holdfast").capitalize(),
        "version": version or "0",
        "vendor": {"name": "Holdfast"},
        "url": _URL,
    }
    start, end = _times(report)
    messages = list(_messages(report, elsewhere))
    return {
        "type": kind,
        "status": "failure" if report.status is Status.FAILED else "success",
        "start_time": start,
        "end_time": end,
        "analyzer": who,
        "scanner": who,
        **({"messages": messages} if messages else {}),
    }


def _times(report: Report) -> tuple[str, str]:
    """When the scan began and ended, in UTC without a zone, as the schema has it."""
    try:
        end = datetime.fromisoformat(report.created)
        end = end.replace(tzinfo=None) - (end.utcoffset() or timedelta())
        start = end - timedelta(seconds=report.statistics.seconds)
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00", "1970-01-01T00:00:00"
    return start.isoformat(timespec="seconds"), end.isoformat(timespec="seconds")


def _messages(report: Report, elsewhere: int) -> Iterator[dict[str, str]]:
    for problem in report.problems[:_MOST_MESSAGES]:
        where = f" ({problem.where})" if problem.where else ""
        remedy = f": {problem.remedy}" if problem.remedy else ""
        told = shown(f"{problem.message}{where}{remedy}", 600)
        yield {"level": _LEVELS[problem.gravity], "value": told or "a problem"}
    if report.not_checked:
        yield {"level": "warn", "value": shown(f"not checked: {'; '.join(report.not_checked[:20])}", 600)}
    if elsewhere:
        words = f"{counted(elsewhere, 'finding')} of other kinds left out: this type of report has no place for them"
        yield {"level": "info", "value": words}


def _vulnerability(report: Report, cause: Cause, layers: dict[str, int]) -> dict[str, Any]:
    """One entry. GitLab follows it by its first identifier and its location, so that both survive a rebuild."""
    finding, told = cause.finding, entry(cause, layers)
    secret = isinstance(finding.evidence, SecretEvidence)
    return {
        "id": f"{finding.fingerprint}:{shown(finding.subject.purl, 300)}",
        "name": shown(title_of(finding), 250),
        "description": _description(finding, told.facts),
        "severity": _SEVERITIES[finding.severity],
        **({"solution": shown(advice_of(finding), 6900)} if advice_of(finding) else {}),
        "identifiers": _identifiers(finding),
        **({"links": [{"url": link} for link in told.links]} if told.links else {}),
        "details": {
            f"fact-{number}": {"name": name, "type": "text", "value": "\n".join(value)}
            for number, (name, value) in enumerate(told.facts, 1)
            if name in _DETAILS
        },
        "location": _in_source(report, finding) if secret else _in_image(report, cause),
        **({"flags": [_FLAG]} if finding.confidence == "low" and not is_alive(finding) else {}),
    }


def _description(finding: Finding, facts: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """In a few lines, without Markdown: GitLab would show it."""
    lines = [shown(title_of(finding), 400)]
    evidence = finding.evidence
    if isinstance(evidence, SecretEvidence):
        lines.append(
            f"It reads {shown(evidence.redacted, 80)} and stands in {shown(place_of(finding), 300) or 'the image'}."
        )
    if deleted_by(finding):
        lines.append("A later layer deletes the file: it is still in the image.")
    lines += [
        f"{name}: {value[0]}" for name, value in facts if name in ("Compared", "Exploited", "EPSS", "Layer") and value
    ]
    return "\n\n".join(_plain(line) for line in lines)


def _plain(text: str) -> str:
    """The text with what GitLab's Markdown would obey taken literally."""
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>&!|#~@$%^" else letter for letter in text)


def _identifiers(finding: Finding) -> list[dict[str, str]]:
    evidence = finding.evidence
    aliases = evidence.aliases if isinstance(evidence, VulnerabilityEvidence) else ()
    names = dict.fromkeys(
        [shown(finding.rule, 120) or "unknown", *(shown(alias, 120) for alias in aliases[:10] if alias)]
    )
    return [{"type": _type(name), "name": name, "value": name} for name in names]


def _type(name: str) -> str:
    start = name.partition("-")[0].lower()
    return start if start in _TYPES else "holdfast"


def _in_image(report: Report, cause: Cause) -> dict[str, Any]:
    row, subject = cause.row, cause.finding.subject
    system = report.distribution
    return {
        "dependency": {
            "package": {"name": shown(row.name if row else subject.name, 200)},
            "version": shown(row.version if row else subject.version, 200),
        },
        "operating_system": shown(f"{system.id} {system.version}".strip(), 100) or "unknown" if system else "unknown",
        "image": shown(report.target.name, 400) or "unknown",
    }


def _in_source(report: Report, finding: Finding) -> dict[str, Any]:
    """An image has no commit: the schema wants one nevertheless, and GitLab's own scanner writes noughts."""
    folder = source_folder(report) or ""
    path = f"{folder}{finding.location.path}" if finding.location.path else ""
    line = {"start_line": finding.location.line, "end_line": finding.location.line} if finding.location.line else {}
    return {"file": shown(path or place_of(finding), 400), **line, "commit": {"sha": _NO_COMMIT}}
