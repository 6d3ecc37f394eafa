"""One request and one answer: encrypted and trusted, through a proxy, over a Unix socket, or not at all."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from daemons.authority import Authority
from daemons.listener import Listener, heard, listen
from daemons.message import Answer, Hangup, Pause, Piece
from daemons.proxy import proxy
from holdfast.model.errors import AuthError, SourceError
from holdfast.transport import wire as wire_module
from holdfast.transport.address import Address
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import SpeaksPlainHttp, Transient, refuse
from holdfast.transport.proxy import Proxy
from holdfast.transport.stream import read
from holdfast.transport.trust import Trust
from holdfast.transport.wire import Wire
from transport.loopback import free_port

HELLO = Answer(200, (), b"hello")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def ask(wire: Wire, url: str, trust: Trust = Trust()) -> bytes:
    response = wire.ask("GET", Address.parse(url), {}, Deadline(), trust=trust)
    return read(response, url, Deadline(), 1 << 20)


def trusting(authority: Authority, client: str = "", of: Authority | None = None) -> Trust:
    shown = (of or authority).client(client) if client else None
    return Trust(str(authority.bundle), *((str(shown.certificate), str(shown.key)) if shown else ()))


class TestTrust:
    def test_an_authority_of_ones_own(self, authority: Authority) -> None:
        with listen(HELLO, authority=authority) as it, Wire() as wire:
            assert ask(wire, it.url, trusting(authority)) == b"hello"
            with pytest.raises(SourceError, match="no trusted https connection") as refused:
                ask(wire, it.url)
            assert "ca_bundle" in refused.value.remedy
        assert len(it.requests) == 1

    def test_the_wires_own_authority_stands_beside_a_certificate_for_one_host(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        clients = Authority(tmp_path / "clients")
        me = clients.client("ci")
        with (
            listen(HELLO, authority=authority, client_authority=clients) as it,
            Wire(trust=Trust(str(authority.bundle))) as wire,
        ):
            assert ask(wire, it.url, Trust("", str(me.certificate), str(me.key))) == b"hello"

    def test_a_certificate_for_another_name(self, authority: Authority) -> None:
        with listen(HELLO, authority=authority.naming("other.test")) as it, Wire() as wire:
            with pytest.raises(SourceError, match="no trusted https connection"):
                ask(wire, it.url, trusting(authority))
            assert it.requests == []

    def test_an_expired_certificate(self, authority: Authority) -> None:
        with listen(HELLO, authority=authority.expired()) as it, Wire() as wire:
            with pytest.raises(SourceError, match="expired"):
                ask(wire, it.url, trusting(authority))
            assert it.requests == []

    def test_a_folder_of_authorities(self, authority: Authority, tmp_path: Path) -> None:
        """An authority that takes over from another: both are trusted for a while."""
        folder = tmp_path / "certs"
        folder.mkdir()
        (folder / "a-new.crt").write_bytes(Authority(tmp_path / "new").bundle.read_bytes())
        (folder / "b-old.crt").write_bytes(authority.bundle.read_bytes())
        with listen(HELLO, authority=authority) as it, Wire() as wire:
            assert ask(wire, it.url, Trust(str(folder))) == b"hello"

    @pytest.mark.parametrize(
        "content", [None, b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    )
    def test_a_bundle_that_is_none(self, tmp_path: Path, content: bytes | None) -> None:
        bundle = tmp_path / "bundle.pem"
        if content is not None:
            bundle.write_bytes(content)
        with Wire() as wire, pytest.raises(SourceError, match="not certificates") as refused:
            ask(wire, "https://registry.test", Trust(str(bundle)))
        assert refused.value.where == str(bundle)


class TestClientCertificate:
    @pytest.fixture
    def clients(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path / "clients")

    @pytest.fixture
    def server(self, authority: Authority, clients: Authority) -> Iterator[Listener]:
        with listen(HELLO, authority=authority, client_authority=clients) as it:
            yield it

    def test_it_is_shown(self, server: Listener, authority: Authority, clients: Authority) -> None:
        with Wire() as wire:
            assert ask(wire, server.url, trusting(authority, "ci", clients)) == b"hello"
        assert [one.certificate for one in server.conversations] == ["ci"]

    def test_one_that_is_wanted_and_not_given(self, server: Listener, authority: Authority) -> None:
        with Wire() as wire, pytest.raises((SourceError, Transient)) as refused:
            ask(wire, server.url, trusting(authority))
        assert server.requests == []
        # Its alert may come with the handshake, with the answer, or be lost as the connection is closed.
        assert any(words in str(refused.value) for words in ("required", "hung up", "broke off", "no proper answer"))

    def test_one_of_another_authority(self, server: Listener, authority: Authority, tmp_path: Path) -> None:
        with Wire() as wire, pytest.raises((SourceError, Transient)):
            ask(wire, server.url, trusting(authority, "ci", Authority(tmp_path / "strangers")))
        assert server.requests == []

    @pytest.mark.parametrize("key", ["absent", "another", "garbage", "locked"])
    def test_a_key_that_is_of_no_use(self, authority: Authority, clients: Authority, tmp_path: Path, key: str) -> None:
        me, path = clients.client("ci"), tmp_path / "key"
        if key == "another":
            path.write_bytes(clients.client("else").key.read_bytes())
        elif key == "garbage":
            path.write_text("no key")
        elif key == "locked":
            path.write_bytes(_locked(me.key.read_bytes()))
        with Wire() as wire, pytest.raises(SourceError, match="no usable client certificate") as refused:
            ask(wire, "https://registry.test", Trust(str(authority.bundle), str(me.certificate), str(path)))
        assert refused.value.remedy

    def test_it_is_not_for_others(self, authority: Authority, clients: Authority) -> None:
        assert trusting(authority, "ci", clients).of_others == Trust(str(authority.bundle))


class TestProxy:
    def test_it_is_asked_for_what_it_knows(self, authority: Authority) -> None:
        there = authority.naming("registry.test")
        with (
            listen(HELLO, authority=there) as server,
            listen(HELLO) as plain,
            proxy({"registry.test:443": server, "registry.test:80": plain}) as way,
            Wire(proxy=Proxy(way.url)) as wire,
        ):
            assert ask(wire, "https://registry.test/", trusting(authority)) == b"hello"
            assert ask(wire, "http://registry.test/") == b"hello"
            assert way.paths == ["CONNECT registry.test:443", "GET http://registry.test/"]

    def test_its_password_is_for_the_proxy_alone(self, authority: Authority) -> None:
        with (
            listen(HELLO, authority=authority.naming("registry.test")) as server,
            listen(HELLO) as plain,
            proxy({"registry.test:443": server, "registry.test:80": plain}, auth=("me", "pr0xy")) as way,
            Wire(proxy=Proxy(way.url.replace("://", "://me:pr0xy@"))) as wire,
        ):
            for url in ("https://registry.test/", "http://registry.test/"):
                assert ask(wire, url, trusting(authority)) == b"hello"
            assert len(heard("pr0xy", way)) == 2
            assert heard("pr0xy", server, plain) == []

    @pytest.mark.parametrize("url", ["https://registry.test/", "http://registry.test/"])
    def test_a_password_that_is_missing_or_wrong_is_said(self, url: str) -> None:
        def asked(wire: Wire) -> None:
            refuse(wire.ask("GET", Address.parse(url), {}, Deadline()), url)

        with proxy({}, auth=("me", "pr0xy")) as way:
            for told in (way.url, way.url.replace("://", "://me:guess@")):
                with Wire(proxy=Proxy(told)) as wire, pytest.raises(AuthError, match="proxy wants credentials") as said:
                    asked(wire)
                assert "guess" not in str(said.value)

    def test_hosts_that_are_reached_without(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        real = socket.getaddrinfo

        def lookup(host: str, *rest: Any, **named: Any) -> Any:
            return real("127.0.0.1" if host.endswith(".test") else host, *rest, **named)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        with listen(HELLO) as server, proxy({}) as way, Wire(proxy=Proxy(way.url, (".test",))) as wire:
            port = server.server_port
            assert ask(wire, f"http://registry.test:{port}/") == b"hello"
            assert way.requests == []

    def test_one_that_is_gone(self) -> None:
        with Wire(proxy=Proxy(f"http://me:pr0xy@127.0.0.1:{free_port()}")) as wire:
            with pytest.raises(SourceError, match="cannot be reached") as refused:
                ask(wire, "https://registry.test/")
            assert "pr0xy" not in str(refused.value)

    def test_one_that_leads_nowhere(self) -> None:
        with proxy({}) as way, Wire(proxy=Proxy(way.url)) as wire, pytest.raises(Transient) as failed:
            ask(wire, "https://registry.test/")
        assert failed.value.connecting
        assert failed.value.address == Address.parse("https://registry.test/")


class TestReach:
    def test_a_port_where_nobody_listens_is_tried_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"http://127.0.0.1:{free_port()}/"
        with Wire() as wire:
            for _ in range(2):
                with pytest.raises(SourceError, match="Connection refused"):
                    ask(wire, url)
                monkeypatch.setattr(socket, "socket", _forbidden)

    def test_and_again_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wire_module, "GIVEN_UP_SECONDS", 0.0)
        port = free_port()
        with Wire() as wire:
            with pytest.raises(SourceError, match="Connection refused"):
                ask(wire, f"http://127.0.0.1:{port}/")
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("127.0.0.1", port))
                server.listen()
                threading.Thread(target=_answer_once, args=(server,), daemon=True).start()
                assert ask(wire, f"http://127.0.0.1:{port}/") == b"hello"

    def test_who_answered_a_moment_ago_may_be_starting_anew(self) -> None:
        with Wire() as wire:
            with listen(HELLO) as it:
                assert ask(wire, it.url) == b"hello"
            for _ in range(2):
                with pytest.raises(Transient, match=r"cannot be reached|no proper answer"):
                    ask(wire, it.url)

    def test_a_name_that_nobody_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []

        def fail(host: object, *_: object, **__: object) -> None:
            asked.append(host)
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with Wire() as wire:
            for _ in range(2):
                with pytest.raises(SourceError, match=r"registry\.test cannot be reached"):
                    ask(wire, "https://registry.test/v2/")
        assert asked == ["registry.test"]

    def test_a_port_that_does_not_encrypt(self) -> None:
        with listen(HELLO) as it, Wire() as wire, pytest.raises(SpeaksPlainHttp) as refused:
            ask(wire, it.url.replace("http:", "https:"))
        assert "plain http" in refused.value.remedy

    def test_offline_opens_no_socket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "socket", _forbidden)
        monkeypatch.setattr(socket, "getaddrinfo", _forbidden)
        with Wire(offline=True) as wire:
            for url in ("https://registry.test/", "http://127.0.0.1:5000/"):
                with pytest.raises(SourceError, match="--offline"):
                    ask(wire, url)

    @pytest.mark.parametrize(
        "pieces",
        [
            [b"HTTP/1.1 200 OK\r\n" + b"X-Bomb: x\r\n" * 100_000],
            [b"HTTP/1.1 200 OK\r\nX-Bomb: " + b"x" * (1 << 20)],
            [b"HTTP/1.1 200 " + b"x" * (1 << 20)],
            [b"HTTP/1.1 twohundred OK\r\n\r\n"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nhello"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"],
            [b"\0" * 1000],
            [b"<html>"],
            [b""],
        ],
    )
    def test_what_is_no_proper_answer(self, pieces: list[Piece]) -> None:
        answer = Answer(0, (), [*pieces, Hangup.CLOSE])
        with listen(answer) as it, Wire() as wire, suppress(Transient, SourceError):
            assert ask(wire, it.url) in (b"hello", b"")

    def test_a_head_that_drips_is_cut(self) -> None:
        def drops() -> Iterator[Piece]:
            yield b"HTTP/1.1 200 OK\r\nX: "
            while True:
                yield b"x"
                yield Pause(0.02)

        with listen(Answer(0, (), drops())) as it, Wire() as wire, pytest.raises(Transient):
            wire.ask("GET", Address.parse(it.url), {}, Deadline(), patience=0.1)


class _UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class _Greeter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host']}".encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class TestUnixSocket:
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[str]:
        path = str(tmp_path / "engine.sock")
        with _UnixServer(path, _Greeter) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            yield path
            server.shutdown()

    @pytest.mark.parametrize("offline", [False, True])
    def test_it_is_asked_even_offline_and_never_through_a_proxy(self, engine: str, offline: bool) -> None:
        with Wire(offline=offline, proxy=Proxy("http://127.0.0.1:1")) as wire:
            for _ in range(3):
                response = wire.ask("GET", Address.unix(engine, "/v1.41/info?x=%2F"), {}, Deadline())
                assert read(response, engine, Deadline(), 1000) == b"/v1.41/info?x=%2F localhost"

    def test_one_that_is_absent(self, tmp_path: Path) -> None:
        with Wire() as wire, pytest.raises((SourceError, Transient), match="No such file"):
            wire.ask("GET", Address.unix(str(tmp_path / "none.sock"), "/"), {}, Deadline())

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
    def test_one_that_we_may_not_open(self, engine: str) -> None:
        Path(engine).chmod(0)
        with Wire() as wire, pytest.raises((SourceError, Transient), match="Permission denied"):
            wire.ask("GET", Address.unix(engine, "/"), {}, Deadline())


def _forbidden(*_: object, **__: object) -> None:
    raise AssertionError("a socket was opened")


def _answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
    connection.close()


def _locked(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    loaded = load_pem_private_key(key, None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"phrase"))
