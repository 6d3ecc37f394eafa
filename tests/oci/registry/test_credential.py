"""Who we are, and that nobody sees it."""

from base64 import b64decode
from typing import Any

import pytest

from holdfast.model.errors import InputError
from holdfast.oci.registry.credential import Credential

SECRETS = {"password": "hunter2", "identity_token": "identity", "registry_token": "bearer"}


def test_its_representation_shows_where_it_is_from_and_nothing_else() -> None:
    credential = Credential.of("~/.docker/config.json", username="alice", **SECRETS)
    assert repr(credential) == f"{credential}" == "Credential(source='~/.docker/config.json')"


def test_basic_is_the_user_and_the_password() -> None:
    credential = Credential.of("x", username="älice", password="a:b")
    assert credential is not None
    assert b64decode(credential.basic.removeprefix("Basic ")).decode() == "älice:a:b"


def test_a_user_named_token_has_an_identity_token() -> None:
    credential = Credential.of("x", username="<token>", password="identity")
    assert credential is not None
    assert (credential.username, credential.password, credential.identity_token) == ("", "", "identity")
    assert credential.basic == ""


@pytest.mark.parametrize("parts", [{}, {"password": "x"}, {"username": "<token>"}])
def test_nothing_is_no_credential(parts: dict[str, str]) -> None:
    assert Credential.of("x", **parts) is None


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"username": "a:b"}, id="a colon in the user name"),
        pytest.param({"username": "a" * 5000}, id="a long user name"),
        pytest.param({"username": "a", "password": "x" * 70_000}, id="a long password"),
        pytest.param({"username": "a", "password": "\udcff"}, id="a password that is not UTF-8"),
        pytest.param({"registry_token": "x\r\nHost: y"}, id="a token of two lines"),
        pytest.param({"registry_token": "a b"}, id="a token with a space"),
        pytest.param({"registry_token": "ä"}, id="a token that is not ASCII"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_shown(parts: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Credential.of("x", **parts)
    assert not any(value in str(caught.value) for value in parts.values() if len(value) > 1)
