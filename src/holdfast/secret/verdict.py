"""What a check says of a candidate."""

from collections.abc import Callable
from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether a check holds, and what was found in a word or two (`checksum`, `entropy 4.1`), without the secret.

    The words of checks that hold are shown beside the finding; those of a failed one are for tests and debugging.
    """

    holds: bool
    words: str = ""


Check = Callable[[bytes, str], Verdict]
"""Asks one thing of a secret: `check(secret, argument)`.

`secret` are the bytes of the group `secret`, unwrapped where they stood in base64 or UTF-16; `argument` what follows
the colon in the rule's list (`entropy:3.5` calls CHECKS["entropy"](secret, "3.5")), empty where nothing does. A check
is pure, takes any bytes of any length (64 KiB at most) and never raises.
"""
