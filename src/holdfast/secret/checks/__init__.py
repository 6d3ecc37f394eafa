"""What is held true of a candidate beyond its form: checksums, structure, randomness, and that it is no placeholder.

Each file of this folder has its checks by name as functions `(secret, argument) -> str`: the captured bytes and what
stands behind the colon in the rule (`entropy:3.5`). They answer with the word that the evidence shows (`checksum`,
`entropy 4.1`), or with nothing where the check fails. They never raise, whatever the bytes, and their work is linear.
"""

from collections.abc import Callable

from holdfast.secret.checks import checksum, form, key, password, randomness, structure
from holdfast.secret.verdict import Check, Verdict


def _check(says: Callable[[bytes, str], str]) -> Check:
    def check(secret: bytes, argument: str) -> Verdict:
        words = says(secret, argument)
        return Verdict(bool(words), words)

    check.__doc__ = says.__doc__
    return check


CHECKS: dict[str, Check] = {
    name: _check(says)
    for part in (checksum, form, key, password, randomness, structure)
    for name, says in part.CHECKS.items()
}
"""Every check by the name that rules call it by."""
