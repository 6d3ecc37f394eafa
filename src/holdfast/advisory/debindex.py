"""Packages indices of a Debian archive: which .deb files there are of each source package."""

import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zstandard
from msgspec import Raw, Struct

from holdfast.model.errors import InputError, LimitError

LIMIT = 64 << 20
_INFLATED = 1 << 30
_PARAGRAPH = 1 << 20
_CHUNK = 1 << 20
_MAGIC = b"holdfast.debindex/1\n"
_SIZE = re.compile(rb"[0-9]{1,12}")
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_SOURCE = re.compile(rb"([a-z0-9][a-z0-9+.-]{0,200})(?: \(([^()\s]{1,200})\))?")
_FIELD = re.compile(rb"^(Package|Source|Version|Filename|Size|SHA256):[ \t]*([^\n]*)", re.MULTILINE)


class Deb(Struct, frozen=True, array_like=True, gc=False):
    """One binary package of an archive: `version` is its source's; `path` is relative to the archive's base."""

    name: str
    version: str
    path: str
    size: int
    sha256: str


class Index:
    """The binary packages of an index by the name of their source package; each list is decoded when asked for."""

    def __init__(self, sources: dict[str, Raw]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, source: str) -> list[Deb]:
        """The packages built from that source; none where the archive does not have it."""
        raw = self._sources.get(source)
        return [] if raw is None else msgspec.msgpack.decode(raw, type=list[Deb])


def build(debs: Iterable[tuple[str, Deb]]) -> Index:
    """An index of `(source name, package)` pairs."""
    grouped: dict[str, list[Deb]] = {}
    for source, deb in debs:
        grouped.setdefault(source, []).append(deb)
    return Index({source: Raw(msgspec.msgpack.encode(found)) for source, found in grouped.items()})


def dump(index: Index) -> bytes:
    """The index as bytes, for `load`."""
    plain = _MAGIC + msgspec.msgpack.encode(index._sources)
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(plain)


def load(file: Path) -> Index | None:
    """The index that `dump` wrote into a file; None where there is none, or it is damaged."""
    try:
        content = file.read_bytes()
        frame = zstandard.get_frame_parameters(content)
        # An unknown size is 2⁶⁴-1. Without the checksum a flipped byte would go unnoticed.
        if frame.content_size > _INFLATED or not frame.has_checksum:
            return None
        plain = zstandard.ZstdDecompressor().decompress(content)
        if not plain.startswith(_MAGIC):
            return None
        return Index(msgspec.msgpack.decode(plain[len(_MAGIC) :], type=dict[str, Raw]))
    except (OSError, zstandard.ZstdError, msgspec.MsgspecError, MemoryError):
        return None


def read(content: bytes, name: str) -> Iterator[tuple[str, Deb]]:
    """Each package with its source's name, from an index called `name` (its ending says how it is packed).

    Paragraphs that are damaged are left out. Raises InputError or LimitError where the file as a whole is.
    """
    return (pair for paragraph in _paragraphs(content, name) if (pair := _package(paragraph)) is not None)


def _package(paragraph: bytes) -> tuple[str, Deb] | None:
    fields: dict[bytes, bytes] = dict(_FIELD.findall(paragraph))
    source = _SOURCE.fullmatch((fields.get(b"Source") or fields.get(b"Package", b"")).strip())
    size, digest = fields.get(b"Size", b"").strip(), fields.get(b"SHA256", b"").strip()
    if source is None or not _SIZE.fullmatch(size) or not _DIGEST.fullmatch(digest):
        return None
    version, path, name = (
        (value or b"").strip().decode("utf-8", "replace")
        for value in (source[2] or fields.get(b"Version"), fields.get(b"Filename"), fields.get(b"Package"))
    )
    if not version or not path or path.startswith("/") or ".." in path.split("/"):
        return None
    return source[1].decode(), Deb(name, version, path, int(size), digest.decode())


def _paragraphs(content: bytes, name: str) -> Iterator[bytes]:
    """The paragraphs of an index, each beginning with its first field and ending in a newline."""
    rest = b""
    for chunk in _inflate(content, name):
        parts = (rest + chunk).split(b"\n\n")
        rest = parts.pop()
        if len(rest) > _PARAGRAPH:
            raise InputError("not a Packages index", where=name)
        for part in parts:
            yield part + b"\n"
    if rest.strip():
        yield rest


def _inflate(content: bytes, name: str) -> Iterator[bytes]:
    """The index in pieces, so that its 50 MB are never in memory at once."""
    if not name.endswith((".xz", ".gz")):
        yield from (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
        return
    total = 0
    try:
        for piece in _xz(content) if name.endswith(".xz") else _gzip(content):
            total += len(piece)
            if total > _INFLATED:
                raise LimitError("a Packages index that does not end", where=name)
            yield piece
    except (lzma.LZMAError, zlib.error, EOFError) as error:
        raise InputError(f"cannot be unpacked: {error}", where=name) from error


def _xz(content: bytes) -> Iterator[bytes]:
    inflater = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20)
    piece = inflater.decompress(content, _CHUNK)
    while piece or not inflater.eof:
        yield piece
        if inflater.needs_input and not inflater.eof:
            raise EOFError("cut short")
        piece = b"" if inflater.eof else inflater.decompress(b"", _CHUNK)


def _gzip(content: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj(31)
    piece = inflater.decompress(content, _CHUNK)
    while piece or not inflater.eof:
        yield piece
        if not inflater.eof and not piece and not inflater.unconsumed_tail:
            raise EOFError("cut short")
        piece = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, _CHUNK)
