"""The files that `docker login` and `podman login` leave behind, in their real forms."""

import contextlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, InputError, LimitError, SourceError
from holdfast.oci.registry.auth_file import AuthFile
from holdfast.oci.registry.credential import Credential


def packed(text: str) -> str:
    return b64encode(text.encode()).decode()


def find(content: dict[str, Any], registry: str = "quay.io", repository: str = "org/app") -> Credential | None:
    return AuthFile.parse(json.dumps(content).encode(), "the file").credential(registry, repository)


def user(content: dict[str, Any], registry: str = "quay.io", repository: str = "org/app") -> str | None:
    found = find(content, registry, repository)
    return found.username if found else None


def entry(name: str) -> dict[str, str]:
    return {"auth": packed(f"{name}:secret")}


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("quay.io", "quay.io"),
        ("QUAY.io", "quay.io"),
        ("quay.io/", "quay.io"),
        ("https://quay.io", "quay.io"),
        ("https://quay.io/", "quay.io"),
        ("https://quay.io/v1/", "quay.io"),
        ("https://quay.io/v2/", "quay.io"),
        ("http://quay.io", "quay.io"),
        ("quay.io/v2/", "quay.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("docker.io", "docker.io"),
        ("localhost:5000", "localhost:5000"),
        ("http://localhost:5000/v2/", "localhost:5000"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_key_names_a_registry(key: str, registry: str) -> None:
    assert user({"auths": {key: entry("alice")}}, registry) == "alice"


@pytest.mark.parametrize("key", ["quay.io:443", "quay.io.example.org", "evilquay.io", "io", "", "/", "org/app", "*"])
def test_another_key_names_another_registry(key: str) -> None:
    assert user({"auths": {key: entry("alice")}}) is None


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("org/app", "app"),
        ("org/app/part", "app"),
        ("org/apple", "org"),
        ("org/other", "org"),
        ("organic/app", "all"),
        ("", "all"),
    ],
)
def test_the_longest_path_wins(repository: str, expected: str) -> None:
    auths = {"quay.io": entry("all"), "quay.io/org/app": entry("app"), "quay.io/org": entry("org")}
    assert user({"auths": auths}, "quay.io", repository) == expected


def test_a_plain_key_comes_before_an_address() -> None:
    auths = {"https://quay.io/v1/": entry("old"), "quay.io": entry("new")}
    assert user({"auths": auths}) == "new"


@pytest.mark.parametrize(
    ("stored", "username", "password"),
    [
        pytest.param({"auth": packed("alice:s3cret")}, "alice", "s3cret", id="base64"),
        pytest.param({"auth": packed("alice:a:b:c")}, "alice", "a:b:c", id="colons in the password"),
        pytest.param({"auth": packed("alice:s3crets").rstrip("=")}, "alice", "s3crets", id="without padding"),
        pytest.param({"auth": packed("alice:s3cret") + "\n"}, "alice", "s3cret", id="a newline behind"),
        pytest.param({"auth": "\n".join(packed("alice:s3cret"))}, "alice", "s3cret", id="on many lines"),
        pytest.param({"auth": packed("alice:???>>>").replace("/", "_")}, "alice", "???>>>", id="of the other alphabet"),
        pytest.param({"auth": packed("alice:s3cret\0\0")}, "alice", "s3cret", id="padded with NULs"),
        pytest.param({"auth": packed("älice:pässword")}, "älice", "pässword", id="UTF-8"),
        pytest.param({"username": "alice", "password": "s3cret"}, "alice", "s3cret", id="apart"),
        pytest.param({"auth": "", "username": "alice", "password": "p"}, "alice", "p", id="apart, with an empty auth"),
        pytest.param({"auth": packed("alice:"), "email": None}, "alice", "", id="an empty password"),
    ],
)
def test_user_and_password(stored: dict[str, Any], username: str, password: str) -> None:
    found = find({"auths": {"quay.io": stored}})
    assert found is not None
    assert (found.username, found.password, found.source) == (username, password, "the file")


def test_tokens() -> None:
    azure = find({"auths": {"quay.io": {"auth": packed("00000000:"), "identitytoken": "identity"}}})
    assert azure is not None
    assert (azure.username, azure.identity_token) == ("00000000", "identity")
    token = find({"auths": {"quay.io": {"registrytoken": "bearer"}}})
    assert token is not None
    assert token.registry_token == "bearer"
    named = find({"auths": {"quay.io": {"auth": packed("<token>:identity")}}})
    assert named is not None
    assert named.identity_token == "identity"


@pytest.mark.parametrize("stored", [{}, {"auth": ""}, {"auth": None}, {"email": "a@b"}, None])
def test_an_empty_entry_is_none(stored: object) -> None:
    assert find({"auths": {"quay.io": stored}}) is None


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({"auth": "!!!"}, id="no base64"),
        pytest.param({"auth": packed("alice")}, id="no colon"),
        pytest.param({"auth": "/////w=="}, id="no UTF-8"),
        pytest.param({"auth": 5}, id="a number"),
        pytest.param("alice:s3cret", id="a string"),
        pytest.param([], id="a list"),
        pytest.param({"registrytoken": "a\nb"}, id="a token of two lines"),
    ],
)
def test_a_damaged_entry_is_said_and_spoils_no_other(stored: object) -> None:
    content = {"auths": {"quay.io": stored, "ghcr.io": entry("bob")}}
    with pytest.raises(InputError) as caught:
        find(content)
    assert "s3cret" not in str(caught.value)
    assert user(content, "ghcr.io") == "bob"


def test_the_old_form_has_the_entries_alone() -> None:
    old = {"https://index.docker.io/v1/": {"auth": packed("alice:s3cret"), "email": "a@b"}}
    assert user(old, "docker.io", "library/nginx") == "alice"


def test_helpers_for_a_registry_come_before_the_one_for_all() -> None:
    content = {"credsStore": "pass", "credHelpers": {"1.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login", "quay.io": ""}}
    file = AuthFile.parse(json.dumps(content).encode(), "x")
    assert file.helper("1.dkr.ecr.eu-west-1.amazonaws.com", "app") == "ecr-login"
    assert file.helper("docker.io", "library/nginx") == "pass"
    assert file.helper("quay.io", "org/app") == ""


@pytest.mark.parametrize("data", [b"", b" \n", b"{}", b'{"auths": null}', b'{"HttpHeaders": {"User-Agent": "x"}}'])
def test_files_that_know_nobody(data: bytes) -> None:
    file = AuthFile.parse(data, "x")
    assert file.credential("docker.io", "library/nginx") is None
    assert file.helper("docker.io", "library/nginx") == ""


@pytest.mark.parametrize(
    "data",
    [
        b"auth = abc",
        b"[]",
        b'{"auths": []}',
        b'{"credHelpers": {"x": 1}}',
        b'{"credsStore": {}}',
        b"\xff",
        b'{"auths":' + b"[" * 100_000,
        b'{"auths": {"x": {"auth": "s3cret',
    ],
)
def test_no_such_files(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        AuthFile.parse(data, "x")
    assert "s3cret" not in str(caught.value)


def test_files_on_disk(tmp_path: Path) -> None:
    assert AuthFile.read(tmp_path / "none", "x") is None
    assert AuthFile.read(tmp_path / "none" / "none", "x") is None
    assert AuthFile.read(Path("/dev/null"), "x") is not None
    (tmp_path / "large").write_bytes(b" " * (2 << 20))
    for path, error in [
        (tmp_path / "none", None),
        (tmp_path / "large", LimitError),
        (Path("/dev/zero"), LimitError),
        (tmp_path, SourceError),
        (Path("a\0b"), SourceError),
    ]:
        with pytest.raises(error or SourceError):
            AuthFile.read(path, "x", required=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["auths", "credHelpers", "credsStore", "quay.io"])


@given(st.dictionaries(KEYS, JSON | st.dictionaries(st.sampled_from(["quay.io", "https://quay.io"]), JSON)))
@settings(max_examples=200, deadline=None)
def test_any_json_gives_a_credential_or_a_proper_error(content: dict[str, Any]) -> None:
    with contextlib.suppress(HoldfastError):
        file = AuthFile.parse(json.dumps(content).encode(), "x")
        file.helper("quay.io", "org/app")
        file.credential("quay.io", "org/app")


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_file_or_a_proper_error(data: bytes) -> None:
    with contextlib.suppress(HoldfastError):
        AuthFile.parse(data, "x").credential("docker.io", "library/nginx")
