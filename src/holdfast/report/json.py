"""A report as JSON, for other programs: `holdfast.report/1`, described by docs/report.schema.json."""

from typing import Any, BinaryIO, TextIO

import msgspec
from msgspec import Struct

from holdfast.model.report import SCHEMA, Report
from holdfast.report.writer import emit, encode


class JsonWriter(Struct, frozen=True):
    """The whole report, with each finding's fingerprint. Fields at their default are left out below the first level."""

    name: str = "json"
    suffix: str = ".json"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one indented JSON object."""
        emit(encode(document(report)), output)


def document(report: Report) -> dict[str, Any]:
    """The report as plain values, `schema` first."""
    values: dict[str, Any] = msgspec.to_builtins(report)
    findings = [
        {"fingerprint": finding.fingerprint, **value}
        for finding, value in zip(report.findings, values["findings"], strict=True)
    ]
    return {"schema": report.schema} | values | {"findings": findings}


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `document` gives, made from the model's Structs."""
    root = msgspec.json.schema(Report)
    definitions = root["$defs"]
    finding = definitions["Finding"]
    fingerprint = {
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
        "description": "Names this finding across rebuilds: from rule, subject without its version, and path.",
    }
    finding["properties"] = {"fingerprint": fingerprint, **finding["properties"]}
    finding["required"] = ["fingerprint", *finding["required"]]
    report = definitions["Report"]
    report["properties"]["schema"] = {"const": SCHEMA}
    report["required"] = list(report["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:holdfast:report:1",
        "title": SCHEMA,
        **root,
    }


def schema_text() -> str:
    """The published schema, as the file in docs holds it."""
    return encode(schema()).decode()
