"""The budget of every file that is held."""

from catalog.samples import read
from holdfast.catalog.document import MAX_TEXT, DocumentCataloger, corrupt
from holdfast.model.errors import InputError
from holdfast.model.found import Found
from holdfast.model.package import Package


def lines(_path: str, data: bytes) -> Found:
    if not data:
        raise InputError("nothing in it")
    return Found(tuple(Package(line.decode(), "1", "npm") for line in data.split(b"\n")))


ONE = DocumentCataloger("one", 1, ("one",), lines, limit=10_000)


def test_a_file_within_the_budget_is_parsed() -> None:
    assert read(ONE, "one", "a\nb") == lines("", b"a\nb")


def test_a_file_beyond_the_limit_is_a_problem() -> None:
    found = read(ONE, "one", "a" * 10_001)
    assert (found.packages, [problem.code for problem in found.problems]) == ((), ["catalog.one.too-large"])


def test_a_refusal_is_a_problem() -> None:
    assert [(p.code, p.message) for p in read(ONE, "one", "").problems] == [("catalog.one.corrupt", "nothing in it")]


def test_an_endless_name_is_left_out_and_said() -> None:
    found = read(ONE, "one", "a\n" + "b" * (MAX_TEXT + 1))
    assert [package.name for package in found.packages] == ["a"]
    assert [(problem.code, problem.count) for problem in found.problems] == [("catalog.one.too-large", 1)]


def test_control_characters_are_kept() -> None:
    assert [package.name for package in read(ONE, "one", "a\x1b[31m").packages] == ["a\x1b[31m"]


def test_one_kind_of_damage_is_one_problem_with_a_count() -> None:
    problems = corrupt("one", ["b", "a", "b"])
    assert [(problem.message, problem.count) for problem in problems] == [("a", 1), ("b", 2)]
