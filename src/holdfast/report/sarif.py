"""A report as SARIF 2.1.0 (OASIS), within the limits of GitHub's code scanning."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TextIO
from urllib.parse import quote

from msgspec import Struct

from holdfast.model.advisory import FixState
from holdfast.model.finding import ConfigurationEvidence, Finding, SecretEvidence, Severity, VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.rows import by_purl, is_exploited, places
from holdfast.report.words import (
    STILL_THERE,
    advice_of,
    deleted_by,
    in_order,
    other_places,
    place_of,
    source_folder,
    title_of,
)
from holdfast.report.writer import emit, encode, speakable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MOST_RESULTS = 25_000
_MOST_TAGS = 10
_MOST_LOCATIONS = 10
_ROOT = "IMAGE"
_SOURCE = "%SRCROOT%"  # what code scanning takes for the root of the repository
_PLACE = re.compile(r"(.+?):([1-9][0-9]{0,8})", re.DOTALL)
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NEGLIGIBLE: "note",
    Severity.UNKNOWN: "warning",
}
# GitHub names a rule by its score: over 9.0 critical, from 7.0 high, from 4.0 medium, below low. The second number
# stands for the severity where no published score agrees with it.
_BANDS = {
    Severity.CRITICAL: (9.0, 9.5, 10.0),
    Severity.HIGH: (7.0, 8.0, 8.9),
    Severity.MEDIUM: (4.0, 5.5, 6.9),
    Severity.LOW: (0.1, 2.0, 3.9),
    Severity.NEGLIGIBLE: (0.1, 0.1, 0.1),
}
_NOTIFICATION_LEVELS = {Gravity.NOTE: "note", Gravity.PARTIAL: "warning", Gravity.FAILED: "error"}


class SarifWriter(Struct, frozen=True):
    """One run with a rule for each advisory, a result for each finding, and the problems as notifications."""

    name: str = "sarif"
    suffix: str = ".sarif"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one SARIF log."""
        emit(encode(document(report)), output)


def document(report: Report) -> dict[str, Any]:
    """The SARIF log as plain values. What is not affected is no result; what is beyond the limit is said."""
    told = [finding for finding in report.findings if finding.fix.state is not FixState.NOT_AFFECTED]
    findings = told if len(told) <= _MOST_RESULTS else in_order(told)[:_MOST_RESULTS]
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    packages, folder = by_purl(report.packages), source_folder(report)
    index = {rule: number for number, rule in enumerate(rules)}
    tool, _, version = report.tool.partition(" ")
    run = {
        "tool": {
            "driver": {
                "name": tool,
                **_given(semanticVersion=version),
                "rules": [_rule(rule, members) for rule, members in rules.items()],
            }
        },
        "automationDetails": {"id": f"{tool}/{report.target.name.strip('/')}/"},
        "invocations": [_invocation(report, _left_out(report, told))],
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The root of the scanned file system."}},
            _SOURCE: {"description": {"text": "The root of the repository."}},
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, index[finding.rule], _places(finding, packages) or [(report.target.name, 1)], folder)
            for finding in findings
        ],
        "properties": _given(
            target=report.target.name,
            digest=report.target.digest,
            status=str(report.status),
            notChecked=list(report.not_checked),
        ),
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _places(finding: Finding, packages: Mapping[str, list[Package]]) -> list[tuple[str, int]]:
    """Where it is, as paths with a line (1 where the whole file is meant); empty where it is in no file."""
    found = [(path, finding.location.line or 1) for path in places(finding, packages)]
    if isinstance(finding.evidence, SecretEvidence) and not found:
        return []
    for place in other_places(finding):
        parts = (
            _PLACE.fullmatch(place) if isinstance(finding.evidence, ConfigurationEvidence | SecretEvidence) else None
        )
        found.append((parts[1], int(parts[2])) if parts else (place, 1))
    return list(dict.fromkeys(found))


def _left_out(report: Report, told: list[Finding]) -> Iterator[Problem]:
    if len(told) > _MOST_RESULTS:
        more = len(told) - _MOST_RESULTS
        message = f"{more} findings with the lowest risk are left out: a SARIF run holds {_MOST_RESULTS}"
        yield Problem("report.results-left-out", message, Gravity.PARTIAL)
    if unaffected := len(report.findings) - len(told):
        yield Problem("report.not-affected", f"{unaffected} advisories say not affected: no results", Gravity.NOTE)


def _invocation(report: Report, left_out: Iterable[Problem]) -> dict[str, Any]:
    notifications = [_notification(problem) for problem in (*report.problems, *left_out)]
    return {
        "executionSuccessful": report.status is not Status.FAILED,
        **_given(endTimeUtc=_utc(report.created), toolExecutionNotifications=notifications),
    }


def _utc(created: str) -> str:
    return created.removesuffix("+00:00") + "Z" if created.endswith("+00:00") else created


def _notification(problem: Problem) -> dict[str, Any]:
    text = problem.message + (f" ({problem.remedy})" if problem.remedy else "")
    where = [{"logicalLocations": [{"fullyQualifiedName": problem.where}]}] if problem.where else []
    return {
        "descriptor": {"id": problem.code},
        "level": _NOTIFICATION_LEVELS[problem.gravity],
        "message": {"text": text},
        **_given(locations=where),
        "properties": {"count": problem.count},
    }


def _rule(rule: str, findings: list[Finding]) -> dict[str, Any]:
    worst = max(findings, key=lambda finding: finding.severity.rank)
    summary = title_of(worst)
    advice = list(dict.fromkeys(finding.fix.advice for finding in findings if finding.fix.advice))[:20]
    help_lines = [summary, *advice, *(f"See {reference}" for reference in worst.references[:10])]
    score = _security_severity(worst)
    tags = ["security", str(worst.kind), *(["known-exploited"] if is_exploited(worst) else []), *worst.controls]
    return {
        "id": rule,
        "shortDescription": {"text": _shortened(summary, 1000)},
        "fullDescription": {"text": _shortened(summary, 1000)},
        "help": {
            "text": "\n\n".join(help_lines),
            "markdown": "\n\n".join(_markdown(line) for line in help_lines),
        },
        **_given(helpUri=next((link for link in worst.references if _is_link(link)), "")),
        "defaultConfiguration": {"level": _LEVELS[worst.severity]},
        "properties": {
            "tags": tags[:_MOST_TAGS],
            **({"security-severity": score} if score else {}),
            "precision": {"high": "very-high", "medium": "high", "low": "medium"}[worst.confidence],
        },
    }


def _result(finding: Finding, rule: int, where: list[tuple[str, int]], folder: str | None) -> dict[str, Any]:
    subject, location = finding.subject, finding.location
    evidence = finding.evidence
    properties = _given(
        kind=str(finding.kind),
        confidence=str(finding.confidence),
        layer=location.layer,
        diffId=location.diff_id,
        createdBy=location.created_by,
        side=str(location.side),
        purl=subject.purl,
        deletedBy=deleted_by(finding),
        fixState=str(finding.fix.state) if isinstance(evidence, VulnerabilityEvidence) else "",
        fixedVersion=finding.fix.version,
        count=finding.count if finding.count > 1 else 0,
    )
    if isinstance(evidence, VulnerabilityEvidence):
        properties["risk"] = evidence.risk
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(finding, path, line, folder) for path, line in where[:_MOST_LOCATIONS]],
        "partialFingerprints": {"holdfast/v1": finding.fingerprint},
        "properties": properties,
    }


def _location(finding: Finding, path: str, line: int, folder: str | None) -> dict[str, Any]:
    """One copy of what is affected: GitHub shows a result only at a file and a line.

    Where the target is source (`folder` is not None) the path is made relative to the repository.
    """
    subject = finding.subject
    is_source = finding.location.path and (folder is not None or finding.rule.startswith("dockerfile."))
    root = _SOURCE if is_source else _ROOT
    path = (folder or "") + path.removeprefix("./").lstrip("/") if is_source else path
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(path), "uriBaseId": root},
            "region": {"startLine": line},
        },
        "logicalLocations": [
            {
                "name": subject.name,
                "fullyQualifiedName": subject.purl or subject.name,
                "kind": "package" if subject.purl else "resource",
            }
        ],
    }


def _message(finding: Finding) -> str:
    subject = f"{finding.subject.name} {finding.subject.version}".strip()
    told = title_of(finding) if title_of(finding) != finding.rule else ""
    parts = [f"{subject}: {finding.rule}.", f"{told.rstrip('.')}." if told else "", *_evidence(finding)]
    return " ".join(part for part in (*parts, advice_of(finding)) if part)


def _evidence(finding: Finding) -> Iterator[str]:
    """What was found there, a secret only in its redacted form."""
    evidence = finding.evidence
    if isinstance(evidence, SecretEvidence):
        yield f"It reads {evidence.redacted} and stands in {place_of(finding) or 'the image'}."
        yield {"yes": "Its issuer says that it is valid.", "no": "Its issuer says that it is not valid."}.get(
            evidence.alive, ""
        )
    if isinstance(evidence, ConfigurationEvidence):
        yield f"Found: {evidence.found.rstrip('.')}." if evidence.found else ""
        yield f"Expected: {evidence.expected.rstrip('.')}." if evidence.expected else ""
    if deleted_by(finding):
        yield f"The file is {STILL_THERE}."


def _security_severity(finding: Finding) -> str:
    """The published score where it agrees with our severity, else one that stands for it; empty where unknown."""
    if finding.severity not in _BANDS:
        return ""
    low, middle, high = _BANDS[finding.severity]
    scores = finding.evidence.scores if isinstance(finding.evidence, VulnerabilityEvidence) else ()
    return str(next((score.value for score in scores if low <= score.value <= high), middle))


def _uri(path: str) -> str:
    """A relative URI reference (RFC 3986) for a path in the image; odd bytes are percent-encoded as they are."""
    relative = path.removeprefix("./").lstrip("/")
    try:
        return quote(relative.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return quote(speakable(relative))


def _is_link(reference: str) -> bool:
    return (
        reference.startswith(("https://", "http://"))
        and reference.isascii()
        and reference.isprintable()
        and " " not in reference
    )


def _markdown(line: str) -> str:
    """The line with everything that Markdown or HTML would obey taken literally."""
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>&!|#~" else letter for letter in line)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
