"""A report as JUnit XML, for the test pages of build servers: a suite for each kind, a case for each cause.

What fails: severity high or critical, what is known to be exploited, malware and broken integrity that we are sure of,
secrets that are not of low confidence. The rest is skipped, so that it is seen and breaks nothing. What was not looked
for is skipped too, and what a scan could not see is an error: a green page means that all was seen.
Names as in the schema that Jenkins publishes (junit-10.xsd): testsuites, testsuite, testcase, failure, error, skipped.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.finding import Confidence, Finding, Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.verdict import Decision, Verdict
from holdfast.report.entries import Cause, Entry, causes, entry, is_looked_for, shown
from holdfast.report.rows import is_exploited
from holdfast.report.text import counted, printable
from holdfast.report.words import KINDS, is_alive, layer_numbers
from holdfast.report.writer import emit

_MOST_CASES = 5000
_MOST_PROBLEMS = 200
_SUITES = {
    Kind.INTEGRITY: "integrity",
    Kind.MALWARE: "malware",
    Kind.SECRET: "secrets",
    Kind.VULNERABILITY: "vulnerabilities",
    Kind.CONFIGURATION: "configuration",
}


class JunitWriter(Struct, frozen=True):
    """One `testsuites` element: a suite for the scan, for the policy where one decided, and for each kind."""

    name: str = "junit"
    suffix: str = ".xml"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one XML document, UTF-8."""
        emit(document(report).encode(), output)


class _Case(Struct, frozen=True):
    """A test case; `outcome` is `failure`, `error`, `skipped`, or empty where it passed."""

    name: str
    place: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    text: str = ""


def document(report: Report) -> str:
    """The XML as text. Times are left out: they would differ where the findings are the same."""
    layers, found = layer_numbers(report), causes(report)
    suites = [("scan", list(_of_the_scan(report)))]
    if report.verdict:
        suites.append(("policy", list(_of_the_policy(report.verdict))))
    for kind, name in _SUITES.items():
        of_it = [cause for cause in found if cause.finding.kind is kind]
        suites.append((name, list(_cases(report, kind, of_it, layers))))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    every = [case for _, cases in suites for case in cases]
    attributes = {"name": shown(f"holdfast {report.target.name}", 300), **_counts(every)}
    del attributes["skipped"]  # the schema has it on suites only
    lines.append(f"<testsuites{_attributes(attributes)}>")
    for number, (name, cases) in enumerate(suites):
        given = {"name": f"holdfast.{name}", "id": str(number), "timestamp": report.created[:19], **_counts(cases)}
        lines.append(f"  <testsuite{_attributes(given)}>")
        lines += [line for case in cases for line in _written(case, name)]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def fails(finding: Finding) -> bool:
    """Whether a finding is a failed test, by the rule that this module states."""
    if finding.kind is Kind.SECRET and is_alive(finding):
        return True
    if finding.confidence is Confidence.LOW:
        return False
    if finding.kind in (Kind.SECRET, Kind.MALWARE):
        return True
    return is_exploited(finding) or finding.severity.rank >= Severity.HIGH.rank


def _of_the_scan(report: Report) -> Iterator[_Case]:
    """Whether the scan saw all: one case for each problem, and one for what was not checked."""
    grave = [problem for problem in report.problems if problem.gravity is not Gravity.NOTE]
    for problem in grave[:_MOST_PROBLEMS]:
        yield _of_problem(problem)
    if len(grave) > _MOST_PROBLEMS:
        yield _Case("more problems", "scan", "error", "partial", f"and {len(grave) - _MOST_PROBLEMS:,} more problems")
    if report.not_checked:
        words = shown("; ".join(report.not_checked[:20]), 1000)
        yield _Case("not checked", "scan", "error", "partial", f"not checked: {words}", words)
    elif not grave:
        outcome = "" if report.status is Status.COMPLETE else "error"
        yield _Case("everything asked for was read", "scan", outcome, str(report.status), str(report.status))


def _of_the_policy(verdict: Verdict) -> Iterator[_Case]:
    """A case for each reason: what denies fails, what warns is skipped."""
    place = shown(verdict.policy, 120)
    for reason in verdict.because[:_MOST_CASES]:
        outcome = "failure" if reason.decision is Decision.DENY else "skipped"
        message = shown(reason.message, 400)
        steps = [shown(step, 400) for step in reason.how_to_pass[:10]]
        yield _Case(
            shown(reason.rule, 120), place, outcome, str(reason.decision), message, "\n".join([message, *steps])
        )
    if not verdict.because:
        yield _Case("nothing in the policy stands against it", place)


def _of_problem(problem: Problem) -> _Case:
    where = shown(problem.where, 200)
    message = shown(problem.message, 400)
    return _Case(
        f"{shown(problem.code, 100)}{f' {where}' if where else ''}", "scan", "error", str(problem.gravity), message,
        "\n".join(part for part in (message, where, shown(problem.remedy, 400)) if part),
    )  # fmt: skip


def _cases(report: Report, kind: Kind, found: Sequence[Cause], layers: dict[str, int]) -> Iterator[_Case]:
    if not found:
        name = f"no {KINDS[kind][1]}"
        looked = is_looked_for(report, kind)
        yield _Case(name, _SUITES[kind]) if looked else _Case(name, _SUITES[kind], "skipped", "", "not looked for")
    for cause in found[:_MOST_CASES]:
        yield _of_cause(cause, entry(cause, layers))
    if left := len(found[_MOST_CASES:]):
        message = f"{counted(left, 'less urgent finding')} left out: see -f json"
        outcome = "failure" if any(fails(cause.finding) for cause in found[_MOST_CASES:]) else "skipped"
        yield _Case("left out", _SUITES[kind], outcome, "left-out", message)


def _of_cause(cause: Cause, told: Entry) -> _Case:
    where = told.where or told.subject
    lines = [told.title, f"{told.subject} {told.where}".strip()]
    if told.more:
        lines.append(f"and {counted(told.more, 'more place')}")
    for name, value in told.facts:
        lines.append(f"{name}: {'; '.join(value)}")
    lines += [told.advice, *told.links]
    return _Case(
        " ".join(part for part in (told.rule, told.subject) if part) or told.title,
        where,
        "failure" if fails(cause.finding) else "skipped",
        told.severity,
        f"{told.severity}: {told.title}" + (f" ({told.fix})" if told.fix else ""),
        "\n".join(line for line in lines if line),
    )


def _counts(cases: Sequence[_Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }


def _written(case: _Case, suite: str) -> Iterator[str]:
    head = f"    <testcase{_attributes({'name': case.name or 'unnamed', 'classname': f'{suite}.{case.place}'})}"
    if not case.outcome:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if case.outcome == "skipped":  # takes a message, and neither type nor text in every schema
        yield f"      <skipped{_attributes({'message': case.message})}/>"
        if case.text:
            yield f"      <system-out>{_text(case.text)}</system-out>"
    else:
        given = _attributes({"type": case.type, "message": case.message})
        yield f"      <{case.outcome}{given}>{_text(case.text or case.message)}</{case.outcome}>"
    yield "    </testcase>"


def _attributes(given: dict[str, str]) -> str:
    from xml.sax.saxutils import quoteattr  # brings urllib.request along, which no other scan needs

    return "".join(f" {name}={quoteattr(_characters(value))}" for name, value in given.items() if value)


def _text(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(_characters(text))


def _characters(text: str) -> str:
    """The text with what XML cannot carry (controls, surrogates), and what a terminal would obey, as escapes."""
    return "\n".join(map(printable, text.split("\n")))
