"""The build: the same bytes for the same inputs, the old file until the new one is whole, no part in silence."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from holdfast.advisory.build import build, sweep
from holdfast.advisory.database import Database
from holdfast.advisory.feed import FEEDS, Input, inputs_below
from holdfast.model.errors import InputError, StoreError

SHARED = Path(__file__).parents[2].parent / "shared" / "feeds"
EPSS = b"#model_version:v5,score_date:2026-08-16\ncve,epss,percentile\nCVE-2021-28831,0.1,0.9\n"


def osv(count: int) -> bytes:
    """An OSV archive of this many advisories, whose members carry the time at which it was made."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for number in range(count):
            affected = [
                {
                    "package": {"ecosystem": "PyPI", "name": f"package-{number % 50}"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": f"1.{number}"}]}],
                }
            ]
            record = {
                "id": f"PYSEC-{number}",
                "modified": "2026-01-02T00:00:00Z",
                "summary": "Words. " * 20,
                "affected": affected,
            }
            out.writestr(f"PYSEC-{number}.json", json.dumps(record))
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that mirrors some feeds."""
    root = tmp_path / "feeds"
    alpine = {"packages": [{"pkg": {"name": "busybox", "secfixes": {"1.33.0-r5": ["CVE-2021-28831"]}}}]}
    for name, content in {
        "osv/PyPI/all.zip": osv(300),
        "alpine/v3.18/main.json": json.dumps(alpine).encode(),
        "epss/epss_scores-current.csv.gz": EPSS,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_the_same_inputs_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    inputs = inputs_below(folder)
    build(inputs, tmp_path / "a.db")
    time.sleep(0.01)
    build(reversed(inputs), tmp_path / "b.db")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()


def test_what_it_says_of_itself(folder: Path, tmp_path: Path) -> None:
    info = build(inputs_below(folder), tmp_path / "a.db").info
    sources = {source.name: (source.date, source.records) for source in info.sources}
    assert sources == {"alpine": ("", 1), "osv/PyPI": ("2026-01-02T00:00:00Z"[:19], 300), "epss": ("2026-08-16", 1)}
    assert all(len(source.sha256) == 64 for source in info.sources)
    assert info.ecosystems == ("Alpine:v3.18", "PyPI")
    assert (len(info.sha256), info.starter) == (64, False)


def test_the_date_of_a_file_that_states_none(folder: Path, tmp_path: Path) -> None:
    inputs = [Input(one.feed, one.resource, one.file, date="2026-05-05T00:00:00Z") for one in inputs_below(folder)]
    dates = {source.name: source.date[:10] for source in build(inputs, tmp_path / "a.db").info.sources}
    assert dates == {"alpine": "2026-05-05", "osv/PyPI": "2026-01-02", "epss": "2026-08-16"}


def test_a_failing_feed_leaves_the_others(folder: Path, tmp_path: Path) -> None:
    (folder / "osv/PyPI/all.zip").write_bytes(b"<html>")
    built = build(inputs_below(folder), tmp_path / "a.db")
    assert [problem.code for problem in built.problems] == ["feed.unreadable"]
    assert {source.name: bool(source.failure) for source in built.info.sources} == {
        "alpine": False,
        "osv/PyPI": True,
        "epss": False,
    }


def test_a_failure_of_fetching_is_recorded(folder: Path, tmp_path: Path) -> None:
    inputs = [Input(one.feed, one.resource, one.file, failure="timed out") for one in inputs_below(folder)]
    assert {source.failure for source in build(inputs, tmp_path / "a.db").info.sources} == {"timed out"}


def test_without_an_advisory_the_old_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.db"
    target.write_bytes(b"old")
    with pytest.raises(InputError):
        build([], target)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.db"]


def test_a_place_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        build(inputs_below(folder), tmp_path / "file" / "a.db")


def test_what_was_abandoned_is_swept_and_what_is_under_way_is_not(tmp_path: Path) -> None:
    for name, age in ((".building-old", 7200), (".building-new", 0), ("kept", 7200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows").write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".building-new", "kept"]


def test_killed_at_any_moment_the_old_file_is_whole(folder: Path, tmp_path: Path) -> None:
    """kill -9 while it builds again and again: what stands at the target is always a database."""
    target = tmp_path / "a.db"
    before = build(inputs_below(folder), target).info
    code = (
        "import sys; from pathlib import Path; from holdfast.advisory.build import build;"
        "from holdfast.advisory.feed import inputs_below\n"
        "print('on', flush=True)\n"
        "while True: build(inputs_below(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    for delay in (0.0, 0.05, 0.11, 0.23):
        command = [sys.executable, "-c", code, str(folder), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        with Database.open(target) as database:
            assert database.info() == before


def test_a_gzipped_file_stands_for_the_plain_one(folder: Path) -> None:
    (folder / "kev").mkdir()
    (folder / "kev/known_exploited_vulnerabilities.json.gz").write_bytes(b"")
    found = [(one.resource, one.file.name) for one in inputs_below(folder) if one.feed.name == "kev"]
    assert found == [("known_exploited_vulnerabilities.json", "known_exploited_vulnerabilities.json.gz")]


def test_feeds_have_names_of_their_own() -> None:
    assert len({feed.name for feed in FEEDS}) == len({feed.folder for feed in FEEDS}) == len(FEEDS)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared feeds are not there")
def test_the_real_feeds(tmp_path: Path) -> None:
    """Everything that stands beside the project: nothing damaged, as many rows as were counted by hand, no larger."""
    built = build(inputs_below(SHARED), tmp_path / "a.db")
    assert built.problems == ()
    build(inputs_below(SHARED), tmp_path / "b.db")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
    assert (tmp_path / "a.db").stat().st_size < 32 << 20
    rows = sqlite3.connect(tmp_path / "a.db").execute("SELECT count(*) FROM affected").fetchone()[0]
    assert 240_000 < rows < 270_000
