"""Given a list that somebody wrote, then these candidates, and a problem with its number for each line that is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import SourceError
from holdfast.survey import names as lists
from holdfast.survey.names import Names
from holdfast.survey.selection import Selection
from report.reports import digest
from survey.samples import Lists

REGISTRY = Lists({"app": ["1", "1.2", "2"], "team/x": ["latest"]})


def named(text: str | bytes, *chosen: str, registry: Lists = REGISTRY) -> tuple[list[str], Names]:
    data = text.encode() if isinstance(text, str) else text
    found = Names(data.splitlines(), registry, Selection.of(chosen), "names.txt")
    return [candidate.name.removeprefix("registry.test/") for candidate in found], found


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("registry.test/app:1", "app:1"),
        ("registry.test/app", "app:latest"),
        ("  registry.test/app:1\t", "app:1"),
        ("registry.test/app:1  # the old one", "app:1"),
        ("registry:registry.test/app:1", "app:1"),
        ("docker://registry.test/app:1", "app:1"),
        ("\ufeffregistry.test/app:1", "app:1"),
        (f"registry.test/app@{digest('x')}", f"app@{digest('x')}"),
    ],
)
def test_a_line_is_a_name_as_people_write_it(line: str, name: str) -> None:
    found, given = named(line)
    assert found == [name]
    assert given.problems == ()


@pytest.mark.parametrize("line", ["", "   ", "# registry.test/app:1", "\t#"])
def test_comments_and_blank_lines_are_nothing(line: str) -> None:
    found, given = named(f"{line}\nregistry.test/app:1")
    assert found == ["app:1"]
    assert given.problems == ()


@pytest.mark.parametrize(
    "line",
    ["registry.test/App:1", "registry.test/../x", "a b", "-rf", "registry.test/app@sha256:short", "http://x/y",
     "registry.test/" + "a" * 5000, "registry.test/app:1:2"],
)  # fmt: skip
def test_a_line_that_is_no_name_is_a_problem_with_its_number(line: str) -> None:
    found, given = named(f"registry.test/app:1\n\n{line}\nregistry.test/app:2\n")
    assert found == ["app:1", "app:2"]
    (problem,) = given.problems
    assert problem.code == "list.bad-line"
    assert problem.message.startswith("line 3 is left out: ")
    assert problem.where


def test_a_file_that_is_something_else_is_told_in_a_hundred_lines() -> None:
    found, given = named(b"\xff\xfe\x00junk\n" * 5000)
    assert found == []
    assert len(given.problems) == 101
    assert sum(problem.count for problem in given.problems) == 5000


def test_all_tags_of_some_form() -> None:
    assert named("registry.test/app:1*")[0] == ["app:1", "app:1.2"]
    assert named("registry.test/app:*")[0] == ["app:1", "app:1.2", "app:2"]


def test_tags_that_cannot_be_listed_are_a_problem_and_the_rest_goes_on() -> None:
    registry = Lists({"secret": SourceError("the server answered HTTP 500")})
    found, given = named("registry.test/secret:*\nregistry.test/app:1", registry=registry)
    assert found == ["app:1"]
    assert [problem.code for problem in given.problems] == ["registry.repository"]


def test_a_digest_needs_no_request() -> None:
    registry = Lists({})
    named(f"registry.test/app@{digest('x')}", registry=registry)
    assert registry.asked == []


def test_a_list_is_filtered_too() -> None:
    text = "registry.test/app:1\nregistry.test/team/x:latest"
    assert named(text, "team/*")[0] == ["team/x:latest"]


def test_an_empty_list_is_no_answer() -> None:
    assert [problem.code for problem in named("# nothing\n")[1].problems] == ["survey.nothing-selected"]


def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_NAMES", 10)
    found, given = named("registry.test/app:1\n" * 100)
    assert len(found) == 10
    assert [problem.code for problem in given.problems] == ["list.too-long"]


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=80).map(lambda text: f"registry.test/{text}".encode(errors="replace"))
)
def test_whatever_a_list_holds_gives_candidates_or_problems(data: bytes) -> None:
    given = Names(data.splitlines(), lambda _name: Lists({"app": ["1"]})(""), Selection(), "list")
    for candidate in given:
        assert candidate.plan.kind == "registry"
        assert candidate.name.isascii()
