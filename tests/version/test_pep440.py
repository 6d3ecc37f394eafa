from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.version.pep440 import key, parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# "Summary of permitted suffixes and relative ordering"
1.dev0 < 1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 < 1.0b2.post345.dev456
1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 < 1.0.15
1.0.15 < 1.1.dev1
# epochs
2013.10 < 2014.04 < 1!1.0 < 1!1.1 < 2!0.1
# the release is padded with zeros
1 = 1.0 = 1.0.0
0.9 < 0.9.1 < 0.9.2 < 0.9.10 < 0.9.11 < 1.0
# spellings of one version
1.1rc1 = 1.1RC1 = 1.1-rc-1 = 1.1_rc_1 = 1.1.rc.1 = 1.1c1 = 1.1pre1 = 1.1preview1
1.1a1 = 1.1alpha1 = 1.1-alpha.1
1.1b0 = 1.1b = 1.1beta
1.2.post2 = 1.2-post2 = 1.2.rev2 = 1.2r2 = 1.2-2
1.2.post0 = 1.2.post
1.2.dev0 = 1.2.dev = 1.2dev = 1.2-dev
1.0 = v1.0 = V1.0 = 01.00
1.0+ubuntu.1 = 1.0+ubuntu-1 = 1.0+UBUNTU_1
# local versions: numbers newer than letters, more segments newer than fewer
1.0 < 1.0+a < 1.0+a.1 < 1.0+b < 1.0+1 < 1.0+1.a < 1.0+1.1 < 1.0+10
# what the specification cannot read is older than all that it can
2013-01-21T20:33:09+0100 < 0.dev0
0.9-doduo < 0.9-ivysaur < 0.0.1
0.7.1.fix1 < 0.7.4.svn.r2010 < 0.6.4
trunk < 0
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("pep440", chain)


@pytest.mark.parametrize("version", ["1", "1.0", "1!2.0rc1.post2.dev3+local.4", " 1.0 ", "v1.0", "1.0-1", "2004dev1"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize(
    "version", ["", "1.0.", "1.0-x", "1.0+", "1.0+a..b", "1.0rc1rc2", "french toast", "1.0.dev1a1"]
)
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


pieces = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "10",
        ".",
        "-",
        "_",
        "+",
        "!",
        "a",
        "b",
        "rc",
        "c",
        "pre",
        "alpha",
        "post",
        "r",
        "rev",
        "dev",
        "v",
        ".0",
        ".1",
    ]
)
texts = st.lists(pieces, min_size=1, max_size=9).map("".join)


@given(texts, texts)
def test_agrees_with_the_reference_implementation(a: str, b: str) -> None:
    reference: Any = pytest.importorskip("packaging.version")
    for text in (a, b):
        try:
            reference.Version(text)
        except reference.InvalidVersion:
            assert not parses(text)
            return
        assert parses(text)
    left, right = reference.Version(a), reference.Version(b)
    assert (key(a) < key(b)) == (left < right)
    assert (key(a) == key(b)) == (left == right)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert wrong_lines("pep440", "pypi") == []
