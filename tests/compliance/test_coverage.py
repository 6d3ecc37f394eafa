"""What this version does about each countermeasure of NIST SP 800-190, and what it does not."""

import json
from pathlib import Path

import pytest

from holdfast.compliance.coverage import State, coverage, load
from holdfast.compliance.every import every_rule
from holdfast.compliance.text import as_json, as_text
from holdfast.model.finding import Rule
from holdfast.report.text import columns

RULES = every_rule()
SHARED = Path(__file__).parents[2].parent / "shared"


def states(*rules: Rule) -> dict[str, State]:
    return {item.id: item.state for item in coverage(*rules)}


def rule(name: str, *controls: str) -> Rule:
    return Rule(name, "a title", "because", "mend it", controls=controls)


def test_all_23_countermeasures_are_told_each_with_its_reason() -> None:
    items = coverage(*RULES)
    assert len(items) == 23
    assert all(item.reason and item.title for item in items)
    assert all(item.risk_id == "3" + item.id[1:] for item in items)


def test_what_the_image_scan_serves_today() -> None:
    assert {name for name, state in states(*RULES).items() if state is not State.NOT_COVERED} == {
        "4.1.1", "4.1.2", "4.1.3", "4.1.4", "4.1.5", "4.2.1", "4.2.2", "4.2.3", "4.4.1", "4.4.2", "4.4.3", "4.4.4",
        "4.5.3", "4.5.5",
    }  # fmt: skip


def test_nothing_is_called_served_while_a_part_is_missing() -> None:
    for item in coverage(*RULES):
        assert (item.state is State.SERVED) == (bool(item.rules) and not item.missing)


def test_without_the_integrity_rules_what_they_serve_is_not_covered() -> None:
    assert states()["4.1.5"] is State.NOT_COVERED
    assert states()["4.1.1"] is State.PARTIAL


def test_a_rule_that_names_a_control_is_evidence_but_covers_no_part() -> None:
    item = next(item for item in coverage(rule("secret.key", "nist-800-190:4.1.4")) if item.id == "4.1.4")
    assert (item.state, item.rules, item.served) == (State.PARTIAL, ("secret.key",), ())


def test_rules_of_another_framework_are_none_of_ours() -> None:
    assert states(rule("x.y", "cis-docker:4.1.4"))["4.1.4"] is State.NOT_COVERED


def test_every_rule_that_the_framework_names_exists() -> None:
    known = {rule.id for rule in RULES}
    named = {name for one in load("nist-800-190").countermeasures for part in one.parts for name in part.rules}
    assert named <= known


def test_every_part_that_is_checked_says_by_which_front() -> None:
    for one in load("nist-800-190").countermeasures:
        for part in one.parts:
            assert bool(part.front) == bool(part.rules)


@pytest.mark.shared
def test_ids_and_titles_are_those_of_the_document() -> None:
    facts = SHARED / "facts" / "nist_sp800_190.yaml"
    if not facts.is_file():
        pytest.skip("the facts that stand beside the project are not there")
    text = " ".join(facts.read_text().split())
    for one in load("nist-800-190").countermeasures:
        assert f"countermeasure_id: {one.id}, title: {one.title}," in text


class TestText:
    def test_fits_80_columns_and_names_every_countermeasure(self) -> None:
        text = as_text(coverage(*RULES))
        assert all(columns(line) <= 80 for line in text.splitlines())
        assert all(item.id in text and item.title in text for item in coverage(*RULES))
        assert "2 served · 12 partial · 9 not covered" in text

    def test_tells_what_serves_and_what_is_missing(self) -> None:
        text = as_text(coverage(*RULES))
        assert "rules: image.vulnerability" in text
        assert "– Behaviour is looked at where signatures know nothing" in text

    def test_colour_only_where_asked_for(self) -> None:
        assert "\x1b" not in as_text(coverage())
        assert "\x1b" in as_text(coverage(), colour=True)


def test_json_holds_counts_and_every_countermeasure() -> None:
    document = json.loads(as_json(coverage(*RULES)))
    assert document["schema"] == "holdfast.coverage/1"
    assert document["counts"] == {"served": 2, "partial": 12, "not covered": 9}
    assert len(document["countermeasures"]) == 23
