"""The headers of a tar archive, byte for byte as Go's archive/tar understands them.

Sources: POSIX.1-2017 pax, the GNU tar manual (“Basic Tar Format”, “Extensions”), and archive/tar (strconv.go,
reader.go), which is what container runtimes unpack layers with: where readers differ, that one is right.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)

_FIELDS = struct.Struct("100s8s8s8s12s12x8sB100s8s")
_USTAR = b"ustar\0"
_GNU = b"ustar  \0"
_MAX_INT64 = (1 << 63) - 1
_CACHED_NUMBERS = 4096


class BadHeader(Exception):
    """A header that archive/tar refuses, with the reason."""


class Header(NamedTuple):
    """A header: `kind` is the type flag's byte; `name` and `link` end at their first NUL; `size` is in bytes."""

    kind: int
    name: bytes
    link: bytes
    size: int
    mode: int
    uid: int
    gid: int


class Numbers(dict[bytes, int]):
    """Numeric fields already understood: modes and owners repeat from header to header."""

    def __missing__(self, field: bytes) -> int:
        value = number(field)
        if len(self) < _CACHED_NUMBERS:
            self[field] = value
        return value


def parse(block: bytes, numbers: Numbers) -> Header:
    """The header in a block of 512 bytes; BadHeader where its checksum or a number is wrong."""
    name, mode, uid, gid, size, checksum, kind, link, magic = _FIELDS.unpack_from(block)
    if not _checksum_holds(block, checksum):
        raise BadHeader("the checksum of a header does not hold")
    name = name.partition(b"\0")[0]
    if block[345] and magic != b"\0\0\0\0\0\0\0\0":
        prefix = _prefix(block, magic)
        if prefix:
            name = prefix + b"/" + name
    link = link.partition(b"\0")[0] if link[0] else b""
    return Header(kind, name, link, numbers[size], numbers[mode], numbers[uid], numbers[gid])


def _checksum_holds(block: bytes, field: bytes) -> bool:
    stored = number(field)
    if block.isascii():
        # Adler-32's low half is the sum of the bytes modulo 65521, and 512 ASCII bytes stay below that: it is exact,
        # and 30 times faster than sum().
        total = zlib.adler32(block, 0) & 0xFFFF
        return total - (zlib.adler32(field, 0) & 0xFFFF) + 8 * 0x20 == stored
    counted = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(counted)
    return stored == unsigned or stored == unsigned - 256 * sum(byte > 127 for byte in counted)


def _prefix(block: bytes, magic: bytes) -> bytes:
    if magic[:6] == _USTAR:
        length = 131 if block[508:512] == b"tar\0" else 155  # star keeps times behind a shorter prefix
        return block[345 : 345 + length].partition(b"\0")[0]
    if magic == _GNU:
        # GNU keeps times here. Go before 1.8 wrote a prefix nevertheless: what is no number, and is text, is one.
        try:
            number(block[345:357])
            number(block[357:369])
        except BadHeader:
            prefix = block[345:500].partition(b"\0")[0]
            return prefix if prefix.isascii() else b""
    return b""


def number(field: bytes) -> int:
    """A numeric field: octal digits between spaces and NULs, or GNU's base-256; BadHeader where it is neither."""
    if field and field[0] & 0x80:
        inverted = 0xFF if field[0] & 0x40 else 0
        data = bytes(byte ^ inverted for byte in field)
        value = int.from_bytes(bytes((data[0] & 0x7F,)) + data[1:], "big")
        if value > _MAX_INT64:
            raise BadHeader("a number in a header is too large")
        return ~value if inverted else value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    try:
        if digits.isdigit():  # int() would also take signs, blanks and underscores
            return int(digits, 8)
    except ValueError:
        pass
    raise BadHeader("a number in a header is not octal")


def is_gnu(block: bytes) -> bool:
    """Whether a header is of GNU tar's own format, the only one with old sparse maps."""
    return block[257:265] == _GNU


def pax_records(data: bytes) -> dict[bytes, bytes]:
    """The records of a PAX extended header (POSIX pax, “pax Extended Header”); BadHeader where one is malformed.

    The offsets and lengths of GNU's sparse format 0.0, which repeats its keys, are joined as format 0.1 has them.
    """
    records: dict[bytes, bytes] = {}
    sparse: list[bytes] = []
    for key, value in _split_records(data):
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            if (key == b"GNU.sparse.offset") == bool(len(sparse) % 2) or b"," in value:
                raise BadHeader("a sparse map in a PAX header is out of order")
            sparse.append(value)
        else:
            records[key] = value
    if sparse:
        records[b"GNU.sparse.map"] = b",".join(sparse)
    return records


def _split_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        digits = data[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        if end <= space + 1 or end > len(data) or data[end - 1] != 0x0A:
            raise BadHeader("a PAX record has a wrong length")
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        text_only = key in (b"path", b"linkpath", b"uname", b"gname")
        if not equals or not key or b"\0" in (value if text_only else key):
            raise BadHeader("a PAX record is malformed")
        yield key, value
        at = end


def decimal(value: bytes) -> int:
    """A number of a PAX record, a signed 64-bit decimal; BadHeader where it is none."""
    digits = value[1:] if value[:1] in (b"+", b"-") else value
    if not digits.isdigit() or len(digits) > 40 or int(digits) > _MAX_INT64:
        raise BadHeader("a number in a PAX record is no number")
    return int(value)
