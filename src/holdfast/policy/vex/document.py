"""JSON that holds statements: decoded within bounds, its faults named by line and column."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from holdfast.model.errors import InputError, LimitError

MAX_BYTES = 64 << 20
MAX_VALUES = 2_000_000
MAX_TEXT = 2_000
_BYTE = re.compile(r"\(byte ([0-9]{1,12})\)")


def decode(data: bytes, where: str) -> dict[str, Any]:
    """The object in the bytes; InputError with line and column where it is not JSON, LimitError past a budget."""
    if len(data) > MAX_BYTES:
        raise LimitError(f"a VEX document over {MAX_BYTES >> 20} MiB", where=where)
    if sum(data.count(mark) for mark in (b",", b"{", b"[")) > MAX_VALUES:
        raise LimitError(f"a VEX document of more than {MAX_VALUES:,} values", where=where)
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        document = msgspec.json.decode(data[start:])
    except msgspec.DecodeError as error:
        raise _malformed(data, start, str(error), where) from error
    except UnicodeDecodeError as error:
        raise _malformed(data, start, f"not UTF-8 (byte {error.start})", where) from error
    except RecursionError as error:
        raise LimitError("a VEX document nested too deep", where=where) from error
    if not isinstance(document, dict):
        raise InputError("not a VEX document: it holds no object", where=f"{where}:1:1")
    return document


def _malformed(data: bytes, start: int, error: str, where: str) -> InputError:
    found = _BYTE.search(error)
    place = min(int(found[1]) + start, len(data)) if found else len(data)
    line = data.count(b"\n", 0, place) + 1
    column = place - (data.rfind(b"\n", 0, place) + 1) + 1
    return InputError(f"not JSON: {_BYTE.sub('', error).strip()[:200]}", where=f"{where}:{line}:{column}")


def text(value: object) -> str:
    """A text, cut where it is endless; empty where it is none."""
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def objects(value: object) -> Iterator[dict[str, Any]]:
    """The objects of a list; what else stands there is passed over."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list that are not empty."""
    return tuple(found for item in value if (found := text(item))) if isinstance(value, list) else ()


def mapping(value: object) -> dict[str, Any]:
    """An object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}
