"""Documents that are kept: what their name says, or not there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.fs.kept import SWEPT
from holdfast.oci.registry.documents import Documents
from world import digest

DATA = b'{"schemaVersion": 2}'
NAME = digest(DATA)


def names(folder: Path) -> list[str]:
    return [path.name for path in (folder / "documents").iterdir() if path.name != SWEPT]


@pytest.fixture
def kept(tmp_path: Path) -> Documents:
    documents = Documents(tmp_path / "documents")
    documents.put(NAME, DATA)
    return documents


def test_what_is_kept(kept: Documents, tmp_path: Path) -> None:
    assert kept.get(NAME) == Documents(tmp_path / "documents").get(NAME) == DATA
    assert kept.get(digest(b"other")) is None
    assert names(tmp_path) == [NAME.replace(":", "-")]


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA + b" ", b"\0" * len(DATA)])
def test_what_was_damaged_is_not_there_and_may_be_kept_again(kept: Documents, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "documents" / NAME.replace(":", "-")).write_bytes(damage)
    assert kept.get(NAME) is None
    kept.put(NAME, DATA)
    assert kept.get(NAME) == DATA


def test_what_is_no_file(kept: Documents, tmp_path: Path) -> None:
    path = tmp_path / "documents" / NAME.replace(":", "-")
    path.unlink()
    path.mkdir()
    assert kept.get(NAME) is None
    kept.put(NAME, DATA)
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["", "sha256:../../etc/passwd", "md5:" + "a" * 32, "sha256:" + "A" * 64])
def test_what_is_no_digest_is_never_a_path(tmp_path: Path, name: str) -> None:
    documents = Documents(tmp_path / "documents")
    documents.put(name, DATA)
    assert documents.get(name) is None
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    documents = Documents(tmp_path / "file" / "documents")
    documents.put(NAME, DATA)
    assert documents.get(NAME) is None


def test_many_at_once_write_the_same(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: documents.put(NAME, DATA), range(64)))
    assert documents.get(NAME) == DATA
    assert len(names(tmp_path)) == 1
