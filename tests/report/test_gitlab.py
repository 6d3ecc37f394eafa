"""GitLab's security reports, held against the parts of its schemas 15.0.7 that we fill (written from those schemas)."""

import io
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.report import Report, Statistics, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report import writer
from report.reports import ALL_ENGINES, deb, finding, malicious, pypi, report, secret, setting

TEXT = {"type": "string", "minLength": 1}
TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
LINK = {"type": "string", "pattern": "^(https?|ftp)://.+"}
TOOL = {
    "type": "object",
    "required": ["id", "name", "version", "vendor"],
    "properties": {
        "id": TEXT, "name": TEXT, "version": TEXT, "url": {"type": "string", "pattern": "^https?://.+"},
        "vendor": {"type": "object", "required": ["name"], "properties": {"name": TEXT}},
    },
    "additionalProperties": False,
}  # fmt: skip
LOCATIONS: dict[str, Any] = {
    "container_scanning": {
        "type": "object",
        "required": ["dependency", "operating_system", "image"],
        "properties": {
            "dependency": {
                "type": "object",
                "required": ["package", "version"],
                "properties": {
                    "package": {
                        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}},
                        "additionalProperties": False,
                    },
                    "version": {"type": "string"},
                },
                "additionalProperties": False,
            },
            "operating_system": TEXT,
            "image": TEXT,
        },
        "additionalProperties": False,
    },
    "secret_detection": {
        "type": "object",
        "required": ["commit"],
        "properties": {
            "file": {"type": "string"}, "start_line": {"type": "number"}, "end_line": {"type": "number"},
            "commit": {"type": "object", "required": ["sha"], "properties": {"sha": TEXT}},
        },
        "additionalProperties": False,
    },
}  # fmt: skip


def schema(kind: str) -> dict[str, Any]:
    identifier = {
        "type": "object",
        "required": ["type", "name", "value"],
        "properties": {"type": TEXT, "name": TEXT, "value": TEXT, "url": LINK},
        "additionalProperties": False,
    }
    vulnerability = {
        "type": "object",
        "required": ["id", "identifiers", "location"],
        "properties": {
            "id": TEXT,
            "name": {"type": "string", "maxLength": 255},
            "description": {"type": "string", "maxLength": 1048576},
            "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
            "solution": {"type": "string", "maxLength": 7000},
            "identifiers": {"type": "array", "minItems": 1, "items": identifier},
            "links": {"type": "array", "items": {"type": "object", "required": ["url"], "properties": {"url": LINK}}},
            "details": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["name", "type", "value"],
                    "properties": {"name": TEXT, "type": {"const": "text"}, "value": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
            "flags": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["type", "origin", "description"],
                    "properties": {
                        "type": {"enum": ["flagged-as-likely-false-positive"]}, "origin": TEXT, "description": TEXT,
                    },
                },
            },
            "location": LOCATIONS[kind],
        },
        "additionalProperties": False,
    }  # fmt: skip
    message = {
        "type": "object",
        "required": ["level", "value"],
        "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": TEXT},
    }
    scan = {
        "type": "object",
        "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
        "properties": {
            "analyzer": TOOL, "scanner": TOOL, "start_time": TIME, "end_time": TIME, "type": {"const": kind},
            "status": {"enum": ["success", "failure"]}, "messages": {"type": "array", "items": message},
        },
        "additionalProperties": False,
    }  # fmt: skip
    return {
        "type": "object",
        "required": ["scan", "version", "vulnerabilities"],
        "properties": {
            "scan": scan,
            "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
            "schema": {"type": "string", "pattern": "^https?://.+"},
            "vulnerabilities": {"type": "array", "items": vulnerability},
        },
        "additionalProperties": False,
    }


TYPES = {"gitlab": "container_scanning", "gitlab-secrets": "secret_detection"}


def read(given: Report, name: str = "gitlab") -> dict[str, Any]:
    output = io.BytesIO()
    one = writer(name)
    assert one is not None
    one.write(given, output)
    document: dict[str, Any] = json.loads(output.getvalue())
    jsonschema.Draft7Validator(schema(TYPES[name])).validate(document)
    ids = [item["id"] for item in document["vulnerabilities"]]
    assert len(ids) == len(set(ids))
    return document


OPENSSL, JINJA, EVIL = deb("libssl3", "3.0.1", source="openssl"), pypi("jinja2", "2.10"), pypi("evil", "1")
FULL = report(
    finding(OPENSSL, "CVE-2026-1", "critical", fixed="3.0.2", score=9.8),
    finding(JINJA, "GHSA-abcd-1", "negligible"),
    finding(EVIL, "MAL-1", "critical"),
    secret(),
    secret("b", confidence="low"),
    malicious(),
    setting(),
    packages=(OPENSSL, JINJA, EVIL),
    engines=ALL_ENGINES,
)


def test_packages_are_container_scanning() -> None:
    document = read(FULL)
    # Malicious packages first, as everywhere.
    _, first, last = document["vulnerabilities"]
    assert first["severity"] == "Critical"
    assert first["identifiers"][0] == {"type": "cve", "name": "CVE-2026-1", "value": "CVE-2026-1"}
    assert first["location"] == {
        "dependency": {"package": {"name": "openssl"}, "version": "3.0.1"},
        "operating_system": "debian 12",
        "image": "oci:demo:latest",
    }
    assert first["solution"] == "Upgrade libssl3 to 3.0.2."
    assert last["severity"] == "Info"
    assert [item["identifiers"][0]["type"] for item in document["vulnerabilities"]] == ["holdfast", "cve", "ghsa"]


def test_secrets_are_secret_detection_and_only_redacted() -> None:
    document = read(FULL, "gitlab-secrets")
    first, second = document["vulnerabilities"]
    assert first["location"] == {
        "file": "srv/app/.env", "start_line": 3, "end_line": 3, "commit": {"sha": "0" * 40},
    }  # fmt: skip
    assert "AKIA…7QZX" in first["description"]
    assert "flags" not in first
    assert second["flags"][0]["type"] == "flagged-as-likely-false-positive"


def test_what_has_no_place_is_counted() -> None:
    assert read(FULL)["scan"]["messages"][-1]["value"].startswith("4 findings of other kinds left out")
    assert read(FULL, "gitlab-secrets")["scan"]["messages"][-1]["value"].startswith("5 findings of other kinds")
    assert "messages" not in read(report())["scan"]


def test_problems_are_messages_and_only_failure_is_failure() -> None:
    problems = (Problem("x", "ends early", Gravity.PARTIAL, "layer 1"), Problem("y", "a note", Gravity.NOTE))
    scan = read(report(problems=problems))["scan"]
    assert scan["messages"] == [
        {"level": "warn", "value": "ends early (layer 1)"}, {"level": "info", "value": "a note"},
    ]  # fmt: skip
    assert scan["status"] == "success"
    assert read(report(status=Status.FAILED))["scan"]["status"] == "failure"


@pytest.mark.parametrize(
    ("created", "start", "end"),
    [
        ("2026-11-01T10:00:00+00:00", "2026-11-01T09:59:58", "2026-11-01T10:00:00"),
        ("2026-11-01T10:00:00+02:00", "2026-11-01T07:59:58", "2026-11-01T08:00:00"),
        ("", "1970-01-01T00:00:00", "1970-01-01T00:00:00"),
    ],
)
def test_times_are_utc_without_a_zone(created: str, start: str, end: str) -> None:
    scan = read(report(created=created, statistics=Statistics(seconds=2.0)))["scan"]
    assert (scan["start_time"], scan["end_time"]) == (start, end)


def test_ids_survive_a_rebuild_of_the_same_content() -> None:
    assert read(FULL)["vulnerabilities"][1]["id"] == read(FULL)["vulnerabilities"][1]["id"]
    other = report(*FULL.findings, packages=FULL.packages, engines=ALL_ENGINES, created="2027-01-01T00:00:00+00:00")
    assert [one["id"] for one in read(other)["vulnerabilities"]] == [one["id"] for one in read(FULL)["vulnerabilities"]]


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=40, deadline=None)
@given(texts=st.tuples(*[st.text(st.characters(), max_size=40)] * 5))
def test_any_text_is_valid_by_the_schema(name: str, texts: tuple[str, ...]) -> None:
    path, title, rule, other, version = texts
    read(
        report(
            secret(path, title=title, redacted=other, place=rule, references=(other, "https://x.example")),
            secret(path, title=title),
            finding(pypi(other, version), rule, title=title, fixed=other),
            target=Target(other, path),
            tool=other,
            problems=(Problem(rule, title, where=path, remedy=other),),
            not_checked=(other,),
            distribution=None,
        ),
        name,
    )
