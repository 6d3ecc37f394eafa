"""JSON for other programs: everything in the report, described by the published schema."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem
from holdfast.report.json import JsonWriter, schema, schema_text
from report.reports import deb, declared, finding, misstated, pypi, report, tampered

PUBLISHED = Path(__file__).parents[2] / "docs" / "report.schema.json"
OPENSSL = deb("openssl", "3.0.11-1", vendor="Debian", licenses=("OpenSSL",), owner="pkg:deb/debian/x")
FULL = report(
    tampered(),
    misstated(),
    finding(OPENSSL, "CVE-2026-1", "critical", fixed="3.0.12-1", exploited=True, epss=0.9, score=9.8, count=3),
    packages=(OPENSSL, declared("django", "2", development=True)),
    problems=(Problem("x.y", "a note", Gravity.NOTE),),
    not_checked=("npm",),
)


def written(given: Report) -> dict[str, Any]:
    output = io.BytesIO()
    JsonWriter().write(given, output)
    document: dict[str, Any] = json.loads(output.getvalue())
    return document


def test_the_published_schema_is_up_to_date() -> None:
    how = "print(holdfast.report.json.schema_text(), end='') into docs/report.schema.json"
    assert PUBLISHED.read_text() == schema_text(), f"the model has changed; write the schema again: {how}"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "made", [FULL, report(), report(target=Target("x\udcff", "dir"), distribution=None, layers=())]
)
def test_reports_are_valid_by_the_published_schema(made: Report) -> None:
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(written(made))


def test_the_schema_is_named_first() -> None:
    assert next(iter(written(FULL).items())) == ("schema", "holdfast.report/1")


def test_every_finding_carries_its_fingerprint() -> None:
    assert [one["fingerprint"] for one in written(FULL)["findings"]] == [one.fingerprint for one in FULL.findings]


def test_a_finding_without_its_fingerprint_is_not_valid() -> None:
    document = written(FULL)
    del document["findings"][0]["fingerprint"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_order_of_keys_does_not_depend_on_the_values() -> None:
    assert list(written(FULL)) == list(written(report()))


def test_bytes_that_are_not_utf8_are_written_as_escapes() -> None:
    package = pypi("x", "1", locations=("srv/caf\udce9/x",))
    assert written(report(packages=(package,)))["packages"][0]["locations"] == ["srv/caf\\xe9/x"]
