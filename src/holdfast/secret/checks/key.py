"""Private keys: whether what stands between the lines of a key file is a key, of which kind, and unencrypted."""

import re
from typing import NamedTuple

from holdfast.secret.checks.checksum import crc24
from holdfast.secret.checks.structure import decode

_SAID = "structure"
_LONGEST = 64 << 10
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})-----")
_PEM_END = b"-----END "
_OPENSSH = b"openssh-key-v1\0"
_INTEGER, _OCTETS, _OBJECT, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PKCS12_VERSION = b"\x02\x01\x03"
# A plus sign is base 64 as well: it joins lines only behind a quote.
_QUOTED = rb"[\"'][ \t]{0,8}[+,;.]?[ \t]{0,80}"
_LINE_END = re.compile(rb"(?:%b)?[ \t]{0,80}\n[ \t]{0,80}(?:%b\n[ \t]{0,80})?[\"']?" % (_QUOTED, _QUOTED))
_KEY_SIZES = range(16, 2049)
_PKCS12_SHORTEST = 200


class Element(NamedTuple):
    """One element of DER (X.690): its tag, its content, and where the next begins."""

    tag: int
    content: bytes
    end: int


def element(data: bytes, start: int = 0) -> Element | None:
    """The element that begins there, or None where there is no whole one (lengths of up to four bytes)."""
    if len(data) < start + 2:
        return None
    tag, length, begin = data[start], data[start + 1], start + 2
    if length & 0x80:
        width = length & 0x7F
        if not 1 <= width <= 4 or len(data) < begin + width:
            return None
        length = int.from_bytes(data[begin : begin + width], "big")
        begin += width
    if len(data) < begin + length:
        return None
    return Element(tag, data[begin : begin + length], begin + length)


def elements(data: bytes, most: int = 16) -> list[Element]:
    """The elements of a sequence's content, the first `most` of them, as far as they can be read."""
    found: list[Element] = []
    start = 0
    while len(found) < most and (one := element(data, start)):
        found.append(one)
        start = one.end
    return found


def kind_of_der(data: bytes) -> str:
    """`RSA`, `EC`, `DSA`, `PKCS8`, `ENCRYPTED`, or empty: which private key these bytes are, by their shape."""
    outer = element(data)
    if outer is None or outer.tag != _SEQUENCE:
        return ""
    parts = elements(outer.content)
    tags = [part.tag for part in parts]
    if tags[:2] == [_SEQUENCE, _OCTETS] and parts[0].content[:1] == bytes([_OBJECT]):
        return "ENCRYPTED"
    if not parts or tags[0] != _INTEGER or parts[0].content not in (b"\0", b"\1"):
        return ""
    if tags[1:3] == [_SEQUENCE, _OCTETS] and parts[1].content[:1] == bytes([_OBJECT]):
        return "PKCS8"
    if tags[1:2] == [_OCTETS] and len(parts[1].content) in _KEY_SIZES:
        return "EC"
    integers = tags.count(_INTEGER)
    if integers == len(tags) and integers >= 9:
        return "RSA"
    return "DSA" if integers == len(tags) == 6 else ""


def pem(secret: bytes, argument: str) -> str:
    """A block of RFC 7468 whose body is the private key that its first line names, and not encrypted.

    Line ends may be written `\\n`, as JSON and environment variables have them. `pem:encrypted` asks for one that is
    encrypted.
    """
    found = _PEM.search(secret[:_LONGEST])
    if not found:
        return ""
    body = secret[found.end() : _LONGEST]
    end = body.find(_PEM_END)
    body = _without_line_ends(body[: end if end >= 0 else len(body)])
    if b":" in body:
        # RFC 1421: Proc-Type and DEK-Info say how it is encrypted.
        return _SAID if argument == "encrypted" and b"ENCRYPTED" in body else ""
    data = decode(body)
    if not data:
        return ""
    if data.startswith(_OPENSSH):
        encrypted = openssh_cipher(data) not in ("none", "")
        return _SAID if encrypted == (argument == "encrypted") and openssh_cipher(data) else ""
    kind, label = kind_of_der(data), found[1]
    if argument == "encrypted" or kind == "ENCRYPTED":
        return _SAID if kind == "ENCRYPTED" and argument == "encrypted" else ""
    named = label.replace(b"PRIVATE KEY", b"").strip().decode("ascii", "replace")
    return _SAID if kind and named in ("", kind, "ANY") else ""


def openssh_cipher(data: bytes) -> str:
    """The cipher of an OpenSSH private key (PROTOCOL.key): `none` for one in the clear; empty where it is no key."""
    if not data.startswith(_OPENSSH):
        return ""
    start = len(_OPENSSH)
    length = int.from_bytes(data[start : start + 4], "big")
    name = data[start + 4 : start + 4 + length]
    # A key of 32 bytes and its frame; less is an example cut short.
    if not 1 <= length <= 64 or len(name) != length or len(data) < 150:
        return ""
    return name.decode("ascii", "replace")


def openpgp(secret: bytes, _argument: str) -> str:
    """An armoured block (RFC 9580, 6.2) whose first packet is a secret key; its checksum holds."""
    lines = [line.strip() for line in _with_line_ends(secret[:_LONGEST]).split(b"\n")]
    body = [line for line in lines if line and b": " not in line and not line.startswith(b"-----")]
    written = body.pop()[1:] if body and body[-1].startswith(b"=") and len(body[-1]) == 5 else b""
    data = decode(b"".join(body))
    if not data or len(data) < 32:
        return ""
    tag = data[0] & 0x3F if data[0] & 0x40 else data[0] >> 2 & 0x0F
    # Tag 5 is a secret key (RFC 9580, 5.5.1.3); the top bit marks a packet.
    if not data[0] & 0x80 or tag != 5:
        return ""
    if not written:
        return _SAID
    return "checksum" if decode(written) == crc24(data).to_bytes(3, "big") else ""


def pkcs12(secret: bytes, _argument: str) -> str:
    """A file of RFC 7292: a sequence with the version 3 and content behind it."""
    if secret[:1] != bytes([_SEQUENCE]) or len(secret) < 20:
        return ""
    width = secret[1] & 0x7F if secret[1] & 0x80 else 0
    start, length = 2 + width, int.from_bytes(secret[2 : 2 + width], "big") if width else secret[1]
    if width > 4 or (length < _PKCS12_SHORTEST and secret[1] != 0x80):
        return ""
    return _SAID if secret[start : start + 3] == _PKCS12_VERSION and secret[start + 3] == _SEQUENCE else ""


def putty(secret: bytes, _argument: str) -> str:
    """A .ppk file that says of itself that nothing encrypts it, with the public and private lines that it counts."""
    text = _with_line_ends(secret)
    if b"Encryption: none" not in text or b"Private-Lines:" not in text:
        return ""
    return (
        _SAID if decode(text.partition(b"Private-Lines:")[2].partition(b"\n")[2].partition(b"\nPrivate-MAC")[0]) else ""
    )


def _with_line_ends(text: bytes) -> bytes:
    return text.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\r", b"")


def _without_line_ends(text: bytes) -> bytes:
    """Joined: line ends, written or real, indentation, quotes and the plus signs of code are left out."""
    if b"Proc-Type" in text:
        return text
    return _LINE_END.sub(b"", _with_line_ends(text)).strip(b" \t\"'\n")


CHECKS = {"pem": pem, "openpgp": openpgp, "pkcs12": pkcs12, "putty": putty}
