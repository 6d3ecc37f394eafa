"""A web server on this machine that behaves as each test wants it to, and remembers what it was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request, and the means to answer it well or badly."""

    protocol_version = "HTTP/1.1"
    server: "Loopback"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers.items())))
        behaviour = self.server.routes.get(self.path.partition("?")[0])
        try:
            if behaviour is None:
                self.answer(b"nothing here", 404)
            elif isinstance(behaviour, bytes):
                self.answer(behaviour)
            else:
                behaviour(self)
        except OSError:
            self.close_connection = True

    def answer(self, body: bytes = b"", status: int = 200, /, **headers: str) -> None:
        """A proper answer. Header names are written with _ for -."""
        self.head(status, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def head(self, status: int = 200, /, **headers: str) -> None:
        """Only the head of an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def cut(self) -> None:
        """Hang up."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(2)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Loopback(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, routes: dict[str, Behaviour | bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.routes = routes
        self.asked: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is part of the tests."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def serve(routes: dict[str, Behaviour | bytes] | None = None) -> Iterator[Loopback]:
    """A running server; its routes may be changed while it runs."""
    server = Loopback(routes or {})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port of this machine where nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
