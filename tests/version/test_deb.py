import pytest

from holdfast.version.deb import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# Debian Policy 5.6.12.1: the tilde sorts before everything, even the end of a part
~~ < ~~a < ~ < 1.0~beta1~svn1245 < 1.0~beta1 < 1.0 < 1.0a
# letters sort before all that are not letters
1.0a < 1.0z < 1.0+ < 1.0.
# runs of digits are numbers, and nothing is zero
1.2 < 1.10 = 1.010
1. = 1.0
1.a < 1.a1
# an absent revision equals the revision 0
1.0 = 1.0-0 < 1.0-1 < 1.0-1.1 < 1.0-2
1.0-1~bpo12+1 < 1.0-1 < 1.0-1+b1 < 1.0-1+deb12u1 < 1.0-1.1
# only the last hyphen starts the revision
1.0-rc1-1 < 1.0-rc1-2 < 1.0-rc2-1
# epochs decide first, and no epoch is 0
2.0 = 0:2.0 < 1:1.0 < 2:0.1 < 10:0.1
# from the archive
2.4.2-6+lenny1 < 2.8.6-1 < 2.8.6-1+squeeze1 < 2.12.20-8+deb7u1 < 2.12.20-8+deb7u10
5.2.15-2 < 5.2.15-2+b13
1.1.1n-0+deb11u5 < 1.1.1w-0+deb11u1 < 3.0.9-1
3.0.2-0ubuntu1 < 3.0.2-0ubuntu1.10 < 3.0.2-1
1:1.2.13.dfsg-1 < 1:1.2.13.dfsg-1+deb12u1 < 1:1.3.dfsg-3
6.1.140-1 < 6.1.140-1+esm1 < 6.1.192+2
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("deb", chain)


def test_an_epoch_that_is_no_number_belongs_to_the_version() -> None:
    holds("deb", "a:1 < a:2")


@pytest.mark.parametrize(
    "version", ["1", "1.0-1", "1:1.0-1", "0~20200101.1", "1:2:3-4", "1.0-rc1-2", "2.4+dfsg.1-1~deb12u1"]
)
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "a1", "1.0-", "1.0_1", "x:1.0", ":1.0", "1.0 ", "1.0\n", "1:", "1:1-2:3"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert wrong_lines("deb", "debian") == []
