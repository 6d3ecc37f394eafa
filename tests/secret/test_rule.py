"""Rule files: what they may hold, and what is said of those that are not in order."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import InputError
from holdfast.secret.rule import DEFAULT_FIX, DEFAULT_WHY, Example, load_rules, parse_rules
from secret.engines import RULES

ONE = """
[[rule]]
id = "secret.one"
title = "One"
severity = "high"
pattern = 'one_(?P<secret>[a-z]{8})'
"""


def test_a_rule_has_what_its_family_has_and_else_the_defaults() -> None:
    (rule,) = parse_rules(b'[family]\nfix = "Turn it off."\n' + ONE.encode(), "one.toml")
    assert rule.described.fix == "Turn it off."
    assert rule.described.why == DEFAULT_WHY
    (rule,) = parse_rules(ONE.encode(), "one.toml")
    assert rule.described.fix == DEFAULT_FIX
    assert rule.described.controls == ("nist-800-190:4.1.4",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule", "not a file of secret rules"),
        (ONE + "colour = 'red'\n", "colour"),
        (ONE.replace('"high"', '"dreadful"'), "dreadful"),
        (ONE.replace("secret.one", "One"), "not an id"),
        (ONE.replace('"One"', '""'), "no title"),
        (ONE.replace("{8}", "{8"), ""),
        (ONE.replace("(?P<secret>", "((?P<secret>"), "no regular expression"),
        (ONE.replace("'one_(?P<secret>[a-z]{8})'", "'(?P<secret>[a-z]*)'"), "matches the empty string"),
        (ONE.replace("'one_(?P<secret>[a-z]{8})'", "''"), "no pattern"),
        (ONE + "reach = 1000000\n", "reaches"),
        (ONE + "near = '('\n", "near"),
        (ONE + "[rule.verify]\nurl = 'http://issuer.test/'\n", "https"),
    ],
)
def test_a_file_that_is_not_in_order_is_named_with_what_is_wrong(text: str, said: str) -> None:
    if not said:
        parse_rules(text.encode(), "odd.toml")  # `{8` is a literal to `re`
        return
    with pytest.raises(InputError, match=r"odd\.toml") as caught:
        parse_rules(text.encode(), "odd.toml")
    assert said in str(caught.value)


def test_an_id_may_stand_once(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(ONE)
    with pytest.raises(InputError, match="stands twice"):
        load_rules([tmp_path / "a.toml", tmp_path / "b.toml"])
    with pytest.raises(InputError, match="cannot be read"):
        load_rules([tmp_path / "absent.toml"])


def test_examples_stand_where_the_rule_looks() -> None:
    (rule,) = parse_rules((ONE + "paths = ['**/.one/*.conf']\n").encode(), "one.toml")
    assert rule.example("text") == (".one/x.conf", b"text")
    assert rule.example(Example(path="etc/one", text=("a", "b"))) == ("etc/one", b"ab")
    assert rule.example(Example(base64="AAE="))[1] == b"\0\1"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="surrogatepass")))
def test_arbitrary_bytes_are_rules_or_an_input_error(data: bytes) -> None:
    with suppress(InputError):
        parse_rules(data, "any.toml")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(RULES) - 1), st.integers(0, 40), st.text(max_size=10))
def test_mutated_rules_are_rules_or_an_input_error(place: int, cut: int, text: str) -> None:
    mutated = RULES[:place] + text + RULES[place + cut :]
    with suppress(InputError):
        parse_rules(mutated.encode(errors="surrogatepass"), "any.toml")


def test_a_file_that_nests_too_deeply_is_an_input_error() -> None:
    with pytest.raises(InputError):
        parse_rules(b"a = " + b"[" * 100_000, "deep.toml")
    with pytest.raises(InputError):
        parse_rules(b"a = " + b"9" * 10_000, "long.toml")
