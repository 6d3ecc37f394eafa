"""Which names a person means by --filter and --exclude."""

import pytest

from holdfast.survey.selection import Selection


@pytest.mark.parametrize(
    ("chosen", "excluded", "name", "meant"),
    [
        ([], [], "team/app:1", True),
        (["team/*"], [], "team/app:1", True),
        (["team/*"], [], "team/deep/app:1", True),
        (["team/*"], [], "teams/app:1", False),
        (["team/app"], [], "team/app:1", True),
        (["app"], [], "team/app:1", False),
        (["*/app:1.*"], [], "team/app:1.2", True),
        (["*/app:1.*"], [], "team/app:2.0", False),
        (["*:latest"], [], "team/app:latest", True),
        (["a", "b"], [], "b:1", True),
        (["team/*"], ["*:*-rc*"], "team/app:1-rc2", False),
        (["team/*"], ["*:*-rc*"], "team/app:1", True),
        ([], ["old/*"], "old/app:1", False),
        (["team/[ab]pp"], [], "team/app:1", True),
        (["Team/*"], [], "team/app:1", False),
    ],
)
def test_patterns(chosen: list[str], excluded: list[str], name: str, meant: bool) -> None:
    repository, _, tag = name.partition(":")
    selection = Selection.of(chosen, excluded)
    assert selection.selects(repository, tag) is meant
    if meant:
        assert selection.may_select(repository)


def test_tags_are_not_asked_for_where_none_can_be_meant() -> None:
    assert not Selection.of(["team/*"]).may_select("other/app")
    assert Selection.of(["other/app:1"]).may_select("other/app")
    assert not Selection.of([], ["old/*"]).may_select("old/app")
    assert Selection.of([], ["old/*:1"]).may_select("old/app")
