import pytest

from holdfast.version.apk import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# apk-package(5): pre-release suffixes, the version, the build, then patches, letters and further numbers
1.0_alpha < 1.0_alpha1 < 1.0_beta < 1.0_pre < 1.0_rc < 1.0_rc2 < 1.0_rc10 < 1.0
1.0 < 1.0-r0 < 1.0-r1 < 1.0-r10 < 1.0_cvs < 1.0_svn < 1.0_git < 1.0_hg < 1.0_p < 1.0_p1 < 1.0_p2
1.0_p2 < 1.0a < 1.0b < 1.0.1
1.0_rc1-r5 < 1.0-r0
1.0_alpha1 < 1.0_alpha_p1 < 1.0_beta
5.15.3_git20220601-r1 < 5.15.3_git20220601-r2 < 5.15.3_git20220714-r0
# numbers
1.2 < 1.10 < 2 < 10
# a component with a leading zero is a decimal fraction, the first component is not
1.0 < 1.001 < 1.01 < 1.1
01.1 = 1.1
# a commit hash
1.0 < 1.0~abc < 1.0~abd < 1.0~abd-r1 < 1.0.1
1.0-r1 < 1.0~abc
# digits after the letter, as apk-tools 2 read them
6.6.4p1-r1 < 6.7.1p1-r0 < 6.7.1p1-r1 < 6.7.1p2-r0 < 6.7.1p10-r0 < 6.7.2p1-r0
5.1_p1-r2 < 5.1p1-r0 < 5.2_p1-r0
3.3.3-r2 < 3.3.3p1-r0 < 3.3.4-r0
# slips in advisories
0.12.4-r9 < 0.12.5.-r0 = 0.12.5-r0 < 0.12.5-r1
# what apk cannot read is older than the same without it
1.0-foo < 1.0
1.0-bar < 1.0-foo
0 < 1
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("apk", chain)


@pytest.mark.parametrize("version", ["1", "1.2.3-r0", "1.1.1w-r1", "1.0_rc1_p2-r0", "1.0~0ab-r1", "6.7.1p1-r1"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "0.12.5.-r0", "1.0-1", "1.0_foo", "v1", "1.0-r", "1.0ab", "1..2", "1.0-r1\n"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert wrong_lines("apk", "alpine") == []
