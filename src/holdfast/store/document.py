"""Reports and findings as bytes that are kept: JSON in a zstandard frame with a checksum.

Names in images need not be UTF-8; their odd bytes are surrogates, which msgspec does not write. Such a document is
written with them as JSON escapes, so that it comes back as it was and its findings keep their fingerprints.
"""

from typing import Any, TypeVar

import msgspec
import zstandard

from holdfast.model.errors import LimitError, StoreError

LIMIT = 512 << 20
"""Bytes of one document, unpacked: reports of the largest images we know take a tenth of it."""

_LEVEL = 3
T = TypeVar("T")


def pack(value: Any) -> bytes:
    """A Struct, or a mapping of bytes, as kept. LimitError where it is too large to be read again."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        import json

        data = json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode()
    if len(data) > LIMIT:
        raise LimitError(f"a document of more than {LIMIT >> 20} MiB")
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)


def unpack(data: bytes, kind: type[T]) -> T:
    """The value of that type in bytes that were kept; StoreError where they are not what `pack` made."""
    try:
        # The frame's own word on its size is what gets allocated.
        if not 0 <= zstandard.frame_content_size(data) <= LIMIT:
            raise StoreError("a stored document is damaged: it states no size that can be")
        text = zstandard.ZstdDecompressor().decompress(data)
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError:
            import json

            return msgspec.convert(json.loads(text), kind)
    except (zstandard.ZstdError, ValueError, RecursionError, MemoryError) as error:  # msgspec's errors are ValueErrors
        raise StoreError(f"a stored document is damaged: {str(error)[:200]}") from error


def portable(text: str) -> str:
    """The text as every database takes it: odd bytes, lone surrogates and NUL as escapes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
