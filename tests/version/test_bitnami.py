import pytest

from version.comparisons import chains, holds

SPECIFICATION = """
# a revision comes after the release, and no revision is revision 0
1.2.3 = 1.2.3-0 < 1.2.3-1 < 1.2.3-2 < 1.2.3-10 < 1.2.4
# letters after the hyphen are a pre-release still
2.5.9 < 2.6.0-rc1 < 2.6.0-rc2 < 2.6.0 < 2.6.0-1
# rows of the feed
0.0.0-20250806193153-183891f8d535 < 0.0.0-20250806193240-9b0b5d4f345f < 0.0.0
6.7.2 < 6.7.2-7 < 6.8.2-1
9.0.35 < 9.0.35-3.57.3 < 9.0.35-4 < 9.0.36
1.8.0 < 1.8.0-333 < 1.8.1
nightly.2026-03-10.0 < 0.0.1
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("bitnami", chain)
