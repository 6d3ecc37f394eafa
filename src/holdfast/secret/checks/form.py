"""What a candidate must not look like."""

import re

_HEX = re.compile(rb"[0-9a-fA-F]+")
_MADE_OF_WORDS = re.compile(
    rb"(?<![a-z])[a-z]{3,20}(?:[A-Z][a-z]{2,20}|[-_./ ][a-z]{3,20}){2}|(?:[A-Z][a-z]{2,20}){3}",
)
_LOOKED_AT = 512


def not_hex(secret: bytes, _argument: str) -> str:
    """More than hexadecimal digits: a digest is of those alone."""
    return "" if _HEX.fullmatch(secret) else "form"


def not_words(secret: bytes, _argument: str) -> str:
    """No name or sentence of words put together (`someVariableName`, `a-file-name`), as code is full of."""
    text = secret[:_LOOKED_AT]
    # Chance makes such words too, and puts digits between them: one in six.
    digits = sum(48 <= c <= 57 for c in text)
    return "" if digits <= max(1, len(text) // 16) and _MADE_OF_WORDS.search(text) else "form"


CHECKS = {"not-hex": not_hex, "not-words": not_words}
