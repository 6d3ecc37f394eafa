"""Messages on the wire: what is written can be read, and whatever else comes is refused in words."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import InputError, LimitError
from holdfast.runtime.containerd.protobuf import MOST_FIELDS, Message, encode

NUMBERS = st.integers(1, (1 << 29) - 1)
VALUES = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.text(), st.binary())


def read_all(message: Message, number: int, depth: int = 0) -> None:
    """Ask for a field in every way there is."""
    for read in (message.integer, message.content, message.text, message.pairs, message.message, message.messages):
        with suppress(InputError, LimitError):
            read(number)
    if depth < 3:
        with suppress(InputError, LimitError):
            for inner in message.messages(number):
                read_all(inner, number, depth + 1)


def test_the_encoding_of_the_guide() -> None:
    """The examples of protobuf.dev/programming-guides/encoding."""
    assert encode((1, 150)) == bytes.fromhex("089601")
    assert encode((2, "testing")) == bytes.fromhex("120774657374696e67")
    assert Message(bytes.fromhex("089601")).integer(1) == 150
    assert Message(bytes.fromhex("1a03089601")).message(3).integer(1) == 150
    assert encode((1, -2)) == bytes.fromhex("08feffffffffffffffff01")


def test_what_is_absent_is_zero_and_is_not_written() -> None:
    message = Message()
    assert (message.integer(1), message.text(1), message.content(1), message.pairs(1)) == (0, "", b"", {})
    assert (message.message(1).integer(1), message.messages(1)) == (0, [])
    assert encode((1, 0), (2, ""), (3, b"")) == b""


def test_the_last_of_several_counts_and_repeated_ones_are_kept() -> None:
    message = Message(encode((1, 7), (1, 8), (2, "a"), (2, "b")))
    assert (message.integer(1), message.text(2)) == (8, "b")
    repeated = Message(encode((4, encode((1, "a"))), (4, encode((1, "b")))))
    assert [one.text(1) for one in repeated.messages(4)] == ["a", "b"]


def test_a_map_of_strings() -> None:
    entries = [(2, encode((1, "key"), (2, "value"))), (2, encode((1, "empty")))]
    assert Message(encode(*entries)).pairs(2) == {"key": "value", "empty": ""}


def test_fields_that_nobody_asks_for_are_passed_over() -> None:
    fixed64, fixed32 = b"\x49" + b"x" * 8, b"\x55" + b"x" * 4
    assert Message(fixed64 + fixed32 + encode((1, 1))).integer(1) == 1


@given(st.lists(st.tuples(NUMBERS, VALUES), max_size=20))
def test_what_is_written_can_be_read(fields: list[tuple[int, Any]]) -> None:
    message = Message(encode(*fields))
    for number, value in {number: value for number, value in fields if value}.items():
        same = [one for other, one in fields if other == number and one]
        if len({isinstance(one, int) for one in same}) > 1:
            continue  # one number with two types
        if isinstance(value, int):
            assert message.integer(number) == value
        elif isinstance(value, str):
            assert message.text(number) == value
        else:
            assert message.content(number) == value


@given(st.binary(max_size=200), st.integers(1, 16))
def test_any_bytes_are_a_message_or_refused(data: bytes, number: int) -> None:
    with suppress(InputError, LimitError):
        read_all(Message(data), number)


@given(st.lists(st.tuples(st.integers(1, 12), VALUES), min_size=1, max_size=6), st.data())
def test_a_damaged_message_is_read_or_refused(fields: list[tuple[int, Any]], data: st.DataObject) -> None:
    encoded = bytearray(encode(*fields, (1, encode(*fields))))
    if encoded:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError, LimitError):
        message = Message(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))
        for number in range(1, 13):
            read_all(message, number)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x08", "number is cut"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "64 bits"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "64 bits"),
        (b"\x00\x01", "impossible number"),
        (b"\x0b\x0c", "unknown type"),
        (b"\x0a\x05abc", "field is cut"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7fabc", "field is cut"),
        (b"\x09abc", "field is cut"),
    ],
)
def test_what_is_no_message(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        Message(data, "unix:///s")
    assert caught.value.where == "unix:///s"


def test_a_field_of_another_type() -> None:
    with pytest.raises(InputError, match="number is none"):
        Message(encode((1, "text"))).integer(1)
    with pytest.raises(InputError, match="is a number"):
        Message(encode((1, 5))).text(1)
    with pytest.raises(InputError, match="is a number"):
        Message(b"\x0d1234").content(1)
    with pytest.raises(InputError, match="UTF-8"):
        Message(encode((1, b"\xff"))).text(1)


def test_a_flood_of_fields_is_refused() -> None:
    with pytest.raises(LimitError, match="more than"):
        Message(b"\x08\x01" * (MOST_FIELDS + 1))


def test_text_that_cannot_be_sent() -> None:
    with pytest.raises(InputError, match="not text"):
        encode((1, "a\udcff"))
