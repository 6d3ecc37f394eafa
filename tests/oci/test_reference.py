"""What people call images, and what those names mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.model.errors import InputError
from holdfast.oci.reference import Reference, is_repository, registry_named

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/library/nginx:1", "docker.io/library/nginx:1"),
        ("registry-1.docker.io/org/app", "docker.io/org/app:latest"),
        ("ghcr.io/org/team/app:v1", "ghcr.io/org/team/app:v1"),
        ("GHCR.io/org/app", "ghcr.io/org/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("registry:5000/app:2", "registry:5000/app:2"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest"),
        ("[::1]:5000/app:1", "[::1]:5000/app:1"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1.27@{DIGEST}", f"docker.io/library/nginx:1.27@{DIGEST}"),
        ("a__b/c.d-e--f", "docker.io/a__b/c.d-e--f:latest"),
        ("app:_tag.1-x", "docker.io/library/app:_tag.1-x"),
    ],
)
def test_names_as_people_type_them(typed: str, meant: str) -> None:
    assert str(Reference.parse(typed)) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "", ":", ":1", "@", "nginx:", "nginx@", "nginx@sha256:12", "nginx@md5:" + "a" * 32, "Nginx", "ghcr.io/Org/app",
        "a/../b", "../a", "a//b", "/a", "a/", "host:5000/", "host:99999/app", "-host.io/app", "a b", "a\nb",
        "nginx:a b", "ghcr.io/a%2f..", "x" * 300, "a:" + "t" * 129, "f" * 64, "ghcr.io/a/.b", "ghcr.io/a/_b",
        "häfen.io/app", "a\0",
        "[::1/app", "https://ghcr.io/app", "[::1]:x/app",
    ],
)  # fmt: skip
def test_what_can_be_no_name_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(InputError) as refused:
        Reference.parse(typed)
    assert refused.value.remedy


def test_a_digest_decides_where_there_is_one() -> None:
    assert Reference.parse(f"nginx:1@{DIGEST}").selector == DIGEST
    assert Reference.parse("nginx:1").selector == "1"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://Registry.example/", "registry.example"),
        ("index.docker.io", "docker.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_registry_by_its_host(typed: str, meant: str) -> None:
    assert registry_named(typed) == meant


@given(some.text(max_size=80) | some.from_regex(r"[a-zA-Z0-9:/@._\[\]-]{0,60}", fullmatch=True))
def test_any_text_is_a_name_that_reads_back_or_refused(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InputError:
        return
    assert is_repository(reference.repository)
    assert ".." not in reference.repository.split("/")
    assert Reference.parse(str(reference)) == reference
