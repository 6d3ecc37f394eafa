"""What is left out is counted; what is shown is exactly what was asked for."""

from holdfast.model.advisory import FixState
from holdfast.model.finding import (
    Confidence,
    Finding,
    Fix,
    IntegrityEvidence,
    Kind,
    Severity,
    Subject,
    VulnerabilityEvidence,
)
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Status
from holdfast.scan.filter import Filter, apply


def vulnerability(rule: str, severity: Severity, state: FixState = FixState.FIXED) -> Finding:
    evidence = VulnerabilityEvidence(rule, "osv", "name 1", "< 2")
    return Finding(rule, Kind.VULNERABILITY, severity, Confidence.HIGH, Subject("name"), evidence, fix=Fix(state))


TAMPERED = Finding(
    "image.diff-id-mismatch", Kind.INTEGRITY, Severity.CRITICAL, Confidence.HIGH, Subject("layer 1"),
    IntegrityEvidence("a", "b"),
)  # fmt: skip


def report(*findings: Finding) -> Report:
    return Report(Target("image", "oci"), Status.COMPLETE, "holdfast", findings=findings)


def test_nothing_asked_for_changes_nothing() -> None:
    whole = report(vulnerability("CVE-1", Severity.LOW))
    assert apply(whole, Filter()) is whole


def test_severities_are_exact_and_the_rest_is_counted_as_a_note() -> None:
    low, high = vulnerability("CVE-1", Severity.LOW), vulnerability("CVE-2", Severity.HIGH)
    shown = apply(report(low, high), Filter((Severity.HIGH,)))
    assert shown.findings == (high,)
    assert [(p.code, p.count, p.gravity) for p in shown.problems] == [("filter.hidden", 1, Gravity.NOTE)]


def test_unfixed_vulnerabilities_go_and_broken_integrity_stays() -> None:
    fixed = vulnerability("CVE-1", Severity.LOW)
    open_ = vulnerability("CVE-2", Severity.HIGH, FixState.WILL_NOT_FIX)
    assert apply(report(fixed, open_, TAMPERED), Filter(ignore_unfixed=True)).findings == (fixed, TAMPERED)
