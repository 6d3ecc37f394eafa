"""go.mod and go.sum."""

from catalog.samples import GO_MOD, GO_SUM, listed, read
from holdfast.catalog.go_mod import GO_MOD as MOD
from holdfast.catalog.go_mod import GO_SUM as SUM


def test_requirements_after_replacements_and_exclusions() -> None:
    found = read(MOD, "srv/go.mod", GO_MOD)
    assert listed(found) == [
        ("github.com/gin-gonic/gin", "v1.7.0"),
        ("golang.org/x/text", "v0.3.5"),
        ("github.com/new/a", "v1.4.0"),
    ]
    assert found.problems == ()


def test_sums_give_the_highest_version_whose_content_was_needed() -> None:
    found = read(SUM, "srv/go.sum", GO_SUM)
    assert listed(found) == [("github.com/gin-gonic/gin", "v1.7.0"), ("golang.org/x/net", "v0.2.0")]


def test_a_line_that_is_no_directive_is_a_problem_and_the_rest_is_kept() -> None:
    found = read(MOD, "srv/go.mod", "module x\nrequire a.org/b v1.0.0\nnonsense here\n")
    assert listed(found) == [("a.org/b", "v1.0.0")]
    assert [problem.code for problem in found.problems] == ["catalog.go-mod.corrupt"]
