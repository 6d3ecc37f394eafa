"""What is shown of a secret."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.secret.redact import MOST_SHOWN, key_id, redacted


def test_first_and_last_characters_are_shown() -> None:
    assert redacted(b"abcdefghijklmnopqrstuvwxyz0123456789") == "abcd…6789"
    assert redacted(b"abcdefgh") == "a…h"
    assert redacted(b"abcdefg") == "…"
    assert redacted(b"") == "…"
    assert redacted(b"\x00\n\xff\xfe" * 8) == "·" * 4 + "…" + "·" * 4


@given(st.binary(max_size=200))
def test_never_more_than_a_quarter_nor_more_than_eight(secret: bytes) -> None:
    shown = redacted(secret).replace("…", "")
    assert len(shown) <= min(MOST_SHOWN, len(secret) / 4)


@given(st.binary(max_size=100), st.binary(min_size=1, max_size=64))
def test_an_id_is_32_hex_digits(secret: bytes, key: bytes) -> None:
    assert len(key_id(secret, key)) == 32
    assert int(key_id(secret, key), 16) >= 0
