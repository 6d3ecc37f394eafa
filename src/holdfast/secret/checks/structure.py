"""Tokens that carry data: JSON Web Tokens, encoded JSON, encoded credentials, keys of a set length."""

import base64
import binascii
import re
from typing import Any

import msgspec

from holdfast.secret.checks.argument import number
from holdfast.secret.checks.password import is_placeholder

_SAID = "structure"
_LONGEST = 64 << 10
_UNUSED = re.compile(rb"[\s\\]+")
_UNSIGNED = ("", "none")
_EXAMPLE_SUBJECTS = ("1234567890",)
# The client of RFC 6749's examples, which stands in the documentation of every OAuth library.
_EXAMPLE_USERS = (b"s6BhdRkqt3",)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}")
_MACAROON = re.compile(rb"\x02\x01[\x00-\x7f](?:test\.)?pypi\.org\x02")


def decode(text: bytes) -> bytes | None:
    """Base 64 of either alphabet, with or without padding and line ends; None where it is not that."""
    if len(text) > _LONGEST:
        return None
    text = _UNUSED.sub(b"", text).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def json_object(data: bytes | None) -> dict[str, Any] | None:
    """The JSON object that the bytes are, or None."""
    if data is None:
        return None
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def jwt(secret: bytes, argument: str) -> str:
    """A signed JSON Web Token (RFC 7519): header with an algorithm, claims, signature, and not the example of jwt.io.

    With an argument (`jwt:service_role`) one of the claims has that value.
    """
    parts = secret.split(b".")
    if len(parts) != 3:
        return ""
    header, claims = (json_object(decode(part)) for part in parts[:2])
    if header is None or claims is None or str(header.get("alg", "")).lower() in _UNSIGNED:
        return ""
    signature = decode(parts[2])
    if signature is None or len(signature) < 20 or claims.get("sub") in _EXAMPLE_SUBJECTS:
        return ""
    return _SAID if not argument or argument in claims.values() else ""


def jwe(secret: bytes, _argument: str) -> str:
    """An encrypted JSON Web Token (RFC 7516): five parts, the first a header that names its algorithms."""
    parts = secret.split(b".")
    header = json_object(decode(parts[0])) if len(parts) == 5 else None
    return _SAID if header and "alg" in header and "enc" in header else ""


def base64_json(secret: bytes, argument: str) -> str:
    """One part of the token (by `_`, `.` or `-`) is a JSON object in base 64; it has the key of the argument."""
    for part in (secret, *re.split(rb"[_.\-]", secret)):
        start = part.find(b"eyJ")
        found = json_object(decode(part[start:])) if start >= 0 else None
        if found is not None and (not argument or argument in found):
            return _SAID
    return ""


def base64_bytes(secret: bytes, argument: str) -> str:
    """Base 64 of exactly so many bytes (`base64:64`) that are no text and no repetition."""
    data = decode(secret)
    if data is None or (argument and len(data) != number(argument, 0)) or len(data) < 8:
        return ""
    return _SAID if len(set(data)) > min(12, len(data) // 3) and not _is_text(data) else ""


def base64_text(secret: bytes, argument: str) -> str:
    """Base 64 of printable text; with an argument, of text that begins with it."""
    data = decode(secret)
    if not data or not _is_text(data):
        return ""
    return _SAID if data.startswith(argument.encode()) else ""


def basic(secret: bytes, _argument: str) -> str:
    """Base 64 of `user:password` with a password that is no placeholder (RFC 7617; auths of Docker)."""
    data = decode(secret)
    if not data or not _is_text(data):
        return ""
    user, mark, password = data.partition(b":")
    real = bool(mark and user) and user not in _EXAMPLE_USERS and len(password) >= 4 and user != password
    return _SAID if real and not is_placeholder(password) else ""


def discord(secret: bytes, _argument: str) -> str:
    """The first of three parts is the bot's number (a snowflake of 17 to 20 digits) in base 64."""
    number = decode(secret.partition(b".")[0])
    return _SAID if number and 17 <= len(number) <= 20 and all(48 <= c <= 57 for c in number) else ""


def macaroon(secret: bytes, _argument: str) -> str:
    """`pypi-` and a macaroon of version 2 whose location is pypi.org or test.pypi.org."""
    data = decode(secret.partition(b"-")[2])
    return _SAID if data and _MACAROON.match(data) else ""


def uuid(secret: bytes, argument: str) -> str:
    """A UUID of RFC 9562 that chance made (version 4, or the argument's) and nobody wrote by hand."""
    found = _UUID.fullmatch(secret.lower())
    if not found or found[1] != (argument or "4").encode() or found[2] not in b"89ab":
        return ""
    return _SAID if len(set(secret.lower())) > 8 else ""


def _is_text(data: bytes) -> bool:
    return all(32 <= c < 127 or c in (9, 10, 13) for c in data)


CHECKS = {
    "jwt": jwt,
    "jwe": jwe,
    "base64-json": base64_json,
    "base64": base64_bytes,
    "base64-text": base64_text,
    "basic": basic,
    "discord": discord,
    "macaroon": macaroon,
    "uuid": uuid,
}
