"""Secrets in the forms of real ones, made up when they are needed, so that none stands in a file of this project."""

import base64
import binascii
import hashlib
import string
import struct

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits


def characters(seed: str, count: int, alphabet: str = _ALPHABET) -> str:
    """Text that looks random and is the same for the same seed."""
    stream, digest = b"", seed.encode()
    while len(stream) < count:
        digest = hashlib.sha256(digest).digest()
        stream += digest
    return "".join(alphabet[byte % len(alphabet)] for byte in stream[:count])


def github_token() -> str:
    """A token in GitHub's form: its last six characters are a checksum of the thirty before (CRC-32 in base 62)."""
    body = characters("github", 30)
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    number, checksum = binascii.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        checksum = digits[digit] + checksum
    return f"ghp_{body}{checksum.rjust(6, '0')}"


def aws_pair() -> tuple[str, str]:
    """An access key's id and its secret, in Amazon's form."""
    return "AKIA" + characters("aws id", 16, string.ascii_uppercase + "234567"), characters("aws", 40, _ALPHABET + "/+")


def ssh_key() -> str:
    """An unencrypted OpenSSH private key whose numbers are made up (PROTOCOL.key)."""
    public, private = hashlib.sha256(b"public").digest(), hashlib.sha256(b"private").digest()
    blob = _strings(b"ssh-ed25519", public)
    secret = struct.pack(">II", 7, 7) + _strings(b"ssh-ed25519", public, private + public, b"shop")
    secret += bytes(range(1, 1 + -len(secret) % 8))
    whole = b"openssh-key-v1\0" + _strings(b"none", b"none", b"") + struct.pack(">I", 1) + _strings(blob, secret)
    body = base64.b64encode(whole).decode()
    lines = "\n".join(body[at : at + 70] for at in range(0, len(body), 70))
    return "-----BEGIN OPENSSH {0}-----\n{1}\n-----END OPENSSH {0}-----\n".format("PRIVATE KEY", lines)


def eicar() -> bytes:
    """The standard trigger of anti-malware programs (eicar.org), put together here so that no file holds it."""
    return b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"


def _strings(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
