"""A known prefix wins; otherwise the kind is found by looking."""

from pathlib import Path

import pytest

from holdfast.model.errors import InputError, NotFound
from holdfast.scan.plan import plan
from world import image, layer

LAYERS = [layer({"a": "b"})]


@pytest.mark.parametrize(
    ("form", "kind"),
    [("oci", "oci"), ("oci-archive", "oci-archive"), ("docker-archive", "docker-archive"),
     ("docker-archive-old", "docker-archive")],
)  # fmt: skip
def test_an_image_is_known_by_its_looks(tmp_path: Path, form: str, kind: str) -> None:
    path = image(tmp_path, LAYERS, form=form)
    assert (plan(str(path)).kind, plan(str(path)).path) == (kind, path)


def test_a_folder_that_is_no_image_is_a_root_file_system(tmp_path: Path) -> None:
    assert plan(str(tmp_path)).kind == "dir"


def test_a_json_file_is_taken_for_an_sbom(tmp_path: Path) -> None:
    (tmp_path / "bom").write_text(' {"bomFormat": "CycloneDX"}')
    assert plan(str(tmp_path / "bom")).kind == "sbom"


def test_the_tag_follows_the_path(tmp_path: Path) -> None:
    path = image(tmp_path, LAYERS)
    for target in (f"oci:{path}:v1", f"{path}:v1"):
        assert (plan(target).kind, plan(target).path, plan(target).tag) == ("oci", path, "v1")


def test_a_reference_with_a_colon_in_an_archive_is_a_tag(tmp_path: Path) -> None:
    path = image(tmp_path, LAYERS, form="docker-archive", name="saved.tar")
    assert plan(f"docker-archive:{path}:app:latest").tag == "app:latest"


def test_a_prefix_wins_over_the_looks(tmp_path: Path) -> None:
    assert plan(f"dir:{image(tmp_path, LAYERS)}").kind == "dir"


@pytest.mark.parametrize("target", ["oci:", "dir:"])
def test_a_prefix_without_a_path_is_refused(target: str) -> None:
    with pytest.raises(InputError):
        plan(target)


@pytest.mark.parametrize("target", ["./nowhere", "/nowhere", "oci:nowhere", "dir:nowhere:x", "", "\0"])
def test_what_is_not_there_is_said(target: str) -> None:
    with pytest.raises(NotFound):
        plan(target)


def test_a_prefix_that_does_not_fit_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    for target in (f"oci:{file}", f"dir:{file}", f"oci-archive:{tmp_path}", str(file)):
        with pytest.raises(InputError):
            plan(target)


@pytest.mark.parametrize(
    ("target", "kind", "reference"),
    [
        ("nginx:1.27", "registry", "docker.io/library/nginx:1.27"),
        ("registry:nginx", "registry", "docker.io/library/nginx:latest"),
        ("docker://ghcr.io/org/app", "registry", "ghcr.io/org/app:latest"),
        ("registry:5000/app:2", "registry", "registry:5000/app:2"),
        ("docker:app:1", "docker", "app:1"),
        ("podman:localhost/app", "podman", "localhost/app"),
        ("containerd:docker.io/library/nginx:1", "containerd", "docker.io/library/nginx:1"),
    ],
)
def test_what_is_not_on_disk(target: str, kind: str, reference: str) -> None:
    assert (plan(target).kind, plan(target).reference) == (kind, reference)


@pytest.mark.parametrize(
    "target", ["docker:", "docker://", "registry:", "podman:", "registry:Upper", "registry:a/../b"]
)
def test_an_image_that_has_no_name_is_refused(target: str) -> None:
    with pytest.raises(InputError):
        plan(target)


def test_a_file_comes_before_an_image_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nginx").mkdir()
    assert plan("nginx").kind == "dir"
    assert plan("registry:nginx").kind == "registry"
    assert not plan("registry:nginx").guessed
