"""The content of an answer, from peers that are slow, endless or gone."""

import itertools
from collections.abc import Iterable

import pytest

from daemons.listener import listen
from daemons.message import Answer, Hangup, Pause, Piece
from holdfast.model.errors import LimitError
from holdfast.transport import stream
from holdfast.transport.address import Address
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import Transient
from holdfast.transport.stream import chunks, read
from holdfast.transport.wire import Wire

NEVER = Deadline()
BODY = bytes(range(256)) * 1000


def content(body: bytes | Iterable[Piece], limit: int = 1 << 20, deadline: Deadline = NEVER, **headers: str) -> bytes:
    with listen(Answer(200, (), body).having(**headers)) as it, Wire() as wire:
        return read(wire.ask("GET", Address.parse(it.url), {}, deadline), "there", deadline, limit)


def test_all_of_it() -> None:
    assert content(BODY) == BODY
    assert content(b"") == b""
    assert content([BODY[:7], BODY[7:]]) == BODY  # its end is that of the connection


def test_in_pieces() -> None:
    pieces = [b"%x\r\n" % len(BODY) + BODY + b"\r\n", b"0\r\n\r\n"]
    assert content(pieces, Transfer_Encoding="chunked") == BODY
    with pytest.raises(Transient, match="broke off"):
        content(pieces[:1], Transfer_Encoding="chunked")


@pytest.mark.parametrize("how", Hangup)
def test_it_breaks_off(how: Hangup) -> None:
    with pytest.raises(Transient, match="broke off"):
        content([BODY[:500], how], Content_Length=str(len(BODY)))


def test_a_limit_is_kept_to_the_byte() -> None:
    assert content(BODY, len(BODY)) == BODY
    with pytest.raises(LimitError, match="longer than"):
        content(BODY, len(BODY) - 1)


def test_an_endless_one_ends_at_the_limit() -> None:
    with pytest.raises(LimitError, match="longer than"):
        content(itertools.repeat(b"\0" * 65536), 1 << 20)


def test_one_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "GRACE_SECONDS", 0.05)
    with pytest.raises(LimitError, match="slower than"):
        content(itertools.cycle([b"x", Pause(0.01)]))


def test_one_that_begins_well_and_then_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "GRACE_SECONDS", 0.05)
    with pytest.raises(LimitError, match="slower than"):
        content(itertools.chain([BODY], itertools.cycle([b"x", Pause(0.01)])))


def test_a_reader_that_pauses_makes_no_peer_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is waited for counts: a clock that leaps while the reader works changes nothing."""
    now = [0.0]
    monkeypatch.setattr("holdfast.transport.stream.time.monotonic", lambda: now[0])
    with listen(Answer(200, (), BODY)) as it, Wire() as wire:
        response = wire.ask("GET", Address.parse(it.url), {}, Deadline())
        got = b""
        for piece in chunks(response, "there", Deadline()):
            got += piece
            now[0] += 10_000
    assert got == BODY


def test_a_deadline_that_passes() -> None:
    with listen(Answer(200, (), BODY)) as it, Wire() as wire:
        response = wire.ask("GET", Address.parse(it.url), {}, Deadline())
        with pytest.raises(LimitError, match="time for this ran out"):
            read(response, "there", Deadline.after(0), 1 << 20)


def test_a_connection_serves_again_only_after_all_of_an_answer() -> None:
    with listen(Answer(200, (), BODY)) as it, Wire() as wire:
        for whole in (True, True, False, True):
            pieces = chunks(wire.ask("GET", Address.parse(it.url), {}, Deadline()), "there", Deadline())
            if whole:
                assert b"".join(pieces) == BODY
            else:
                next(pieces)
                pieces.close()
        assert len(it.conversations) == 2
