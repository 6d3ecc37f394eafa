"""The table of hadolint's ids: every one has a rule of ours or a reason, and the documentation says which."""

import re
from pathlib import Path

import pytest

from holdfast.misconfig.dockerfile.hadolint import LEFT_OUT, RULES_BY_ID
from holdfast.misconfig.rule import load

_ROOT = Path(__file__).parents[3]
_FACTS = _ROOT.parent / "shared" / "facts" / "hadolint_rules.yaml"


def _known() -> set[str]:
    if not _FACTS.exists():
        pytest.skip("the list of hadolint's ids (shared/facts/hadolint_rules.yaml) does not stand beside the project")
    return set(re.findall(r"id: (DL[0-9]{4})", _FACTS.read_text()))


def test_every_id_has_a_rule_or_a_reason() -> None:
    table = {rule for rule in (*RULES_BY_ID, *LEFT_OUT) if rule.startswith("DL")}
    assert table == _known()
    assert not set(RULES_BY_ID) & set(LEFT_OUT)


def test_every_rule_of_the_table_exists() -> None:
    assert {f"dockerfile.{rule}" for rule in RULES_BY_ID.values()} <= set(load("dockerfile"))


def test_the_documentation_lists_every_id() -> None:
    page = (_ROOT / "docs" / "dockerfile.md").read_text()
    for name, rule in RULES_BY_ID.items():
        assert f"| {name} | `dockerfile.{rule}`" in page
    for name, reason in LEFT_OUT.items():
        assert f"| {name} | left out | {reason}" in page


def test_the_documentation_lists_every_rule() -> None:
    page = (_ROOT / "docs" / "dockerfile.md").read_text()
    for rule in load("dockerfile"):
        assert f"`{rule}`" in page
