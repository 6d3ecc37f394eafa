import pytest

from holdfast.version.generic import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
1.0~1 < 1.0-dev < 1.0-alpha < 1.0-alpha.2 < 1.0beta1 < 1.0-pre1 < 1.0-rc1 < 1.0 < 1.0a < 1.0.0 < 1.0.1
# OpenSSL's letters, as Conan has them
1.1.1 < 1.1.1a < 1.1.1k < 1.1.1w < 1.1.2
# Haskell's PVP and R: more components are newer
1.0 < 1.0.0 < 1.0.0.1 < 1.0.1 < 1.1
0.20110401 < 0.20110417 < 1
# case, separators and a leading v do not count
v1.0 = 1.0 = 1_0 = 1-0
1.0-RC1 = 1.0rc1
vendor < 1
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("generic", chain)


@pytest.mark.parametrize("version", ["1", "v1.0", "1.1.1w", "2023.1", "1.0-rc1", "1:2.0~3"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "main", "1..2", "1.0 ", "1.0-", "1.0\n"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons_of_cran() -> None:
    assert wrong_lines("generic", "cran") == []
