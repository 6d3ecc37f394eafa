from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.version.numeral import numeral


@pytest.mark.parametrize(("digits", "value"), [("0", 0), ("007", 7), ("42", 42), ("9" * 600, 10**600 - 1)])
def test_a_run_of_digits_is_its_value(digits: str, value: int) -> None:
    assert numeral(digits) == value


def test_leading_zeros_never_count() -> None:
    assert numeral("0" * 5000) == 0
    assert numeral("0" * 5000 + "12") == 12
    assert numeral("0" * 5000 + "1" * 900) == numeral("1" * 900)


def test_long_runs_order_by_length_and_then_by_digits() -> None:
    growing = [
        "9" * 600,
        "1" + "0" * 600,
        "1" + "0" * 599 + "1",
        "2" + "0" * 600,
        "9" * 601,
        "1" + "0" * 5000,
        "1" * 5001,
    ]
    assert all(numeral(a) < numeral(b) for a, b in pairwise(growing))


@given(st.integers(0, 10**1300), st.integers(0, 10**1300))
def test_runs_order_as_their_values(a: int, b: int) -> None:
    assert (numeral(str(a)) < numeral(str(b))) == (a < b)
    assert (numeral(str(a)) == numeral(str(b))) == (a == b)
