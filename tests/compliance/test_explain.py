"""What a rule means, by its id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.advisory.rules import MALICIOUS_PACKAGE, RULES, VULNERABILITY
from holdfast.compliance.every import every_rule
from holdfast.compliance.explain import explain
from holdfast.model.finding import Rule
from holdfast.scan.rules import RULES as SCAN_RULES

EVERY = every_rule()


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_every_rule_can_be_explained_and_says_why_and_what_to_do(rule: Rule) -> None:
    assert explain(rule.id, EVERY) is rule
    assert rule.title
    assert rule.why
    assert rule.fix
    assert rule.controls


def test_no_two_rules_share_an_id() -> None:
    assert len({rule.id for rule in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    "name", ["CVE-2024-3094", "GHSA-xxxx-yyyy-zzzz", "DSA-5551-1", "GO-2024-1", "RHSA-2024:1234", "cve-2024-1"]
)
def test_an_advisory_is_explained_by_its_family(name: str) -> None:
    assert explain(name, SCAN_RULES) is VULNERABILITY


def test_a_record_of_malice_is_explained_as_such() -> None:
    assert explain("MAL-2024-1234", SCAN_RULES) is MALICIOUS_PACKAGE


@pytest.mark.parametrize("name", ["", "image.nothing", "hello", "-", "CVE-", "\x1b[31m", "CVE-2024-1\n"])
def test_what_is_no_rule_has_no_meaning(name: str) -> None:
    assert explain(name, SCAN_RULES) is None


@given(st.text(max_size=200))
def test_any_text_is_answered(name: str) -> None:
    assert explain(name, ()) in (None, *RULES)
