"""SARIF 2.1.0, held against a reader written from the OASIS specification and GitHub's limits."""

import io
import json
import re
from typing import Any

import pytest

from holdfast.model.finding import Finding, Location
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.sarif import SarifWriter, document
from report.reports import (
    ALL_ENGINES,
    APPLICATION_LAYER,
    deb,
    finding,
    malicious,
    pypi,
    report,
    secret,
    setting,
    tampered,
)

LEVELS = {"none", "note", "warning", "error"}


def written(given: Report) -> dict[str, Any]:
    output = io.BytesIO()
    SarifWriter().write(given, output)
    log: dict[str, Any] = json.loads(output.getvalue())
    return log


def keys(value: dict[str, Any], required: str, optional: str = "") -> None:
    """All required keys, and none that the specification does not have or that we do not mean to write."""
    assert set(required.split()) <= set(value) <= {*required.split(), *optional.split()}, sorted(value)


def read(log: dict[str, Any]) -> dict[str, Any]:
    """The one run of a log, after everything in it was held against the specification (section in brackets)."""
    keys(log, "$schema version runs")  # 3.13
    assert log["version"] == "2.1.0"
    assert len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    keys(run, "tool automationDetails invocations originalUriBaseIds columnKind results properties")  # 3.14
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    keys(run["tool"], "driver")
    driver = run["tool"]["driver"]  # 3.19
    keys(driver, "name rules", "semanticVersion")
    for rule in driver["rules"]:
        read_rule(rule)
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids)) <= 25_000
    for invocation in run["invocations"]:
        read_invocation(invocation)
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        read_result(result, ids, run["originalUriBaseIds"])
    return run


def read_rule(rule: dict[str, Any]) -> None:  # 3.49
    keys(rule, "id shortDescription fullDescription help defaultConfiguration properties", "helpUri")
    for name in ("shortDescription", "fullDescription"):
        assert 0 < len(rule[name]["text"]) <= 1024
    keys(rule["help"], "text markdown")
    assert rule["defaultConfiguration"]["level"] in LEVELS
    keys(rule["properties"], "tags precision", "security-severity")
    assert len(rule["properties"]["tags"]) <= 20
    assert len(set(rule["properties"]["tags"])) == len(rule["properties"]["tags"])
    if score := rule["properties"].get("security-severity"):
        assert isinstance(score, str)
        assert 0.0 < float(score) <= 10.0
    assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")


def read_invocation(invocation: dict[str, Any]) -> None:  # 3.20
    keys(invocation, "executionSuccessful", "endTimeUtc toolExecutionNotifications")
    assert isinstance(invocation["executionSuccessful"], bool)
    if when := invocation.get("endTimeUtc"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)  # 3.9
    for notification in invocation.get("toolExecutionNotifications", []):  # 3.58
        keys(notification, "descriptor level message properties", "locations")
        assert notification["level"] in LEVELS
        assert notification["message"]["text"]


def read_result(result: dict[str, Any], rules: list[str], bases: dict[str, Any]) -> None:  # 3.27
    keys(result, "ruleId ruleIndex level message locations partialFingerprints properties")
    assert rules[result["ruleIndex"]] == result["ruleId"]
    assert result["level"] in LEVELS
    assert result["message"]["text"]
    assert 1 <= len(result["locations"]) <= 10
    location = result["locations"][0]
    keys(location, "physicalLocation logicalLocations")
    physical = location["physicalLocation"]
    keys(physical, "artifactLocation region")
    artifact = physical["artifactLocation"]
    assert artifact["uriBaseId"] in bases
    # A relative reference by RFC 3986, so that the base id means something (3.4.4).
    assert re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+", artifact["uri"])
    assert not artifact["uri"].startswith("/")
    assert ":" not in artifact["uri"].partition("/")[0]
    assert set(physical["region"]) == {"startLine"}
    assert physical["region"]["startLine"] >= 1
    for logical in location["logicalLocations"]:
        keys(logical, "name fullyQualifiedName kind")
    for name, value in result["partialFingerprints"].items():
        assert re.fullmatch(r"[a-zA-Z]+/v\d+", name)
        assert re.fullmatch(r"[0-9a-f]{32}", value)


OPENSSL, JINJA = deb("openssl", "3.0.1"), pypi("jinja2", "2.10")


def test_a_log_of_everything_is_by_the_specification() -> None:
    run = read(
        written(
            report(
                tampered(),
                finding(OPENSSL, "CVE-2026-1", "critical", fixed="3.0.2", score=9.8, exploited=True),
                finding(JINJA, "CVE-2026-1", "low"),
                finding(JINJA, "GHSA-1", "unknown", state="will-not-fix"),
                packages=(OPENSSL, JINJA),
                problems=(Problem("layer.truncated", "ends early", where="layer 1", remedy="pull again"),),
            )
        )
    )
    assert [result["ruleId"] for result in run["results"]] == [
        "image.layer-digest-mismatch", "CVE-2026-1", "CVE-2026-1", "GHSA-1",
    ]  # fmt: skip
    assert len(run["tool"]["driver"]["rules"]) == 3


def test_an_empty_report_is_a_run_without_results() -> None:
    assert read(written(report()))["results"] == []


@pytest.mark.parametrize(
    ("severity", "score", "level", "told"),
    [
        ("critical", 9.8, "error", "9.8"),
        ("critical", 7.5, "error", "9.5"),  # the score published says something else than the severity decided
        ("high", 0.0, "error", "8.0"),
        ("medium", 5.3, "warning", "5.3"),
        ("low", 0.0, "note", "2.0"),
        ("negligible", 3.0, "note", "0.1"),
        ("unknown", 5.0, "warning", None),
    ],
)
def test_github_shows_the_severity_that_we_decided(severity: str, score: float, level: str, told: str | None) -> None:
    run = read(written(report(finding(JINJA, "CVE-1", severity, score=score))))
    assert run["tool"]["driver"]["rules"][0]["properties"].get("security-severity") == told
    assert run["results"][0]["level"] == level


def test_a_rule_takes_the_worst_severity_of_its_results_and_each_result_its_own() -> None:
    run = read(written(report(finding(JINJA, "CVE-1", "low"), finding(OPENSSL, "CVE-1", "critical"))))
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == "error"
    assert [result["level"] for result in run["results"]] == ["note", "error"]


def test_fingerprints_survive_a_rebuild() -> None:
    before, after = (
        finding(pypi("jinja2", version), "CVE-1", location=Location("srv/app/METADATA", diff_id=version))
        for version in ("2.10", "2.11")
    )
    prints = [read(written(report(one)))["results"][0]["partialFingerprints"] for one in (before, after)]
    assert prints[0] == prints[1]


def test_a_result_tells_the_layer_and_the_package() -> None:
    result = read(written(report(finding(JINJA, "CVE-1"))))["results"][0]
    assert result["properties"]["layer"] == APPLICATION_LAYER.digest
    assert result["properties"]["createdBy"] == APPLICATION_LAYER.created_by
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == JINJA.purl


def test_one_result_names_all_copies_of_a_library_ten_at_most() -> None:
    copies = tuple(pypi("jinja2", "2.10", locations=(f"app{n}/METADATA",)) for n in range(30))
    (result,) = read(written(report(finding(copies[2], "CVE-1"), packages=copies)))["results"]
    places = [one["physicalLocation"]["artifactLocation"]["uri"] for one in result["locations"]]
    assert places[:3] == ["app2/METADATA", "app0/METADATA", "app1/METADATA"]
    assert len(places) == 10
    assert {one["logicalLocations"][0]["fullyQualifiedName"] for one in result["locations"]} == {copies[0].purl}


def test_a_distribution_s_package_has_its_own_place_only() -> None:
    package = deb("bash", "5", locations=("var/lib/dpkg/status", "var/lib/dpkg/info/bash.list"))
    (result,) = read(written(report(finding(package, "CVE-1"), packages=(package,))))["results"]
    assert len(result["locations"]) == 1


def test_what_is_not_affected_is_no_result_and_is_said() -> None:
    run = read(written(report(finding(JINJA, "CVE-1", state="not-affected"))))
    assert run["results"] == []
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("1 advisories say")


def test_problems_are_notifications_and_only_failure_is_failure() -> None:
    problem = Problem("database.missing", "no data", Gravity.PARTIAL, "db", "holdfast db update", 2)
    partial = read(written(report(problems=(problem,))))["invocations"][0]
    assert partial["executionSuccessful"] is True
    assert partial["toolExecutionNotifications"] == [
        {
            "descriptor": {"id": "database.missing"},
            "level": "warning",
            "message": {"text": "no data (holdfast db update)"},
            "locations": [{"logicalLocations": [{"fullyQualifiedName": "db"}]}],
            "properties": {"count": 2},
        }
    ]
    assert read(written(report(status=Status.FAILED)))["invocations"][0]["executionSuccessful"] is False


def test_beyond_the_limit_of_a_run_the_rest_is_said_to_be_left_out() -> None:
    one = finding(JINJA, "CVE-1")
    run = document(report(*[one] * 25_001))["runs"][0]
    assert len(run["results"]) == 25_000
    assert "1 findings with the lowest risk are left out" in str(run["invocations"])


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("usr/lib/x y", "usr/lib/x%20y"),
        ("/usr/lib/x", "usr/lib/x"),
        ("caf\udce9", "caf%E9"),
        ("100%/a#b?c", "100%25/a%23b%3Fc"),
        ("c:/x", "c%3A/x"),
        ("", "oci%3Ademo%3Alatest"),
    ],
)
def test_paths_are_relative_references(path: str, uri: str) -> None:
    run = read(written(report(finding(JINJA, "CVE-1", location=Location(path)))))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_markdown_in_help_is_taken_literally() -> None:
    one = finding(JINJA, "CVE-1", title="<img src=x> [click](https://evil.example)")
    text = read(written(report(one)))["tool"]["driver"]["rules"][0]["help"]["markdown"]
    assert text.startswith("\\<img src=x\\> \\[click\\](")


def test_a_target_that_is_a_path_is_still_a_category() -> None:
    run = read(written(report(target=Target("dir:/", "dir"))))
    assert run["automationDetails"]["id"] == "holdfast/dir:/"


def run_of(*findings: Finding) -> dict[str, Any]:
    return read(written(report(*findings, engines=ALL_ENGINES)))


class TestOtherKinds:
    def test_a_secret_is_a_result_at_its_line_and_only_redacted(self) -> None:
        (result,) = run_of(secret())["results"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"] == {"uri": "srv/app/.env", "uriBaseId": "IMAGE"}
        assert location["physicalLocation"]["region"] == {"startLine": 3}
        assert "It reads AKIA…7QZX and stands in srv/app/.env:3." in result["message"]["text"]
        assert result["properties"]["kind"] == "secret"
        assert "fixState" not in result["properties"]

    def test_other_places_are_locations_with_their_lines(self) -> None:
        (result,) = run_of(secret(places=("b:7", "c")))["results"]
        told = [one["physicalLocation"] for one in result["locations"]]
        assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in told] == [
            ("srv/app/.env", 3), ("b", 7), ("c", 1),
        ]  # fmt: skip

    def test_one_outside_of_files_stands_at_the_target(self) -> None:
        (result,) = run_of(secret("", 0, place="environment API_KEY"))["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "oci%3Ademo%3Alatest"
        assert "stands in environment API_KEY" in result["message"]["text"]

    def test_a_deleted_file_is_told(self) -> None:
        for one in (secret(deleted_by="sha256:later"), malicious(deleted_by="sha256:later")):
            (result,) = run_of(one)["results"]
            assert "deleted by a later layer, still in the image" in result["message"]["text"]
            assert result["properties"]["deletedBy"] == "sha256:later"

    def test_a_dockerfile_s_finding_is_relative_to_the_repository(self) -> None:
        (result,) = run_of(setting("dockerfile.latest-tag", "medium", "./build/Dockerfile", line=4))["results"]
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "build/Dockerfile", "uriBaseId": "%SRCROOT%"}
        assert physical["region"] == {"startLine": 4}

    @pytest.mark.parametrize(
        ("kind", "name", "root", "uri"),
        [
            ("dockerfile", "build/Dockerfile", "%SRCROOT%", "build/x"),
            ("dockerfile", "./Dockerfile", "%SRCROOT%", "x"),
            ("dockerfile", "/work/Dockerfile", "%SRCROOT%", "x"),
            ("dir", "dir:.", "%SRCROOT%", "x"),
            ("dir", "dir:src/app/", "%SRCROOT%", "src/app/x"),
            ("dir", "../other", "%SRCROOT%", "x"),
            ("dir", "dir:/", "IMAGE", "x"),
            ("oci", "oci:demo", "IMAGE", "x"),
        ],
    )
    def test_source_is_relative_to_the_repository(self, kind: str, name: str, root: str, uri: str) -> None:
        made = report(secret("x"), target=Target(name, kind), engines=ALL_ENGINES)
        (result,) = read(written(made))["results"]
        artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": uri, "uriBaseId": root}

    def test_a_setting_says_what_is_and_what_should_be(self) -> None:
        (result,) = run_of(setting())["results"]
        assert "Found: no user is set. Expected: a user other than root." in result["message"]["text"]

    def test_levels_and_precision_come_from_severity_and_confidence(self) -> None:
        run = run_of(malicious(confidence="low"), setting(severity="low"))
        rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
        assert rules["malware.miner"]["properties"]["precision"] == "medium"
        assert rules["malware.miner"]["properties"]["tags"][:2] == ["security", "malware"]
        assert [result["level"] for result in run["results"]] == ["error", "note"]
