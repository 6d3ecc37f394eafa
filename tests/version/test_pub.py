import pytest

from version.comparisons import chains, holds

SPECIFICATION = """
# pub_semver: as Semantic Versioning, then build metadata, none first
1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-beta < 1.0.0 < 1.0.0+1 < 1.0.0+2 < 1.0.0+10 < 1.0.0+a < 1.0.1
0.13.2 < 0.13.2+1 < 0.13.3
1.0.0-rc.1+1 < 1.0.0-rc.1+2 < 1.0.0-rc.2
1.0.0+1 < 1.0.0+1.1
main < 0.0.1
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("pub", chain)
