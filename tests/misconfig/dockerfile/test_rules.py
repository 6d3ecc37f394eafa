"""Every rule against its own examples: files that break it, and files that do not."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import holdfast.misconfig
from holdfast.misconfig.dockerfile.assess import assess
from holdfast.misconfig.dockerfile.context import Context
from holdfast.model.finding import Finding

_PACK = Path(holdfast.misconfig.__file__).parent / "rules" / "dockerfile.toml"
RULES: list[dict[str, Any]] = tomllib.loads(_PACK.read_text())["rule"]


def _examples(kind: str) -> list[Any]:
    return [
        pytest.param(rule["id"], text, id=f"{rule['id'].removeprefix('dockerfile.')}-{number}")
        for rule in RULES
        for number, text in enumerate(rule.get(kind, ()))
    ]


def _assessed(example: str | dict[str, Any]) -> tuple[Finding, ...]:
    """An example is a file, or a file with the paths of its build context and the text of its .dockerignore."""
    if isinstance(example, str):
        return assess(example.encode(), "Dockerfile").findings
    context = Context(tuple(example["paths"]), example.get("ignore"))
    return assess(example["file"].encode(), "Dockerfile", context).findings


@pytest.mark.parametrize(("rule", "text"), _examples("matches"))
def test_a_file_that_breaks_the_rule_is_found(rule: str, text: str | dict[str, Any]) -> None:
    assert rule in {finding.rule for finding in _assessed(text)}


@pytest.mark.parametrize(("rule", "text"), _examples("ignores"))
def test_a_file_that_does_not_break_the_rule_is_not(rule: str, text: str | dict[str, Any]) -> None:
    assert rule not in {finding.rule for finding in _assessed(text)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_a_rule_says_all_that_a_reader_needs_and_has_examples(rule: dict[str, Any]) -> None:
    assert rule["title"]
    assert rule["why"]
    assert rule["fix"]
    assert rule["severity"] in ("negligible", "low", "medium", "high", "critical")
    assert rule["controls"]
    assert rule["references"]
    assert rule["matches"]
    assert rule["ignores"]
