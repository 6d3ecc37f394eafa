"""Node.js packages that are installed."""

import json

import pytest

from catalog.samples import listed, read
from holdfast.catalog.node import NODE
from holdfast.fs.select import Selector


def manifest(**fields: object) -> str:
    return json.dumps({"name": "x", "version": "1.0.0", **fields})


@pytest.mark.parametrize(
    ("path", "is_installed"),
    [
        ("srv/node_modules/x/package.json", True),
        ("srv/node_modules/@scope/x/package.json", True),
        ("srv/node_modules/a/node_modules/x/package.json", True),
        ("usr/lib/node_modules/npm/node_modules/x/package.json", True),
        ("srv/node_modules/.pnpm/x@1.0.0/node_modules/x/package.json", True),
        ("usr/share/nodejs/x/package.json", True),
        ("srv/tests/e2e/node_modules/x/package.json", True),
        ("srv/node_modules/test/package.json", True),
        ("srv/package.json", False),
        ("srv/node_modules/x/test/package.json", False),
        ("srv/node_modules/resolve/test/resolver/node_modules/x/package.json", False),
        ("srv/node_modules/x/dist/esm/package.json", False),
    ],
)
def test_only_what_an_installer_put_there_counts(path: str, is_installed: bool) -> None:
    offered = Selector([NODE]).by_path(path) == (NODE,)
    assert (offered and bool(read(NODE, path, manifest()).packages)) is is_installed


@pytest.mark.parametrize(
    ("fields", "licenses"),
    [
        ({"license": "MIT"}, ("MIT",)),
        ({"license": {"type": "BSD-3-Clause", "url": "x"}}, ("BSD-3-Clause",)),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, ("MIT", "Apache-2.0")),
        ({"license": 7}, ()),
    ],
)
def test_the_licence_comes_in_three_forms(fields: dict[str, object], licenses: tuple[str, ...]) -> None:
    (package,) = read(NODE, "node_modules/x/package.json", manifest(**fields)).packages
    assert package.licenses == licenses


def test_the_name_is_the_manifests_own_scope_included() -> None:
    found = read(NODE, "node_modules/alias/package.json", manifest(name="@babel/core", version="v7.0.0"))
    assert listed(found) == [("@babel/core", "7.0.0")]


def test_a_marker_without_a_name_is_no_package_and_no_problem() -> None:
    found = read(NODE, "node_modules/x/package.json", '{"type": "module"}')
    assert (found.packages, found.problems) == ((), ())


def test_what_is_no_json_is_a_problem() -> None:
    found = read(NODE, "node_modules/x/package.json", '{"name": ')
    assert [problem.code for problem in found.problems] == ["catalog.node.corrupt"]
