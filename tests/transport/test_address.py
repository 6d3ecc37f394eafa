"""Which addresses are fetched, and that passwords in them are never shown."""

import socket
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import SourceError
from holdfast.transport.address import Address
from holdfast.transport.retry import Retry, parse_http_date, retry_after


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "a.localhost"])
def test_this_machine(host: str) -> None:
    Address.parse(f"http://{host}:8080/x").require_allowed(signed=False)


@pytest.mark.parametrize("host", ["example.org", "192.0.2.1", "127.0.0.1.example.org", "localhost.example.org"])
def test_other_machines(host: str) -> None:
    address = Address.parse(f"http://{host}/x")
    address.require_allowed(signed=True)
    with pytest.raises(SourceError):
        address.require_allowed(signed=False)


@pytest.mark.parametrize(
    "text", ["", "x", "ftp://h/x", "https://", "https://h:99999/", "https://[::1", "https://h/a b", "https://h/\n"]
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(SourceError):
        Address.parse(text)


def test_a_password_is_kept_apart_and_never_shown() -> None:
    address = Address.parse("https://me:s%40cret@example.org/x#fragment")
    assert (address.credentials, address.url) == ("me:s@cret", "https://example.org/x")
    with pytest.raises(SourceError) as caught:
        Address.parse("ftp://me:secret@example.org/x")
    assert "secret" not in str(caught.value)


def test_a_password_does_not_follow_a_redirect_elsewhere() -> None:
    address = Address.parse("https://me:secret@example.org/x")
    assert address.redirected("/y", signed=False).credentials == "me:secret"
    assert address.redirected("https://other.example.org/y", signed=False).credentials == ""


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/x",
        "https://127.0.0.1/x",
        "http://169.254.169.254/",
        "file:///x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:169.254.169.254]/x",
    ],
)
def test_redirects_that_are_refused(location: str) -> None:
    with pytest.raises(SourceError):
        Address.parse("https://example.org/").redirected(location, signed=True)


def test_a_signed_archive_may_redirect_among_plain_hosts() -> None:
    target = Address.parse("http://example.org/").redirected("http://mirror.example.org/x y", signed=True)
    assert target.url == "http://mirror.example.org/x%20y"


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_is_an_address_or_a_source_error(text: str, location: str) -> None:
    for candidate in (text, "http://" + text, "https://u:p@" + text):
        try:
            address = Address.parse(candidate)
            address.redirected(location, signed=True)
        except SourceError as error:
            str(error).encode()


def test_http_dates() -> None:
    assert parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777
    assert parse_http_date("Sat, 28 Nov 2026 00:53:02 UTC") == 1795827182
    assert parse_http_date("yesterday") is None


def test_retry_after_in_both_forms() -> None:
    assert retry_after("120") == 120
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now=784111770) == 7
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now=784111780) == 0
    assert retry_after(None) is retry_after("soon") is retry_after("-1") is retry_after("²") is None


@given(st.text(max_size=40))
def test_any_header_is_a_wait_or_none(text: str) -> None:
    assert (retry_after(text) or 0) >= 0


def test_pauses_grow_and_stay_bounded() -> None:
    retry = Retry(first=1, longest=10)
    assert 0.5 <= retry.pause(0) <= 1
    assert 2 <= retry.pause(2) <= 4
    assert 5 <= retry.pause(5000) <= 10


@pytest.mark.parametrize(
    ("host", "leads"),
    [
        ("8.8.8.8", True), ("[2606:4700::1111]", True), ("mirror.example.org", True), ("10.0.0.1", False),
        ("169.254.169.254", False), ("127.1", False), ("2130706433", False), ("0x7f.0.0.1", False),
        ("0x08080808", False), ("100.64.0.1", False), ("224.0.0.1", False), ("[fe80::1]", False), ("[fd00::1]", False),
        ("[::ffff:10.0.0.1]", False), ("localhost", False), ("localhost.", False), ("localhost.localdomain", False),
    ],
)  # fmt: skip
def test_what_may_be_a_host_of_the_internet(host: str, *, leads: bool) -> None:
    assert Address.parse(f"http://{host}/x").may_be_public is leads


@pytest.mark.parametrize(("resolved", "allowed"), [("8.8.8.8", True), ("10.0.0.1", False), ("fe80::1%eth0", False)])
def test_a_name_is_judged_by_what_it_leads_to(monkeypatch: pytest.MonkeyPatch, resolved: str, *, allowed: bool) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("8.8.4.4", 0)), (0, 0, 0, "", (resolved, 0))]
    )
    with nullcontext() if allowed else pytest.raises(SourceError, match="private network"):
        Address.parse("http://mirror.example.org/debian").require_public()
