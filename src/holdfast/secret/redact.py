"""How a secret is shown: so that its owner knows it again, and nobody can use it."""

import hashlib

MOST_SHOWN = 8
_LEAST_SHOWN = 8  # bytes that a secret must have for any of it to be shown


def redacted(secret: bytes) -> str:
    """First and last characters, at most a quarter of the secret and at most eight, with `…` for all between.

    Nothing that is shown is unprintable: it stands as `·`.
    """
    shown = min(MOST_SHOWN, len(secret) // 4)
    if len(secret) < _LEAST_SHOWN:
        return "…"
    last = shown // 2
    return f"{_plain(secret[: shown - last])}…{_plain(secret[len(secret) - last :])}"


def key_id(secret: bytes, key: bytes) -> str:
    """The keyed hash of a secret, as 32 hex digits; the same for a private key however its lines are broken.

    BLAKE2b in its keyed mode (RFC 7693) is a MAC: without the key nobody can try passwords against it.
    """
    if secret.startswith(b"-----BEGIN"):
        secret = secret.replace(b"\\r", b"").replace(b"\\n", b"").translate(None, b" \t\r\n")
    return hashlib.blake2b(secret, digest_size=16, key=key).hexdigest()


def _plain(piece: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "·" for byte in piece)
