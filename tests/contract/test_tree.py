"""Every Tree keeps the same promises, whether it comes from a tar stream, a directory or memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.fs.directory import DirectoryTree
from holdfast.fs.memory import MemoryTree
from holdfast.fs.tar import TarTree
from holdfast.fs.tree import HEAD, Tree
from holdfast.model.errors import LimitError
from holdfast.model.file import Entry, FileType
from world import Thing, directory, layer, symlink

LONG = bytes(range(256)) * 1000
FILES: dict[str, Thing | bytes] = {
    "bin": symlink("usr/bin"),
    "etc": directory(),
    "etc/os-release": b"ID=debian\n",
    "long": LONG,
    "nothing": b"",
}
Make = Callable[[Path], Tree]


def _tar(_: Path) -> Tree:
    data = layer(FILES)
    return TarTree([data[at : at + 777] for at in range(0, len(data), 777)])


def _directory(where: Path) -> Tree:
    for path, thing in FILES.items():
        target = where / path
        if isinstance(thing, bytes):
            target.write_bytes(thing)
        elif thing.link:
            target.symlink_to(thing.link)
        else:
            target.mkdir()
    return DirectoryTree(where)


def _memory(_: Path) -> Tree:
    return MemoryTree(
        {
            path: thing
            if isinstance(thing, bytes)
            else Entry(path, FileType.SYMLINK if thing.link else FileType.DIRECTORY, link=thing.link)
            for path, thing in FILES.items()
        }
    )


every_tree = pytest.mark.parametrize("make", [_tar, _directory, _memory])


@every_tree
def test_walks_every_entry_and_never_the_root(make: Make, tmp_path: Path) -> None:
    entries = [file.entry for file in make(tmp_path).walk()]
    assert [(one.path, one.type, one.size, one.link) for one in entries] == [
        ("bin", FileType.SYMLINK, 0, "usr/bin"),
        ("etc", FileType.DIRECTORY, 0, ""),
        ("etc/os-release", FileType.FILE, 10, ""),
        ("long", FileType.FILE, len(LONG), ""),
        ("nothing", FileType.FILE, 0, ""),
    ]


@every_tree
def test_content_is_the_same_read_whole_or_in_pieces_after_a_look_at_its_head(make: Make, tmp_path: Path) -> None:
    whole, pieces = {}, {}
    for file in make(_new(tmp_path / "a")).walk():
        assert file.head() == file.head() == _content(file.entry.path)[:HEAD]
        whole[file.entry.path] = file.read(len(LONG))
    for file in make(_new(tmp_path / "b")).walk():
        pieces[file.entry.path] = b"".join(file.chunks())
    assert whole == pieces == {path: _content(path) for path in FILES}


@every_tree
def test_content_longer_than_the_limit_is_refused_and_the_walk_goes_on(make: Make, tmp_path: Path) -> None:
    seen = []
    for file in make(tmp_path).walk():
        seen.append(file.entry.path)
        if file.entry.path == "long":
            with pytest.raises(LimitError):
                file.read(len(LONG) - 1)
    assert seen[-1] == "nothing"


@every_tree
def test_content_that_nobody_wants_or_only_half_wants_is_passed_over(make: Make, tmp_path: Path) -> None:
    tree = make(tmp_path)
    for file in tree.walk():
        if file.entry.path == "long":
            assert bytes(next(file.chunks()))[:3] == b"\0\1\2"
        if file.entry.path == "etc/os-release":
            assert file.read(100) == b"ID=debian\n"
    assert tree.problems == []


@pytest.mark.parametrize("make", [_tar, _directory])
def test_content_cannot_be_had_after_the_walk_went_on(make: Make, tmp_path: Path) -> None:
    walk = make(tmp_path).walk()
    files = [next(walk), next(walk), next(walk)]
    next(walk)
    with pytest.raises(RuntimeError):
        files[2].read(100)


@every_tree
def test_a_walk_may_be_abandoned(make: Make, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    walk = make(tmp_path).walk()
    next(walk)
    walk.close()  # type: ignore[attr-defined]  # all three are generators
    assert len(os.listdir("/proc/self/fd")) == before


def _new(path: Path) -> Path:
    path.mkdir()
    return path


def _content(path: str) -> bytes:
    thing = FILES[path]
    return thing if isinstance(thing, bytes) else b""
