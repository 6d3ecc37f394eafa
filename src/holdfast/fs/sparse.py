"""Sparse files in tar archives: where their data belongs, in each of GNU's four formats.

Source: the GNU tar manual, “Storing Sparse Files”; archive/tar reader.go for what is refused.
"""

from collections.abc import Callable

from holdfast.fs.tar_header import BLOCK, BadHeader, decimal, number

Segment = tuple[int, int]


def old_map(block: bytes, take_block: Callable[[], bytes], limit: int) -> tuple[list[Segment], int]:
    """The map and the true size of a file of type `S`; further blocks of the map are taken from the stream."""
    segments: list[Segment] = []
    real_size = number(block[483:495])
    place, room, extended = 386, 4, block[482]
    while True:
        for at in range(place, place + 24 * room, 24):
            if not block[at]:
                break
            segments.append((number(block[at : at + 12]), number(block[at + 12 : at + 24])))
        if not extended:
            return segments, real_size
        limit -= BLOCK
        block = take_block()
        if limit < 0 or len(block) < BLOCK:
            raise BadHeader("a sparse map is cut short, or too long")
        place, room, extended = 0, 21, block[504]


def pax_map(records: dict[bytes, bytes]) -> list[Segment]:
    """The map of PAX sparse formats 0.0 and 0.1, which stands in the extended header."""
    fields = records.get(b"GNU.sparse.map", b"")
    values = [decimal(field) for field in fields.split(b",")] if fields else []
    if decimal(records.get(b"GNU.sparse.numblocks", b"")) * 2 != len(values):
        raise BadHeader("a sparse map has a wrong length")
    return list(zip(values[::2], values[1::2], strict=True))


def data_map(take_block: Callable[[], bytes], limit: int) -> tuple[list[Segment], int]:
    """The map of PAX sparse format 1.0, lines of decimals before the data, and the bytes it takes there."""
    blocks: list[bytes] = []
    missing = 1
    while missing > 0:
        block = take_block()
        if len(block) < BLOCK or len(blocks) * BLOCK >= limit:
            raise BadHeader("a sparse map is cut short, or too long")
        if not blocks:
            missing += 2 * decimal(block.partition(b"\n")[0])
        if not 0 < missing <= limit:
            raise BadHeader("a sparse map is too long")
        blocks.append(block)
        missing -= block.count(b"\n")
    lines = b"".join(blocks).split(b"\n")
    count = decimal(lines[0])
    values = [decimal(line) for line in lines[1 : 1 + 2 * count]]
    return list(zip(values[::2], values[1::2], strict=True)), len(blocks) * BLOCK


def pax_version(records: dict[bytes, bytes]) -> tuple[int, int] | None:
    """Which PAX sparse format these records speak of, or None where the file is not sparse."""
    major, minor = records.get(b"GNU.sparse.major", b""), records.get(b"GNU.sparse.minor", b"")
    if (major, minor) in ((b"0", b"0"), (b"0", b"1"), (b"1", b"0")):
        return int(major), int(minor)
    return (0, 1) if not major and not minor and records.get(b"GNU.sparse.map") else None


def check(segments: list[Segment], size: int) -> None:
    """BadHeader where segments overlap, run backwards, or leave the file."""
    end = 0
    for offset, length in segments:
        if offset < end or length < 0 or offset + length > size:
            raise BadHeader("a sparse map contradicts itself")
        end = offset + length
