"""A layout that is being written."""

import hashlib
import json
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
