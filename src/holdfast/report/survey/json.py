"""A survey as JSON, for other programs: `holdfast.survey/1`, described by docs/survey.schema.json."""

from typing import Any, BinaryIO, TextIO

import msgspec
from msgspec import Struct

from holdfast.model.survey import SCHEMA, Survey
from holdfast.report.writer import emit, encode


class SurveyJsonWriter(Struct, frozen=True):
    """The whole survey. Fields at their default are left out below the first level."""

    name: str = "json"

    def write(self, survey: Survey, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The survey as one indented JSON object, `schema` first."""
        values: dict[str, Any] = msgspec.to_builtins(survey)
        emit(encode({"schema": survey.schema} | values), output)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what the writer writes, made from the model's Structs."""
    root = msgspec.json.schema(Survey)
    survey = root["$defs"]["Survey"]
    survey["properties"]["schema"] = {"const": SCHEMA}
    survey["required"] = list(survey["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:holdfast:survey:1",
        "title": SCHEMA,
        **root,
    }


def schema_text() -> str:
    """The published schema, as the file in docs holds it."""
    return encode(schema()).decode()
