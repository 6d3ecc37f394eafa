"""Checksums that issuers put into their tokens, so that a made-up token is told from a real one offline."""

import hashlib
import zlib

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_LONGEST_BASE58 = 128
_SAID = "checksum"


def digits(number: int, alphabet: bytes, width: int) -> bytes:
    """A number in the base that the alphabet spans, filled up on the left to `width`."""
    written = bytearray()
    while number:
        number, digit = divmod(number, len(alphabet))
        written.append(alphabet[digit])
    return bytes(reversed(written)).rjust(width, alphabet[:1])


def crc32_base62(secret: bytes, _argument: str) -> str:
    """Last six characters: CRC-32, in base 62, of what stands before them and behind the first underscore.

    GitHub and npm (https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/), Vercel.
    """
    body = secret.partition(b"_")[2]
    return _SAID if len(body) > 6 and digits(zlib.crc32(body[:-6]), _BASE62, 6) == body[-6:] else ""


def crc32_base36(secret: bytes, _argument: str) -> str:
    """Last seven characters: CRC-32, in base 36, of all before them (GitLab's routable tokens)."""
    return _SAID if len(secret) > 7 and digits(zlib.crc32(secret[:-7]), _BASE36, 7) == secret[-7:] else ""


def crc32_hex(secret: bytes, _argument: str) -> str:
    """Last eight characters: CRC-32, in hexadecimal, of all before them (Atlassian; capitals or not)."""
    if len(secret) <= 8:
        return ""
    return _SAID if b"%08x" % zlib.crc32(secret[:-8]) == secret[-8:].lower() else ""


def crc32_hex_body(secret: bytes, _argument: str) -> str:
    """`prefix_body_checksum`, the checksum being the CRC-32 of the body in hexadecimal (Zuplo)."""
    parts = secret.split(b"_")
    return _SAID if len(parts) == 3 and b"%08x" % zlib.crc32(parts[1]) == parts[2].lower() else ""


def crc32_hex_little(secret: bytes, _argument: str) -> str:
    """`prefix_body_checksum`: CRC-32 of `prefix_body`, its bytes little end first, in hexadecimal (Grafana)."""
    body, _, written = secret.rpartition(b"_")
    return _SAID if body and zlib.crc32(body).to_bytes(4, "little").hex().encode() == written.lower() else ""


def base58_check(secret: bytes, _argument: str) -> str:
    """Base 58 whose last four bytes are the start of the double SHA-256 of the others (Bitcoin, BIP-32)."""
    if not 5 < len(secret) <= _LONGEST_BASE58:
        return ""
    number = 0
    for character in secret:
        digit = _BASE58.find(character)
        if digit < 0:
            return ""
        number = number * 58 + digit
    data = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
    digest = hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()
    return _SAID if digest[:4] == data[-4:] else ""


def bech32(secret: bytes, _argument: str) -> str:
    """`prefix1data` in the alphabet and with the checksum of BIP-173 (age's secret keys)."""
    prefix, mark, data = secret.lower().rpartition(b"1")
    values = [_BECH32.find(character) for character in data]
    if not prefix or not mark or len(data) < 6 or min(values) < 0 or len(secret) > _LONGEST_BASE58:
        return ""
    check = 1
    for value in (*(c >> 5 for c in prefix), 0, *(c & 31 for c in prefix), *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return _SAID if check == 1 else ""


def crc24(data: bytes) -> int:
    """The checksum of OpenPGP's armour (RFC 9580, 6.1.1)."""
    # binascii has the polynomial of neither this length nor form; keys are a few kilobytes.
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
        crc &= 0xFFFFFF
    return crc


def aws_key_id(secret: bytes, _argument: str) -> str:
    """An AWS key id holds its account's number: base 32, 40 bits behind the first (keys since 2019).

    The letters of every id are base 32; a number that no account has is told from one that may be.
    """
    try:
        data = _base32(secret[4:])
    except ValueError:
        return ""
    if len(data) < 6:
        return ""
    account = (int.from_bytes(data[:6], "big") & 0x7FFFFFFFFF80) >> 7
    # Ids of before 2019 carry no number: their fifth letter is I or J.
    if secret[4:5] in (b"I", b"J"):
        return "structure"
    return f"account {account:012d}" if account < 10**12 else ""


def _base32(text: bytes) -> bytes:
    """Base 32 without padding; ValueError where a letter is none of it."""
    number = 0
    for character in text:
        digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(character)
        if digit < 0:
            raise ValueError(character)
        number = number << 5 | digit
    return number.to_bytes((len(text) * 5 + 7) // 8, "big")


CHECKS = {
    "crc32-base62": crc32_base62,
    "crc32-base36": crc32_base36,
    "crc32-hex": crc32_hex,
    "crc32-hex-body": crc32_hex_body,
    "crc32-hex-little": crc32_hex_little,
    "base58-check": base58_check,
    "bech32": bech32,
    "aws-key-id": aws_key_id,
}
