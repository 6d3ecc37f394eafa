"""A directory of this machine as a tree: nothing outside it is read, and what is not read is said."""

import os
import socket
from pathlib import Path

import pytest

from holdfast.fs.budget import TreeBudget
from holdfast.fs.directory import DirectoryTree
from holdfast.model.errors import SourceError
from holdfast.model.file import FileType
from holdfast.model.status import Gravity, Problem


def read(path: Path, budget: TreeBudget | None = None) -> tuple[dict[str, bytes], list[Problem]]:
    tree = DirectoryTree(path, budget) if budget else DirectoryTree(path)
    return {one.entry.path: b"".join(one.chunks()) for one in tree.walk()}, tree.problems


def test_parents_come_before_children_and_names_are_sorted(tmp_path: Path) -> None:
    for name in ("b/z/deep", "b/a", "a", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(read(tmp_path)[0]) == ["a", "b", "b/a", "b/z", "b/z/deep", "c"]


def test_symlinks_are_told_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").symlink_to("../secret")
    (root / "loop").symlink_to("loop")
    (root / "parent").symlink_to("..")
    content, problems = read(root)
    assert (content, problems) == ({"file": b"", "loop": b"", "parent": b""}, [])


def test_the_directory_itself_may_be_named_by_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_text("x")
    (tmp_path / "name").symlink_to("root")
    assert read(tmp_path / "name")[0] == {"file": b"x"}


def test_a_file_that_turned_into_a_symlink_since_it_was_listed_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_text("inside")
    tree = DirectoryTree(root)
    for one in tree.walk():
        (root / "file").unlink()
        (root / "file").symlink_to("../secret")
        assert one.read(100) == b""
    assert [problem.code for problem in tree.problems] == ["directory.unreadable"]


def test_fifos_and_sockets_are_listed_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        tree = DirectoryTree(tmp_path)
        assert [(one.entry.type, one.read(10), one.head()) for one in tree.walk()] == [
            (FileType.FIFO, b"", b""),
            (FileType.OTHER, b"", b""),
        ]
    assert tree.problems == []


def test_names_that_are_not_utf_8_survive(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).write_text("x")
    assert read(tmp_path)[0] == {"caf\udce9": b"x"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_one_problem_with_a_count(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    problems = read(tmp_path)[1]
    assert [(one.code, one.count, one.gravity) for one in problems] == [("directory.unreadable", 3, Gravity.PARTIAL)]


def test_a_file_that_fails_to_open_is_a_problem_and_the_walk_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    real = os.open

    def refuse(path: object, *arguments: object, **named: object) -> int:
        if path in ("a", "b"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    content, problems = read(tmp_path)
    assert content == {"a": b"", "b": b"", "c": b"c"}
    assert [(one.code, one.count) for one in problems] == [("directory.unreadable", 2)]
    assert "/a, /b" in problems[0].message


def test_a_file_that_vanished_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "gone").write_text("x")
    tree = DirectoryTree(tmp_path)
    for one in tree.walk():
        (tmp_path / "gone").unlink()
        assert one.read(10) == b""
    assert tree.problems == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc is mounted")
def test_other_file_systems_are_listed_not_entered_and_noted_once() -> None:
    tree = DirectoryTree(Path("/"), TreeBudget(depth=1))
    paths = [one.entry.path for one in tree.walk()]
    assert "proc" in paths
    assert not any(path.startswith("proc/") for path in paths)
    skipped = [problem for problem in tree.problems if problem.code == "directory.skipped"]
    assert len(skipped) == 1
    assert skipped[0].gravity is Gravity.NOTE
    assert "/proc" in skipped[0].message


def test_depth_and_entries_have_a_budget(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(10):
        deep = deep / "d"
        deep.mkdir()
    content, problems = read(tmp_path, TreeBudget(depth=3))
    assert (list(content), [one.code for one in problems]) == (["d", "d/d", "d/d/d"], ["directory.too-deep"])
    content, problems = read(tmp_path, TreeBudget(entries=2))
    assert (list(content), [one.code for one in problems]) == (["d", "d/d"], ["directory.too-many-entries"])


def test_what_is_no_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(SourceError):
            DirectoryTree(path)
