"""Whatever a policy can say, and whatever it can object to, is explained."""

from pathlib import Path

import pytest

from holdfast.model.finding import Kind
from holdfast.model.status import Status
from holdfast.policy.demand import DEMANDS
from holdfast.policy.parse import BUILTIN, parse
from holdfast.policy.rules import RULES
from holdfast.policy.variables import variables
from policy.policies import TODAY, image, vet
from report.reports import finding, pypi, report

DOCS = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
TABLES = {
    "vulnerability": "deny warn confidence fixable_only known_exploited epss grace_days percentile",
    "secret": "alive",
    "rule": "match decision confidence",
    "base": "allow decision unknown unscanned denied",
    "check": "name expression message decision on_error",
    "waiver": "rule fingerprint package path target reason owner expires",
}


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_rule_is_explained(rule: object) -> None:
    assert all(getattr(rule, name) for name in ("title", "why", "fix", "controls"))


def test_every_table_and_key_is_documented() -> None:
    for name in (*DEMANDS, *Kind, *BUILTIN, "target", "check", "waiver", "incomplete"):
        assert name in DOCS, name
    for keys in TABLES.values():
        for key in keys.split():
            assert f"{key} =" in DOCS or f"`{key}`" in DOCS, key


def test_every_variable_of_checks_is_documented() -> None:
    flask = pypi("flask", "1.0")
    known = variables(report(finding(flask, "CVE-1"), packages=(flask,), configuration=image()), (), TODAY)
    known["findings"] = variables(report(), (finding(flask, "CVE-1"),), TODAY)["findings"]
    for name, value in known.items():
        assert f"`{name}`" in DOCS
        for member in value[0] if isinstance(value, list) else value:
            assert f"`{member}`" in DOCS, f"{name}.{member}"


def test_the_example_in_the_documentation_is_a_policy() -> None:
    parts = [part.partition("```")[0] for part in DOCS.split("```toml\n")[1:]]
    # A [[check]] and a [[waiver]] may follow a [[target]]'s table.
    found = parse("\n".join(parts).encode(), "docs.toml")
    assert (found.name, len(found.checks), len(found.waivers), len(found.targets)) == ("ours", 1, 1, 1)
    assert vet("\n".join(parts), report(configuration=image(), status=Status.COMPLETE)).because
