"""What a client of the tests' servers sends, and what it is sent.

    Answer(404)
    Answer(200, [("Content-Type", "text/plain")], b"hello").having(Retry_After="1", Content_Type=None)
    Answer(200, [("Content-Length", "10")], [b"hel", Pause(0.5), b"lo", Hangup.RESET])

An `Answer` says exactly what goes out: nothing is added but a Content-Length where the body is bytes and none is
stated. A body may also be pieces: bytes, `Pause(seconds)`, a `Hangup`, or a `Relay` to another place.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs


class Hangup(Enum):
    """How a server leaves in the middle of a body."""

    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class Pause:
    """A while in which nothing is sent."""

    seconds: float


@dataclass(frozen=True)
class Relay:
    """From here on the connection leads to another place, as a proxy's tunnel does."""

    to: tuple[str, int]


Piece = bytes | Pause | Hangup | Relay


@dataclass(frozen=True)
class Request:
    """One request as it came: `target` is path and query as sent, `to` the host and port it was sent to."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    to: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(errors="replace"), keep_blank_values=True)

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of basic authentication."""
        scheme, _, value = self.header("Authorization").partition(" ")
        if scheme.lower() != "basic":
            return None
        with suppress(ValueError):
            user, _, password = base64.b64decode(value).decode().partition(":")
            return user, password
        return "", ""

    @property
    def bearer(self) -> str:
        scheme, _, value = self.header("Authorization").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Answer:
    """What is sent back; a status of 0 means that the body is all of it, HTTP or not."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | Iterable[Piece] = b""

    @property
    def whole(self) -> bytes:
        """The bytes of the body."""
        if not isinstance(self.body, bytes):
            return b"".join(piece for piece in self.body if isinstance(piece, bytes))
        return self.body

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def having(self, **headers: str | None) -> "Answer":
        """The same answer with these headers instead of those of their names (_ stands for -); None leaves one out."""
        names = {name.replace("_", "-").lower() for name in headers}
        kept = [(key, value) for key, value in self.headers if key.lower() not in names]
        added = [(name.replace("_", "-"), value) for name, value in headers.items() if value is not None]
        return Answer(self.status, [*kept, *added], self.body)


Respond = Callable[[Request], Answer]
