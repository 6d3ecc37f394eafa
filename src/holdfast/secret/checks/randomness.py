"""Whether characters were drawn by a machine: entropy, a mixture of kinds, no run or repetition."""

import math
from collections import Counter

from holdfast.secret.checks.argument import number

_SEQUENCES = (
    b"0123456789012345",
    b"9876543210987654",
    b"abcdefghijklmnopqrstuvwxyzabcdef",
    b"zyxwvutsrqponmlkjihgfedcba",
    b"qwertyuiopasdfghjklzxcvbnm",
    b"0123456789abcdef0123456789abcdef",
)
_RUN = 6


def shannon(data: bytes) -> float:
    """Bits a character by the frequencies inside the text itself; 0 for nothing."""
    length = len(data)
    if not length:
        return 0.0
    return -sum(count / length * math.log2(count / length) for count in Counter(data).values())


def is_repetitive(data: bytes) -> bool:
    """Whether six characters follow the alphabet, the digits or the keyboard, are all alike, or a few repeat."""
    low = data.lower()
    for start in range(len(low) - _RUN + 1):
        part = low[start : start + _RUN]
        if part.count(part[:1]) == _RUN or any(part in sequence for sequence in _SEQUENCES):
            return True
    return len(low) >= 8 and any(low == (low[:n] * (len(low) // n + 1))[: len(low)] for n in (2, 3, 4, 5, 8))


def entropy(secret: bytes, argument: str) -> str:
    """At least so many bits a character (`entropy:3.5`), and no alphabet, keyboard row or repetition inside."""
    bits = shannon(secret)
    return f"entropy {bits:.1f}" if bits >= number(argument, 3) and not is_repetitive(secret) else ""


def mixed(secret: bytes, argument: str) -> str:
    """Letters and digits, as chance alone leaves none of them out; capitals and small ones too with `mixed:case`.

    What a person wrote (names of variables, words, paths) mostly lacks one of them.
    """
    digits = sum(secret.count(digit) for digit in b"0123456789")
    small = any(97 <= c <= 122 for c in secret)
    capital = any(65 <= c <= 90 for c in secret)
    if not digits or digits == len(secret):
        return ""
    return "mixed" if (small and capital if argument == "case" else small or capital) else ""


CHECKS = {"entropy": entropy, "mixed": mixed}
