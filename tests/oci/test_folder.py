"""A layout that is being written."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import InputError, SourceError
from holdfast.oci.folder import LayoutFolder
from holdfast.oci.integrity import Mismatched
from holdfast.oci.manifest import CONTAINERD_NAME, REFERENCE_NAME


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def entry(data: bytes, name: str, tag: str) -> dict[str, Any]:
    return {"digest": digest(data), "annotations": {CONTAINERD_NAME: name, REFERENCE_NAME: tag}}


def folder(path: Path) -> LayoutFolder:
    made = LayoutFolder(path)
    made.prepare()
    return made


def test_a_blob_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    layout.fill(digest(b"content"), [b"con", b"tent"])
    assert layout.has(digest(b"content"))
    assert not list(tmp_path.rglob(".part-*"))


def test_what_breaks_off_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"con"
        raise SourceError("cut")

    layout = folder(tmp_path)
    with pytest.raises(SourceError, match="cut"):
        layout.fill(digest(b"content"), broken())
    assert layout.started(digest(b"content")) == 3
    assert not layout.has(digest(b"content"))
    layout.fill(digest(b"content"), [b"tent"])
    assert layout.has(digest(b"content"))


def test_other_bytes_than_promised_are_thrown_away(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    with pytest.raises(Mismatched):
        layout.fill(digest(b"content"), [b"c0ntent"])
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "oci-layout"]


def test_a_blob_that_was_damaged_on_disk_is_not_had(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    layout.put(digest(b"content"), b"content")
    next(path for path in (tmp_path / "blobs" / "sha256").iterdir()).write_bytes(b"c0ntent")
    assert not layout.has(digest(b"content"))


def test_the_same_name_is_replaced_and_others_stay(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    layout.name([entry(b"1", "host/a:1", "1")])
    layout.name([entry(b"2", "host/b:2", "2")])
    layout.name([entry(b"3", "host/a:1", "1")])
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert [one["digest"] for one in index["manifests"]] == [digest(b"2"), digest(b"3")]


def test_a_tag_is_given_once(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    layout.name([entry(b"1", "host/a:1", "1")])
    layout.name([entry(b"2", "host/b:1", "1")])
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert [one["annotations"][REFERENCE_NAME] for one in index["manifests"]] == ["1", "host/b:1"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="something else"):
        LayoutFolder(tmp_path).prepare()


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"manifests": 1}', '{"manifests": [1]}', '{"manifests": [{}]}', "[" * 9999]
)
def test_a_damaged_index_is_said_and_kept(tmp_path: Path, damage: str) -> None:
    folder(tmp_path)
    (tmp_path / "index.json").write_text(damage)
    with pytest.raises(InputError, match="damaged"):
        LayoutFolder(tmp_path).prepare()
    assert (tmp_path / "index.json").read_text() == damage


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        LayoutFolder(tmp_path / "file" / "x").prepare()


WHOLE = digest(b"content").partition(":")[2]
PART = f".part-{WHOLE}"


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256"])
def test_nothing_is_written_through_a_link_to_another_folder(tmp_path: Path, name: str) -> None:
    layout, outside = folder(tmp_path / "layout"), tmp_path / "outside"
    outside.mkdir()
    (layout.path / name).parent.mkdir(exist_ok=True)
    (layout.path / name).symlink_to(outside)
    with pytest.raises(InputError, match="leads out"):
        layout.put(digest(b"content"), b"content")
    with pytest.raises(InputError, match="leads out"):
        layout.fill(digest(b"content"), [b"content"])
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", [WHOLE, PART])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_nothing_is_written_into_a_file_that_is_elsewhere_too(tmp_path: Path, name: str, link: Any) -> None:
    layout, outside = folder(tmp_path / "layout"), tmp_path / "outside"
    outside.write_bytes(b"precious")
    (layout.path / "blobs" / "sha256").mkdir(parents=True)
    link(outside, layout.path / "blobs" / "sha256" / name)
    with layout.alone(digest(b"content")) as has:
        assert not has
        layout.fill(digest(b"content"), [b"content"])
    assert layout.has(digest(b"content"))
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize("name", [WHOLE, PART])
def test_a_fifo_in_the_place_of_a_blob_holds_nobody_up(tmp_path: Path, name: str) -> None:
    layout = folder(tmp_path)
    (tmp_path / "blobs" / "sha256").mkdir(parents=True)
    os.mkfifo(tmp_path / "blobs" / "sha256" / name)
    assert layout.started(digest(b"content")) == 0
    with layout.alone(digest(b"content")):
        layout.fill(digest(b"content"), [b"content"])
    assert layout.has(digest(b"content"))


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_a_layout_file_that_is_no_file_is_said_before_anything_is_fetched(tmp_path: Path, name: str, make: Any) -> None:
    folder(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    make(tmp_path / name)
    with pytest.raises((InputError, SourceError)):
        LayoutFolder(tmp_path).prepare()


def test_a_link_in_the_place_of_the_index_is_not_written_through(tmp_path: Path) -> None:
    layout, outside = folder(tmp_path / "layout"), tmp_path / "outside"
    outside.write_text('{"manifests": []}')
    (layout.path / "index.json").symlink_to(outside)
    with pytest.raises(SourceError, match="no regular file"):
        layout.name([entry(b"1", "host/a:1", "1")])
    assert outside.read_text() == '{"manifests": []}'


def test_an_index_too_long_to_be_read_again_is_damaged(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    with (tmp_path / "index.json").open("wb") as stream:
        stream.truncate(70 << 20)
    with pytest.raises(InputError, match="too large"):
        layout.prepare()


def test_what_else_an_index_says_stays(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    (tmp_path / "index.json").write_text('{"annotations": {"who": "me"}, "manifests": null}')
    layout.name([entry(b"1", "host/a:1", "1")])
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert index["annotations"] == {"who": "me"}
    assert [one["digest"] for one in index["manifests"]] == [digest(b"1")]


def test_a_small_blob_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    layout = folder(tmp_path)
    (tmp_path / "blobs" / "sha256" / WHOLE).mkdir(parents=True)
    with pytest.raises(SourceError, match="cannot be written"):
        layout.put(digest(b"content"), b"content")
    assert not list(tmp_path.rglob(".part-*"))
