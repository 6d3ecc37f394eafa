"""Statements applied to a report: what is not affected, or fixed, no longer counts; all else is noted beside it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from holdfast.model.advisory import FixState
from holdfast.model.errors import LimitError
from holdfast.model.finding import Finding, Kind, VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem
from holdfast.policy.evaluate import VEX_NOTE
from holdfast.policy.vex.product import Matcher
from holdfast.policy.vex.statement import Product, Statement, Statements, VexStatus
from holdfast.policy.waive import ids_of

_OLDEST = datetime.min.replace(tzinfo=UTC)
_LONGEST = 400


def apply(report: Report, statements: Statements, *, embedded: bool = False) -> Report:
    """The report as the statements leave it: of several about the same thing the newest counts.

    A finding that is not affected, or fixed in the version that is named, gets `fix.state` not-affected; its note says
    in every case what was stated, why, and by whom. A statement that matched nothing is counted in a problem; where
    there are too many to be held against the findings none is applied, and a problem says so.
    `embedded`: the statements stand in the very bill of materials that was scanned; what it describes is the target.
    """
    by_id: dict[str, list[int]] = {}
    for number, one in enumerate(statements.items):
        for name in one.vulnerabilities:
            by_id.setdefault(name.upper(), []).append(number)
    packages: dict[str, list[Package]] = {}
    for package in report.packages:
        packages.setdefault(package.purl, []).append(package)
    matcher = Matcher(report.target, packages, statements.whole if embedded else None)
    used: set[int] = set()
    findings = []
    try:
        for finding in report.findings:
            candidates = sorted({number for name in ids_of(finding) for number in by_id.get(name.upper(), ())})
            said = list(_meant(finding, candidates, statements, matcher))
            used.update(number for number, _ in said)
            findings.append(_stated(finding, said, statements, matcher))
    except LimitError as error:
        problem = Problem.of("vex.too-large", error, gravity=Gravity.NOTE, where=_document(statements.items[0].where))
        return replace(report, problems=(*report.problems, *statements.problems, problem))
    problems = (*report.problems, *statements.problems, *_unused(statements, used))
    return replace(report, findings=tuple(findings), problems=problems)


def _meant(
    finding: Finding, candidates: list[int], statements: Statements, matcher: Matcher
) -> Iterator[tuple[int, Product]]:
    if finding.kind is not Kind.VULNERABILITY or not isinstance(finding.evidence, VulnerabilityEvidence):
        return
    for number in candidates:
        for product in statements.items[number].products:
            if matcher.is_meant(product, finding):
                yield number, product
                break


def _stated(finding: Finding, said: list[tuple[int, Product]], statements: Statements, matcher: Matcher) -> Finding:
    evidence = finding.evidence
    if not said or not isinstance(evidence, VulnerabilityEvidence):
        return finding
    # The newest; of equally old ones, the one that stands last.
    number, product = max(said, key=lambda one: (statements.items[one[0]].time or _OLDEST, one[0]))
    statement = statements.items[number]
    silenced = statement.status is VexStatus.NOT_AFFECTED or (
        statement.status is VexStatus.FIXED and matcher.names_version(product, finding)
    )
    kept = evidence.note if evidence.note and not evidence.note.startswith(VEX_NOTE) else ""
    note = _note(statement) + (f"; {kept}" if kept else "")
    fix = replace(finding.fix, state=FixState.NOT_AFFECTED) if silenced else finding.fix
    return replace(finding, evidence=replace(evidence, note=note), fix=fix)


def _note(statement: Statement) -> str:
    """`VEX not_affected: vulnerable_code_not_present, "words" (author, 2026-01-02)`."""
    why = ", ".join(part for part in (statement.justification, _quoted(statement.words)) if part)
    day = statement.time.date().isoformat() if statement.time else ""
    source = ", ".join(part for part in (statement.author[:120], day) if part) or statement.where
    return f"{VEX_NOTE}{statement.status}{f': {why}' if why else ''} ({source})"


def _quoted(words: str) -> str:
    told = " ".join(words.split())
    return f'"{told[:_LONGEST]}{"…" if len(told) > _LONGEST else ""}"' if told else ""


def _document(where: str) -> str:
    """The document that a statement stands in."""
    return where.rpartition(": ")[0] or where


def _unused(statements: Statements, used: set[int]) -> Iterator[Problem]:
    counts = Counter(
        _document(one.where)
        for number, one in enumerate(statements.items)
        if number not in used and one.status is not VexStatus.AFFECTED
    )
    for where, count in counts.items():
        message = "VEX statements matched no finding of this target"
        yield Problem("vex.unused", message, Gravity.NOTE, where, count=count)
