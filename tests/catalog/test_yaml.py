"""The part of YAML that lock files are written in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog.yaml import MAX_DEPTH, parse_mapping
from holdfast.model.errors import HoldfastError, LimitError


def test_nested_mappings_of_plain_and_quoted_keys() -> None:
    text = """# comment
---
a: 1
'b@1': {inline: text}
"c":
  d: 'it''s'
  - passed over
  e: >-
    folded: text
    f: no key
  g: "x"
'h':
i: last
"""
    assert parse_mapping(text) == {
        "a": "1", "b@1": "{inline: text}", "c": {"d": "it's", "g": "x"}, "h": "", "i": "last",
    }  # fmt: skip


def test_depth_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_mapping("".join(" " * level + "a:\n" for level in range(MAX_DEPTH + 2)))


@given(st.text(alphabet="ab:'\"{}|>-# \n.@", max_size=200))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    with contextlib.suppress(HoldfastError):
        assert isinstance(parse_mapping(text), dict)
