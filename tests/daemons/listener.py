"""A web server on loopback that answers as it is told and keeps every byte that was sent to it.

    with listen() as stranger:                              # answers 200 with an empty body to everything
        ...
        assert stranger.requests[0].header("Authorization") == ""
        assert heard("s3cret", stranger, token, meddler) == []        # raw, percent-encoded, or inside base64

    with listen(lambda request: Answer(404), host="127.0.0.2", authority=authority) as it:   # another host, over TLS
        it.url, it.host, it.requests, it.sent, it.conversations[0].certificate

What a `Request` tells and an `Answer` can be stands in message.py.
"""

import base64
import binascii
import io
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus

from daemons.authority import Authority
from daemons.message import Answer, Hangup, Pause, Piece, Relay, Request, Respond

_TLS_HANDSHAKE = 0x16  # RFC 8446 §5.1: the content type of a ClientHello's record
_BLOCK = 64 << 10
_NOTHING = Answer()
_BODILESS = (204, 304)


@dataclass
class Conversation:
    """One connection: where it led, whether it was encrypted, what the client sent (decrypted), whom it said it was."""

    to: str
    encrypted: bool = False
    sent: bytearray = field(default_factory=bytearray)
    certificate: str = ""


class Listener(ThreadingHTTPServer):
    """See the module. It is its own client's description too: `url`, and `context` to trust it with."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        respond: Respond,
        *,
        host: str = "127.0.0.1",
        authority: Authority | None = None,
        client_authority: Authority | None = None,
    ) -> None:
        super().__init__((host, 0), _Exchange)
        self.respond = respond
        self.authority = authority
        self.tls = authority.server_context(client_authority) if authority else None
        self.conversations: list[Conversation] = []
        self.requests: list[Request] = []
        self.failures: list[Exception] = []
        self.closing = threading.Event()
        self.opened: set[socket.socket] = set()

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return str(self.server_address[0]), self.server_port

    @property
    def host(self) -> str:
        """HOST:PORT."""
        return f"{self.place[0]}:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def context(self) -> ssl.SSLContext | None:
        """What a client trusts it with."""
        return self.authority.context() if self.authority else None

    @property
    def sent(self) -> list[bytes]:
        """What each connection's client sent, byte for byte."""
        return [bytes(conversation.sent) for conversation in self.conversations]

    @property
    def paths(self) -> list[str]:
        """`METHOD path` of each request."""
        return [f"{request.method} {request.path}" for request in list(self.requests)]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.opened.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.opened.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.opened):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is part of the tests; what else went wrong is kept in `failures`."""


class _Heard(io.RawIOBase):
    """A connection's incoming bytes, each kept as it passes."""

    def __init__(self, connection: socket.socket, conversation: Conversation) -> None:
        self._connection, self._conversation = connection, conversation

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._connection.recv_into(buffer)
        self._conversation.sent += memoryview(buffer)[:count]
        return count


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        self.conversation = Conversation(self.server.host, self.server.tls is not None)
        self.server.conversations.append(self.conversation)
        if self.server.tls is not None:
            self._encrypt(self.server.tls)
        super().setup()
        self.rfile = io.BufferedReader(_Heard(self.connection, self.conversation))

    def _encrypt(self, tls: ssl.SSLContext) -> None:
        first = self.request.recv(1, socket.MSG_PEEK)
        if first and first[0] != _TLS_HANDSHAKE:  # someone speaks clear text to us: keep that too
            self.conversation.encrypted = False
            self.conversation.sent += self.request.recv(1 << 16)
            raise ConnectionError("no TLS")
        # The socket is wrapped here and not where it is accepted: a slow handshake must not keep others waiting.
        self.request = tls.wrap_socket(self.request, server_side=True)
        self.server.opened.add(self.request)
        subject = (self.request.getpeercert() or {}).get("subject", ())
        self.conversation.certificate = dict(pair for part in subject for pair in part).get("commonName", "")

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.server.opened.discard(self.request)
            self.request.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method
            return self._exchange
        raise AttributeError(name)

    def _exchange(self) -> None:
        try:
            headers = tuple(self.headers.items())
            request = Request(self.command, self.path, headers, self._body(), self.server.host)
            self.server.requests.append(request)
            self._send(self.server.respond(request))
        except OSError:
            self.close_connection = True
        except Exception as error:
            self.server.failures.append(error)
            self.close_connection = True

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _send(self, answer: Answer) -> None:
        if answer.status == 0:
            self.close_connection = True
            return self._write(answer.body)
        stated = {name.lower() for name, _ in answer.headers}
        bodiless = answer.status in _BODILESS or answer.status < 200
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            if not bodiless and not stated & {"content-length", "transfer-encoding"}:
                self.send_header("Content-Length", str(len(answer.body)))
        elif "content-length" not in stated:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not bodiless:
            self._write(answer.body)
        return None

    def _write(self, body: bytes | Iterable[Piece]) -> None:
        for piece in [body] if isinstance(body, bytes) else body:
            if self.server.closing.is_set():
                break
            if isinstance(piece, bytes):
                self.wfile.write(piece)
            elif isinstance(piece, Pause):
                self.server.closing.wait(piece.seconds)
            elif isinstance(piece, Relay):
                return self._relay(piece.to)
            else:
                return self._hang_up(piece)
        return None

    def _relay(self, to: tuple[str, int]) -> None:
        self.close_connection = True
        with socket.create_connection(to) as far:
            back = threading.Thread(target=self._relay_back, args=(far,), daemon=True)
            back.start()
            with suppress(OSError):
                while data := self.rfile.read1(_BLOCK):
                    far.sendall(data)
                far.shutdown(socket.SHUT_WR)
            back.join()

    def _relay_back(self, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(_BLOCK):
                self.connection.sendall(data)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _hang_up(self, how: Hangup) -> None:
        self.close_connection = True
        if how is Hangup.RESET:  # lingering zero seconds: close() sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def running(listener: Listener) -> Iterator[None]:
    """Serve until the end of the block; what the answering code itself got wrong is raised then."""
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()
        thread.join()
    if listener.failures:
        raise listener.failures[0]


@contextmanager
def listen(
    respond: Respond | Answer = _NOTHING,
    *,
    host: str = "127.0.0.1",
    authority: Authority | None = None,
    client_authority: Authority | None = None,
) -> Iterator[Listener]:
    """A server that answers everything as told. All of 127.0.0.0/8 is this machine, so `host` makes another one."""
    fixed = respond
    answering = (lambda _: fixed) if isinstance(fixed, Answer) else fixed
    listener = Listener(answering, host=host, authority=authority, client_authority=client_authority)
    with running(listener):
        yield listener


def heard(secret: str, *listeners: Listener) -> list[str]:
    """Where a secret went: `HOST:PORT METHOD target` for each connection that carried it, in any usual clothing."""
    forms = {secret.encode(), quote(secret, safe="").encode(), quote_plus(secret).encode()}
    return [
        f"{conversation.to} {bytes(conversation.sent).partition(b' HTTP/')[0].decode(errors='replace')[:200]}"
        for listener in listeners
        for conversation in list(listener.conversations)
        if any(form in content for content in _layers(bytes(conversation.sent)) for form in forms)
    ]


def _layers(sent: bytes) -> Iterator[bytes]:
    """What was sent, and what each stretch of it is in base64."""
    yield sent
    for run in set(re.findall(rb"[A-Za-z0-9+/_-]{8,}", sent)):
        with suppress(binascii.Error):
            yield base64.b64decode(run.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(run) % 4))
