"""What token servers answer, and which of them are trusted with what."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import AuthError, HoldfastError, SourceError
from holdfast.oci.registry.challenge import Challenge
from holdfast.oci.registry.token_server import Token, TokenServer
from holdfast.transport.address import Address


def token(**answer: object) -> Token:
    return Token.parse(json.dumps(answer).encode(), "auth.example.org")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ({"token": "a"}, "a"),
        ({"access_token": "b"}, "b"),
        ({"token": "a", "access_token": "b"}, "a"),
        ({"token": "", "access_token": "b"}, "b"),
        ({"token": None, "access_token": "b"}, "b"),
        ({"token": "a", "extra": {"x": [1]}, "issued_at": 5}, "a"),
        ({"token": "QVdTOmV5Sn+/=="}, "QVdTOmV5Sn+/=="),
    ],
)
def test_the_token(answer: dict[str, object], value: str) -> None:
    assert token(**answer).value == value


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        (300, 300), (300.5, 300.5), ("300", 300), (5, 5), (10**9, 86400), ("9" * 15, 86400),
        (None, 60), (0, 60), (-5, 60), ("", 60), ("abc", 60), ("٣", 60), ("9" * 5000, 60),
        (True, 60), ([], 60), ({}, 60),
    ],
)  # fmt: skip
def test_how_long_it_lasts(stated: object, seconds: float) -> None:
    assert token(token="a", expires_in=stated).seconds == seconds


@pytest.mark.parametrize("stated", [b"1e999", b"NaN", b"-1e308", b"9" * 5000])
def test_numbers_that_are_none_make_no_trouble(stated: bytes) -> None:
    with contextlib.suppress(SourceError):
        assert Token.parse(b'{"token": "a", "expires_in": ' + stated + b"}", "x").seconds in (60, 86400)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no token"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"<html>log in</html>", id="a page"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b'{"token": null}', id="a null"),
        pytest.param(b'{"token": 5}', id="a number"),
        pytest.param(b'{"token": ["a"]}', id="a list of tokens"),
        pytest.param(b'{"token": "s3cret\\r\\nHost: x"}', id="two lines"),
        pytest.param(b'{"token": "s3cret s3cret"}', id="two words"),
        pytest.param('{"token": "s3cretä"}'.encode(), id="not ASCII"),
        pytest.param(b'{"token": "s3cret\\ud800"}', id="half a surrogate"),
        pytest.param(b'{"token": "s3cret\\u0000"}', id="a NUL"),
        pytest.param(b'{"token": "' + b"s3cret" * 20_000 + b'"}', id="120 KB"),
        pytest.param(b'{"a":' * 100_000, id="nested 100,000 deep"),
        pytest.param(b'{"token": "s3cret", "a": ' + b"[" * 200_000, id="nested behind the token"),
    ],
)
def test_hostile_answers(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        Token.parse(body, "x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("refresh", [None, 5, "a b", "x" * 70_000, "\n"])
def test_a_refresh_token_that_cannot_be_one_is_none(refresh: object) -> None:
    assert token(token="a", refresh_token=refresh).refresh == ""


def test_its_representation_shows_no_secret() -> None:
    assert repr(token(token="s3cret", refresh_token="s3cret")) == "Token(seconds=60.0)"


@given(st.binary(max_size=80) | st.dictionaries(st.text(), st.text()).map(lambda value: json.dumps(value).encode()))
@settings(max_examples=150, deadline=None)
def test_any_answer_is_a_token_or_a_proper_error(body: bytes) -> None:
    try:
        value = Token.parse(body, "x").value
    except SourceError:
        return
    assert f"Bearer {value}".isprintable()


def server(realm: str, origin: str = "https://registry.example.org", *, plain_http: bool = False) -> TokenServer:
    challenge = Challenge("bearer", {"realm": realm})
    return TokenServer.of(challenge, Address.parse(origin), plain_http=plain_http)


REMOTE, HERE = "https://registry.example.org", "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("realm", "origin", "plain_http"),
    [
        pytest.param("https://registry.example.org/token", REMOTE, False, id="the same host"),
        pytest.param("https://auth.docker.io/token", REMOTE, False, id="another host"),
        pytest.param("https://auth.example.org:8443/t?a=b", REMOTE, False, id="a port and a query"),
        pytest.param("http://registry.example.org/token", "http://registry.example.org", True, id="plain, as told"),
        pytest.param("http://127.0.0.1:5001/token", HERE, False, id="this machine, from this machine"),
        pytest.param("http://localhost:5001/token", HERE, False, id="this machine by another name"),
        pytest.param("https://localhost:5001/token", "https://localhost:5000", False, id="this machine, encrypted"),
        pytest.param("https://auth.example.org/token", HERE, False, id="elsewhere, from this machine"),
        pytest.param("https://169.254.7.7/token", "https://169.254.7.7", False, id="the link that the registry is on"),
    ],
)
def test_realms_that_are_trusted(realm: str, origin: str, plain_http: bool) -> None:
    assert server(realm, origin, plain_http=plain_http).address.url == realm


@pytest.mark.parametrize(
    ("realm", "origin", "plain_http"),
    [
        pytest.param("", REMOTE, False, id="empty"),
        pytest.param("Registry Realm", REMOTE, False, id="words"),
        pytest.param("/token", REMOTE, False, id="a path"),
        pytest.param("//auth.example.org/token", REMOTE, False, id="no scheme"),
        pytest.param("file:///etc/passwd", REMOTE, True, id="a file"),
        pytest.param("ftp://auth.example.org/", REMOTE, True, id="ftp"),
        pytest.param("https://", REMOTE, False, id="no host"),
        pytest.param("https://auth.example.org:99999/", REMOTE, False, id="no port"),
        pytest.param("https://u:p@auth.example.org/token", REMOTE, False, id="user info"),
        pytest.param("https://@auth.example.org/token", REMOTE, False, id="empty user info"),
        pytest.param("https://registry.example.org@evil.example.net/", REMOTE, False, id="a host in disguise"),
        pytest.param("https://a\r\nHost: b/", REMOTE, False, id="two lines"),
        pytest.param("https://a/" + "x" * 5000, REMOTE, False, id="too long"),
        pytest.param("http://auth.example.org/token", REMOTE, False, id="plain http"),
        pytest.param("http://auth.example.org/token", HERE, False, id="plain http from this machine"),
        pytest.param("http://127.0.0.1:5001/token", "https://127.0.0.1:5000", False, id="plain http from https"),
        pytest.param("https://127.0.0.1/token", REMOTE, True, id="this machine"),
        pytest.param("https://localhost/token", REMOTE, True, id="this machine by name"),
        pytest.param("https://localhost./token", REMOTE, True, id="this machine by full name"),
        pytest.param("https://2130706433/token", REMOTE, True, id="this machine as a number"),
        pytest.param("https://0x7f.1/token", REMOTE, True, id="this machine in hexadecimal"),
        pytest.param("https://[::1]/token", REMOTE, True, id="this machine by IPv6"),
        pytest.param(
            "https://[::ffff:127.0.0.1]/token",
            REMOTE,
            True,
            id="this machine by mapped IPv6",
        ),
        pytest.param("https://0.0.0.0/token", REMOTE, True, id="unspecified"),
        pytest.param("http://169.254.169.254/latest", REMOTE, True, id="a cloud's metadata"),
        pytest.param("http://169.254.169.254/latest", HERE, True, id="a cloud's metadata from this machine"),
        pytest.param("https://[fe80::1%25eth0]/", REMOTE, True, id="the link by IPv6"),
    ],
)
def test_realms_that_are_not_trusted(realm: str, origin: str, plain_http: bool) -> None:
    with pytest.raises(AuthError, match="the token server that the registry names"):
        server(realm, origin, plain_http=plain_http)


@given(st.text(max_size=40) | st.text(max_size=20).map("https://{}".format))
@settings(max_examples=150, deadline=None)
def test_any_realm_is_a_server_or_a_proper_error(realm: str) -> None:
    with contextlib.suppress(HoldfastError):
        assert server(realm).address.scheme == "https"
