"""What a policy decided stands in every format for people, first, and nothing in it is obeyed."""

import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.report import Report
from holdfast.model.verdict import Decision, Reason, Verdict
from holdfast.report import writer
from report.reports import report, secret

DENIED = Verdict(
    Decision.DENY,
    (
        Reason("policy.secret", Decision.DENY, "1 secret of high confidence", how_to_pass=("replace the secret",)),
        Reason("policy.base", Decision.WARN, "the base is 200 days old"),
    ),
    "balanced",
    set_aside_count=3,
)


def written(form: str, verdict: Verdict | None, **fields: Any) -> str:
    made: Report = report(secret(), verdict=verdict, **fields)
    output = io.StringIO()
    one = writer(form)
    assert one is not None
    one.write(made, output)
    return output.getvalue()


def test_the_table_says_it_before_the_findings() -> None:
    text = written("table", DENIED)
    assert "\nDENY  by policy balanced\n  1 secret of high confidence\n" in text
    assert text.index("DENY") < text.index("SECRETS")


def test_markdown_says_it_with_a_step_to_pass() -> None:
    text = written("markdown", DENIED)
    assert "**🔴 denied** by policy <code>balanced</code>\n\n- **deny**: 1 secret of high confidence → replace" in text
    assert "- **warn**: the base is 200 days old" in text


def test_the_page_says_it_with_all_reasons() -> None:
    text = written("html", DENIED)
    assert '<span class="badge deny">deny</span> Policy balanced' in text
    assert "replace the secret" in text
    assert "3 set aside by waivers or VEX" in text


def test_junit_fails_for_what_denies() -> None:
    root = ET.fromstring(written("junit", DENIED))
    suite = next(one for one in root if one.get("name") == "holdfast.policy")
    assert [case[0].tag for case in suite] == ["failure", "skipped"]
    allowed = ET.fromstring(written("junit", Verdict(Decision.ALLOW, (), "developer")))
    assert next(one for one in allowed if one.get("name") == "holdfast.policy").get("failures") == "0"


@pytest.mark.parametrize("form", ["table", "markdown", "html", "junit"])
def test_without_a_policy_nothing_is_said(form: str) -> None:
    assert "policy" not in written(form, None).replace("content-security-policy", "").lower().replace(
        "security-policy", ""
    )


@pytest.mark.parametrize("form", ["table", "markdown", "html", "junit"])
@settings(max_examples=30, deadline=None)
@given(texts=st.tuples(*[st.text(st.characters(), max_size=40)] * 4))
def test_nothing_in_it_is_obeyed(form: str, texts: tuple[str, ...]) -> None:
    rule, message, step, policy = texts
    reasons = tuple(Reason(rule, decision, message, how_to_pass=(step,)) for decision in Decision)
    text = written(form, Verdict(Decision.DENY, reasons, policy, set_aside_count=2))
    assert all(line.isprintable() for line in text.split("\n"))
    if form == "junit":
        ET.fromstring(text)
