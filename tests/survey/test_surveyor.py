"""Given candidates, then every image once, ranked, with an honest status; interrupted, it goes on where it stopped."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from holdfast.model.errors import HoldfastError, SourceError
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.survey import Survey
from holdfast.survey.candidate import Candidate
from holdfast.survey.examiner import Examiner, report_name
from holdfast.survey.journal import Header, Journal
from holdfast.survey.surveyor import Interrupted, Manner, survey
from report.reports import digest
from survey.samples import Answers, Listed, candidate, clean, vulnerable

HEADER = Header(("registry.test",), "holdfast 1")
Says = Mapping[str, Report | HoldfastError | str]
NOTHING: Says = MappingProxyType({})


def surveyed(
    candidates: Listed,
    says: Says = NOTHING,
    *,
    log: Path | None = None,
    journal: Journal | None = None,
    reports: Path | None = None,
    kind: str = "registry",
    **manner: int,
) -> Survey:
    examiner = Examiner(Answers(says, log), reports)
    return survey("registry.test", kind, candidates, examiner, Manner(**manner), journal)  # type: ignore[arg-type]


def names(made: Survey) -> list[str]:
    return [image.name for image in made.images]


def test_the_same_image_under_five_tags_is_one(tmp_path: Path) -> None:
    tags = [candidate(f"app:{tag}", of="app") for tag in ("1", "1.2", "1.2.3", "stable", "latest")]
    made = surveyed(Listed(*tags, candidate("other:1")), log=tmp_path / "log")
    assert names(made) == ["app:1", "other:1"]
    assert made.images[0].names == ("app:1.2", "app:1.2.3", "app:stable", "app:latest")
    assert (made.statistics.names, made.statistics.images) == (6, 2)
    assert (tmp_path / "log").read_text().split() == ["app:1", "other:1"]


def test_of_very_many_names_the_first_are_kept_and_all_are_counted() -> None:
    (image,) = surveyed(Listed(*(candidate(f"app:{n}", of="app") for n in range(1000)))).images
    assert len(image.names) + 1 + image.more_names == 1000
    assert len(image.names) < 50


def test_a_tag_whose_digest_was_not_told_is_recognised_when_it_was_scanned(tmp_path: Path) -> None:
    made = surveyed(Listed(candidate("app:1"), candidate("app:2", digest="")), {"app:2": clean("app:1")})
    assert names(made) == ["app:1"]
    assert made.images[0].names == ("app:2",)


def test_what_has_the_highest_risk_comes_first_and_what_failed_last() -> None:
    says: Says = {
        "b": vulnerable("b", risk=20), "c": vulnerable("c", risk=90), "d": SourceError("gone"),
        "e": vulnerable("e", risk=20, severity="critical"),
    }  # fmt: skip
    made = surveyed(Listed(*(candidate(name) for name in "abcde")), says)
    assert names(made) == ["c", "e", "b", "a", "d"]


@pytest.mark.parametrize(
    ("says", "listing", "status"),
    [
        ({}, (), Status.COMPLETE),
        ({"a": SourceError("gone")}, (), Status.PARTIAL),
        ({"a": SourceError("gone"), "b": SourceError("gone")}, (), Status.FAILED),
        ({"a": replace(clean("a"), status=Status.PARTIAL)}, (), Status.PARTIAL),
        ({}, (Problem("registry.repository", "could not be listed"),), Status.PARTIAL),
        ({}, (Problem("registry.attachment", "no images", Gravity.NOTE),), Status.COMPLETE),
    ],
)
def test_the_status_is_honest(says: Says, listing: tuple[Problem, ...], status: Status) -> None:
    made = surveyed(Listed(candidate("a"), candidate("b"), problems=listing), says)
    assert made.status is status
    assert set(listing) <= set(made.problems)


def test_nothing_at_all_is_a_whole_answer() -> None:
    made = surveyed(Listed())
    assert (made.status, made.images, made.problems) == (Status.COMPLETE, (), ())


def test_the_reason_why_an_image_failed_stands_with_it_and_among_the_problems() -> None:
    error = SourceError("the transfer broke off", remedy="try again")
    made = surveyed(Listed(candidate("a"), candidate("b")), {"a": error})
    assert made.images[-1].error == "the transfer broke off"
    (problem,) = made.problems
    assert (problem.where, problem.remedy, problem.gravity) == ("a", "try again", Gravity.PARTIAL)


def test_no_more_than_asked_for_and_that_there_are_more_is_said() -> None:
    made = surveyed(Listed(*(candidate(name) for name in "abc")), most=2)
    assert names(made) == ["a", "b"]
    assert made.status is Status.PARTIAL
    assert [problem.code for problem in made.problems] == ["survey.left-out"]
    assert surveyed(Listed(candidate("a"), candidate("b")), most=2).status is Status.COMPLETE


def test_several_workers_say_the_same_as_one() -> None:
    says = {f"app:{n}": vulnerable(f"app:{n}", risk=n) for n in range(0, 20, 3)}
    candidates = Listed(*(candidate(f"app:{n}") for n in range(20)))
    one, two = surveyed(candidates, says, workers=1), surveyed(candidates, says, workers=2)
    assert (one.images, one.findings, one.upgrades) == (two.images, two.findings, two.upgrades)


class Stopping(Listed):
    """Candidates after some of which somebody presses Ctrl-C, as the progress of the survey is told."""

    def __init__(self, after: int, *candidates: Candidate) -> None:
        super().__init__(*candidates)
        self.after = after

    def progress(self, _name: str, done: int, _known: int | None) -> None:
        if done == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_survey_goes_on_where_it_stopped(tmp_path: Path, workers: int) -> None:
    candidates = Stopping(4, *(candidate(f"app:{n}") for n in range(10)))
    examiner = Examiner(Answers({"app:2": vulnerable("app:2")}, tmp_path / "log"))
    with Journal(tmp_path, HEADER) as journal, pytest.raises(Interrupted) as raised:
        survey("r", "registry", candidates, examiner, Manner(workers, progress=candidates.progress), journal)
    assert raised.value.done == 4
    assert raised.value.kept
    before = (tmp_path / "log").read_text().split()
    with Journal(tmp_path, HEADER) as journal:
        made = surveyed(candidates, {"app:2": vulnerable("app:2")}, log=tmp_path / "log", journal=journal)
    assert made.statistics.resumed == 4
    assert len(made.images) == 10
    after = (tmp_path / "log").read_text().split()[len(before) :]
    assert len(after) == 6
    whole = surveyed(candidates, {"app:2": vulnerable("app:2")})
    assert (made.images, made.findings, made.upgrades) == (whole.images, whole.findings, whole.upgrades)


def test_a_completed_survey_is_begun_anew(tmp_path: Path) -> None:
    for _ in range(2):
        with Journal(tmp_path, HEADER) as journal:
            assert surveyed(Listed(candidate("a")), journal=journal).statistics.resumed == 0


def test_what_failed_is_tried_again_when_it_goes_on(tmp_path: Path) -> None:
    candidates = Stopping(2, candidate("a"), candidate("b"), candidate("c"))
    examiner = Examiner(Answers({"a": SourceError("gone")}))
    with Journal(tmp_path, HEADER) as journal, pytest.raises(Interrupted):
        survey("r", "registry", candidates, examiner, Manner(progress=candidates.progress), journal)
    with Journal(tmp_path, HEADER) as journal:
        made = surveyed(candidates, journal=journal)
    assert made.statistics.resumed == 1
    assert made.status is Status.COMPLETE


def test_whole_reports_are_written_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    odd = "registry.test/" + "very-long/" * 40 + "app:1"
    made = surveyed(Listed(candidate("../../etc/passwd"), candidate(odd)), reports=folder)
    files = sorted(folder.iterdir())
    assert sorted(image.report for image in made.images) == [str(file) for file in files]
    assert len(files) == 2
    assert all(b'"holdfast.report/1"' in file.read_bytes() for file in files)


def test_what_was_found_is_told_though_its_report_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.write_text("no folder")
    made = surveyed(Listed(candidate("a"), candidate("b")), {"a": vulnerable("a")}, reports=folder)
    assert made.status is Status.PARTIAL
    assert [(image.status, image.report, image.risk) for image in made.images] == [
        (Status.PARTIAL, "", 50), (Status.PARTIAL, "", 0),
    ]  # fmt: skip
    assert [(problem.code, problem.where) for problem in made.problems] == [("survey.report-unwritten", str(folder))], (
        "once, and not for each image"
    )


def test_no_report_is_written_through_a_link(tmp_path: Path) -> None:
    folder, outside = tmp_path / "reports", tmp_path / "outside"
    folder.mkdir()
    outside.write_text("precious")
    one = candidate("a")
    for name in (report_name(one), f".{report_name(one)}.part", f".{report_name(one)}.{os.getpid()}.part"):
        (folder / name).symlink_to(outside)
    made = surveyed(Listed(one), reports=folder)
    assert made.status is Status.COMPLETE
    assert outside.read_text() == "precious"
    assert not (folder / report_name(one)).is_symlink()


def test_a_report_that_is_gone_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    candidates = Stopping(2, candidate("a"), candidate("b"), candidate("c"))
    examiner = Examiner(Answers(), folder)
    with Journal(tmp_path, HEADER) as journal, pytest.raises(Interrupted):
        survey("r", "registry", candidates, examiner, Manner(progress=candidates.progress), journal)
    min(folder.iterdir()).unlink()
    with Journal(tmp_path, HEADER) as journal:
        made = surveyed(candidates, journal=journal, reports=folder)
    assert made.statistics.resumed == 1
    assert len(list(folder.iterdir())) == 3


def test_a_list_that_cannot_be_had_is_an_error_and_no_survey() -> None:
    class Unlisted(Listed):
        def __iter__(self) -> Iterator[Candidate]:
            raise SourceError("no catalogue")

    for workers in (1, 2):
        with pytest.raises(SourceError, match="no catalogue"):
            surveyed(Unlisted(), workers=workers)


def test_engines_that_run_the_same_image_run_one() -> None:
    def running(engine: str, container: str) -> Candidate:
        return candidate(f"{engine}/app", digest="", identity=engine, containers=(f"{engine}:{container}",))

    same = Target("app", "docker", "", digest("config"))
    says = {f"{engine}/app": replace(clean("app"), target=same) for engine in ("docker", "podman")}
    made = surveyed(
        Listed(running("docker", "web"), running("podman", "api"), running("docker", "db")), says, kind="running"
    )
    (image,) = made.images
    assert (image.name, image.names, image.more_names) == ("docker/app", ("podman/app",), 0)
    assert sorted(image.containers) == ["docker:db", "docker:web", "podman:api"]
