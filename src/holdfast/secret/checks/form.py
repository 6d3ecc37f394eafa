"""What a candidate must not look like."""

import re

_HEX = re.compile(rb"[0-9a-fA-F]+")
_MADE_OF_WORDS = re.compile(rb"[a-z]{3,}(?:[A-Z][a-z]{2,}|[-_./ ][a-z]{3,}){2,}|(?:[A-Z][a-z]{2,}){3,}")


def not_hex(secret: bytes, _argument: str) -> str:
    """More than hexadecimal digits: a digest is of those alone."""
    return "" if _HEX.fullmatch(secret) else "form"


def not_words(secret: bytes, _argument: str) -> str:
    """No name or sentence of words put together (`someVariableName`, `a-file-name`), as code is full of."""
    return "" if _MADE_OF_WORDS.search(secret) else "form"


CHECKS = {"not-hex": not_hex, "not-words": not_words}
