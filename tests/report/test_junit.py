"""JUnit XML: a suite a kind, a case a cause, failures by the stated rule, and well-formed whatever an image holds."""

import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.finding import Finding, Severity
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.junit import JunitWriter, fails
from report.reports import ALL_ENGINES, finding, malicious, pypi, report, secret, setting, tampered

# Jenkins' junit-10.xsd: attributes and children that each element may have.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "group", "time", "disabled", "skipped", "timestamp",
                  "hostname", "id", "package", "file", "log", "url", "version"},
    "testcase": {"name", "time", "classname", "group", "status", "assertions"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set(),
}  # fmt: skip
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "properties", "system-out", "system-err"},
    "testcase": {"failure", "error", "skipped", "system-out", "system-err", "properties"},
}
JINJA = pypi("jinja2", "2.10")


def read(given: Report) -> ET.Element:
    """The document, after everything in it was held against the schema."""
    output = io.BytesIO()
    JunitWriter().write(given, output)
    root = ET.fromstring(output.getvalue())
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    for suite in root:
        cases = list(suite)
        assert suite.get("name")
        assert int(suite.get("tests", "")) == len(cases)
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name, "")) == sum(case.find(tag) is not None for case in cases)
        assert all(case.get("name") and case.get("classname") for case in cases)
    assert int(root.get("tests", "")) == sum(len(suite) for suite in root)
    return root


def suite(root: ET.Element, name: str) -> ET.Element:
    return next(one for one in root if one.get("name") == f"holdfast.{name}")


def outcomes(element: ET.Element) -> list[str]:
    return [next((child.tag for child in case if child.tag != "system-out"), "passed") for case in element]


def test_there_is_a_suite_for_the_scan_and_for_each_kind() -> None:
    names = [one.get("name") for one in read(report())]
    assert names == [
        f"holdfast.{name}" for name in ("scan", "integrity", "malware", "secrets", "vulnerabilities", "configuration")
    ]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (finding(JINJA, "CVE-1", "critical"), True),
        (finding(JINJA, "CVE-1", "high"), True),
        (finding(JINJA, "CVE-1", "medium"), False),
        (finding(JINJA, "CVE-1", "low", exploited=True), True),
        (finding(JINJA, "MAL-1", "critical"), True),
        (secret(), True),
        (secret(severity=Severity.MEDIUM), True),
        (secret(confidence="low"), False),
        (secret(confidence="low", alive="yes"), True),
        (malicious(confidence="medium", severity=Severity.MEDIUM), True),
        (malicious(confidence="low"), False),
        (setting(severity="high"), True),
        (setting(severity="medium"), False),
        (tampered(), True),
    ],
)
def test_what_fails(one: Finding, expected: bool) -> None:
    assert fails(one) is expected
    found = [outcome for part in read(report(one, engines=ALL_ENGINES)) for outcome in outcomes(part)]
    assert found.count("failure") == expected
    assert found.count("skipped") == (not expected)


def test_a_failure_tells_what_where_and_what_to_do() -> None:
    (case,) = suite(read(report(secret(), engines=ALL_ENGINES)), "secrets")
    failure = case.find("failure")
    assert failure is not None
    assert case.get("classname") == "secrets.srv/app/.env:3"
    assert failure.get("message") == "critical: AWS access key (replace it)"
    assert failure.text is not None
    assert "AKIA…7QZX" in failure.text
    assert "Revoke the key, then build the image without it." in failure.text


def test_none_found_passes_and_not_looked_for_is_skipped() -> None:
    root = read(report(engines=("packages", "vulnerabilities", "secrets")))
    assert outcomes(suite(root, "secrets")) == ["passed"]
    assert outcomes(suite(root, "malware")) == ["skipped"]
    assert outcomes(suite(read(report(database=None, checked=())), "vulnerabilities")) == ["skipped"]


def test_what_a_scan_could_not_see_is_an_error() -> None:
    problem = Problem("layer.truncated", "it ends early", Gravity.PARTIAL, "layer 1", "pull again")
    root = read(report(problems=(problem, Problem("x", "a note", Gravity.NOTE)), not_checked=("npm",)))
    assert outcomes(suite(root, "scan")) == ["error", "error"]
    assert outcomes(suite(read(report()), "scan")) == ["passed"]
    assert outcomes(suite(read(report(status=Status.FAILED)), "scan")) == ["error"]


def test_of_very_many_the_rest_is_one_case() -> None:
    many = [setting(f"image.rule-{number}", "low", "x") for number in range(5_003)]
    part = suite(read(report(*many, engines=ALL_ENGINES)), "configuration")
    assert len(part) == 5_001
    assert outcomes(part)[-1] == "skipped"
    assert part[-1][0].get("message") == "3 less urgent findings left out: see -f json"


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.text(st.characters(), max_size=40)] * 5))
def test_any_text_is_well_formed_and_holds_no_control(texts: tuple[str, ...]) -> None:
    path, title, rule, other, name = texts
    made = report(
        secret(path, title=title, redacted=other, place=name, places=(other,)),
        malicious(path, title=title, inside=other, matched=(name,)),
        setting(rule, "high", path, title=title, found=other),
        finding(pypi(name, other), rule, title=title, fixed=other),
        tampered(),
        target=Target(name, path),
        problems=(Problem(rule, title, where=path, remedy=other),),
        not_checked=(name,),
        engines=ALL_ENGINES,
    )
    read(made)
    output = io.StringIO()
    JunitWriter().write(made, output)
    assert all(line.isprintable() for line in output.getvalue().split("\n"))
