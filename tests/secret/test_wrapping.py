"""Base64 and UTF-16, taken off."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.secret.wrapping import unwrap, utf16, wrapped_forms


@given(st.binary(min_size=4, max_size=20), st.binary(max_size=30), st.binary(max_size=30))
def test_a_literal_is_found_in_base64_wherever_it_stands(literal: bytes, before: bytes, behind: bytes) -> None:
    wrapped = base64.b64encode(before + literal + behind)
    found = []
    for form, place in wrapped_forms(literal):
        start = wrapped.find(form)
        while start >= 0:
            run = unwrap(b": " + wrapped + b"\n", start + 2, place)
            if run is not None and literal in run.content:
                found.append(run)
            start = wrapped.find(form, start + 1)
    assert found


def test_three_forms_have_their_places() -> None:
    assert wrapped_forms(b"-----BEGIN") == ((b"LS0tLS1CRUdJT", 0), (b"0tLS0tQkVHSU", 2), (b"tLS0tLUJFR0lO", 3))
    assert wrapped_forms(b"abc") == ((b"YWJj", 0),)


def test_a_path_before_a_run_does_not_spoil_it() -> None:
    text = b"key=/srv/" + base64.b64encode(b"the token is inside")
    start = text.index(base64.b64encode(b"the tok")[:9])
    run = unwrap(text, start, 0)
    assert run is not None
    assert run.content.endswith(b"the token is inside")


@pytest.mark.parametrize("text", ["plain", "a = b\n" * 20])
@pytest.mark.parametrize("order", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_mark_or_its_zeros(text: str, order: str) -> None:
    assert utf16(text.encode(order)) == text.encode()


@pytest.mark.parametrize("data", [b"", b"a\0", b"plain text", bytes(100), b"\x7fELF\2\1\1" + bytes(60), b"ab\0\0" * 20])
def test_what_is_none_stays_as_it_is(data: bytes) -> None:
    assert utf16(data) is None
