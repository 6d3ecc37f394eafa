"""Checks of a policy's own, in CEL: what they may ask, how they fail, and where they end."""

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, InputError, LimitError
from holdfast.model.verdict import Decision
from holdfast.policy.expression import MAX_NESTED, Steps, compiled, values
from holdfast.policy.variables import variables
from policy.policies import TODAY, image, messages, registry, rules, vet, waiver
from report.reports import finding, pypi, report

FLASK = pypi("flask", "1.0")
TARGET = report(
    finding(FLASK, "CVE-2026-1", "critical", fixed="2.0", epss=0.9, exploited=True),
    finding(FLASK, "CVE-2026-2", "low"),
    packages=(FLASK,), target=registry(), configuration=image("app", a_owner="ann"),
)  # fmt: skip


def check(expression: str, **more: str) -> str:
    lines = "".join(f"{key} = '{value}'\n" for key, value in more.items())
    return f'[[check]]\nname = \'mine\'\nexpression = """{expression}"""\n{lines}'


def holds(expression: str, steps: Steps | None = None, **given_: Any) -> bool:
    known = given_ or variables(TARGET, TARGET.findings, TODAY)
    return compiled(expression, "p.toml:3").holds(values(known), steps or Steps())


@pytest.mark.parametrize(
    "expression",
    [
        "findings.exists(f, f.severity == 'critical' && f.fixable && f.known_exploited)",
        "size(findings.filter(f, f.rank >= 4)) == 1",
        "findings.all(f, f.rule.startsWith('CVE-') && f.subject == 'flask' && f.purl.contains('pypi'))",
        "packages.all(p, p.name != 'left-pad' && p.type == 'pypi')",
        "packages.map(p, p.name) == ['flask']",
        "image.user != 'root' && image.labels['a.owner'] == 'ann' && !('b' in image.labels)",
        "image.age_days == 23 && image.is_image && image.layers == 2 && image.size > 50000000",
        "report.target.matches('^registry[.]example/') && report.status == 'complete'",
        "report.distribution.id == 'debian' && report.base.name == 'debian:12'",
        "findings[0].epss > 0.5 && findings[0].fix_version == '2.0'",
        "has(image.user) && !has(image.nothing)",
        "timestamp(report.created) > timestamp('2020-01-01T00:00:00Z')",
    ],
)
def test_what_can_be_asked(expression: str) -> None:
    assert holds(expression) is True


def test_a_check_that_is_not_true_denies_with_its_message() -> None:
    verdict = vet(check("image.user == 'nobody'", message="run as nobody"), TARGET)
    assert (rules(verdict), messages(verdict)) == ([("check.mine", "deny")], ["run as nobody"])
    assert verdict.because[0].where == "p.toml:3"
    assert vet(check("image.user == 'nobody'", decision="warn"), TARGET).decision is Decision.WARN
    assert vet(check("image.user == 'app'"), TARGET).because == ()


def test_waived_findings_are_not_seen_by_checks() -> None:
    text = check("size(findings) == 1")
    assert vet(text, TARGET).decision is Decision.DENY
    assert vet(text + waiver(rule="CVE-2026-1"), TARGET).decision is Decision.ALLOW


def test_a_check_can_be_waived() -> None:
    assert vet(check("false") + waiver(rule="check.mine"), TARGET).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("expression", "where", "what"),
    [
        pytest.param("1 +", "p.toml:3", "column", id="unfinished"),
        pytest.param("true &&\n  false &&& x", "p.toml:3 (line 2 of the expression)", "false &&& x", id="second line"),
        pytest.param("findings.exists(f", "p.toml:3", "not CEL", id="no bracket"),
        pytest.param("'open", "p.toml:3", "not CEL", id="no quote"),
    ],
)
def test_what_is_no_expression_is_refused_with_file_and_line(expression: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        compiled(expression, "p.toml:3")
    assert caught.value.where == where
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        pytest.param("nobody == 1", "undeclared reference to 'nobody'", id="an unknown name"),
        pytest.param("image.nothing == 1", "no such member", id="an unknown member"),
        pytest.param("nothing(1)", "undeclared reference", id="an unknown function"),
        pytest.param("1 / 0 == 1", "", id="division by zero"),
        pytest.param("size(findings)", "is no condition", id="a number"),
        pytest.param("size(findings) > 'a'", "", id="unlike things"),
        pytest.param("'a'.matches('(')", "", id="no regular expression"),
        pytest.param("findings[99].rule == 'a'", "", id="beyond the end"),
        pytest.param("findings.all(f, f.rank / 0 > 1)", "", id="within a loop"),
    ],
)
def test_what_cannot_be_told_warns_and_denies_only_if_told_to(
    expression: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        verdict = vet(check(expression), TARGET)
    assert rules(verdict) == [("check.mine", "warn")]
    assert what in messages(verdict)[0]
    assert len(messages(verdict)[0]) < 400
    assert verdict.because[0].where.startswith("p.toml:3")
    assert vet(check(expression, on_error="deny"), TARGET).decision is Decision.DENY


def test_evaluation_is_counted() -> None:
    numbers = list(range(1_000))
    with pytest.raises(LimitError, match="10,000 steps"):
        holds("n.all(a, n.all(b, a + b >= 0))", Steps(10_000), n=numbers)
    steps = Steps(1_000_000)
    assert holds("n.all(a, a >= 0)", steps, n=numbers)
    assert 5_000 < steps.most - steps.left < 50_000


def test_the_checks_of_one_policy_share_the_budget() -> None:
    steps = Steps(20_000)
    holds("n.all(a, a >= 0)", steps, n=list(range(1_000)))
    with pytest.raises(LimitError):
        holds("n.all(a, a >= 0)", steps, n=list(range(1_000)))


def test_loops_within_loops_end_somewhere() -> None:
    nested = "true"
    for letter in "abcd"[: MAX_NESTED + 1]:
        nested = f"findings.all({letter}, {nested})"
    with pytest.raises(LimitError, match="within each other"):
        compiled(nested, "p.toml:1")
    assert compiled("findings.all(a, true) && findings.all(b, true) && findings.all(c, true)", "p.toml:1")


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 2_000 + "true" + ")" * 2_000,
        "[" * 1_000 + "]" * 1_000,
        "1" + "+1" * 1_990 + " > 0",
        "image" + ".user" * 790,
        "!" * 3_990 + "true",
        "-" * 3_990 + "1 == 1",
        "true" + "?true:true" * 390,
        "true" + " && true" * 490,
        "'" + "x" * 3_990,
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(a*)*(a*)*(a*)*b')",
        "9" * 3_000 + " > 1",
    ],
)
def test_an_expression_made_to_hurt_ends(expression: str) -> None:
    try:
        assert holds(expression) in (True, False)
    except HoldfastError:
        return


WORDS = st.sampled_from(
    ["findings", "f", ".", "all(f,", "exists(", "(", ")", "[", "]", "{", "}", "'a'", "1", "1.5", "==", "&&", "||", "!",
     "?", ":", "size(", "has(", "image.user", "in", "\n", "//x", "timestamp(", "-", "b'\\xff'", "0x", "1u", "null"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=10).map(" ".join) | st.text(max_size=20))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    try:
        assert holds(text, Steps(10_000)) in (True, False)
    except HoldfastError:
        return
