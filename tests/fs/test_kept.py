"""Files kept for later scans."""

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.fs.kept import ABANDONED_SECONDS, SWEPT, UNUSED_SECONDS, KeptFiles


def aged(path: Path, seconds: float) -> Path:
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_what_is_kept_is_found_and_nothing_else(tmp_path: Path) -> None:
    KeptFiles(tmp_path / "kept").put("name", b"content")
    assert KeptFiles(tmp_path / "kept").get("name", 7) == b"content"
    assert KeptFiles(tmp_path / "kept").get("other", 7) is None
    assert set(os.listdir(tmp_path / "kept")) == {"name", SWEPT}


def test_what_is_longer_than_allowed_counts_as_absent(tmp_path: Path) -> None:
    files = KeptFiles(tmp_path)
    files.put("name", b"content")
    assert files.get("name", 6) is None


def test_what_is_no_file_counts_as_absent_and_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    assert KeptFiles(tmp_path).get("folder", 9) is None
    assert not KeptFiles(tmp_path).get("fifo", 9)


@pytest.mark.parametrize("place", ["file/below", "file"])
def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    KeptFiles(tmp_path / place).put("name", b"content")
    assert KeptFiles(tmp_path / place).get("name", 9) is None


def test_old_and_abandoned_files_are_swept_by_the_first_that_writes(tmp_path: Path) -> None:
    gone = [aged(tmp_path / "old", UNUSED_SECONDS + 60), aged(tmp_path / ".part-old", ABANDONED_SECONDS + 60)]
    stays = [aged(tmp_path / "young", UNUSED_SECONDS - 60), aged(tmp_path / ".part-young", ABANDONED_SECONDS - 60)]
    KeptFiles(tmp_path).put("name", b"content")
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)


def test_it_is_swept_once_a_day(tmp_path: Path) -> None:
    KeptFiles(tmp_path).put("name", b"content")
    left = aged(tmp_path / ".part-x", 2 * 86400)
    KeptFiles(tmp_path).put("name", b"content")
    assert left.exists(), "swept a moment ago"
    aged(tmp_path / SWEPT, 2 * 86400)
    KeptFiles(tmp_path).put("name", b"content")
    assert not left.exists()
    assert KeptFiles(tmp_path).get("name", 9) == b"content"


def test_what_is_to_stay_stays(tmp_path: Path) -> None:
    old = aged(tmp_path / "old", 10 * UNUSED_SECONDS)
    KeptFiles(tmp_path, unused_seconds=math.inf).put("name", b"content")
    assert old.exists()


def test_many_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        KeptFiles(tmp_path).put(f"{number % 50}", str(number % 50).encode() * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert {name: KeptFiles(tmp_path).get(name, 9999) for name in set(os.listdir(tmp_path)) - {SWEPT}} == {
        str(number): str(number).encode() * 1000 for number in range(50)
    }
