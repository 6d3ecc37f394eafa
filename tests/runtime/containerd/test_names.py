"""Names as people type them, against the names that containerd keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import InputError, NotFound
from holdfast.oci.manifest import Descriptor
from holdfast.runtime.containerd.names import Named, attached, digest_in, find

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
CONFIG = "sha256:" + "0123456789abcdef" * 4
IMAGES = (
    ("default", "docker.io/library/nginx:1.27", A),
    ("default", "docker.io/library/nginx:latest", B),
    ("default", "localhost:5000/team/app:v1", C),
    ("default", "bare", C),
    ("k8s.io", "registry.k8s.io/pause:3.9", B),
    ("k8s.io", f"registry.k8s.io/pause@{B}", B),
    ("k8s.io", CONFIG, B),
)


def known(*images: tuple[str, str, str]) -> list[Named]:
    return [Named(namespace, name, Descriptor("", digest, 1)) for namespace, name, digest in images or IMAGES]


@pytest.mark.parametrize(
    ("typed", "digest"),
    [
        ("nginx:1.27", A),
        ("docker.io/library/nginx:1.27", A),
        ("docker.io/nginx:1.27", A),
        ("library/nginx:1.27", A),
        ("index.docker.io/library/nginx:1.27", A),
        ("nginx", B),
        ("localhost:5000/team/app:v1", C),
        ("bare", C),
        ("registry.k8s.io/pause:3.9", B),
        (f"registry.k8s.io/pause@{B}", B),
        (f"nginx@{A}", A),
        (f"nginx:1.27@{A}", A),
        (A, A),
        ("a" * 64, A),
        ("aaaaaaaaaaaa", A),
        ("sha256:aaaaaaa", A),
        (CONFIG, B),
        ("0123456789abc", B),
    ],
)
def test_what_is_typed_is_found(typed: str, digest: str) -> None:
    assert find(typed, known(), "s").digest == digest


def test_near_names_are_told() -> None:
    with pytest.raises(NotFound) as caught:
        find("ngnix:1.27", known(), "unix:///s")
    assert caught.value.where == "unix:///s: ngnix:1.27"
    assert "nginx:1.27" in caught.value.remedy


def test_where_nothing_is_near_some_are_told() -> None:
    with pytest.raises(NotFound) as caught:
        find("quite-something-else", known(), "s")
    assert "localhost:5000/team/app:v1" in caught.value.remedy
    with pytest.raises(NotFound, match="no image") as caught:
        find("app", [], "s")
    assert "pull" in caught.value.remedy


def test_names_that_would_paint_the_terminal_are_not_told() -> None:
    with pytest.raises(NotFound) as caught:
        find("app\x1b[2J", known(("default", "app\x1b[2Jx", A)), "s")
    assert "\x1b" not in str(caught.value)


def test_one_name_for_two_images_is_not_guessed() -> None:
    images = known(("default", "docker.io/library/app:1", A), ("k8s.io", "docker.io/library/app:1", B))
    with pytest.raises(InputError, match="several") as caught:
        find("app:1", images, "s")
    assert f"{A} (default)" in caught.value.remedy
    assert f"{B} (k8s.io)" in caught.value.remedy


def test_one_image_in_two_namespaces_is_one() -> None:
    images = known(("default", "docker.io/library/app:1", A), ("k8s.io", "docker.io/library/app:1", A))
    assert find("app:1", images, "s").digest == A


def test_an_id_too_short_for_one_image_is_not_guessed() -> None:
    images = known(("default", "a:1", A), ("default", "b:1", "sha256:" + "a" * 63 + "b"))
    with pytest.raises(InputError, match="several"):
        find("aaaaaaaa", images, "s")


def test_a_name_comes_before_an_id() -> None:
    images = known(("default", "docker.io/library/aaaaaaaa:latest", B), ("default", "x", A))
    assert find("aaaaaaaa", images, "s").digest == B


def test_the_digest_in_a_name() -> None:
    assert digest_in(A) == digest_in(f"x@{A}") == digest_in("a" * 64) == A
    assert digest_in("a:1") == digest_in("sha256:abc") == digest_in("md5:" + "a" * 32) == ""


def test_what_is_attached_is_told_by_its_name() -> None:
    images = known(("default", "docker.io/library/app:1", A), ("default", f"app:{A.replace(':', '-')}.att", B))
    assert [one.digest for one in attached(images)] == [B]


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=8))
def test_any_name_is_found_or_refused(typed: str, names: list[str]) -> None:
    images = known(("default", "x", A), *(("default", name, B) for name in names))
    said = ""
    try:
        find(typed, images, "s")
    except (NotFound, InputError) as error:
        said = str(error)
    assert said.isprintable()


def test_a_store_of_many_names() -> None:
    """It would take many minutes to compare all of them."""
    images = known(*(("default", f"{number:06}" + "x" * 240, A) for number in range(50_000)))
    with pytest.raises(NotFound):
        find("y" * 250, images, "s")
