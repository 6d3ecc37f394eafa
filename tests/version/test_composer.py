import pytest

from holdfast.version.composer import parses
from version.comparisons import chains, holds, wrong_lines

SPECIFICATION = """
# PHP manual: "any string not found in this list < dev < alpha = a < beta = b < RC = rc < # < pl = p"
1.0-foo < 1.0-dev < 1.0-alpha1 = 1.0-a1 < 1.0-beta1 = 1.0-b1 < 1.0-RC1 = 1.0-rc1 < 1.0 < 1.0.1 < 1.0-pl1 = 1.0-p1
1.8.0 < 1.8.0p1 < 1.8.0p2 < 1.8.1
1.2.4 < 1.2.4-patch1 < 1.2.5
1.0alpha < 1.0alpha1 < 1.0alpha2 < 1.0alpha10
# separators do not matter, nor does the v
1.0-beta.1 = 1.0.beta1 = 1.0_beta-1 = v1.0beta1 = V1.0b1
4.4.0_RC1 < 4.4.0_RC2 < 4.4.0
# a longer version is newer
v3.0-beta.3 < v3.0 < v3.0.0-beta < v3.0.0 < v3.1.0
# only version_compare's own spelling names a pre-release
v1.9.0-ALPHA.1 = v1.9.0-BETA.1 < v1.9.0-ALPHA.2 < v1.9.0-RC.1 < v1.9.0
v5.2.0-BETA1 < v5.2.0-BETA2 < v5.2.0-RC1 < v5.2.0
# build metadata does not count
1.0.0+bedrock-1.17.10 = 1.0.0 < 1.1.0+bedrock-1.17.10
# branches: a name is older than any version, a number newer than its releases
dev-main < 0.0.1
2.1.0 < 2.1.99 < 2.1.x-dev < 2.2.0 < 2.x-dev < 3.0.0
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("composer", chain)


@pytest.mark.parametrize(
    "version", ["1", "v1.2.3.4", "1.0-beta.2", "1.0.0RC1", "1.0-dev", "2.1.x-dev", "1.0.0-patch1", "1.0+b"]
)
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "dev-main", "1.2.3.4.5", "1.0-foo", "1.0.0+", "1.0\n", "feature"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)


@pytest.mark.shared
def test_published_comparisons() -> None:
    assert wrong_lines("composer", "packagist") == []
