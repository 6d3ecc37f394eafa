"""What Python projects pin."""

import pytest

from catalog.samples import REQUIREMENTS, UV, listed, read
from holdfast.catalog.cataloger import Found

from holdfast.catalog.python_lock import PDM, PIPFILE, POETRY, UV as UV_CATALOGER  # isort: skip
from holdfast.catalog.python_lock import REQUIREMENTS as CATALOGER


def told(found: Found) -> list[tuple[str, str, bool]]:
    return [(package.name, package.version, package.development) for package in found.packages]


def test_only_exact_pins_of_a_requirements_file_are_versions() -> None:
    found = read(CATALOGER, "srv/requirements.txt", REQUIREMENTS)
    assert listed(found) == [("django", "3.2.1"), ("requests", "2.19.0"), ("pyyaml", "5.3")]
    assert found.problems == ()


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
