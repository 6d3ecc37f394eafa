import pytest

from holdfast.version.rpm import parses
from version.comparisons import chains, holds, pairs

SPECIFICATION = """
# segments of digits are numbers
1.0 < 2.0 < 10.0
2.0 < 2.0.1 < 2.0.1a < 2.0.2
5.5p1 < 5.5p2 < 5.5p10
1.0 = 1.00 = 01.0
1.9999999999999999999 < 1.10000000000000000000 < 1.10000000000000000001
20101121 < 20101122
# segments of letters compare as text, capitals first
10xyz < 10.1xyz
xyz10 < xyz10.1
xyz.4 < 8
1.0A < 1.0B < 1.0a < 1.0b
a < aa < ab
# a number is newer than letters, and more segments are newer than fewer
1.0a < 1.0.1
1.0a < 1.0aa < 1.0b
xyz < 4
6.0.rc1 < 6.0.1
1 < 1a < 1.a1 < 1.1
2.0.1 < 2.0.1a
# which separator stands between segments does not matter, nor how many
2.0 = 2_0 = 2+0
1.0. = 1.0 = 1..0
FC4 < fc4 = fc.4
a+ = a = a_
# a tilde is older than the end
1.0~rc1~git123 < 1.0~rc1 < 1.0~rc2 < 1.0
1.0~ < 1.0 < 1.0.1
~1 < 1
# a caret is newer than the end and older than anything else
1.0 < 1.0^ < 1.0^git1 < 1.0^git2 < 1.0^20160101 < 1.0^20160102 < 1.0.1
1.0~rc1 < 1.0~rc1^git1 < 1.0 < 1.0^git1~pre < 1.0^git1
1.0^a < 1.0a
# epoch, version, release; no epoch is 0
9.9-9 < 1:0.1-1 < 2:0.1-1 < 10:0.1-1
0:1.0-1 = 1.0-1 = :1.0-1
1.0-1 < 1.0-1.el9 < 1.0-1.el9_2.1 < 1.0-2 < 1.0-10 < 1.1-1
# without a release: an empty one, older than any but a tilde's
1.0-~1 < 1.0 < 1.0-0 < 1.0-1
# from distributions
1.1.1k-9.el8_7 < 1.1.1k-12.el8_9 < 1:1.1.1k-1.el8
4.18.0-477.10.1.el8_8 < 4.18.0-513.5.1.el8_9 < 5.14.0-70.el9
2.9.13-6.el9 < 2.9.13-6.el9_4 < 2.9.13-6.el9_5.1
3.0.8-150400.4.11.1 < 3.0.8-150400.4.60.1
0.10.4-11.el9 < 0.10.4-13.el9
1.0.0~alpha1-1.mga9 < 1.0.0-1.mga9
1.0-1.el8 < 1.0-1.module+el8
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("rpm", chain)


def test_the_specification_is_large_enough_to_mean_something() -> None:
    assert sum(len(list(pairs(chain))) for chain in chains(SPECIFICATION)) >= 60


@pytest.mark.parametrize("version", ["1", "1.0-1.el9", "1:1.0-1", "1.0~rc1^git1-0.1", "1.0_1-1"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "1.0-", "-1", "1.0-1-1", "a:1.0", "1.0 1", "1.0\n", "1/0"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)
