"""A policy is read from TOML or YAML alike, and every mistake is told with its file, line and what is allowed."""

import json
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, InputError, LimitError
from holdfast.model.finding import Confidence, Severity
from holdfast.model.policy import Policy, Threshold, VersionRange
from holdfast.model.verdict import Decision
from holdfast.policy.parse import BUILTIN, builtin, parse, read
from policy.policies import policy

EVERYTHING = """
name = "ours"
description = "Everything that can be said"
incomplete = "deny"

[vulnerability]
deny = { severity = "critical", fixable_only = true }
warn = "high"
confidence = "medium"
known_exploited = "deny"
epss = { percentile = 0.95, decision = "warn" }
grace_days = 7

[secret]
deny = "medium"
alive = "deny"

[malware]
deny = "low"

[configuration]
warn = "medium"

[integrity]
deny = "unknown"

[[rule]]
match = "image.setuid*"
decision = "allow"

[base]
allow = [
  "debian:12*",   # ours
  "registry.example/base/*",
]
unscanned = "warn"

[registry]
allow = ["registry.example"]

[[package]]
match = "pkg:npm/event-stream"
versions = ">= 3.3.6, < 4"
reason = "it was taken over"

[licence]
deny = ["AGPL-*"]
unknown = "warn"

[[label]]
name = "org.opencontainers.image.source"
pattern = "https://*"

[user]
allow = ["non-root", 1000]

[attachments]
require = ["sbom", "provenance"]

[pinned]
require = ["image"]

[age]
days = 90

[[check]]
name = "few-ports"
expression = '''
size(image.exposed_ports)
  < 3'''
message = "expose fewer ports"

[[target]]
match = "registry.example/dev/*"
incomplete = "warn"
[target.secret]
deny = "high"

[[waiver]]
rule = "CVE-2026-1"
package = "openssl"
reason = "not reachable"
owner = "ann@example.org"
expires = 2027-01-01
"""


def as_yaml(text: str) -> bytes:
    """The same content as YAML: JSON is YAML, and a date is text."""
    import tomllib

    return json.dumps(tomllib.loads(text), indent=1, default=str).encode()


def test_everything_that_can_be_said_is_understood() -> None:
    found = policy(EVERYTHING)
    demands = found.demands
    assert demands.vulnerability
    assert demands.vulnerability.deny == Threshold(Severity.CRITICAL, Confidence.MEDIUM, fixable_only=True)
    assert demands.vulnerability.warn == Threshold(Severity.HIGH, Confidence.MEDIUM)
    assert demands.epss
    assert demands.epss.percentile == 0.95
    assert demands.packages
    assert demands.packages[0].versions == (VersionRange(">=", "3.3.6"), VersionRange("<", "4"))
    assert demands.user
    assert demands.user.allow == ("non-root", "1000")
    assert found.targets[0].demands.incomplete is Decision.WARN
    line = EVERYTHING.strip().split("\n").index("[[waiver]]") + 1
    assert found.checks[0].expression == "size(image.exposed_ports)\n  < 3"
    assert (found.waivers[0].expires, found.waivers[0].where) == ("2027-01-01", f"p.toml:{line}")


def test_toml_and_yaml_mean_the_same() -> None:
    def without_places(one: Policy) -> str:
        text = repr(one).replace("p.yaml", "p.toml")
        return "".join(part.lstrip("0123456789") for part in text.replace("line=", "p.toml:").split("p.toml:"))

    assert without_places(parse(as_yaml(EVERYTHING), "p.yaml")) == without_places(policy(EVERYTHING))


TOML_MISTAKES = [
    pytest.param('[vulnerability]\ndeny = "critcal"', "p.toml:2", "critcal", "unknown, negligible, low", id="severity"),
    pytest.param('name = "x"\nnmae = "y"', "p.toml:2", "nmae", "vulnerability", id="a key"),
    pytest.param("[secret]\n\nallive = 1", "p.toml:3", "allive", "alive", id="a key of a table"),
    pytest.param("[secret]\ngrace_days = 1", "p.toml:2", "grace_days", "deny, warn", id="a key of another kind"),
    pytest.param("[base]\nallow = [\n 'a',\n 5,\n]", "p.toml:4", "number", "", id="an entry of a list"),
    pytest.param("incomplete = 'allow'", "p.toml:1", "allow", "warn, deny", id="incomplete never allowed"),
    pytest.param("[vulnerability]\nepss = 95", "p.toml:2", "from 0 to 1", "", id="percentile"),
    pytest.param("[vulnerability]\ngrace_days = 2.5", "p.toml:2", "whole", "", id="days"),
    pytest.param("[age]\ndays = true", "p.toml:2", "whole", "", id="true is no number"),
    pytest.param("user = 5\n[user]", "p.toml:2:", "not TOML", "", id="no TOML"),
    pytest.param("a = '''\n\n", "p.toml:", "not TOML", "", id="no end"),
    pytest.param("secret = 3", "p.toml:1", "a number", "", id="a table is wanted"),
    pytest.param("[[package]]\nmatch='a'\nversions='~ 3'", "p.toml:3", "comparison", ">= 1.2", id="versions"),
    pytest.param("[attachments]\nrequire=['sbom',\n'vsx']", "p.toml:2", "vsx", "sbom, vex", id="attachments"),
    pytest.param("[[check]]\nname='a'\nexpression='1 +'", "p.toml:3", "not CEL", "", id="an expression"),
    pytest.param("[[check]]\nname='a'\n", "p.toml:1", "no expression", "", id="no expression"),
    pytest.param("[[waiver]]\nrule='CVE-1'", "p.toml:1", "no reason", "until when", id="a waiver without a reason"),
    pytest.param(
        "[[waiver]]\nrule='CVE-1'\nreason=''\nowner='a'\nexpires=2027-01-01", "p.toml:3", "reason is empty", "",
        id="an empty reason",
    ),
    pytest.param(
        "[[waiver]]\nrule='CVE-1'\nreason='a'\nowner='a'\nexpires='soon'", "p.toml:5", "date", "2026-12-31",
        id="no date",
    ),
    pytest.param(
        "[[waiver]]\nrule='*'\nreason='a'\nowner='a'\nexpires=2027-01-01", "p.toml:1", "everything", "name a rule",
        id="a waiver for everything",
    ),
    pytest.param(
        "[[waiver]]\nrule='*'\npath='**'\nreason='a'\nowner='a'\nexpires=2027-01-01", "p.toml:1", "everything", "",
        id="a waiver for everything, in other words",
    ),
    pytest.param(
        "[[waiver]]\nfingerprint='12'\nreason='a'\nowner='a'\nexpires=2027-01-01", "p.toml:2", "fingerprint", "32 hex",
        id="no fingerprint",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "what", "remedy"), TOML_MISTAKES)
def test_a_mistake_is_told_with_its_line(text: str, where: str, what: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text.encode(), "p.toml")
    assert caught.value.where.startswith(where)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        pytest.param("name: x\nvulnerability:\n  deny: critcal\n", "p.yaml:3", "critcal", id="severity"),
        pytest.param("name: x\nbase:\n  allow:\n    - a\n    - [b]\n", "p.yaml:5", "a list", id="an entry"),
        pytest.param("name: x\nname: y\n", "p.yaml:2", "twice", id="a key twice"),
        pytest.param("name: 'x\n", "p.yaml:", "not YAML", id="no end"),
        pytest.param("name: *x\n", "p.yaml:1", "nothing is called", id="an alias of nothing"),
        pytest.param("a: &a\n  - *a\n", "p.yaml:2", "nothing is called", id="an alias of itself"),
        pytest.param("? [a]\n: b\n", "p.yaml:1", "key", id="a key that is a list"),
        pytest.param("name: a\n---\nname: b\n", "p.yaml:2", "second document", id="two documents"),
        pytest.param("- a\n", "p.yaml:1", "a list", id="no table"),
    ],
)  # fmt: skip
def test_a_mistake_in_yaml_is_told_with_its_line(text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text.encode(), "p.yaml")
    assert caught.value.where.startswith(where)
    assert what in caught.value.what


def test_the_file_says_how_it_is_written() -> None:
    with pytest.raises(InputError, match="neither TOML nor YAML"):
        parse(b"", "policy.conf")


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    for name in ("p.toml", "p.yaml"):
        with pytest.raises(InputError) as caught:
            parse(b"# a\n# b\n# \xff", name)
        assert caught.value.where == f"{name}:3"


BOMBS = {
    "10 MB of TOML": ("p.toml", b'a = "x"\n' * 1_300_000),
    "10 MB of YAML": ("p.yaml", b"- x\n" * 2_600_000),
    "a line of a megabyte": ("p.toml", b"a" + b".a" * 500_000 + b" = 1"),
    "deep TOML": ("p.toml", (b"a = " + b"[" * 7_000)),
    "deep tables": ("p.toml", b"[a" + b".a" * 400 + b"]\nb = 1"),
    "deep YAML": ("p.yaml", b"a: " + b"[" * 100_000),
    "deep blocks": ("p.yaml", b"".join(b" " * depth + b"a:\n" for depth in range(300))),
    "aliases": (
        "p.yaml",
        b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n".encode() for n in range(1, 12)),
    ),
    "many values": ("p.yaml", b"a: [" + b"x," * 60_000 + b"x]"),
    "many waivers": ("p.yaml", b"waiver:\n" + b"- {}\n" * 5_001),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_too_much_is_refused(name: str) -> None:
    file, data = BOMBS[name]
    with pytest.raises((LimitError, InputError)):
        parse(data, file)


def test_numbers_without_end_are_refused() -> None:
    for file, text in (("p.toml", "a = " + "9" * 5_000), ("p.yaml", "age: " + "9" * 5_000)):
        with pytest.raises(InputError):
            parse(text.encode(), file)


def test_an_alias_in_yaml_is_what_it_stands_for() -> None:
    found = parse(b"secret: &same {deny: high}\nmalware: *same\n", "p.yaml").demands
    assert found.malware == found.secret


def test_the_line_of_everything_in_toml_is_known() -> None:
    text = dedent('''
        # a comment with [brackets] and "quotes"
        a.b = 1
        text = """
        [not.a.table]
        x = 1
        """
        "quoted key" = 'x # no comment'
        list = [
          1, # one
          [2,
           3],
          { k = 4, l = [
            5] },
        ]
        [t."u.v"]
        date = 2026-01-02T03:04:05.5Z
        [[t.w]]
        [[t.w]]
        [t.w.x]
        last = -1.5e3
        ''')  # fmt: skip
    root = read(text.encode(), "p.toml")
    found = {}

    def walk(node: object, path: str) -> None:
        found[path] = node.line  # type: ignore[attr-defined]
        value = node.value  # type: ignore[attr-defined]
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            walk(item, f"{path}/{key}")

    walk(root, "")
    lines = text.split("\n")
    for path, mark in {
        "/a/b": "a.b", "/text": "text =", "/quoted key": '"quoted', "/list/0": "1, #", "/list/1/0": "[2,",
        "/list/1/1": "3],", "/list/2/k": "{ k", "/list/2/l/0": "5] }", "/t/u.v/date": "date =", "/t/w/1/x/last": "last",
        "/t/w/1/x": "[t.w.x]",
    }.items():  # fmt: skip
        assert mark in lines[found[path] - 1], path


@pytest.mark.parametrize("name", BUILTIN)
def test_the_built_in_policies_are_read(name: str) -> None:
    found = builtin(name)
    assert found.name == name
    assert found.description


def test_there_is_no_other_built_in_policy() -> None:
    with pytest.raises(InputError, match="balanced"):
        builtin("../balanced")


WORDS = st.sampled_from(
    [*EVERYTHING.split("\n"), "[[", "]]", "{", "}", "'", '"""', "a.b.c = 1", "- x", "  y: &a [*a]", "!!python/object x"]
)  # fmt: skip


def assert_understood(data: bytes, name: str) -> None:
    """It is a policy, or an error that names the file."""
    where = name
    try:
        assert isinstance(parse(data, name), Policy)
    except HoldfastError as error:
        where = error.where
    assert name in where


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=12).map("\n".join), st.sampled_from(["p.toml", "p.yaml"]))
def test_whatever_is_written_is_a_policy_or_an_error(text: str, name: str) -> None:
    assert_understood(text.encode(), name)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["p.toml", "p.yaml", "p.json"]))
def test_any_bytes_are_a_policy_or_an_error(data: bytes, name: str) -> None:
    assert_understood(data, name)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_mutated_policy_is_a_policy_or_an_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["p.toml", "p.yaml"]))
    good = EVERYTHING.encode() if name == "p.toml" else as_yaml(EVERYTHING)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 30)))
    assert_understood(good[:start] + data.draw(st.binary(max_size=8)) + good[end:], name)
