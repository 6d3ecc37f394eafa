"""What a man in the middle may do (see meddler.py): each a function of a few words.

the transfer    truncate cut shorten delay drip endless stretch garbage silence hang_up gzipped
the content     flip swap instead replay digest_header content_type headers html empty
ranges          whole content_range misplaced not_satisfiable
the status      status too_many unauthorized expired_token challenges
elsewhere       redirect redirect_loop redirect_maze
lists           link link_to_itself ever_new
bodies          deep_json wide_json long_json                (bytes, to `swap` in or to answer with)

    it.on(CATALOG, swap(wide_json("repositories", 1_000_000)))
    token.instead = lambda request: Answer(body=json.dumps({"token": "x" * (10 << 20)}).encode())
"""

import gzip
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from daemons.meddler import Behaviour
from daemons.message import Answer, Hangup, Pause, Piece, Request, Respond
from world import digest

Alter = Callable[[Answer], Answer]
_BLOCK = 64 << 10


def truncate(after: int) -> Behaviour:
    """Promise all of the body, send so many bytes of it, and close the connection."""
    return _ending(after, Hangup.CLOSE)


def cut(after: int) -> Behaviour:
    """As `truncate`, with a reset (RST) at the end."""
    return _ending(after, Hangup.RESET)


def shorten(to: int) -> Behaviour:
    """Send only so many bytes, and a Content-Length that agrees with that."""
    return _altering(lambda answer: replace(answer, body=answer.whole[:to]).having(Content_Length=None))


def delay(seconds: float) -> Behaviour:
    """Wait between the head and the body."""

    def alter(answer: Answer) -> Answer:
        pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
        return _sized(answer, itertools.chain([Pause(seconds)], pieces))

    return _altering(alter)


def drip(seconds: float = 0.05, size: int = 1) -> Behaviour:
    """Send `size` bytes, wait, send `size` bytes."""

    def pieces(body: bytes) -> Iterator[Piece]:
        for at in range(0, len(body), size):
            yield body[at : at + size]
            yield Pause(seconds)

    return _altering(lambda answer: _sized(answer, pieces(answer.whole)))


def endless(block: bytes = b"\0" * _BLOCK, *, length: int | None = None) -> Behaviour:
    """The true body, and then this for ever; without a Content-Length, or with that one."""

    def meddle(request: Request, forward: Respond) -> Answer:
        answer = forward(request)
        stated = None if length is None else str(length)
        body = itertools.chain([answer.whole], itertools.repeat(block))
        return Answer(answer.status, answer.headers, body).having(Content_Length=stated)

    return meddle


def stretch(length: int) -> Behaviour:
    """State a wrong Content-Length; where it is too long, close the connection at the true end."""
    return _altering(
        lambda answer: replace(answer, body=[answer.whole[:length], Hangup.CLOSE]).having(Content_Length=str(length))
    )


def garbage(data: bytes) -> Behaviour:
    """Send this instead of a head and a body: no HTTP, perhaps."""
    return _saying(Answer(0, (), [data, Hangup.CLOSE]))


def silence(seconds: float = 600) -> Behaviour:
    """Take the request and say nothing."""
    return _saying(Answer(0, (), [Pause(seconds)]))


def hang_up(how: Hangup = Hangup.CLOSE) -> Behaviour:
    """Take the request and hang up."""
    return _saying(Answer(0, (), [how]))


def gzipped(data: bytes | None = None) -> Behaviour:
    """Send the true body (or this) compressed, and say so in Content-Encoding, asked or not."""

    def alter(answer: Answer) -> Answer:
        body = gzip.compress(answer.whole if data is None else data, 6, mtime=0)
        return replace(answer, body=body).having(Content_Length=None, Content_Encoding="gzip")

    return _altering(alter)


def flip(at: int = 0) -> Behaviour:
    """Change one bit of the byte at this place of the body."""

    def alter(answer: Answer) -> Answer:
        body = bytearray(answer.whole)
        body[at] ^= 1
        return replace(answer, body=bytes(body))

    return _altering(alter)


def swap(data: bytes, *, honest: bool = False) -> Behaviour:
    """Send other bytes as the body. The digest in the head stays as it was, or is theirs where that is `honest`."""

    def alter(answer: Answer) -> Answer:
        answer = Answer(200, answer.headers, data).having(Content_Length=None)
        return answer.having(Docker_Content_Digest=digest(data)) if honest else answer

    return _altering(alter)


def instead(of: str, *, honest: bool = True) -> Behaviour:
    """Answer with what stands beside: another tag or digest of the same repository.

    An `honest` one names the digest of what it sends; the other one claims what the true answer would have said.
    """

    def meddle(request: Request, forward: Respond) -> Answer:
        target = f"{request.path.rpartition('/')[0]}/{of}"
        other = forward(replace(request, target=target))
        if honest:
            return other
        return other.having(Docker_Content_Digest=forward(request).header("Docker-Content-Digest"))

    return meddle


def replay() -> Behaviour:
    """Remember the first answer to each request (of its method and target), and give no other any more."""
    kept: dict[tuple[str, str], Answer] = {}

    def meddle(request: Request, forward: Respond) -> Answer:
        key = request.method, request.target
        if key not in kept:
            kept[key] = forward(request)
        return kept[key]

    return meddle


def digest_header(value: str | None) -> Behaviour:
    """State another Docker-Content-Digest, or none."""
    return _altering(lambda answer: answer.having(Docker_Content_Digest=value))


def content_type(value: str | None) -> Behaviour:
    """State another Content-Type, or none."""
    return _altering(lambda answer: answer.having(Content_Type=value))


def headers(count: int = 10_000, size: int = 10) -> Behaviour:
    """Add so many headers whose values have so many bytes."""
    more = [(f"X-Bomb-{number}", "x" * size) for number in range(count)]
    return _altering(lambda answer: replace(answer, headers=[*answer.headers, *more]))


def html(status: int = 200) -> Behaviour:
    """A web page, as hotels and company proxies send."""
    page = b"<!DOCTYPE html><html><body><h1>Welcome</h1><form>Please log in</form></body></html>"
    return _saying(Answer(status, [("Content-Type", "text/html; charset=utf-8")], page))


def empty() -> Behaviour:
    """The same head, with no body."""
    return _altering(lambda answer: replace(answer, body=b"").having(Content_Length=None))


def whole() -> Behaviour:
    """Ignore Range: 200 with everything."""
    return lambda request, forward: forward(_without(request, "range"))


def content_range(value: str | None) -> Behaviour:
    """Where the answer is a part: state another Content-Range, or none."""
    return _altering(lambda answer: answer.having(Content_Range=value) if answer.status == 206 else answer)


def misplaced(by: int = 1) -> Behaviour:
    """Where a part is asked for, send it from so many bytes before, and state the place that was asked for."""

    def meddle(request: Request, forward: Respond) -> Answer:
        answer = forward(request)
        if answer.status != 206:
            return answer
        start = int(request.header("Range").partition("=")[2].partition("-")[0]) - by
        everything = forward(_without(request, "range")).whole
        return replace(answer, body=everything[start : start + len(answer.whole)])

    return meddle


def not_satisfiable() -> Behaviour:
    """416 to whoever asks for a part."""
    return lambda request, forward: Answer(416) if request.header("Range") else forward(request)


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """This status, without asking the real one. Header names are written with _ for -."""
    return _saying(Answer(code, (), body).having(**headers))


def too_many(retry_after: int | datetime | str | None = 1, code: int = 429) -> Behaviour:
    """429 (or 503) with a Retry-After in seconds, as a date, as it is, or without one."""
    if isinstance(retry_after, datetime):
        retry_after = format_datetime(retry_after, usegmt=True)
    return status(code) if retry_after is None else status(code, Retry_After=str(retry_after))


def unauthorized(*challenges: str) -> Behaviour:
    """401 with these challenges, each in a header of its own."""
    return _saying(Answer(401, [("WWW-Authenticate", challenge) for challenge in challenges]))


def expired_token() -> Behaviour:
    """Take no notice of the client's authorisation: a real registry then says what it says to a token that ended."""
    return lambda request, forward: forward(_without(request, "authorization"))


def challenges(*values: str) -> Behaviour:
    """Where the real one answers 401: these challenges beside its own, which comes twice and last."""

    def alter(answer: Answer) -> Answer:
        own = answer.header("WWW-Authenticate")
        stated = [("WWW-Authenticate", value) for value in (*values, own, own)]
        return Answer(401, [*answer.having(WWW_Authenticate=None).headers, *stated], answer.body)

    return _altering(lambda answer: alter(answer) if answer.status == 401 else answer)


def redirect(to: str, code: int = 307) -> Behaviour:
    """Send elsewhere. An address that ends in a host (no path) is given the path and query of the request."""

    def meddle(request: Request, forward: Respond) -> Answer:
        location = to + request.target if to.count("/") == 2 else to
        return Answer(code, [("Location", location)])

    return meddle


def redirect_loop(code: int = 307) -> Behaviour:
    """Send everybody where they are."""
    return lambda request, forward: Answer(code, [("Location", request.target)])


def redirect_maze(code: int = 307) -> Behaviour:
    """Send everybody on, each time to another address."""
    numbers = itertools.count()
    return lambda request, forward: Answer(code, [("Location", f"{request.path}?hop={next(numbers)}")])


def link(to: str) -> Behaviour:
    """There is a next page, and it is there."""
    return _altering(lambda answer: answer.having(Link=f'<{to}>; rel="next"'))


def link_to_itself() -> Behaviour:
    """There is a next page, and it is this one."""
    return lambda request, forward: forward(request).having(Link=f'<{request.target}>; rel="next"')


def ever_new(member: str = "repositories", page: int = 1000) -> Behaviour:
    """A list that never ends: each page has new names and leads to another page."""
    numbers = itertools.count()

    def meddle(request: Request, forward: Respond) -> Answer:
        names = [f"endless/{number:012}" for number in itertools.islice(numbers, page)]
        answer = Answer(200, [("Content-Type", "application/json")], json.dumps({"name": "x", member: names}).encode())
        return answer.having(Link=f'<{request.path}?n={page}&last={names[-1]}>; rel="next"')

    return meddle


def deep_json(depth: int = 1_000_000) -> bytes:
    """Arrays within arrays."""
    return b"[" * depth + b"]" * depth


def wide_json(member: str, count: int = 1_000_000) -> bytes:
    """An object whose member is an array of so many empty strings."""
    return json.dumps({"schemaVersion": 2, member: [""] * count}).encode()


def long_json(member: str, size: int = 10 << 20) -> bytes:
    """An object whose member is one string of so many characters."""
    return json.dumps({member: "x" * size}).encode()


def _saying(answer: Answer) -> Behaviour:
    return lambda request, forward: answer


def _altering(alter: Alter) -> Behaviour:
    return lambda request, forward: alter(forward(request))


def _ending(after: int, how: Hangup) -> Behaviour:
    return _altering(lambda answer: _sized(answer, [answer.whole[:after], how]))


def _sized(answer: Answer, pieces: Iterable[Piece]) -> Answer:
    """The same answer in pieces, with the Content-Length that it had or would have had."""
    stated = answer.header("Content-Length") or str(len(answer.whole))
    return replace(answer, body=pieces).having(Content_Length=stated)


def _without(request: Request, header: str) -> Request:
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() != header))
