"""The reader under TarTree gives the same bytes however they were cut into chunks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.fs.chunks import ChunkReader

operations = st.lists(st.tuples(st.sampled_from(["take", "peek", "skip", "pieces"]), st.integers(0, 40)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=8), operations)
def test_every_operation_agrees_with_one_flat_string(pieces: list[bytes], steps: list[tuple[str, int]]) -> None:
    flat, at = b"".join(pieces), 0
    reader = ChunkReader(pieces)
    for what, count in steps:
        expected = flat[at : at + count]
        match what:
            case "peek":
                assert reader.peek(count) == expected
                continue
            case "take":
                assert reader.take(count) == expected
            case "pieces":
                assert b"".join(reader.pieces(count)) == expected
            case _:
                assert reader.skip(count) == len(expected)
        at += len(expected)
        assert reader.offset == at


def test_a_source_that_can_skip_is_not_read_over_what_is_skipped() -> None:
    class Source:
        def __init__(self) -> None:
            self.at = 0
            self.read = 0

        def __iter__(self) -> "Source":
            return self

        def __next__(self) -> bytes:
            if self.at >= 1000:
                raise StopIteration
            self.at += 10
            self.read += 10
            return b"%010d" % (self.at - 10)

        def skip(self, count: int) -> int:
            skipped = min(count, 1000 - self.at)
            self.at += skipped
            return skipped

    source = Source()
    reader = ChunkReader(source)
    assert reader.take(5) == b"00000"
    assert reader.skip(885) == 885
    assert reader.offset == 890
    assert reader.take(10) == b"0000000890"
    assert reader.skip(500) == 100
    assert source.read == 20
