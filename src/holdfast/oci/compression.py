"""Inflating a stream of unknown compression in bounded steps."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from isal import igzip_lib

from holdfast.model.errors import InputError
from holdfast.oci.budget import CHUNK_BYTES

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FOREIGN = {b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x04\x22\x4d\x18": "lz4"}
_MAGIC_BYTES = 8
_FIRST_STEP = 4096  # what an inflater is fed first, then twice as much: it copies what is left when its member ends
_PADDING = re.compile(rb"\0*")


def compression_of(magic: bytes) -> str:
    """`gzip`, `zstd`, or `` for bytes stored as they are; told by the first bytes, since media types lie.

    InputError for a compression that no runtime accepts for layers.
    """
    if magic.startswith(_GZIP):
        return "gzip"
    # zstd:chunked and some registries put a skippable frame first (RFC 8878, 3.1.2).
    if magic.startswith(_ZSTD) or (magic[1:4] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F):
        return "zstd"
    for start, name in _FOREIGN.items():
        if magic.startswith(start):
            raise InputError(f"compressed with {name}, which container engines do not accept")
    return ""


def inflate(chunks: Iterable[bytes], *, window_bytes: int) -> tuple[str, Iterator[bytes]]:
    """Which compression a stream has, and its content in pieces of at most CHUNK_BYTES (plain ones as they come).

    Concatenated gzip members and zstd frames are one content. InputError where the stream is damaged; that a zstd
    frame is cut short only its digest tells. A frame that wants more than `window_bytes` of memory is refused.
    """
    source = iter(chunks)
    start = b""
    while len(start) < _MAGIC_BYTES and (chunk := next(source, None)) is not None:
        start += chunk
    whole = chain((start,), source) if start else source
    match compression := compression_of(start[:_MAGIC_BYTES]):
        case "gzip":
            return compression, _gunzip(whole)
        case "zstd":
            return compression, _unzstd(whole, window_bytes)
        case _:
            return compression, whole


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflater, step = _gzip_member(), _FIRST_STEP
    between_members = False
    for chunk in chunks:
        at = 0
        while True:
            if between_members:
                padding = _PADDING.match(chunk, at)  # gzip(1) and Go both let zeros pad the end of a file
                at = padding.end() if padding else at
                if at == len(chunk):
                    break
                if chunk[at] != _GZIP[0]:
                    return  # trailing garbage: what was promised of the bytes is checked by digest
                inflater, step, between_members = _gzip_member(), _FIRST_STEP, False
            data = chunk[at : at + step] if inflater.needs_input else b""
            at += len(data)
            step *= 2
            try:
                piece = inflater.decompress(data, CHUNK_BYTES)
            except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise InputError(f"the gzip stream is damaged: {error}") from error
            if piece:
                yield piece
            if inflater.eof:
                at -= len(inflater.unused_data)
                between_members = True
            elif inflater.needs_input and at == len(chunk):
                break
    if not between_members:
        raise InputError("the gzip stream is cut short")


def _gzip_member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


class _Source:
    """Chunks as the file object that zstandard reads from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        data = self._rest or next(self._chunks, b"")
        self._rest = data[size:] if size >= 0 else b""
        return data[:size] if size >= 0 else data


def _unzstd(chunks: Iterator[bytes], window_bytes: int) -> Iterator[bytes]:
    import zstandard  # most layers are gzip: its 20 ms are paid only when needed

    inflater = zstandard.ZstdDecompressor(max_window_size=window_bytes)
    reader = inflater.stream_reader(_Source(chunks), read_size=1 << 17, read_across_frames=True)  # type: ignore[arg-type]
    while True:
        try:
            piece = reader.read(CHUNK_BYTES)
        except zstandard.ZstdError as error:
            raise InputError(f"the zstd stream is damaged: {error}") from error
        if not piece:
            return
        yield piece
