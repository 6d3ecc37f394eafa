"""Secrets that do not stand there as they are: UTF-16 text, and one wrapping of base64.

Looking for every run of base64 costs more than all rules together (0.34 s for 250 MB, measured). What a rule looks for
has a telling literal, though, and that is as telling in base64, where it can stand in three ways (RFC 4648, section 4:
three bytes are four characters). So Hyperscan looks for those, and only what stands around one is decoded.
"""

import base64
import binascii
from typing import NamedTuple

WIDEST_RUN = 64 << 10
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = _STANDARD + b"-_"
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_LEAST_WRAPPED = 4
_SEEN = 64


def wrapped_forms(literal: bytes) -> tuple[tuple[bytes, int], ...]:
    """How a literal shows in base64, with the place of its first character within four (0, 2 or 3)."""
    forms = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + literal + b"\0\0\0")
        first, last = -(-before * 8 // 6), (before + len(literal)) * 8 // 6
        if last - first >= _LEAST_WRAPPED:
            forms.append((encoded[first:last], first % 4))
    return tuple(forms)


class Run(NamedTuple):
    """A stretch of base64 in some data, from `start` to `end`, and what it says."""

    start: int
    end: int
    content: bytes


def unwrap(data: bytes, start: int, place: int) -> Run | None:
    """What stands in base64 around a position that is the `place`-th of four characters; None where nothing does."""
    low, high = max(0, start - WIDEST_RUN), min(len(data), start + WIDEST_RUN)
    first = low + len(data[low:start].rstrip(_STANDARD))
    last = high - len(data[start:high].lstrip(_STANDARD))
    alphabet = _STANDARD
    if data[first - 1 : first] in (b"-", b"_") or data[last : last + 1] in (b"-", b"_"):
        alphabet = _URL_SAFE
    # A long line that is broken goes on in the next one.
    if data[last : last + 1] in (b"\r", b"\n") or data[first - 1 : first] == b"\n":
        alphabet += b"\r\n"
    if alphabet is not _STANDARD:
        first = low + len(data[low:start].rstrip(alphabet))
        last = high - len(data[start:high].lstrip(alphabet))
    before = data[first:start].translate(_TO_STANDARD, b"\r\n")
    behind = data[start:last].translate(_TO_STANDARD, b"\r\n")
    text = before[(len(before) - place) % 4 :] + behind
    try:
        content = binascii.a2b_base64(text[: len(text) // 4 * 4] + _padded(text[len(text) // 4 * 4 :]))
    except binascii.Error:
        return None
    return Run(first, last, content)


def _padded(rest: bytes) -> bytes:
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def utf16(data: bytes) -> bytes | None:
    """The same text in UTF-8 where data is UTF-16, by its mark or the zeros of its first bytes; else None."""
    if data.startswith(b"\xff\xfe"):
        order, data = "utf-16-le", data[2:]
    elif data.startswith(b"\xfe\xff"):
        order, data = "utf-16-be", data[2:]
    else:
        head = data[:_SEEN]
        even, odd, half = head[::2].count(0), head[1::2].count(0), len(head) // 2
        if half < 4:
            return None
        if odd * 4 >= half * 3 and not even:
            order = "utf-16-le"
        elif even * 4 >= half * 3 and not odd:
            order = "utf-16-be"
        else:
            return None
    return data.decode(order, "replace").encode("utf-8", "replace")
