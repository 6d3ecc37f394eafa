"""The installation's key: one for all processes, readable by its owner only."""

import multiprocessing
import os
from pathlib import Path

import pytest

from holdfast.model.status import Gravity
from holdfast.secret.key import KEY_BYTES, fingerprint_key


def test_the_key_is_made_once(tmp_path: Path) -> None:
    first, problem = fingerprint_key(tmp_path)
    assert problem is None
    assert len(first) == KEY_BYTES
    assert fingerprint_key(tmp_path) == (first, None)
    path = tmp_path / "keys" / "fingerprint"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["fingerprint"]


def _keys(place: str) -> bytes:
    return fingerprint_key(Path(place))[0]


def test_processes_that_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        keys = pool.map(_keys, [str(tmp_path)] * 16)
    assert len(set(keys)) == 1


def test_a_folder_that_cannot_be_written_gives_a_key_for_the_process_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    key, problem = fingerprint_key(tmp_path / "file")
    assert len(key) == KEY_BYTES
    assert problem is not None
    assert problem.gravity is Gravity.NOTE


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_what_is_no_key_is_left_alone_and_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys" / "fingerprint"
    path.parent.mkdir()
    path.write_bytes(content)
    key, problem = fingerprint_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert problem is not None
    assert path.read_bytes() == content


def test_a_link_or_pipe_in_its_place_is_not_followed_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "fingerprint"
    (tmp_path / "elsewhere").write_bytes(b"e" * 32)
    path.symlink_to(tmp_path / "elsewhere")
    assert fingerprint_key(tmp_path)[0] != b"e" * 32
    path.unlink()
    os.mkfifo(path)
    assert fingerprint_key(tmp_path)[1] is not None
