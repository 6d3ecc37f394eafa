"""What Python projects pin."""

import pytest

from catalog.samples import REQUIREMENTS, UV, listed, read
from holdfast.catalog.assemble import assemble
from holdfast.catalog.python import PYTHON
from holdfast.model.artifact import Side
from holdfast.model.found import Found
from holdfast.model.status import Gravity

from holdfast.catalog.python_lock import PDM, PIPFILE, POETRY, UV as UV_CATALOGER  # isort: skip
from holdfast.catalog.python_lock import REQUIREMENTS as CATALOGER


def told(found: Found) -> list[tuple[str, str, bool]]:
    return [(package.name, package.version, package.development) for package in found.packages]


def test_only_exact_pins_of_a_requirements_file_are_versions() -> None:
    found = read(CATALOGER, "srv/requirements.txt", REQUIREMENTS)
    pinned = [(name, version) for name, version in listed(found) if version]
    assert pinned == [("django", "3.2.1"), ("requests", "2.19.0"), ("pyyaml", "5.3")]
    assert found.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "flask",
        "Flask>=0.12",
        "flask ~= 2.0, != 2.0.1  # why",
        "flask==2.*",
        "flask[async] < 3 ; python_version < '3.12'",
        "flask (>=1)",
        "flask; sys_platform == 'linux'",
        "flask @ https://example.org/flask.zip",
        "flask --hash=sha256:aa",
    ],
)
def test_a_requirement_without_an_exact_version_is_a_package_without_one(line: str) -> None:
    found = read(CATALOGER, "srv/requirements.txt", line + "\n")
    assert (listed(found), found.problems) == ([("flask", "")], ())


def test_a_requirement_without_a_version_counts_until_something_is_installed_under_its_name() -> None:
    wanted = read(CATALOGER, "srv/requirements.txt", "flask>=1\nurllib3\n")
    there = read(PYTHON, "usr/lib/site-packages/flask-2.dist-info/METADATA", "Name: Flask\nVersion: 2.0\n\n")
    pieces = [("srv/requirements.txt", "", Side.UNKNOWN, wanted), ("usr/lib/METADATA", "", Side.UNKNOWN, there)]
    assert [(one.name, one.version) for one in assemble(pieces, None)] == [("flask", "2.0"), ("urllib3", "")]


def test_other_files_and_addresses_are_counted() -> None:
    text = """-r other.txt
--constraint=limits.txt
git+https://example.org/x.git#egg=x==1.0
https://example.org/y-1.0.tar.gz
-e .
./wheels/z-1.0-py3-none-any.whl
--index-url https://example.org/simple
# a comment

some words that are no requirement
"""
    found = read(CATALOGER, "srv/requirements.txt", text)
    assert found.packages == ()
    assert [(problem.code, problem.gravity, problem.count) for problem in found.problems] == [
        ("catalog.requirements.address", Gravity.NOTE, 4),
        ("catalog.requirements.reference", Gravity.NOTE, 2),
    ]


@pytest.mark.parametrize(
    ("path", "development"),
    [
        ("srv/requirements.txt", False),
        ("srv/requirements-prod.txt", False),
        ("srv/requirements-dev.txt", True),
        ("srv/dev-requirements.txt", True),
        ("srv/requirements/test.txt", True),
        ("srv/requirements/device.txt", False),
    ],
)
def test_the_name_of_a_requirements_file_says_what_it_is_for(path: str, development: bool) -> None:
    assert told(read(CATALOGER, path, "a==1\n")) == [("a", "1", development)]


def test_pipenv() -> None:
    text = '{"default": {"A.b": {"version": "==1"}, "g": {"git": "x"}}, "develop": {"c": {"version": "==2"}}}'
    assert told(read(PIPFILE, "srv/Pipfile.lock", text)) == [("a-b", "1", False), ("c", "2", True)]


def test_poetry_before_and_after_groups() -> None:
    text = '[[package]]\nname="a"\nversion="1"\ncategory="dev"\n'
    text += '[[package]]\nname="b"\nversion="2"\ngroups=["main","dev"]\n'
    text += '[[package]]\nname="c"\nversion="3"\ngroups=["test"]\n[[package]]\nname="d"\nversion="4"\n'
    text += '[[package]]\nname="e"\nversion="5"\n[package.source]\ntype="directory"\nurl="../e"\n'
    expected = [("a", "1", True), ("b", "2", False), ("c", "3", True), ("d", "4", False)]
    assert told(read(POETRY, "srv/poetry.lock", text)) == expected


def test_pdm_knows_development_by_the_name_of_a_group() -> None:
    text = (
        '[[package]]\nname="a"\nversion="1"\ngroups=["dev"]\n[[package]]\nname="b"\nversion="2"\ngroups=["postgres"]\n'
    )
    assert told(read(PDM, "srv/pdm.lock", text)) == [("a", "1", True), ("b", "2", False)]


def test_uv_leaves_the_project_out_and_works_out_what_it_runs_with() -> None:
    expected = [("flask", "2.0.1", False), ("jinja2", "3.0.0", False), ("pytest", "7.0.0", True)]
    assert told(read(UV_CATALOGER, "srv/uv.lock", UV)) == expected


@pytest.mark.parametrize("content", ["= 1", 'a = "\xff', "[[package]]\nname = " + "9" * 5000, "package = 3"])
def test_what_cannot_be_read_is_a_problem_or_nothing(content: str) -> None:
    assert read(POETRY, "srv/poetry.lock", content.encode("latin-1")).packages == ()
