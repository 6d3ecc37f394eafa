"""What every ordering promises of any text whatever: it never raises, and it is one total order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.version import ORDERINGS, load

PIECES = [
    *("0", "1", "2", "10", "00", "01", "9", "2023", "20230101000000"),
    *(".", "-", "+", "~", "^", "_", ":", "!", " ", "@", ".0", ".1", "-1", "-r1", "1:", "~~"),
    *(
        "a",
        "b",
        "m",
        "p",
        "v",
        "go",
        "alpha",
        "beta",
        "rc",
        "RC1",
        "pre",
        "dev",
        "post",
        "snapshot",
        "final",
        "ga",
        "sp",
    ),
    *("release", "x", "_p", "_rc", "_git", "incompatible", "dev-main", ".x-dev", "é", "٣", "²", "İ", "\x00", "\n"),
]
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=12))
orderings = pytest.mark.parametrize("name", ORDERINGS)

HOSTILE = {
    "digits": "9" * 100_000,
    "zeros": "0" * 100_000,
    "components": "1." * 50_000,
    "zero components": "0." * 50_000 + "rc1",
    "hyphens": "1" + "-" * 100_000,
    "nested": "1-" * 50_000 + "a",
    "transitions": "1a" * 50_000,
    "zeros and words": "0a" * 50_000,
    "tildes": "1" + "~" * 100_000,
    "suffixes": "1" + "_p1" * 30_000,
    "pre-release": "1.0.0-" + "a." * 50_000,
    "build": "1.0.0+" + "a." * 50_000 + "!",
    "almost": "1" * 50_000 + "." + "1" * 50_000 + "!",
    "spaces": " " * 100_000 + "1",
    "spaces in vain": " " * 100_000 + "x",
    "inner spaces": "1" + " " * 100_000 + "1",
    "words": "a" * 100_000,
    "branch": "1." + "x." * 50_000 + "dev",
    "wide digits": "1." + "٣" * 50_000,
    "surrogates": "1.\ud800" * 10_000,
}


@orderings
@given(a=texts, b=texts)
def test_of_two_texts_one_is_older_or_they_are_equal(name: str, a: str, b: str) -> None:
    ordering = load(name)
    assert ordering.compare(a, b) == -ordering.compare(b, a)
    assert ordering.compare(a, a) == 0
    assert (ordering.key(a) == ordering.key(b)) == (ordering.compare(a, b) == 0)
    if ordering.key(a) == ordering.key(b):
        assert hash(ordering.key(a)) == hash(ordering.key(b))


@orderings
@given(st.lists(texts, min_size=3, max_size=5))
def test_the_order_is_transitive(name: str, versions: list[str]) -> None:
    ordering = load(name)
    ordered = sorted(versions, key=ordering.key)
    for place, older in enumerate(ordered):
        assert all(ordering.compare(older, newer) <= 0 for newer in ordered[place:])


@orderings
@given(text=texts)
def test_whether_a_text_parses_is_always_answered(name: str, text: str) -> None:
    assert load(name).parses(text) in (True, False)


@orderings
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hundred_thousand_characters_are_a_version_like_any_other(name: str, kind: str) -> None:
    ordering = load(name)
    text = HOSTILE[kind]
    assert ordering.compare(text, text) == 0
    assert ordering.compare(text, "1.2.3") == -ordering.compare("1.2.3", text)
    assert hash(ordering.key(text)) == hash(ordering.key(text))
    assert ordering.parses(text) in (True, False)


@orderings
def test_a_digit_is_an_ascii_digit(name: str) -> None:
    assert load(name).compare("1.٣", "1.3") != 0
    assert not load(name).parses("1.٣")
