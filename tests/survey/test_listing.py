"""Given a registry's catalogue, then these candidates, and these words where there is none."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from holdfast.model.errors import AuthError, HoldfastError, LimitError, NotFound, SourceError
from holdfast.model.status import Gravity
from holdfast.survey.listing import Catalogue
from holdfast.survey.selection import Selection
from report.reports import digest
from survey.samples import Lists

HOST = "registry.test"


def listed(lists: Lists, *chosen: str, excluded: Sequence[str] = ()) -> tuple[list[str], Catalogue]:
    catalogue = Catalogue(lists.name, lists, Selection.of(chosen, excluded))
    return [candidate.name.removeprefix(f"{lists.name}/") for candidate in catalogue], catalogue


def codes(catalogue: Catalogue) -> dict[str, int]:
    return {problem.code: problem.count for problem in catalogue.problems}


def test_every_tag_of_every_repository_in_their_order() -> None:
    names, catalogue = listed(Lists({"b": ["2", "1"], "a/x": ["latest"]}))
    assert names == ["b:2", "b:1", "a/x:latest"]
    assert catalogue.problems == ()


def test_a_candidate_is_pinned_to_the_digest_that_its_tag_had() -> None:
    (candidate,) = Catalogue(HOST, Lists({"app": ["1"]}), Selection())
    assert candidate.digest == digest("app:1")
    assert candidate.plan.reference == f"{HOST}/app:1@{digest('app:1')}"


def test_only_what_is_meant_is_asked_for() -> None:
    lists = Lists({"team/app": ["1", "2"], "other/app": ["1"]})
    names, _ = listed(lists, "team/*:2")
    assert names == ["team/app:2"]
    assert lists.asked == ["team/app", "team/app:2"]


def test_what_is_excluded_is_not_asked_for() -> None:
    lists = Lists({"team/app": ["1", "2"], "other/app": ["1"]})
    names, _ = listed(lists, excluded=["other/*", "*:1"])
    assert names == ["team/app:2"]
    assert lists.asked == ["team/app", "team/app:2"]


def test_a_pattern_that_means_nothing_here_makes_the_survey_partial() -> None:
    names, catalogue = listed(Lists({"team/app": ["1"]}), "taem/*")
    assert names == []
    assert [(problem.code, problem.gravity) for problem in catalogue.problems] == [
        ("survey.nothing-selected", Gravity.PARTIAL)
    ]


def test_an_empty_registry_is_no_problem() -> None:
    assert listed(Lists({}), "team/*")[1].problems == ()


def test_tags_of_signatures_and_attachments_are_no_images() -> None:
    of = "sha256-" + "0" * 64
    names, catalogue = listed(Lists({"app": ["1", of, f"{of}.sig", f"{of}.att", f"{of}.sbom", "sha256-short"]}))
    assert names == ["app:1", "app:sha256-short"]
    assert codes(catalogue) == {"registry.attachment": 4}
    assert {problem.gravity for problem in catalogue.problems} == {Gravity.NOTE}


def test_a_tag_that_leads_nowhere_is_left_out_and_counted() -> None:
    gone = NotFound("not there (HTTP 404)")
    names, catalogue = listed(Lists({"app": ["1", "2", "3"]}, digests={"app:1": gone, "app:3": gone}))
    assert names == ["app:2"]
    assert codes(catalogue) == {"registry.gone": 2}


def test_a_digest_that_cannot_be_had_is_left_to_the_scan() -> None:
    digests: Mapping[str, str | HoldfastError] = {"app:1": SourceError("HTTP 500"), "app:2": ""}
    found = list(Catalogue(HOST, Lists({"app": ["1", "2"]}, digests=digests), Selection()))
    assert [(candidate.name, candidate.digest) for candidate in found] == [(f"{HOST}/app:1", ""), (f"{HOST}/app:2", "")]
    assert found[0].plan.reference == f"{HOST}/app:1"


@pytest.mark.parametrize(
    ("error", "code", "gravity"),
    [
        (NotFound("not there (HTTP 404)"), "registry.empty-repository", Gravity.NOTE),
        (AuthError("access refused (HTTP 403)"), "registry.repository", Gravity.PARTIAL),
        (SourceError("the server answered HTTP 500"), "registry.repository", Gravity.PARTIAL),
        (LimitError("its pages never end"), "registry.repository", Gravity.PARTIAL),
    ],
)
def test_a_repository_that_cannot_be_listed_does_not_end_it(error: HoldfastError, code: str, gravity: Gravity) -> None:
    names, catalogue = listed(Lists({"a": ["1"], "broken": error, "c": ["1"]}))
    assert names == ["a:1", "c:1"]
    assert [(problem.code, problem.gravity) for problem in catalogue.problems] == [(code, gravity)]
    assert catalogue.problems[0].where == f"{HOST}/broken"


def test_a_repository_that_breaks_off_keeps_what_it_gave() -> None:
    class Breaking(Lists):
        def tags(self, repository: str, left_out: Callable[[str], None]) -> Iterator[str]:
            yield "1"
            raise SourceError("the transfer broke off")

    names, catalogue = listed(Breaking({"app": []}))
    assert names == ["app:1"]
    assert codes(catalogue) == {"registry.repository": 1}


def test_a_registry_that_has_gone_away_is_not_asked_a_hundred_thousand_times() -> None:
    lists = Lists({f"r{number}": SourceError("the server answered HTTP 503") for number in range(100_000)})
    names, catalogue = listed(lists)
    assert names == []
    assert len(lists.asked) == 50
    assert codes(catalogue) == {"registry.repository": 50, "registry.unreadable": 1}


def test_a_catalogue_that_breaks_off_is_said_and_the_rest_goes_on() -> None:
    names, catalogue = listed(Lists({"a": ["1"], "b": ["1"], "c": ["1"]}, breaks_after=2))
    assert names == ["a:1", "b:1"]
    assert codes(catalogue) == {"registry.catalogue": 1}


@pytest.mark.parametrize("host", ["docker.io", "ghcr.io", "quay.io", "1.dkr.ecr.eu-west-1.amazonaws.com"])
def test_where_no_catalogue_is_of_use_nobody_is_asked_and_a_list_is_proposed(host: str) -> None:
    lists = Lists({"app": ["1"]}, name=host)
    with pytest.raises(SourceError, match="lists no repositories") as raised:
        listed(lists)
    assert lists.asked == []
    assert "holdfast scan-registry --list FILE" in raised.value.remedy
    assert ":*" in raised.value.remedy


def answered(status: int) -> SourceError:
    error = SourceError("the server answered")
    error.status = status
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (NotFound("not there (HTTP 404)"), NotFound, "no catalogue"),
        (answered(405), SourceError, "no catalogue"),
        (AuthError("access refused (HTTP 401)"), AuthError, "does not list its repositories for us"),
        (AuthError("access refused (HTTP 403)"), AuthError, "does not list its repositories for us"),
    ],
)
def test_a_registry_without_a_catalogue_for_us_says_what_to_give_instead(
    error: SourceError, kind: type[SourceError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        listed(Lists({}, catalogue=error))
    assert "holdfast scan-registry --list FILE" in raised.value.remedy
    assert ("docker login registry.test" in raised.value.remedy) is (kind is AuthError)


def test_a_cloud_has_a_login_of_its_own() -> None:
    with pytest.raises(AuthError) as raised:
        listed(Lists({}, name="we.azurecr.io", catalogue=AuthError("access refused (HTTP 401)")))
    assert "az acr login" in raised.value.remedy


def test_a_registry_that_cannot_be_reached_is_no_question_of_catalogues() -> None:
    with pytest.raises(SourceError, match=r"^cannot be reached$"):
        listed(Lists({}, catalogue=SourceError("cannot be reached")))


def test_a_hundred_thousand_repositories_of_which_ten_are_meant() -> None:
    lists = Lists({f"team-{number // 10}/service-{number}": ["1"] for number in range(100_000)})
    names, _ = listed(lists, "team-777/*")
    assert len(names) == 10
    assert len(lists.asked) == 20


def test_names_that_can_be_none_are_counted() -> None:
    class Odd(Lists):
        def catalog(self, left_out: Callable[[str], None]) -> Iterator[str]:
            left_out("../admin")
            left_out("App\x1b[31m")
            yield "app"

        def tags(self, repository: str, left_out: Callable[[str], None]) -> Iterator[str]:
            left_out("a b")
            yield "1"

    names, catalogue = listed(Odd({}))
    assert names == ["app:1"]
    assert codes(catalogue) == {"registry.bad-name": 3}
    assert "../admin" in catalogue.problems[0].where
    assert "\x1b" not in catalogue.problems[0].where
