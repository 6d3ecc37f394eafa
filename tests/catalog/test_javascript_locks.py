"""Lock files of npm, Yarn and pnpm."""

import json

import pytest

from catalog.samples import PACKAGE_LOCK, PNPM_5, PNPM_6, PNPM_9, YARN_1, YARN_BERRY, listed, read
from holdfast.catalog.node_lock import NODE_LOCK
from holdfast.catalog.pnpm import PNPM
from holdfast.catalog.yarn import YARN
from holdfast.model.found import Found
from holdfast.model.package import Origin


def for_development(found: Found) -> list[str]:
    return [package.name for package in found.packages if package.development]


def test_npm_3_lists_what_is_below_node_modules_by_its_real_name() -> None:
    found = read(NODE_LOCK, "srv/package-lock.json", PACKAGE_LOCK)
    assert listed(found) == [("@babel/core", "7.12.3"), ("express", "4.17.1"), ("qs", "6.7.0"), ("lodash", "4.17.20")]
    assert for_development(found) == ["@babel/core"]
    assert {package.origin for package in found.packages} == {Origin.DECLARED}


def test_npm_1_nests_its_dependencies() -> None:
    lock = {
        "lockfileVersion": 1,
        "dependencies": {
            "express": {"version": "4.17.1", "dependencies": {"qs": {"version": "6.7.0", "dev": True}}},
            "left": {"version": "npm:@a/lodash@4.17.20"},
            "own": {"version": "file:own"},
            "forked": {"version": "git+ssh://git@example.org/x.git#abc"},
        },
    }
    found = read(NODE_LOCK, "srv/npm-shrinkwrap.json", json.dumps(lock))
    assert sorted(listed(found)) == [("@a/lodash", "4.17.20"), ("express", "4.17.1"), ("qs", "6.7.0")]
    assert for_development(found) == ["qs"]


def test_one_mention_for_running_outweighs_those_for_development() -> None:
    lock = {"packages": {"node_modules/a": {"version": "1", "dev": True}, "x/node_modules/a": {"version": "1"}}}
    found = read(NODE_LOCK, "srv/package-lock.json", json.dumps(lock))
    assert (listed(found), for_development(found)) == ([("a", "1")], [])


def test_yarn_1_and_its_aliases() -> None:
    found = read(YARN, "srv/yarn.lock", YARN_1)
    assert listed(found) == [("@babel/code-frame", "7.12.13"), ("lodash", "4.17.20")]
    assert found.problems == ()


def test_yarn_berry_leaves_workspaces_out_and_keeps_patched_packages() -> None:
    found = read(YARN, "srv/yarn.lock", YARN_BERRY)
    assert listed(found) == [("lodash", "4.17.21"), ("typescript", "4.9.5")]


@pytest.mark.parametrize(
    ("text", "more"), [(PNPM_5, []), (PNPM_6, []), (PNPM_9, [("lodash", "4.17.20"), ("qs", "6.7.0")])]
)
def test_pnpm_in_its_three_spellings(text: str, more: list[tuple[str, str]]) -> None:
    found = read(PNPM, "srv/pnpm-lock.yaml", text)
    assert listed(found) == [("@babel/core", "7.12.3"), ("express", "4.17.1"), *more]
    assert for_development(found) == ["@babel/core"]
    assert found.problems == ()


@pytest.mark.parametrize(
    "folder",
    ["srv/node_modules/x", "usr/lib/python3/site-packages/x", "srv/vendor/x", "srv/test/fixtures/x", "usr/share/doc/x"],
)
def test_a_lock_file_that_is_somebody_elses_is_ignored(folder: str) -> None:
    assert read(NODE_LOCK, f"{folder}/package-lock.json", PACKAGE_LOCK) == Found()


def test_what_is_no_lock_file_is_a_problem() -> None:
    assert read(NODE_LOCK, "srv/package-lock.json", "[]").problems[0].code == "catalog.node-lock.corrupt"
    assert read(NODE_LOCK, "srv/package-lock.json", '{"a": 1}').problems[0].code == "catalog.node-lock.corrupt"
    assert read(PNPM, "srv/pnpm-lock.yaml", "a: b\n").problems[0].code == "catalog.pnpm.corrupt"
    assert read(YARN, "srv/yarn.lock", "hello\n").problems[0].code == "catalog.yarn.corrupt"
