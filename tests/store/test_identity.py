"""Which scans are of the same thing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.store.identity import ENGINES, PATHS, Identity, identities, identity
from report.reports import digest

NGINX = "docker.io/library/nginx"
APP = "ghcr.io/org/app"


@pytest.mark.parametrize(
    ("name", "kind", "target", "reference"),
    [
        ("nginx", "registry", NGINX, f"{NGINX}:latest"),
        ("nginx:1.27", "registry", NGINX, f"{NGINX}:1.27"),
        ("registry:nginx", "registry", NGINX, f"{NGINX}:latest"),
        ("docker://nginx:1", "registry", NGINX, f"{NGINX}:1"),
        ("localhost:5000/a/b:2", "registry", "localhost:5000/a/b", "localhost:5000/a/b:2"),
        (f"{APP}@{digest('x')}", "registry", APP, f"{APP}@{digest('x')}"),
        (f"{APP}:1@{digest('x')}", "registry", APP, f"{APP}:1@{digest('x')}"),
        ("docker:nginx:1", "docker", f"docker:{NGINX}", f"docker:{NGINX}:1"),
        ("podman:nginx", "podman", f"podman:{NGINX}", f"podman:{NGINX}:latest"),
        ("docker:" + "a" * 64, "docker", "docker:" + "a" * 64, "docker:" + "a" * 64),
        ("dir:/srv/../srv/app/", "dir", "dir:/srv/app", "dir:/srv/app"),
        ("/srv/app.json", "sbom", "sbom:/srv/app.json", "sbom:/srv/app.json"),
        ("oci:/srv/app:1.0", "oci", "oci:/srv/app", "oci:/srv/app:1.0"),
        ("oci-archive:/srv/app.tar:app:1.0", "oci-archive", "oci-archive:/srv/app.tar:app", ""),
    ],
)
def test_a_target_has_one_name_for_all_its_scans(name: str, kind: str, target: str, reference: str) -> None:
    assert identity(name, kind) == Identity(target, reference or f"{target}:1.0")


def test_a_path_with_a_colon_is_that_path(tmp_path: Path) -> None:
    (tmp_path / "app:1").mkdir()
    assert identity(f"oci:{tmp_path}/app:1", "oci").target == f"oci:{tmp_path}/app:1"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("nginx:1.27", ("nginx", "registry")),
        ("docker.io/library/nginx", ("nginx:9", "registry")),
        ("docker:nginx", ("docker:nginx:1", "docker")),
        (f"docker:{NGINX}", ("docker:nginx:1", "docker")),
        ("/srv/app", ("dir:/srv/app", "dir")),
        ("oci:/srv/app", ("oci:/srv/app:1.0", "oci")),
        ("/srv/app:2.0", ("oci:/srv/app:1.0", "oci")),
        ("oci:/srv/app", ("oci:/srv/app", "oci")),
    ],
)
def test_what_is_typed_later_means_the_target_however_it_was_typed_then(typed: str, stored: tuple[str, str]) -> None:
    target = identity(*stored).target
    assert target in {one.target for one in identities(typed)}
    assert target in {one.target for one in identities(target)}


def test_without_a_tag_all_tags_are_meant() -> None:
    assert {one.reference for one in identities("oci:/srv/app")} == {""}
    assert identities("nginx")[-1] == Identity(NGINX, "")
    assert identities("localhost:5000/app")[-1] == Identity("localhost:5000/app", "")
    assert identities("nginx:1")[-1] == Identity(NGINX, f"{NGINX}:1")


@given(st.text(max_size=80), st.sampled_from(["registry", *ENGINES, *PATHS, "", "else"]))
def test_anything_has_an_identity(name: str, kind: str) -> None:
    try:
        assert identity(name, kind).target or not name
        assert identities(name)
    except ValueError:
        assert "\0" in name  # which no path has: the scan of it failed before
