"""Inflating in bounded steps: what comes out is what went in, and damage is told."""

import contextlib
import gzip
import lzma
import random
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import InputError
from holdfast.oci import compression
from holdfast.oci.budget import CHUNK_BYTES
from holdfast.oci.compression import compression_of, inflate
from world import compress

WINDOW = 1 << 27
TEXT = b" ".join(random.Random(1).choices([b"alpha", b"beta", b"gamma", b"delta", b"42"], k=600_000))
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"


def inflated(data: bytes, chunk: int = 10_000) -> bytes:
    return b"".join(inflate(chunks(data, chunk), window_bytes=WINDOW)[1])


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("how", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("chunk", [1, 5000, 1 << 22])
def test_gives_back_what_was_compressed_in_pieces_of_at_most_a_mebibyte(how: str, chunk: int) -> None:
    text = TEXT[:20_000] if chunk == 1 else TEXT
    kind, pieces = inflate(chunks(compress(text, how), chunk), window_bytes=WINDOW)
    got = list(pieces)
    assert b"".join(got) == text
    assert (kind or "none") == how
    assert how == "none" or max(map(len, got)) <= CHUNK_BYTES


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_members_and_frames_behind_each_other_are_one_content(how: str) -> None:
    assert inflated(compress(b"a" * 5000, how) + compress(b"", how) + compress(b"b", how)) == b"a" * 5000 + b"b"


def test_zstd_may_begin_and_end_with_frames_to_skip() -> None:
    assert inflated(SKIPPABLE + compress(TEXT, "zstd") + SKIPPABLE) == TEXT


@pytest.mark.parametrize("behind", [bytes(1), bytes(30_000), b"garbage", bytes(10_000) + b"garbage"])
def test_what_stands_behind_a_gzip_stream_is_not_content(behind: bytes) -> None:
    assert inflated(compress(TEXT, "gzip") + behind) == TEXT


@pytest.mark.parametrize("cut", [3, 9, 1000, -9, -4, -1])
def test_a_gzip_stream_cut_short_is_damaged(cut: int) -> None:
    with pytest.raises(InputError, match="cut short"):
        inflated(compress(TEXT, "gzip")[:cut])


@pytest.mark.parametrize("at", [-6, -2, 1000])
def test_a_gzip_stream_with_a_wrong_bit_is_damaged(at: int) -> None:
    data = bytearray(compress(TEXT, "gzip"))
    data[at] ^= 1
    with pytest.raises(InputError):
        inflated(bytes(data))


def test_a_zstd_stream_with_a_wrong_bit_is_damaged() -> None:
    data = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(TEXT))
    data[-1] ^= 1
    with pytest.raises(InputError):
        inflated(bytes(data))


def test_a_zstd_frame_that_wants_more_memory_than_its_budget_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = packer.compress(TEXT) + packer.flush()
    with pytest.raises(InputError):
        b"".join(inflate([data], window_bytes=1 << 20)[1])


@pytest.mark.parametrize("data", [lzma.compress(b"x"), b"BZh91AY&SY", b"\x04\x22\x4d\x18rest"])
def test_compressions_that_no_engine_takes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="compressed with"):
        compression_of(data[:8])


def test_nothing_is_nothing() -> None:
    assert inflated(b"") == b""


def test_a_bomb_comes_out_in_small_pieces() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    pieces = inflate([bomb], window_bytes=WINDOW)[1]
    assert [len(next(pieces)) <= CHUNK_BYTES for _ in range(4)] == [True] * 4


def test_of_many_small_members_what_is_behind_each_is_not_copied_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = 0
    member = compression._gzip_member

    class Counting:
        def __init__(self) -> None:
            self._inflater = member()

        def decompress(self, data: bytes, limit: int) -> bytes:
            nonlocal fed
            fed += len(data)
            return self._inflater.decompress(data, limit)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inflater, name)

    monkeypatch.setattr(compression, "_gzip_member", Counting)
    small = gzip.compress(b"a")
    assert inflated(small * 10_000, 1 << 20) == b"a" * 10_000
    assert fed <= 10_000 * 4096


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=9000), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=5),
    st.sampled_from([1, 7, 4096, 5000, 1 << 20]),
)
def test_members_with_padding_between_come_back_however_they_arrive(
    members: list[tuple[bytes, int, int]], chunk: int
) -> None:
    data = b"".join(gzip.compress(content, level) + bytes(padding) for content, level, padding in members)
    assert inflated(data, chunk) == b"".join(content for content, _, _ in members)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([compress(TEXT[:3000], "gzip"), compress(TEXT[:3000], "zstd"), gzip.compress(b"a") * 3]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.integers(0, 2000),
)
def test_mutated_streams_inflate_or_are_called_damaged(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    with contextlib.suppress(InputError):
        inflated(bytes(changed[: max(len(changed) - cut, 0)]), 100)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]), st.binary(max_size=300))
def test_arbitrary_bytes_inflate_or_are_called_damaged(magic: bytes, data: bytes) -> None:
    with contextlib.suppress(InputError):
        inflated(magic + data, 100)
