"""Inflating what is packed inside files, piece by piece: gzip, xz, bzip2, zstd, and the members of zip files."""

import struct
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zipfile import ZipInfo

CENTRAL = b"PK\x01\x02"
"""What each entry of a zip's directory begins with."""

ENCRYPTED = 0x41
"""The bits of a zip member's flags that say so (APPNOTE 4.4.4)."""

_STARTS = {b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\0": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_BZIP2 = (b"1AY&SY", b"\x17rE8P\x90")  # its first block, or its end; BZh alone may begin a text
_SUFFIXES = {
    "gzip": {".gz": "", ".tgz": ".tar", ".svgz": ".svg"},
    "xz": {".xz": "", ".txz": ".tar"},
    "bzip2": {".bz2": "", ".tbz2": ".tar"},
    "zstd": {".zst": "", ".tzst": ".tar"},
}
_LOCAL = struct.Struct("<4s22xHH")
_STEP = 1 << 16
_FIRST_STEP = 512  # an inflater copies what is left when its stream ends: with tiny streams that is all, each time
_MOST_STREAMS = 10_000  # in one file: bgzip and pigz make one for each 64 KiB or more
_MEMORY_BYTES = 128 << 20
_PIECE = 1 << 20

Method = Callable[[], Any]
"""Makes an inflater with the interface that bz2, lzma and isal have in common (decompress, eof, needs_input)."""


class Damaged(Exception):
    """Packed bytes are not what they should be, in words."""


def compression_of(head: bytes) -> str:
    """`gzip`, `xz`, `bzip2`, `zstd`, or `` by a file's first bytes (ten are enough)."""
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name if name != "bzip2" or head[4:10] in _BZIP2 else ""
    return ""


def inflated_name(path: str, kind: str) -> str:
    """What the content of a compressed file is called: `notes.txt` in `doc/notes.txt.gz`."""
    name = path.rpartition("/")[2]
    for suffix, instead in _SUFFIXES[kind].items():
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)] + instead
    return f"{name}.{kind}-content"


def _gzip() -> Any:
    from isal import igzip_lib

    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _deflate() -> Any:
    from isal import igzip_lib

    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)


def _xz() -> Any:
    import lzma

    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY_BYTES)


def _bzip2() -> Any:
    import bz2

    return bz2.BZ2Decompressor()


def _zstd() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=_MEMORY_BYTES)


METHODS: dict[str, Method] = {"gzip": _gzip, "xz": _xz, "bzip2": _bzip2, "zstd": _zstd}
"""How each compression is inflated."""

_ZIP_METHODS: dict[int, Method | None] = {0: None, 8: _deflate, 12: _bzip2, 93: _zstd, 95: _xz}


def zip_method(number: int) -> Method | None:
    """How a zip member is inflated (APPNOTE 4.4.5); None where it is stored as it is."""
    try:
        return _ZIP_METHODS[number]
    except KeyError:
        raise Damaged(f"packed with method {number}, which is not read") from None


def checksum(data: bytes) -> int:
    """CRC-32, as zip keeps it of each member."""
    from isal import isal_zlib

    return int(isal_zlib.crc32(data))


def pieces(packed: memoryview, method: Method | None, *, several: bool = False) -> Iterator[bytes]:
    """The content in pieces of at most a mebibyte; of all concatenated streams where there may be `several`.

    Damaged where the bytes are, after the pieces before. What follows the last stream and is none is passed over.
    """
    if method is None:
        for at in range(0, len(packed), _PIECE):
            yield bytes(packed[at : at + _PIECE])
    elif method is _zstd:
        yield from _zstd_pieces(packed)
    else:
        at, streams = 0, 0
        while at < len(packed):
            if streams and not (several and packed[at : at + 2] == packed[:2]):
                return
            streams += 1
            if streams > _MOST_STREAMS:
                raise Damaged(f"more than {_MOST_STREAMS:,} streams in one file")
            at = yield from _one_stream(packed, at, method())


def _one_stream(packed: memoryview, at: int, inflater: Any) -> Generator[bytes, None, int]:
    step = _FIRST_STEP
    while True:
        data = packed[at : at + step] if inflater.needs_input else b""
        at += len(data)
        step = min(step * 2, _STEP)
        if inflater.needs_input and not data:
            raise Damaged("a compressed stream is cut short")
        piece = _step(inflater, data)
        if piece:
            yield piece
        if inflater.eof:
            return at - len(inflater.unused_data)


def _step(inflater: Any, data: memoryview | bytes) -> bytes:
    from lzma import LZMAError

    from isal import igzip_lib

    try:
        return bytes(inflater.decompress(data, _PIECE))
    except (igzip_lib.IsalError, LZMAError, OSError, ValueError, EOFError, MemoryError) as error:  # type: ignore[misc]
        raise Damaged("a compressed stream is damaged") from error


def _zstd_pieces(packed: memoryview) -> Iterator[bytes]:
    import zstandard

    reader = _zstd().stream_reader(packed, read_size=_STEP, read_across_frames=True)
    while True:
        try:
            piece = reader.read(_PIECE)
        except (zstandard.ZstdError, MemoryError) as error:
            raise Damaged("a compressed stream is damaged") from error
        if not piece:
            return
        yield piece


def directory(data: bytes) -> "list[ZipInfo]":
    """The members that a zip's directory names, in the order in which they lie; Damaged where it cannot be read."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sorted(archive.infolist(), key=lambda info: info.header_offset)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, LookupError, struct.error) as error:
        raise Damaged("the directory of a zip cannot be read") from error
    except (EOFError, OverflowError, MemoryError) as error:
        raise Damaged("the directory of a zip cannot be read") from error


def packed_bytes(data: bytes, info: "ZipInfo") -> tuple[memoryview, int]:
    """A member's bytes as they are packed, and where they end; Damaged where its own header is not there."""
    at = info.header_offset
    if not 0 <= at <= len(data) - _LOCAL.size:
        raise Damaged("a member lies outside the file")
    start, name, extra = _LOCAL.unpack_from(data, at)
    begin = at + _LOCAL.size + name + extra
    end = begin + info.compress_size
    if start != b"PK\x03\x04" or end > len(data):
        raise Damaged("a member does not lie where the directory says")
    return memoryview(data)[begin:end], end
