import pytest

from holdfast.version.maven import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# POM reference, "Version Order Specification": end result examples
1 < 1.1
1-snapshot < 1 < 1-sp
1-foo2 < 1-foo10
1-foo < 1-1 < 1.1
# a qualifier after a dot: before the one after a hyphen (the published table), not equal to it (Maven since 3.8.7)
1.foo < 1-foo
6.1.12.rc5 < 6.1.12rc1 < 6.1.12 < 6.1.12.foo < 6.1.12-foo
1.0.0-RC16 < 1.0.0.RC8 < 1.0.0
1.ga = 1-ga = 1-0 = 1.0 = 1
1-ga.1 < 1-sp.1
1-sp-1 < 1-ga-1 = 1-1
1-a1 = 1-alpha-1
# known qualifiers in their order, then unknown ones as text
1-alpha < 1-beta < 1-milestone < 1-rc = 1-cr < 1-snapshot < 1 = 1-final = 1-release < 1-sp < 1-abc < 1-xyz < 1-1 < 1.1
1.0-alpha1 = 1.0a1 = 1.0-alpha-1
1.0m3 = 1.0-milestone-3
1.0-ALPHA = 1.0-alpha
# a, b and m stand for the words only before a number
1-alpha < 1-beta < 1 < 1-a
# trailing zeros and release qualifiers do not count, at the end or before a hyphen
1 = 1.0.0 = 1. = 1- = 1.0.0-0.0.0
1.0.0-foo.0.0 = 1-foo
1.0-1 = 1-1
1-ga-1 = 1-1
4.1.0 = 4.1.0.RELEASE
1.5.0-Final = 1.5.0.Final = 1.5
# an empty component is 0
1..1 = 1.0.1
# pre-releases are older than the release with either separator
1.0.0.Alpha1 < 1.0.0.Beta1 < 1.0.0.CR1 < 1.0.0.CR2 < 1.0.0.Final < 1.0.1.Alpha1
1.0.0-M1 < 1.0.0-M2 < 1.0.0-M10 < 1.0.0-RC1 < 1.0.0-SNAPSHOT < 1.0.0 < 1.0.0-jre < 1.0.1-SNAPSHOT
0.0.1-rc1 < 0.0.1
2.9.0.RC3 < 2.9.0 < 2.9.0-1 < 2.9.0.1
31.0-android < 31.0-jre < 31.0.1-android < 31.1-jre
2.9.10 < 2.9.10.1 < 2.9.10.8 < 2.9.11
1.2.8.sec05 < 1.2.8.sec10 < 1.2.9
# dates and large numbers
20030203.000129 < 20040616
1.0-alpha-1-12062013 < 1.0-alpha-2
1.99999999999999999999 < 1.100000000000000000000
"""

# ComparableVersion before 3.8.7 holds three things at once that no order can: each line here stands in the published
# table, which also says (of other numbers) that a candidate is older than its release and a rebuild newer than it.
CYCLES = {
    "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3": "1.0.0.RC7-3 < 1.0.0 < 1.0.0-gradle-rework-beta3",
    "2.9.0-1 < 2.9.0.RC1": "2.9.0.RC1 < 2.9.0 < 2.9.0-1",
    "1.1.0-01-glassfish < 1.1.0.Beta1": "1.1.0.Beta1 < 1.1.0 < 1.1.0-01-glassfish",
}


@pytest.mark.parametrize("chain", [*chains(SPECIFICATION), *CYCLES.values()])
def test_order(chain: str) -> None:
    holds("maven", chain)


@pytest.mark.parametrize("version", ["1", "1.0.0", "1.0-SNAPSHOT", "1.0.0.Final", "2.13_2.11-1", "20040616"])
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "final", "1..1", "1-", "1.0 ", "${revision}", "[1,2)"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert set(wrong_lines("maven", "maven")) == set(CYCLES)
