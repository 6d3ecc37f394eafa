import pytest

from holdfast.version.semver import parses
from version.comparisons import chains, holds, pairs

SPECIFICATION = """
# Semantic Versioning 2.0.0, section 11
1.0.0 < 2.0.0 < 2.1.0 < 2.1.1
1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0
0.9.9 < 0.10.0 < 0.10.1
# numeric identifiers are older than others and compare as numbers; others by ASCII
1.0.0-0 < 1.0.0-1 < 1.0.0-2 < 1.0.0-10 < 1.0.0--1 < 1.0.0-1a < 1.0.0-A < 1.0.0-a < 1.0.0-a-b < 1.0.0-aa
1.0.0-alpha.1 < 1.0.0-alpha.1.0 < 1.0.0-alpha.1.a
1.0.0-99999999999999999999 < 1.0.0-100000000000000000000
# section 10: build metadata does not count
1.0.0 = 1.0.0+build = 1.0.0+build.2
1.0.0-rc.1 = 1.0.0-rc.1+exp.sha.5114f85 < 1.0.0+0
# npm, loose: a leading v or =, no hyphen before the pre-release
1.2.3 = v1.2.3 = =1.2.3 = V1.2.3
1.2.3-beta = 1.2.3beta < 1.2.3
4.0.0.Beta1 < 4.0.0.Beta2 < 4.0.0
0.0.0-alpha = 0.0.0alpha
# missing numbers are 0, more than three are read, leading zeros do not count
1 = 1.0 = 1.0.0 = 1.0.0.0 < 1.0.0.1 < 1.0.1
1.02.3 = 1.2.3
# canary and nightly builds, as published on npm
18.3.0-canary-0cdfef19b-20231211 < 18.3.0-next-1308e49a6-20230330 < 18.3.0
0.0.4-2014-04-04-12-11-49 < 0.0.4 < 0.0.10-2014-03-24-17-36-27 < 0.0.10
5.0.0-dev.20220101 < 5.0.0-dev.20230101 < 5.0.0-insiders.1 < 5.0.0
# the lowest version of a release line, as RustSec writes it
1.9.9 < 2.0.0-0 < 2.0.0-alpha.1 < 2.0.0-rc.1 < 2.0.0
# what is no version is older than any
latest < 0.0.0-0 < 0.0.0
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("semver", chain)


def test_the_specification_is_large_enough_to_mean_something() -> None:
    assert sum(len(list(pairs(chain))) for chain in chains(SPECIFICATION)) >= 60


@pytest.mark.parametrize(
    "version",
    [
        "0.0.0",
        "1.2.3",
        "1.0.0-alpha.1",
        "1.0.0-x.7.z.92",
        "1.0.0-x-y-z.--",
        "1.0.0+001",
        "1.0.0-0A.is.legal",
        "1.0.0-x.0a",
    ],
)
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize(
    "version",
    ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0-a.01", "1.0.0-", "1.0.0-a..b", "1.0.0+", "1.0.0\n"],
)
def test_does_not_parse(version: str) -> None:
    assert not parses(version)
