"""A layer's stream: hashed twice, verified at its end, and its thread gone whatever happens."""

import gc
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest

from holdfast.fs.tar import TarTree
from holdfast.model.artifact import Layer
from holdfast.model.errors import SourceError
from holdfast.oci.budget import ImageBudget
from holdfast.oci.integrity import Mismatch
from holdfast.oci.layer import Allowance, LayerStream
from world import compress, digest, layer

TAR = layer({f"file{number}": bytes([number]) * 200_000 for number in range(60)})


def described(tar: bytes, how: str = "gzip") -> tuple[Layer, bytes]:
    stored = compress(tar, how)
    return Layer(digest(tar), digest(stored), size=len(stored)), stored


def source(data: bytes, chunk: int = 1000) -> Callable[[], Iterator[bytes]]:
    return lambda: (data[at : at + chunk] for at in range(0, len(data), chunk))


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "layer"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert threads() == []


@pytest.mark.parametrize("how", ["gzip", "zstd", "none"])
def test_a_layer_read_to_its_end_is_verified(how: str) -> None:
    promised, stored = described(TAR, how)
    stream = LayerStream(promised, source(stored))
    assert b"".join(stream.chunks()) == TAR
    assert (stream.digest, stream.diff_id) == (promised.digest, promised.diff_id)
    assert (stream.stored, stream.inflated) == (len(stored), len(TAR))
    assert (stream.verified, stream.problems, stream.integrity) == (True, [], [])


def test_a_walk_that_ends_early_leaves_the_rest_to_be_drained() -> None:
    promised, stored = described(TAR + b"behind the end" * 5000)
    with LayerStream(promised, source(stored)) as stream:
        entries = sum(1 for _ in TarTree(stream.chunks()).walk())
        assert (entries, stream.verified) == (60, False)
        stream.drain()
    assert (stream.verified, stream.problems) == (True, [])


def test_the_compression_is_found_by_looking_since_media_types_lie() -> None:
    promised, stored = described(TAR, "zstd")
    lying = Layer(promised.diff_id, promised.digest, "application/vnd.oci.image.layer.v1.tar+gzip", promised.size)
    stream = LayerStream(lying, source(stored))
    assert b"".join(stream.chunks()) == TAR
    assert stream.verified


def test_an_uncompressed_layer_whose_digests_differ_in_algorithm_is_hashed_with_both() -> None:
    promised = Layer(digest(TAR), "sha512:" + hashlib.sha512(TAR).hexdigest(), size=len(TAR))
    stream = LayerStream(promised, source(TAR))
    stream.drain()
    assert (stream.verified, stream.digest, stream.diff_id) == (True, promised.digest, promised.diff_id)


def test_other_bytes_than_promised_are_a_mismatch_and_still_read() -> None:
    promised, _ = described(TAR)
    other = layer({"evil": "x"})
    stored = compress(other, "gzip")
    stream = LayerStream(promised, source(stored))
    assert b"".join(stream.chunks()) == other
    assert stream.integrity == [
        Mismatch("blob digest", promised.digest, digest(stored)),
        Mismatch("blob size", str(promised.size), str(len(stored))),
        Mismatch("diff ID", promised.diff_id, digest(other)),
    ]
    assert not stream.verified


def test_a_configuration_that_promises_another_diff_id_is_a_mismatch() -> None:
    promised, stored = described(TAR)
    stream = LayerStream(Layer(digest(b"other"), promised.digest, size=promised.size), source(stored))
    stream.drain()
    assert stream.integrity == [Mismatch("diff ID", digest(b"other"), digest(TAR))]


def test_a_damaged_blob_is_a_problem_and_its_digest_is_compared_all_the_same() -> None:
    promised, stored = described(TAR)
    cut = stored[: len(stored) // 2]
    stream = LayerStream(promised, source(cut))
    tree = TarTree(stream.chunks())
    assert 0 < sum(1 for _ in tree.walk()) < 60
    stream.drain()
    assert [problem.code for problem in stream.problems] == ["layer.corrupt"]
    assert [mismatch.what for mismatch in stream.integrity] == ["blob digest", "blob size"]


def test_a_damaged_blob_that_is_what_was_promised_is_corrupt_and_not_tampered_with() -> None:
    broken = compress(TAR, "gzip")[:-1]
    stream = LayerStream(Layer(digest(TAR), digest(broken), size=len(broken)), source(broken))
    stream.drain()
    assert [problem.code for problem in stream.problems] == ["layer.corrupt"]
    assert (stream.integrity, stream.verified) == ([], False)


def test_a_layer_without_a_promise_is_read_and_not_called_verified() -> None:
    stream = LayerStream(Layer(""), source(TAR))
    stream.drain()
    assert (stream.verified, stream.integrity, stream.diff_id) == (False, [], digest(TAR))


def test_a_source_that_fails_is_a_problem_behind_what_it_gave() -> None:
    def failing() -> Iterator[bytes]:
        yield TAR[:5000]
        raise SourceError("the disk is gone")

    stream = LayerStream(Layer(digest(TAR)), failing)
    assert b"".join(stream.chunks()) == TAR[:5000]
    assert [(one.code, one.message) for one in stream.problems] == [("layer.unreadable", "the disk is gone")]


def test_an_error_of_our_own_is_raised_where_the_stream_is_read() -> None:
    def wrong() -> Iterator[bytes]:
        yield TAR[:5000]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        LayerStream(Layer(digest(TAR)), wrong).drain()


# The thread.


def test_a_reader_that_stops_early_leaves_no_thread_and_no_claim_of_verification() -> None:
    promised, stored = described(TAR)
    with LayerStream(promised, source(stored)) as stream:
        next(stream.chunks())
        assert threads() == ["layer"]
    assert threads() == []
    assert [problem.code for problem in stream.problems] == ["layer.unverified"]
    assert list(stream.chunks()) == []


def test_a_reader_that_fails_leaves_no_thread() -> None:
    promised, stored = described(TAR)

    def read() -> None:
        with LayerStream(promised, source(stored)) as stream:
            for _ in TarTree(stream.chunks()).walk():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read()
    assert threads() == []


def test_a_stream_that_is_forgotten_leaves_no_thread() -> None:
    promised, stored = described(TAR)
    stream = LayerStream(promised, source(stored))
    next(stream.chunks())
    del stream
    gc.collect()
    assert threads() == []


def test_a_stream_that_is_never_read_starts_no_thread() -> None:
    promised, stored = described(TAR)
    with LayerStream(promised, source(stored)) as stream:
        assert threads() == []
    assert stream.problems == []


def test_the_thread_reads_no_further_ahead_than_a_few_pieces() -> None:
    taken = 0

    def counting() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield bytes(1000)

    with LayerStream(Layer(""), counting) as stream:
        next(stream.chunks())
        stream.chunks()
    assert taken < 20


# Bombs.


def bomb(mebibytes: int, start: bytes = b"") -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(start) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()


SMALL = ImageBudget(inflated_bytes=4 << 20, ratio=10, trailing_bytes=1 << 20)


def test_a_layer_that_inflates_beyond_its_budget_ends_there() -> None:
    stored = bomb(64)
    stream = LayerStream(
        Layer("", digest(stored), size=1 << 60), source(stored), stored_bytes=len(stored), budget=SMALL
    )
    total = sum(map(len, stream.chunks()))
    assert 3 << 20 <= total <= 4 << 20
    assert [problem.code for problem in stream.problems] == ["layer.too-large"]
    assert [one.what for one in stream.integrity] == ["blob size"]  # a lying size buys nothing, and is told


def test_zeros_behind_the_end_are_drained_only_so_far() -> None:
    stored = bomb(64)
    stream = LayerStream(
        Layer("", digest(stored), size=1 << 60), source(stored), stored_bytes=len(stored), budget=SMALL
    )
    assert list(TarTree(stream.chunks()).walk()) == []
    stream.drain()
    assert [problem.code for problem in stream.problems] == ["layer.trailing-data"]
    assert stream.inflated <= 4 << 20


def test_layers_share_what_an_image_may_inflate_to() -> None:
    stored = bomb(3)
    allowance = Allowance(7 << 20)
    codes = []
    for _ in range(3):
        stream = LayerStream(Layer(""), source(stored), allowance=allowance)
        stream.drain()
        codes += [problem.code for problem in stream.problems]
    assert codes == ["layer.too-large"]


def test_a_million_empty_entries_are_walked_in_one_pass() -> None:
    one = layer({"f": ""})[:512]
    tar = one * 20_000 + bytes(1024)  # the whole million is in the end-to-end tests
    promised, stored = described(tar)
    with LayerStream(promised, source(stored)) as stream:
        assert sum(1 for _ in TarTree(stream.chunks()).walk()) == 20_000
        stream.drain()
    assert stream.verified
