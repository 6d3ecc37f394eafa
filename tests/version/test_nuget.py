import pytest

from holdfast.version.nuget import parses
from version.comparisons import chains, holds, pairs

SPECIFICATION = """
# up to four numbers; those missing are 0, leading zeros do not count
1 = 1.0 = 1.0.0 = 1.0.0.0
1.0.0.0 < 1.0.0.1 < 1.0.0.2 < 1.0.0.10 < 1.0.1 < 1.1 < 2
1.4.3.3 < 1.4.353.15 < 1.4.357.28 < 1.4.358.30 < 1.4.365.10 < 1.4.365.48
1.01.1 = 1.1.1
1.00.0.1 = 1.0.0.1
1.03.352.10 < 1.03.352.12 < 1.4.0
# pre-releases as in Semantic Versioning 2.0.0
1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0
1.0.0-1 < 1.0.0-2 < 1.0.0-10 < 1.0.0-a
1.0.0.1-beta < 1.0.0.1
1.0.0 < 1.0.0.1-beta
# but without case
1.0.0-alpha = 1.0.0-ALPHA = 1.0.0-Alpha
1.0.0-ALPHA < 1.0.0-beta < 1.0.0-RC.1 = 1.0.0-rc.1
1.0.0-a < 1.0.0-B < 1.0.0-c
# metadata does not count
1.0.0 = 1.0.0+a = 1.0.0+b.2
1.0.0-beta+1 = 1.0.0-beta+2 < 1.0.0+0
# from the gallery
5.0.0-preview.1.20120.5 < 5.0.0-preview.2.20160.6 < 5.0.0-rc.1.20451.17 < 5.0.0-rc.2.20475.17 < 5.0.0
6.11.7982.26191 < 6.12.0
1.1.0-rc.1.22152.1 < 1.1.0
2.14.01rc5 < 2.14.1 < 2.15
12.0.1-beta1 < 12.0.1-beta2 < 12.0.1 < 12.0.2-beta1 < 12.0.2
2019-01-16 < 2019
# what is no version is older than any
unknown < 0.0.0-0 < 0
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("nuget", chain)


def test_the_specification_is_large_enough_to_mean_something() -> None:
    assert sum(len(list(pairs(chain))) for chain in chains(SPECIFICATION)) >= 60


@pytest.mark.parametrize("version", ["1", "1.0", "1.2.3.4", "1.0.0-beta.1+sha.1", "1.01.1"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "v1", "1.2.3.4.5", "1.0-", "1.0.0-a..b", "1.0+", "1.0\n"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)
