"""Ignore files of other scanners become waivers; what of them means nothing here is said."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, InputError, LimitError
from holdfast.model.finding import Finding
from holdfast.policy.evaluate import evaluate
from holdfast.policy.ignore import Ignored, read_ignore
from policy.policies import TODAY, day, policy, registry, secret, setting
from report.reports import deb, finding, pypi, report

SSL = deb("libssl3", "3.0.1", source="openssl")
FLASK = pypi("flask", "1.0")
CVE = finding(SSL, "CVE-2026-1", "critical")
FIXED = finding(FLASK, "CVE-2026-2", "critical", fixed="2.0")


def ignored(text: str, name: str = ".trivyignore") -> Ignored:
    return read_ignore(text.encode(), name)


def accepted(text: str, name: str = ".trivyignore", *findings: Finding) -> list[str]:
    """The rules of the findings that an ignore file sets aside."""
    target = report(*(findings or (CVE, FIXED)), packages=(SSL, FLASK), target=registry())
    verdict = evaluate(policy(""), target, today=TODAY, waivers=ignored(text, name).waivers)
    return [one.rule for one in verdict.set_aside]


def problems(text: str, name: str = ".trivyignore") -> list[tuple[str, str]]:
    return [(one.where, one.message) for one in ignored(text, name).problems]


def test_ids_one_a_line() -> None:
    text = "# why\n\nCVE-2026-1\n  CVE-2026-2   # a note\n"
    assert accepted(text) == ["CVE-2026-1", "CVE-2026-2"]
    assert [one.where for one in ignored(text).waivers] == [".trivyignore:3", ".trivyignore:4"]


def test_whose_they_are_is_said() -> None:
    one = ignored("CVE-2026-1", "ci/.trivyignore").waivers[0]
    assert (one.owner, one.reason, one.expires) == ("(.trivyignore)", "listed in .trivyignore", "")


def test_ids_are_no_globs() -> None:
    assert accepted("CVE-*") == []


@pytest.mark.parametrize(("when", "holds"), [(day(1), True), (day(0), False), (day(-1), False)])
def test_the_day_of_expiry_is_the_first_on_which_it_no_longer_holds(when: str, holds: bool) -> None:
    assert accepted(f"CVE-2026-1 exp:{when}") == (["CVE-2026-1"] if holds else [])


def test_a_line_with_no_date_where_one_should_be_is_not_applied() -> None:
    assert problems("CVE-2026-1 exp:soon") == [
        (".trivyignore:1", "'soon' is no date: the line is not applied")
    ]  # fmt: skip
    assert accepted("CVE-2026-1 exp:2026-13-01") == []


def test_rules_of_the_other_tool_are_told() -> None:
    assert "rule of another tool" in problems("AVD-DS-0002")[0][1]
    assert ignored("AVD-DS-0002").waivers == ()


def test_any_kind_of_finding_can_be_named() -> None:
    assert accepted("secret.npm-token", ".trivyignore", secret()) == ["secret.npm-token"]


YAML = f"""
vulnerabilities:
  - id: CVE-2026-1
    purls: ["pkg:deb/debian/libssl3"]
    statement: not reachable
  - id: CVE-2026-2
    paths:
      - "usr/lib/python3/**"
    expired_at: {day(30)}
secrets:
  - id: secret.npm-token
    paths: ["app/*"]
misconfigurations:
  - id: image.setuid
"""


def test_the_yaml_form() -> None:
    assert accepted(YAML, ".trivyignore.yaml") == ["CVE-2026-1", "CVE-2026-2"]
    assert ignored(YAML, ".trivyignore.yaml").waivers[0].reason == "not reachable"
    assert accepted(YAML, ".trivyignore.yaml", secret(), setting()) == ["secret.npm-token", "image.setuid"]


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ("purls: ['pkg:deb/debian/zlib']", False),
        ("purls: ['pkg:deb/debian/zlib', 'pkg:deb/debian/libssl3@3.0.1']", True),
        ("purls: ['pkg:deb/debian/libssl3@9']", False),
        ("paths: ['var/lib/dpkg/status']", True),
        ("paths: ['var/*']", False),
        ("paths: ['var/**']", True),
        (f"expired_at: {day(0)}", False),
    ],
)
def test_what_narrows_an_entry(entry: str, holds: bool) -> None:
    text = f"vulnerabilities:\n  - id: CVE-2026-1\n    {entry}\n"
    assert bool(accepted(text, ".trivyignore.yaml")) == holds


def test_a_section_is_about_its_kind_alone() -> None:
    assert accepted("secrets:\n - id: CVE-2026-1", ".trivyignore.yaml") == []


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("licenses:\n - id: GPL\n", 1, "section 'licenses'"),
        ("vulnerabilities:\n - id: CVE-1\n   packages: [a]\n", 2, "'packages' is not known"),
        ("vulnerabilities:\n - paths: [a]\n", 2, "no id"),
        ("vulnerabilities:\n - id: CVE-1\n   expired_at: never\n", 2, "'never' is no date"),
        ("vulnerabilities:\n - id: CVE-1\n   purls: a\n", 2, "no list"),
    ],
)
def test_what_is_not_applied_is_told_and_accepts_nothing(text: str, where: int, what: str) -> None:
    found = ignored(text, ".trivyignore.yaml")
    assert found.waivers == ()
    assert found.problems[0].where == f".trivyignore.yaml:{where}"
    assert what in found.problems[0].message


# .grype.yaml


def rule(text: str) -> str:
    return "ignore:\n  - " + text.replace("\n", "\n    ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vulnerability: CVE-2026-1", ["CVE-2026-1"]),
        ("vulnerability: CVE-2026-1\ninclude-aliases: true", ["CVE-2026-1"]),
        ("fix-state: fixed", ["CVE-2026-2"]),
        ("fix-state: not-fixed", ["CVE-2026-1"]),
        ("fix-state: wont-fix", []),
        ("package: {name: libssl3}", ["CVE-2026-1"]),
        ("package: {name: libssl3, version: 3.0.2}", []),
        ("package: {name: libssl3, version: 3.0.1, type: deb}", ["CVE-2026-1"]),
        ("package: {type: python}", ["CVE-2026-2"]),
        ("package: {name: 'fl.*'}", ["CVE-2026-2"]),
        ("package: {location: '/usr/lib/python3/**'}", ["CVE-2026-2"]),
        ("vulnerability: CVE-2026-1\npackage: {name: flask}", []),
    ],
)
def test_rules_of_grype(text: str, found: list[str]) -> None:
    assert accepted(rule(text), ".grype.yaml") == found
    assert problems(rule(text), ".grype.yaml") == []


def test_the_reason_is_kept() -> None:
    assert ignored(rule("vulnerability: CVE-1\nreason: not used"), ".grype.yaml").waivers[0].reason == "not used"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("vulnerability: CVE-2026-1\nnamespace: debian:12", "'namespace' 'debian:12' is not known"),
        ("vulnerability: CVE-2026-1\nvex-status: not_affected", "'vex-status'"),
        ("vulnerability: CVE-2026-1\nmatch-type: exact-direct-match", "'match-type'"),
        ("fix-state: maybe", "'fix-state' 'maybe'"),
        ("package: {name: 'a(b|c)'}", "regular expression"),
        ("package: {language: python}", "'language'"),
        ("package: {name: a, version: 3.10}", "put it in quotes"),
        ("package: {type: alpm}", "'type' 'alpm'"),
        ("reason: because", "without a condition"),
    ],
)
def test_a_condition_that_is_not_known_never_widens_a_rule(text: str, what: str) -> None:
    found = ignored(rule(text), ".grype.yaml")
    assert found.waivers == ()
    assert what in found.problems[0].message
    assert found.problems[0].where == ".grype.yaml:2"


def test_other_settings_are_told_once() -> None:
    found = problems("fail-on-severity: high\nexclude: [a]\nignore: []", ".grype.yaml")
    assert found == [(".grype.yaml:1", "settings of the other tool are not applied: exclude, fail-on-severity")]


def test_entries_that_match_nothing_are_counted_by_file() -> None:
    target = report(CVE, packages=(SSL,), target=registry())
    waivers = ignored("CVE-1\nCVE-2\nCVE-2026-1").waivers
    warnings = evaluate(policy(""), target, today=TODAY, waivers=waivers).warnings
    assert [(one.code, one.where, one.count) for one in warnings] == [("waiver.unused", ".trivyignore", 2)]


def test_an_ignore_file_waives_findings_and_no_demand() -> None:
    target = report(target=registry())
    verdict = evaluate(policy("[age]\ndays = 1"), target, today=TODAY, waivers=ignored("policy.cannot-tell").waivers)
    assert verdict.set_aside == ()


@pytest.mark.parametrize("name", [".trivyignore.yaml", ".grype.yaml"])
def test_malformed_files_name_the_line(name: str) -> None:
    with pytest.raises(InputError) as caught:
        ignored("ignore:\n  - a: [\n", name)
    assert caught.value.where.startswith(f"{name}:")


def test_too_much_is_refused() -> None:
    with pytest.raises(LimitError):
        ignored("CVE-1\n" * 20_000)
    with pytest.raises(LimitError):
        ignored("x" * (2 << 20))


LINES = st.sampled_from(
    ["CVE-2026-1", "exp:2026-12-31", "exp:x", "#", "vulnerabilities:", "  - id: CVE-1", "    paths: [a]", "ignore:",
     "  - vulnerability: CVE-1", "    package:", "      name: a", "      version: 1", "    - ", "  - [", "a: &a *a"]
)  # fmt: skip
NAMES = st.sampled_from([".trivyignore", ".trivyignore.yaml", ".grype.yaml"])


def assert_read(data: bytes, name: str) -> Any:
    try:
        return read_ignore(data, name)
    except HoldfastError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join), NAMES)
def test_any_lines_are_read_or_refused(text: str, name: str) -> None:
    found = assert_read(text.encode(), name)
    if found:
        target = report(CVE, FIXED, packages=(SSL, FLASK), target=registry())
        assert evaluate(policy(""), target, today=TODAY, waivers=found.waivers)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), NAMES)
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    assert_read(data, name)
