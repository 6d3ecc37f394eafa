import base64
import http.client
import socket
import ssl

import pytest

from daemons.authority import Authority
from daemons.listener import Listener, heard, listen
from daemons.message import Answer, Hangup, Pause, Request
from daemons.push import Pusher


def test_what_a_client_sends_is_kept_byte_for_byte() -> None:
    with listen(Answer(200, [("X-Twice", "1"), ("X-Twice", "2")], b"hello")) as it:
        reply = Pusher(it).ask("POST", "/a?b=c", b"body", X_Mine="yes")
    assert (reply.status, reply.body) == (200, b"hello")
    assert it.sent[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert it.sent[0].endswith(b"X-Mine: yes\r\n\r\nbody")
    request = it.requests[0]
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a", {"b": ["c"]}, b"body")
    assert (request.header("x-mine"), request.to, it.paths) == ("yes", it.host, ["POST /a"])


def test_several_requests_may_come_over_one_connection() -> None:
    with listen() as it:
        pusher = Pusher(it)
        pusher.ask("GET", "/1")
        pusher.ask("HEAD", "/2")
        pusher.close()
    assert it.paths == ["GET /1", "HEAD /2"]
    assert len(it.conversations) == 1


def test_a_chunked_body_is_put_together() -> None:
    with listen() as it, socket.create_connection(it.place) as client:
        client.sendall(
            b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert it.requests[0].body == b"abcde"


def test_a_body_may_come_in_pieces_and_break_off() -> None:
    with listen(Answer(200, [("Content-Length", "10")], [b"ab", Pause(0.01), b"cd", Hangup.CLOSE])) as it:
        connection = http.client.HTTPConnection(*it.place)
        connection.request("GET", "/")
        with pytest.raises(http.client.IncompleteRead) as raised:
            connection.getresponse().read()
    assert raised.value.partial == b"abcd"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_reset_is_one(tmp_path_factory: pytest.TempPathFactory, encrypted: bool) -> None:
    authority = Authority(tmp_path_factory.mktemp("ca")) if encrypted else None
    with listen(Answer(200, [("Content-Length", "10")], [b"ab", Hangup.RESET]), authority=authority) as it:
        pusher = Pusher(it)
        # Python's ssl may take a reset for an end.
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead) if encrypted else ConnectionResetError):
            pusher.ask("GET", "/")


def test_it_ends_though_a_body_does_not() -> None:
    with listen(Answer(body=[Pause(600)])) as it:
        connection = http.client.HTTPConnection(*it.place)
        connection.request("GET", "/")
        connection.getresponse()


def test_what_the_answering_code_got_wrong_is_raised_at_the_end() -> None:
    def broken(_: Request) -> Answer:
        raise KeyError("mine")

    with pytest.raises(KeyError), listen(broken) as it, pytest.raises(http.client.RemoteDisconnected):
        Pusher(it).ask("GET", "/")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nAuthorization: Basic " + base64.b64encode(b"ci:p&ss w=rd/") + b"\r\n\r\n",
        b"GET /?password=p%26ss%20w%3Drd%2F HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\npassword=p%26ss+w%3Drd%2F&a=bbb",
        b"GET / HTTP/1.1\r\nX-Auth: p&ss w=rd/\r\n\r\n",
    ],
)
def test_a_secret_is_heard_in_whatever_clothing(sent: bytes) -> None:
    with listen() as it, listen() as other:
        for listener, data in ((it, sent), (other, b"GET / HTTP/1.1\r\n\r\n")):
            with socket.create_connection(listener.place) as client:
                client.sendall(data)
                client.recv(1)
    assert heard("p&ss w=rd/", it, other) == [f"{it.host} {sent.split(b' HTTP')[0].decode()}"]


def test_a_secret_said_in_clear_to_an_encrypted_place_is_heard(tmp_path_factory: pytest.TempPathFactory) -> None:
    with listen(authority=Authority(tmp_path_factory.mktemp("ca"))) as it:
        with socket.create_connection(it.place) as client:
            client.sendall(b"GET / HTTP/1.1\r\nAuthorization: Bearer s3cret\r\n\r\n")
            assert client.recv(1) == b""
        assert heard("s3cret", it)
        assert not it.conversations[0].encrypted


def test_another_host_of_this_machine_has_another_address() -> None:
    with listen(host="127.0.0.2") as it:
        assert it.url.startswith("http://127.0.0.2:")
        assert Pusher(it).ask("GET", "/").status == 200


class TestAuthority:
    def test_a_client_that_trusts_it_is_content(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        with listen(authority=Authority(tmp_path_factory.mktemp("ca"))) as it:
            assert Pusher(it).ask("GET", "/").status == 200
            assert it.url.startswith("https://")

    def test_its_variants_are_refused(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        authority = Authority(tmp_path_factory.mktemp("ca"))
        stranger = Authority(tmp_path_factory.mktemp("other"))
        assert "expired" in self._refusal(authority.expired(), authority)
        assert "IP address mismatch" in self._refusal(authority.naming("other.test"), authority)
        assert "issuer" in self._refusal(authority, stranger)

    def test_a_client_is_known_by_its_certificate(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        authority, clients = Authority(tmp_path_factory.mktemp("ca")), Authority(tmp_path_factory.mktemp("clients"))
        with listen(authority=authority, client_authority=clients) as it:
            context = authority.context(clients.client("ci"))
            connection = http.client.HTTPSConnection(*it.place, context=context)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                Pusher(it).ask("GET", "/")
        assert it.conversations[0].certificate == "ci"
        assert len(it.requests) == 1

    def _refusal(self, server: Authority, trusted: Authority) -> str:
        with listen(authority=server) as it:
            connection = http.client.HTTPSConnection(*it.place, context=trusted.context())
            with pytest.raises(ssl.SSLCertVerificationError) as raised:
                connection.request("GET", "/")
        return str(raised.value)


def test_a_listener_is_described_by_where_it_stands() -> None:
    it = Listener(lambda _: Answer())
    assert it.url == f"http://127.0.0.1:{it.server_port}"
    assert it.context is None
    it.server_close()
