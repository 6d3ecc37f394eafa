"""A CycloneDX document that only says what vulnerabilities affect is told from one that lists contents."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attached import cyclonedx
from holdfast.catalog.vex import is_exploitability

BASH, ZLIB = "deb bash 5.2", "deb zlib1g 1.2"


@pytest.mark.parametrize(
    ("document", "only"),
    [
        pytest.param(cyclonedx(exploited=[BASH]), True, id="no components"),
        pytest.param(cyclonedx(exploited=[BASH]) | {"components": None}, True, id="null for components"),
        pytest.param(cyclonedx(BASH, exploited=[BASH]), True, id="only what is affected"),
        pytest.param(cyclonedx(BASH, ZLIB, exploited=[BASH]), False, id="contents with their vulnerabilities"),
        pytest.param(cyclonedx(BASH), False, id="contents"),
        pytest.param(cyclonedx(), False, id="an empty bill"),
        pytest.param(cyclonedx() | {"vulnerabilities": []}, False, id="no vulnerabilities"),
        pytest.param([], False, id="another thing"),
    ],
)
def test_exploitability_is_told_from_contents(document: Any, only: bool) -> None:
    assert is_exploitability(json.dumps(document).encode()) is only


MEMBERS = ("components", "vulnerabilities", "affects", "ref", "bom-ref", "bomFormat")
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON.map(lambda one: json.dumps(one).encode()) | st.binary(max_size=40))
def test_whatever_it_is_it_is_one_or_not(data: bytes) -> None:
    assert is_exploitability(data) in (True, False)


def test_deep_nesting_is_no_such_document() -> None:
    assert not is_exploitability(b'{"components": ' + b"[" * 100_000)
