"""Workers side by side: whatever becomes of one, every candidate gets its answer."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from holdfast.model.errors import HoldfastError, SourceError
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.survey.candidate import Candidate
from holdfast.survey.crew import Crew, alone
from holdfast.survey.examiner import Examiner
from holdfast.survey.summary import Summary
from survey.samples import Answers, candidate, vulnerable

Says = Mapping[str, Report | HoldfastError | str]


def run(tmp_path: Path, says: Says, *names: str, workers: int = 2, seconds: float = 30) -> dict[str, Summary]:
    examiner = Examiner(Answers(says, tmp_path / "log"))
    with Crew(examiner, workers, seconds) as crew:
        return {one.name: summary for one, summary in crew.run(iter([candidate(name) for name in names]))}


def test_every_candidate_is_answered_once(tmp_path: Path) -> None:
    done = run(tmp_path, {"b": vulnerable("b", risk=90)}, *"abcdefg")
    assert sorted(done) == [*"abcdefg"]
    assert done["b"].image.risk == 90
    assert sorted((tmp_path / "log").read_text().split()) == [*"abcdefg"]


def test_a_worker_that_is_killed_costs_nothing_where_the_second_try_goes_well(tmp_path: Path) -> None:
    done = run(tmp_path, {"c": "kill once"}, *"abcde")
    assert {summary.image.status for summary in done.values()} == {Status.COMPLETE}
    assert (tmp_path / "log").read_text().split().count("c") == 2


def test_a_worker_that_is_killed_again_costs_its_image_and_no_other(tmp_path: Path) -> None:
    done = run(tmp_path, {"c": "kill"}, *"abcde")
    assert [name for name, summary in done.items() if summary.image.status is Status.FAILED] == ["c"]
    assert "killed, as the kernel does where memory runs out" in done["c"].image.error
    assert done["c"].image.problems == {"survey.worker": 1}
    assert (tmp_path / "log").read_text().split().count("c") == 2


def test_a_worker_that_ends_by_itself_is_told_with_its_exit_code(tmp_path: Path) -> None:
    assert "exit code 7" in run(tmp_path, {"a": "exit"}, "a")["a"].image.error


def test_an_image_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    done = run(tmp_path, {"b": "hang"}, *"abc", seconds=3)
    assert {name: summary.image.status for name, summary in done.items()} == {
        "a": Status.COMPLETE, "b": Status.FAILED, "c": Status.COMPLETE,
    }  # fmt: skip
    assert "longer than 3 seconds" in done["b"].image.error


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_and_faults_are_the_images_own(tmp_path: Path, workers: int) -> None:
    says: Says = {"a": SourceError("it cannot be reached", remedy="try later"), "b": "fault"}
    if workers == 1:
        with_log = Examiner(Answers(says, tmp_path / "log"))
        done = {
            one.name: found for one, found in alone(with_log, iter([candidate("a"), candidate("b"), candidate("c")]))
        }
    else:
        done = run(tmp_path, says, *"abc")
    assert done["a"].image.error == "it cannot be reached"
    assert done["a"].problems[0].remedy == "try later"
    assert "ZeroDivisionError" in done["b"].image.error
    assert done["c"].image.status is Status.COMPLETE


def test_candidates_that_are_not_there_yet_keep_nobody_waiting(tmp_path: Path) -> None:
    def slowly() -> Iterator[Candidate | None]:
        yield candidate("a")
        while not answered:
            yield None
        yield candidate("b")

    answered: list[str] = []
    with Crew(Examiner(Answers({}, tmp_path / "log")), 2) as crew:
        for one, _ in crew.run(slowly()):
            answered.append(one.name)
    assert answered == ["a", "b"]


def test_no_more_workers_are_started_than_there_is_work() -> None:
    with Crew(Examiner(Answers()), 8) as crew:
        for _ in crew.run(iter([candidate("a")])):
            assert len(multiprocessing.active_children()) == 1


def test_no_worker_outlives_a_survey_that_is_left() -> None:
    with Crew(Examiner(Answers({"b": "hang"})), 2) as crew:
        running = crew.run(iter([candidate("a"), candidate("b")]))
        next(running)
        children = [child.pid for child in multiprocessing.active_children()]
        assert len(children) == 2
    assert not [pid for pid in children if pid and Path(f"/proc/{pid}/cmdline").exists()]


def test_a_worker_does_not_hear_ctrl_c() -> None:
    with Crew(Examiner(Answers()), 1) as crew:
        running = crew.run(iter([candidate("a"), candidate("b")]))
        next(running)
        (child,) = multiprocessing.active_children()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGINT)
        assert next(running)[0].name == "b"


def test_a_worker_ends_when_who_gives_it_work_is_gone(tmp_path: Path) -> None:
    with Crew(Examiner(Answers()), 1) as crew:
        next(crew.run(iter([candidate("a"), candidate("b")])))
        (child,) = multiprocessing.active_children()
        crew._workers[0].pipe.close()  # as the kernel does for a process that is killed
        end = time.monotonic() + 20
        while child.is_alive() and time.monotonic() < end:
            time.sleep(0.02)
        assert child.exitcode == 0
