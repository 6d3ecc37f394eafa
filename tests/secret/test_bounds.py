"""No file makes the search slow, large or fail: the work is counted."""

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.file import Window
from holdfast.secret import match
from holdfast.secret.search import MOST_CANDIDATES
from holdfast.secret.session import Session
from holdfast.secret.wrapping import unwrap, utf16
from secret.engines import RULES, TOKEN, built_in, engine, examined, window

ENGINE = engine()
SHIPPED = built_in()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(["a", "root/.testrc", "etc/test/a.conf"]))
def test_any_bytes_are_examined(data: bytes, path: str) -> None:
    for one in (ENGINE, SHIPPED):
        one.session().examine(window(data, path))


fragments = st.sampled_from(
    [TOKEN, TOKEN.decode().encode("utf-16-le"), base64.b64encode(b"x" + TOKEN), b"passphrase=", b"hfc_aaaa",
     b"-----BEGIN TEST KEY-----", b"-----END TEST KEY-----", b"\0", b"\xff\xfe", b"\n", b"A" * 70, b"${",
     b"login a word ", b"testvendor "]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.lists(fragments | st.binary(max_size=12), max_size=14).map(b"".join), st.integers(300, 900), st.integers(0, 200)
)
def test_any_mixture_is_examined_and_no_hit_holds_a_secret(data: bytes, size: int, overlap: int) -> None:
    session = ENGINE.session()
    hits = list(session.examine(window(data, "root/.testrc")))
    for offset in range(0, len(data), size):
        hits += session.examine(Window("large", data[offset : offset + size + overlap], len(data), offset=offset))
    told = repr(hits) + repr(session.problems) + msgspec.json.encode(hits).decode()
    assert TOKEN.decode() not in told
    assert TOKEN.decode()[8:] not in told


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 3))
def test_anything_is_unwrapped(data: bytes, start: int, place: int) -> None:
    unwrap(data, min(start, len(data)), place)
    utf16(data)


FLOODS = {
    "assignments": b"passphrase=Vk29sLq8wPz4 " * 45_000,
    "assignments of nothing": b"passphrase=" * 95_000,
    "tokens": b"".join(b"hft_k3Jq9Zt7Lw%010d " % number for number in range(40_000)),
    "half keys": b"-----BEGIN TEST KEY-----\nAAAA\n" * 35_000,
    "one line": b"A" * 1_000_000,
    "blanks": b" \t" * 500_000,
    "base64": base64.b64encode(TOKEN + b"  ") * 30_000,
    "base64 in lines": (base64.b64encode(b"x" + TOKEN) + b"\n") * 30_000,
    "hexadecimal": b"testvendor" + b"4f9c2a7d1e8b3f6a5c0d9e2b " * 40_000,
    "zeros": bytes(1_000_000),
    "utf-16": (TOKEN.decode() + "\n").encode("utf-16-le") * 20_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_searched_within_counted_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    works: list[match.Work] = []
    original = match.Work.__init__

    def counted(self: match.Work, most: int = match.MOST_SEARCHED) -> None:
        original(self, most)
        works.append(self)

    monkeypatch.setattr(match.Work, "__init__", counted)
    session = ENGINE.session()
    hits = session.examine(window(FLOODS[name]))
    assert sum(work.searched for work in works) <= match.MOST_SEARCHED
    assert len(hits) <= 2 * MOST_CANDIDATES
    if any(work.left_out for work in works):
        assert session.problems


def test_the_neighbourhood_of_a_candidate_does_not_grow_with_the_file() -> None:
    searched = []
    for size in (10_000, 100_000, 1_000_000):
        data = b"x " * size + b"passphrase = $" + b" y" * size
        session = ENGINE.session()
        found = list(session._search.scan(data))
        work = match.Work()
        from holdfast.secret.context import nature_of

        session._search.confirm(data, found, frozenset(), match.Surroundings(nature_of("a"), binary=False), work)
        searched.append(work.searched)
    assert searched[0] == searched[1] == searched[2]


def test_a_session_and_its_engine_say_nothing_of_what_they_hold() -> None:
    session: Session = ENGINE.session()
    session.examine(window(TOKEN))
    assert repr(session) == "Session()"
    assert TOKEN.decode() not in repr(ENGINE)


def test_half_a_key_is_none() -> None:
    assert examined(b"-----BEGIN TEST KEY-----\n" + b"QUJD\n" * 20_000, rules=RULES) == ()
