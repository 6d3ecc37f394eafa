"""What an interrupted survey had done is known to the next one, whatever the file went through."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.status import Status
from holdfast.model.survey import Surveyed
from holdfast.survey.journal import Header, Journal
from holdfast.survey.summary import Summary, summarize
from report.reports import digest
from survey.samples import vulnerable

HEADER = Header(("registry.test", "+team/*"), "holdfast 1", digest("database"))
ONE, TWO = summarize(vulnerable("one"), "one"), summarize(vulnerable("two"), "two")


def written(folder: Path, *done: tuple[str, Summary], complete: bool = False) -> Path:
    with Journal(folder, HEADER) as journal:
        for of, summary in done:
            journal.put(of, summary)
        if complete:
            journal.complete()
    return folder / HEADER.file_name


def test_what_was_done_is_known_to_the_next_run(tmp_path: Path) -> None:
    written(tmp_path, (digest("one"), ONE), (digest("two"), TWO))
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 2
        assert journal.get(digest("one")) == ONE
        assert journal.get(digest("two")) == TWO
        assert journal.get(digest("three")) is None


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    written(tmp_path, (digest("one"), ONE))
    written(tmp_path, (digest("two"), TWO))
    with Journal(tmp_path, HEADER) as journal:
        assert (journal.get(digest("one")), journal.get(digest("two"))) == (ONE, TWO)


def test_a_run_that_was_completed_is_begun_anew(tmp_path: Path) -> None:
    written(tmp_path, (digest("one"), ONE), complete=True)
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 0
        assert journal.get(digest("one")) is None


def test_fresh_throws_it_away(tmp_path: Path) -> None:
    written(tmp_path, (digest("one"), ONE))
    with Journal(tmp_path, HEADER, fresh=True) as journal:
        assert journal.known == 0
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 0


@pytest.mark.parametrize(
    "other",
    [
        Header(HEADER.request, "holdfast 2", HEADER.database),
        Header(HEADER.request, HEADER.tool, digest("newer database")),
        Header(HEADER.request, HEADER.tool, HEADER.database, format=99),
    ],
    ids=["tool", "database", "format"],
)
def test_another_version_or_database_is_not_answered(tmp_path: Path, other: Header) -> None:
    written(tmp_path, (digest("one"), ONE))
    with Journal(tmp_path, other) as journal:
        assert journal.get(digest("one")) is None


def test_another_request_has_a_journal_of_its_own(tmp_path: Path) -> None:
    written(tmp_path, (digest("one"), ONE))
    with Journal(tmp_path, Header(("registry.test",), HEADER.tool, HEADER.database)) as journal:
        assert journal.known == 0
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 1


def test_a_torn_last_line_costs_its_image_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, (digest("one"), ONE), (digest("two"), TWO))
    whole = path.read_bytes()
    for cut in (1, 2, 100, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        with Journal(tmp_path, HEADER) as journal:
            assert journal.get(digest("one")) == ONE
            assert journal.get(digest("two")) is None
            journal.put(digest("two"), TWO)
        with Journal(tmp_path, HEADER) as journal:
            assert (journal.get(digest("one")), journal.get(digest("two"))) == (ONE, TWO)


def test_a_torn_header_begins_anew(tmp_path: Path) -> None:
    path = written(tmp_path, (digest("one"), ONE))
    path.write_bytes(path.read_bytes()[:20])
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 0
        journal.put(digest("one"), ONE)
    with Journal(tmp_path, HEADER) as journal:
        assert journal.get(digest("one")) == ONE


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    failed = Summary(Surveyed("one", Status.FAILED, error="it was not there"))
    written(tmp_path, (digest("one"), failed))
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 0


def test_two_runs_at_once_do_not_write_into_one_file(tmp_path: Path) -> None:
    with Journal(tmp_path, HEADER) as first, Journal(tmp_path, HEADER) as second:
        second.put(digest("two"), TWO)
        first.put(digest("one"), ONE)
        assert second.get(digest("two")) is None
    with Journal(tmp_path, HEADER) as journal:
        assert journal.known == 1


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs /proc")
def test_a_cache_that_cannot_be_written_is_no_error() -> None:
    with Journal(Path("/proc/self/no"), HEADER) as journal:
        journal.put(digest("one"), ONE)
        journal.complete()
        assert journal.get(digest("one")) is None


def test_a_journal_that_nobody_came_back_to_is_removed(tmp_path: Path) -> None:
    path = written(tmp_path, (digest("one"), ONE))
    long_ago = time.time() - 61 * 86400
    os.utime(path, (long_ago, long_ago))
    Journal(tmp_path, Header(("other",), "holdfast 1")).__exit__()
    assert not path.exists()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_stands_in_the_file_only_whole_lines_are_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    path = written(folder, (digest("one"), ONE), (digest("two"), TWO))
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=60) | st.sampled_from([b"[" * 50_000, b'{"digest":1}\n', b"\n\n", b"\x00"]))
    path.write_bytes(whole[:start] + junk + whole[data.draw(st.integers(start, len(whole))) :])
    with Journal(folder, HEADER) as journal:
        for of, summary in ((digest("one"), ONE), (digest("two"), TWO)):
            found = journal.get(of)
            assert found is None or isinstance(found, Summary)
            journal.put(of, summary)
    with Journal(folder, HEADER) as journal:
        known = [journal.get(of) is not None for of in (digest("one"), digest("two"))]
        assert known in ([True, True], [False, False])  # neither: what came of the damage says that all was done


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    journals = tmp_path / "journals"
    journals.mkdir()
    (journals / HEADER.file_name).symlink_to(outside)
    written(journals, (digest("one"), ONE))
    assert outside.read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_without_a_file_nothing_is_kept_and_nobody_waits(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / HEADER.file_name)
    written(tmp_path, (digest("one"), ONE))
    with Journal(tmp_path, HEADER) as journal:
        assert journal.get(digest("one")) is None
