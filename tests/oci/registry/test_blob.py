"""Blobs on their way: whole, cut, resumed, and from servers that get parts wrong."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemons.behaviours import (
    content_range,
    cut,
    drip,
    endless,
    flip,
    gzipped,
    misplaced,
    not_satisfiable,
    shorten,
    status,
    stretch,
    truncate,
    whole,
)
from daemons.fake import Fake, Repository, fake
from daemons.meddler import BLOBS, Behaviour, Meddler
from daemons.message import Answer, Hangup, Piece, Request, Respond
from holdfast.model.errors import LimitError, NotFound, SourceError
from holdfast.oci.registry.blob import first_byte
from holdfast.transport import stream
from oci.registry.clients import client, noise
from world import digest

BODY = noise(300_000)
DIGEST = digest(BODY)


@pytest.fixture
def place() -> Iterator[Fake]:
    with fake() as it:
        it.repositories["app"] = Repository(blobs={DIGEST: BODY, digest(b""): b""})
        yield it


def fetch(it: Meddler, size: int = len(BODY), start: int = 0) -> bytes:
    with client(it.host) as ours:
        return b"".join(ours.blob("app", DIGEST, size, start=start))


def parts(it: Meddler) -> list[str]:
    return [request.header("Range") for request in it.requests]


def test_all_of_it(between: Meddler) -> None:
    assert fetch(between) == BODY
    assert parts(between) == [""]


def test_none_of_it(between: Meddler) -> None:
    with client(between.host) as ours:
        assert b"".join(ours.blob("app", digest(b""), 0)) == b""
        with pytest.raises(NotFound):
            list(ours.blob("app", "sha256:" + "0" * 64, 10))


def test_from_where_an_earlier_attempt_ended(between: Meddler) -> None:
    assert fetch(between, start=1000) == BODY[1000:]
    assert parts(between) == ["bytes=1000-"]


@pytest.mark.parametrize("fault", [truncate(70_000), cut(70_000)], ids=["closed", "reset"])
def test_a_cut_is_mended_by_asking_for_the_rest(between: Meddler, fault: Behaviour) -> None:
    between.on(BLOBS, fault, times=1)
    assert fetch(between) == BODY
    # A reset may lose what was on its way.
    assert [first.partition("-")[0].startswith("bytes=") for first in parts(between)] == [False, True]


def test_as_often_as_it_gets_on(between: Meddler) -> None:
    rule = between.on(BLOBS, truncate(20_000), times=14)
    assert fetch(between) == BODY
    assert rule.met == 14
    assert parts(between)[-1] == "bytes=280000-"


def test_a_server_that_cuts_and_never_gets_on(between: Meddler) -> None:
    between.on(BLOBS, truncate(1000), times=1)
    rule = between.on(BLOBS, truncate(0), skip=1)
    with pytest.raises(SourceError, match="broke off"):
        fetch(between)
    assert rule.met == 4


def test_a_server_that_cuts_after_each_byte_is_left_at_last(between: Meddler) -> None:
    rule = between.on(BLOBS, truncate(1))
    with pytest.raises(SourceError, match="broke off 100 times"):
        fetch(between)
    assert rule.met == 100


@pytest.mark.parametrize(
    "fault",
    [
        whole(),
        not_satisfiable(),
        content_range("bytes 0-9/10"),
        content_range("bytes 5-"),
        content_range("bytes */300000"),
        content_range("lines 1-2/3"),
        content_range(None),
    ],
    ids=["ignores", "416", "elsewhere", "no-end", "no-place", "other-unit", "none"],
)
def test_a_server_that_gets_parts_wrong_is_asked_for_everything(between: Meddler, fault: Behaviour) -> None:
    between.on(BLOBS, fault)
    between.on(BLOBS, truncate(70_000), times=1)
    assert fetch(between) == BODY
    assert len(between.requests) <= 3


def test_parts_that_are_smaller_than_asked_for(between: Meddler) -> None:
    def some_of_it(request: Request, forward: Respond) -> Answer:
        start = int(request.header("Range").removeprefix("bytes=").removesuffix("-") or 0)
        piece = BODY[start : start + 90_000]
        stated = f"bytes {start}-{start + len(piece) - 1}/{len(BODY)}"
        return Answer(206, [("Content-Range", stated)], piece)

    between.on(BLOBS, some_of_it)
    between.on(BLOBS, truncate(70_000), times=1)
    assert fetch(between) == BODY


def test_a_part_that_nobody_asked_for(between: Meddler) -> None:
    between.on(BLOBS, lambda _request, _forward: Answer(206, [("Content-Range", "bytes 5-9/10")], BODY[5:10]))
    with pytest.raises(SourceError, match="HTTP 206"):
        fetch(between)


def test_a_part_from_another_place_under_a_true_name_is_what_digests_are_for(between: Meddler) -> None:
    between.on(BLOBS, truncate(70_000), times=1)
    between.on(BLOBS, misplaced(1), skip=1)
    between.on(BLOBS, truncate(70_000), times=1)
    got = fetch(between)
    assert len(got) <= len(BODY) + 1
    assert digest(got) != DIGEST


def test_a_cut_where_no_length_is_stated(between: Meddler) -> None:
    def unframed(request: Request, forward: Respond) -> Answer:
        answer = forward(request)
        return Answer(answer.status, answer.headers, [answer.whole[:70_000]]).having(Content_Length=None)

    between.on(BLOBS, unframed, times=2)
    assert fetch(between) == BODY
    assert parts(between) == ["", "bytes=70000-", "bytes=140000-"]


def test_a_cut_behind_the_last_byte_loses_nothing(between: Meddler) -> None:
    def endless_pieces(request: Request, forward: Respond) -> Answer:
        body: list[Piece] = [b"%x\r\n" % len(BODY) + BODY + b"\r\n", Hangup.CLOSE]  # no last chunk
        return Answer(200, [("Transfer-Encoding", "chunked")], body)

    between.on(BLOBS, endless_pieces)
    assert fetch(between) == BODY
    assert len(between.requests) == 1


@pytest.mark.parametrize("fault", [endless(), endless(length=1 << 50), stretch(len(BODY) + 500)])
def test_it_is_never_longer_than_promised_and_one_byte(between: Meddler, fault: Behaviour) -> None:
    between.on(BLOBS, fault)
    got = fetch(between)
    assert len(got) in (len(BODY), len(BODY) + 1)
    assert got[: len(BODY)] == BODY


@pytest.mark.parametrize("fault", [shorten(1000), flip(5), shorten(0)])
def test_what_is_not_what_was_promised_comes_as_it_is_and_is_held_to_its_digest_later(
    between: Meddler, fault: Behaviour
) -> None:
    between.on(BLOBS, fault)
    assert digest(fetch(between)) != DIGEST
    assert len(between.requests) == 1


def test_an_encoding_that_nobody_asked_for(between: Meddler) -> None:
    between.on(BLOBS, gzipped())
    with pytest.raises(SourceError, match="encoding"):
        fetch(between)


def test_one_that_drips(between: Meddler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "GRACE_SECONDS", 0.05)
    between.on(BLOBS, drip(0.01))
    with pytest.raises(LimitError, match="slower than"):
        fetch(between)


def test_a_reader_that_leaves_closes_the_connection(between: Meddler) -> None:
    between.on(BLOBS, endless())
    with client(between.host) as ours:
        pieces = ours.blob("app", DIGEST, 1 << 40)
        got = b"".join(itertools.islice(pieces, 3))
        pieces.close()  # type: ignore[attr-defined]
        between.forget()
        assert b"".join(ours.blob("app", DIGEST, len(BODY))) == BODY
    assert BODY.startswith(got) or got.startswith(BODY)


@pytest.mark.parametrize("fault", [status(500), status(502), status(503)])
def test_a_server_that_is_not_well_in_between(between: Meddler, fault: Behaviour) -> None:
    between.on(BLOBS, fault, times=2)
    between.on(BLOBS, truncate(1000), times=1)
    assert fetch(between) == BODY


@given(some.text(max_size=60) | some.from_regex(r"bytes [0-9]{1,25}-[0-9]{0,25}/([0-9]{0,25}|\*)", fullmatch=True))
def test_any_content_range_is_a_place_or_none(text: str) -> None:
    assert -1 <= first_byte(text) < 10**18


@given(some.integers(0, 10**17), some.integers(0, 10**17), some.sampled_from(["*", "1000"]))
def test_a_content_range_is_read(start: int, end: int, total: str) -> None:
    assert first_byte(f"bytes {start}-{end}/{total}") == start
