"""The way into the store: what was confirmed is there, once, whatever happened in between."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.fs.whole import PART
from holdfast.model.errors import StoreError
from holdfast.model.status import Gravity
from holdfast.store import inbox as room
from holdfast.store.inbox import drop, fold, inbox, kept, waiting
from holdfast.store.open import accepted, keep, open_store
from holdfast.store.store import Selection, Triage
from report.reports import deb, finding, report

OPENSSL = deb("openssl", "1")
REPORT = report(finding(OPENSSL, "CVE-2026-0001"), packages=(OPENSSL,))
DROPPING = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from holdfast.store.inbox import drop
from report.reports import deb, finding, report
one = report(finding(deb("openssl", "1"), "CVE-2026-0001"), packages=tuple(deb(f"lib{n}", "1") for n in range(300)))
for _ in range(int(sys.argv[3])):
    print(drop(Path(sys.argv[1]), one, {"etc/apt/sources.list": b"deb"}), flush=True)
"""
OPENING = """
import sys
from pathlib import Path
from holdfast.store.open import open_store
while True:
    with open_store("", Path(sys.argv[1])) as store:
        print("open", flush=True)
"""


def python(program: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def stored(data: Path) -> list[str]:
    with open_store("", data) as store:
        assert store.problems == ()
        return [scan.id for scan in store.scans("oci:demo", limit=10_000)]


def test_a_file_is_whole_private_and_small(tmp_path: Path) -> None:
    drop(tmp_path, REPORT, {"etc/apt/sources.list": b"deb"})
    (path,) = inbox(tmp_path).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert inbox(tmp_path).stat().st_mode & 0o777 == 0o700
    assert path.stat().st_size < 2000


def test_it_loads_no_database_library() -> None:
    program = "import sys, holdfast.store.inbox, holdfast.store.open; print([n for n in sys.modules if 'sql' in n])"
    process = python(program)
    assert process.communicate()[0].strip() == "[]"


def test_dropping_and_storing_killed_again_and_again_loses_nothing_confirmed(tmp_path: Path) -> None:
    confirmed: list[str] = []
    for number in range(8):
        opening = python(OPENING, tmp_path)
        assert opening.stdout is not None
        opening.stdout.readline()
        dropping = python(DROPPING, tmp_path, Path(__file__).parents[1], 1000)
        assert dropping.stdout is not None
        confirmed.append(dropping.stdout.readline().strip())
        time.sleep(0.005 * number)
        for process in (dropping, opening):
            process.send_signal(signal.SIGKILL)
        confirmed += (line.strip() for line in dropping.stdout.read().splitlines(keepends=True) if line[-1] == "\n")
        for process in (dropping, opening):
            process.communicate()
    there = stored(tmp_path)
    assert len(confirmed) > 8
    assert {*confirmed} <= {*there}
    assert len(there) == len({*there}) <= len(confirmed) + 8  # one was written and not confirmed, each time
    assert not waiting(tmp_path)


def test_eight_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    dropping = [python(DROPPING, tmp_path, Path(__file__).parents[1], 10) for _ in range(8)]
    opening = [python(OPENING, tmp_path) for _ in range(2)]
    confirmed = [line for process in dropping for line in process.communicate()[0].split()]
    for process in opening:
        process.kill()
        process.communicate()
    there = stored(tmp_path)
    assert len(confirmed) == len(there) == 80
    assert {*confirmed} == {*there}


def test_nothing_is_made_only_to_say_that_nothing_is_accepted(tmp_path: Path) -> None:
    assert accepted("", tmp_path, "nginx") == ()
    assert list(tmp_path.iterdir()) == []
    drop(tmp_path, REPORT, {})
    with open_store("", tmp_path) as store:
        (one,) = store.findings(Selection())
        store.accept(one.fingerprint, Triage("r", "o"))
    assert [held.fingerprint for held in accepted("", tmp_path, "oci:demo")] == [one.fingerprint]
    assert accepted("", tmp_path, "nginx") == ()


def test_what_fails_while_storing_still_waits(tmp_path: Path) -> None:
    drop(tmp_path, REPORT, {})

    def full(_: object) -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        fold(tmp_path, full)
    assert waiting(tmp_path) == 1
    assert len(stored(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_a_note_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file stands in its place")
    (problem,) = keep("", tmp_path, REPORT, {})
    assert (problem.code, problem.gravity) == ("store.not-kept", Gravity.NOTE)
    assert "cannot be written" in problem.message


def test_a_full_disk_is_a_note_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    (problem,) = keep("", tmp_path, REPORT, {})
    assert problem.code == "store.not-kept"
    assert "No space left" in problem.message
    assert list(inbox(tmp_path).iterdir()) == []


def test_many_that_wait_are_stored_by_the_scan_that_adds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.open.MANY", 5)
    for _ in range(4):
        assert keep("", tmp_path, REPORT, {}) == ()
    assert waiting(tmp_path) == 4
    assert keep("", tmp_path, REPORT, {}) == ()
    assert waiting(tmp_path) == 0
    assert len(stored(tmp_path)) == 5


def test_where_nothing_can_be_stored_the_inbox_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store.db").write_text("damaged")
    monkeypatch.setattr("holdfast.store.open.MANY", 3)
    monkeypatch.setattr(room, "MOST", 5)
    codes = [[problem.code for problem in keep("", tmp_path, REPORT, {})] for _ in range(7)]
    assert codes == [[], [], ["store.waiting"], ["store.waiting"], ["store.waiting"], ["store.not-kept"],
                     ["store.not-kept"]]  # fmt: skip
    assert waiting(tmp_path) == 5


def test_out_of_reach_it_waits_for_postgresql(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    (problem,) = keep("postgresql://ann:s3cret@127.0.0.1:1/db", tmp_path, REPORT, {})
    assert (problem.code, problem.gravity) == ("store.waiting", Gravity.NOTE)
    assert "s3cret" not in str(problem)
    assert waiting(tmp_path) == 1


def test_what_a_killed_process_left_half_written_goes_after_an_hour(tmp_path: Path) -> None:
    drop(tmp_path, REPORT, {})
    new, old = inbox(tmp_path) / f"{PART}new", inbox(tmp_path) / f"{PART}old"
    for path, age in ((new, 60), (old, 7200)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    assert len(stored(tmp_path)) == 1
    assert new.exists()
    assert not old.exists()


def test_what_a_newer_version_left_stays_for_it(tmp_path: Path) -> None:
    drop(tmp_path, REPORT, {})
    (path,) = inbox(tmp_path).iterdir()
    data = bytearray(path.read_bytes())
    assert data[1] == room.FORMAT
    data[1] = room.FORMAT + 1
    path.write_bytes(data)
    with open_store("", tmp_path) as store:
        assert [problem.code for problem in store.problems] == ["store.newer-scan"]
        assert store.targets() == ()
    assert path.read_bytes() == data


def test_a_link_or_a_pipe_in_a_scans_place_is_not_followed_and_holds_up_nobody(tmp_path: Path) -> None:
    drop(tmp_path, REPORT, {})
    secret = tmp_path / "secret"
    secret.write_text("do not touch")
    (inbox(tmp_path) / f"{1:020d}-{'a' * 16}.scan").symlink_to(secret)
    os.mkfifo(inbox(tmp_path) / f"{2:020d}-{'b' * 16}.scan")
    with open_store("", tmp_path) as store:
        assert [problem.code for problem in store.problems] == ["store.unread-scan", "store.damaged-scan"]
        assert len(store.scans("oci:demo")) == 1
    assert secret.read_text() == "do not touch"


WHOLE = kept(REPORT, {"etc/apt/sources.list": b"deb"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_lies_in_the_inbox_the_store_opens_and_keeps_the_rest(tmp_path: Path, data: st.DataObject) -> None:
    import msgspec

    whole = msgspec.msgpack.encode(WHOLE)
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 40))
    content = data.draw(st.binary(max_size=200)) if data.draw(st.booleans()) else b""
    changed = whole[:at] + content + whole[at + cut :] if data.draw(st.booleans()) else content
    folder = inbox(tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{3:020d}-{WHOLE.id}.scan"
    path.write_bytes(changed)
    with open_store("", tmp_path) as store:
        assert store.findings(Selection(state=None)) is not None
        codes = {problem.code for problem in store.problems}
        assert codes <= {"store.damaged-scan", "store.newer-scan"}
    if codes == {"store.damaged-scan"}:
        assert path.with_suffix(".damaged").read_bytes() == changed
    for left in folder.iterdir():
        left.unlink()
