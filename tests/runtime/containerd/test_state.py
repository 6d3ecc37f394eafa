"""What containerd's state folder tells."""

from pathlib import Path

from holdfast.runtime.containerd.state import namespaces


def runs(state: Path, namespace: str, name: str) -> None:
    (state / "io.containerd.runtime.v2.task" / namespace / name).mkdir(parents=True)


def test_the_namespaces_in_which_something_runs(tmp_path: Path) -> None:
    runs(tmp_path, "moby", "a" * 64)
    runs(tmp_path, "k8s.io", "b" * 64)
    assert namespaces(tmp_path) == frozenset(("moby", "k8s.io"))


def test_a_namespace_that_is_empty_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "io.containerd.runtime.v2.task" / "default").mkdir(parents=True)
    assert namespaces(tmp_path) == frozenset()


def test_a_containerd_that_has_run_nothing(tmp_path: Path) -> None:
    assert namespaces(tmp_path) == frozenset()


def test_what_cannot_be_seen_is_not_guessed(tmp_path: Path) -> None:
    assert namespaces(tmp_path / "absent") is None
    (tmp_path / "io.containerd.runtime.v2.task").write_text("")
    assert namespaces(tmp_path) is None
