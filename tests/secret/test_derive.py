"""What Hyperscan looks for finds whatever the pattern matches."""

import re

import hyperscan
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import InputError
from holdfast.secret.derive import WIDEST, expression_of, literals_of, width_of


@pytest.mark.parametrize(
    ("pattern", "derived"),
    [
        (r"ab_(?P<secret>[0-9]{4,60})\b", "ab_(?:[0-9]){4}"),
        (r"(?i)\b[a-z.]{0,40}(?:token|key)\s*=\s*(?P<secret>\S{8,})", None),
        (r"(?<![a-z])ab(?=c)cd(?!e)", "abcd"),
        (r"ab\b", r"ab\b"),
        (r"a(?:b|cd)+", None),
        (r"(?s)a.b", None),
        (r"x(?i:yz)", None),
    ],
)
def test_a_pattern_is_cut_at_its_ends(pattern: str, derived: str | None) -> None:
    expression = expression_of(pattern)
    if derived is not None:
        assert expression.text.replace(r"\x5f", "_").replace("(?:[0-9]{4})", "(?:[0-9]){4}") in (
            derived,
            derived.replace("(?:[0-9]){4}", "(?:(?:[0-9]){4})"),
        )
    assert ends(expression.text, b"nothing") == []


def test_a_backreference_wants_its_find_written_by_hand() -> None:
    with pytest.raises(InputError) as caught:
        expression_of(r"(a|b)\1")
    assert "find" in caught.value.remedy


def test_nothing_is_left_of_a_pattern_that_may_be_anything() -> None:
    with pytest.raises(InputError):
        expression_of(r".*")


def test_widths() -> None:
    assert width_of("a[bc]{3}") == 4
    assert width_of("a+") == WIDEST
    assert width_of("(") == WIDEST


def test_the_telling_literals_of_a_pattern() -> None:
    assert literals_of(r"\b(?:hfp|hf)_[a-z]{4}") == (b"hfp_",)
    assert literals_of(r"\b(?:hfpat|hfoauth)_[a-z]{4}") == (b"hfoauth_", b"hfpat_")
    assert literals_of(r"(?i)password=") == (b"PASSWORD=", b"Password=", b"password=")
    assert literals_of(r"h[tx](?P<secret>(?:a|bc)_[a-z]{4})") == (b"hta_", b"htbc_", b"hxa_", b"hxbc_")
    assert literals_of(r"x-{5}BEGIN") == (b"x-----BEGIN",)
    assert literals_of(r"[a-z]{40}") == ()


def ends(text: str, data: bytes) -> list[int]:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[text.encode()], ids=[0], flags=[0])
    found: list[int] = []
    database.scan(data, match_event_handler=lambda _id, _start, end, _flags, _context: found.append(end))
    return found


atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", r"\d", r"\s", ".", "_", "(?i:c)", "(?<!b)", "(?=a)", r"\b", "[-x]"])
repeats = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,3}", "{2,}?"])
pieces = st.tuples(atoms, repeats).map(
    lambda pair: pair[0] + pair[1] if pair[0][:2] not in ("(?<", "(?=", r"\b") else pair[0]
)
simple = st.lists(pieces, min_size=1, max_size=5).map("".join)
patterns = st.one_of(
    simple, st.tuples(simple, simple, simple).map(lambda parts: "{}(?:{}|b{})".format(*parts)),
    st.tuples(simple, simple).map(lambda parts: "({}){{1,2}}{}a".format(*parts)),
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(patterns, st.text("aAbcC_1 \n-x", max_size=24).map(str.encode))
def test_no_match_is_missed(pattern: str, data: bytes) -> None:
    try:
        compiled = re.compile(pattern.encode())
        expression = expression_of(pattern)
        found = ends(expression.text, data)
    except (InputError, hyperscan.error, re.error):
        return
    for match in compiled.finditer(data):
        assert any(match.start() <= end <= match.end() for end in found)
