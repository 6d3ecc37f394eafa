import pytest

from holdfast.version.go import parses
from version.comparisons import chains, holds, pairs

SPECIFICATION = """
# modules: Semantic Versioning, with or without the v
v1.0.0 = 1.0.0 < v1.0.1 < v1.2.0 < v1.10.0 < v2.0.0
v1.0.0-alpha < v1.0.0-alpha.1 < v1.0.0-beta < v1.0.0-rc.1 < v1.0.0-rc.2 < v1.0.0
v1 = v1.0 = v1.0.0
# +incompatible is metadata
v2.0.0+incompatible = v2.0.0 = 2.0.0
9.6.0-rc1+incompatible < 9.6.0+incompatible < 9.6.1+incompatible < 9.6.1000
# pseudo-versions: no tag before, after a pre-release, after a release (https://go.dev/ref/mod#pseudo-versions)
v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20191109021931-daa7c04131f5 < v0.0.0 < v0.0.1
v1.2.3-pre < v1.2.3-pre.0.20191109021931-daa7c04131f5 < v1.2.3
v1.2.3 < v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4-0.20200101000000-aaaaaaaaaaaa < v1.2.4
v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4-alpha
# the toolchain and the standard library, as the toolchain and as advisories name it
go1.21rc2 = 1.21rc2 = 1.21.0-rc.2
go1.21beta1 = 1.21.0-beta.1
go1.9.2rc2 = 1.9.2-rc.2
go1.22.3 = 1.22.3 = v1.22.3
go1.20rc1 < go1.20rc2 < go1.20rc10 < go1.20.1
go1.20 = 1.20.0
# from 1.21 on the bare version is the language, older than its release candidates (https://go.dev/doc/toolchain)
go1.20 < go1.20.14 < go1.21 < go1.21beta1 < go1.21rc1 < go1.21rc2 < go1.21.0 < go1.21.1 < go1.21.10 < go1.22 < go1.22rc1
go1.21 = 1.21.0-0
go1.99.1 < go1.100 < go1.100.0 < go2.0.0
go1.020.1 = go1.20.1
# in advisories on modules two numbers are a release
1.23 = 1.23.0
1.23.0-rc.1 < 1.23
# builds by others
go1.21.3 = go1.21.3-bigcorp = go1.21.3+auto
go1.22.1 < go1.22.5-1.el9 < go1.22.6
# a build without a version is older than all
(devel) < v0.0.0-20190101000000-abcdefabcdef
"""


@pytest.mark.parametrize("chain", chains(SPECIFICATION))
def test_order(chain: str) -> None:
    holds("go", chain)


def test_the_specification_is_large_enough_to_mean_something() -> None:
    assert sum(len(list(pairs(chain))) for chain in chains(SPECIFICATION)) >= 60


@pytest.mark.parametrize(
    "version",
    [
        "v1.2.3",
        "1.2.3",
        "v2.0.0+incompatible",
        "v0.0.0-20190101000000-abcdefabcdef",
        "go1.21rc2",
        "go1.22.1 X:boringcrypto",
    ],
)
def test_parses(version: str) -> None:
    assert parses(version)


@pytest.mark.parametrize("version", ["", "(devel)", "v1", "gopher", "go", "go1.x", "vv1.2.3", "v1.2.3\n"])
def test_does_not_parse(version: str) -> None:
    assert not parses(version)
