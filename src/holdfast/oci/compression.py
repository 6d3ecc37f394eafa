"""Inflating a stream of unknown compression in bounded steps."""

from collections.abc import Iterable, Iterator
from itertools import chain

from isal import igzip_lib

from holdfast.model.errors import InputError
from holdfast.oci.budget import CHUNK_BYTES

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FOREIGN = {b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x04\x22\x4d\x18": "lz4"}
_MAGIC_BYTES = 8


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
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    between_members = False
    for chunk in chunks:
        data = chunk
        while True:
            if between_members:
                data = data.lstrip(b"\0")  # gzip(1) and Go both let zeros pad the end of a file
                if not data:
                    break
                if not data.startswith(_GZIP[:1]):
                    return  # trailing garbage: what was promised of the bytes is checked by digest
                inflater, between_members = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), False
            try:
                piece = inflater.decompress(data, CHUNK_BYTES)
            except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise InputError(f"the gzip stream is damaged: {error}") from error
            if piece:
                yield piece
            if inflater.eof:
                data, between_members = inflater.unused_data, True
            elif inflater.needs_input:
                break
            else:
                data = b""
    if not between_members:
        raise InputError("the gzip stream is cut short")


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
