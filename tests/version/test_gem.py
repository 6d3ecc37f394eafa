import pytest

from holdfast.version.gem import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# Gem::Version: numbers as numbers, letters make a pre-release
1.0 < 1.1 < 1.2 < 1.10 < 2
1.0.a < 1.0.b < 1.0.b1 < 1.0.b1.1 < 1.0.rc1 < 1.0.rc2 < 1.0.rc10 < 1.0 < 1.0.1.a < 1.0.1
1.0.0.beta < 1.0.0.beta1 = 1.0.0.beta.1
3.0.0.beta < 3.0.0.beta2 < 3.0.0.beta4 < 3.0.0.rc < 3.0.0.rc2 < 3.0.0
# zeros at the end, and at the end of the leading numbers, do not count
1 = 1.0 = 1.0.0
1.0.a = 1.a = 1.0.0.a
1.0.0.rc3.0 = 1.0.0.rc3
# zeros in between do: they stand for the end until something follows
1.a.b < 1.a.0.b < 1.a.0.0.b < 1.a < 1.a.0.0.1 < 1.a.0.1 < 1.a.1
1.95.0 < 1.95.1
1.95.0.a < 1.95
# a hyphen is ".pre."
1.0-1 = 1.0.pre.1 < 1.0
# capitals before small letters
1.0.RC1 < 1.0.rc1
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("gem", chain)


@pytest.mark.parametrize("version", ["", "1", "1.0.0.rc1", "1.0-1", " 1.0 ", "1.0.a.2"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["a", "1.", "1..2", "1.0_1", "1.0-", "junk 1", "1,2"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert wrong_lines("gem", "rubygems") == []
