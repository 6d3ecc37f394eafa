"""Debian's ordering: Debian Policy 5.6.12 and deb-version(7); what dpkg --compare-versions answers."""

import re
import string

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_RUN = re.compile(r"([^0-9]*)([0-9]*)")
_WELL_FORMED = re.compile(r"(?:[0-9]+:[0-9][A-Za-z0-9.+~:-]*|[0-9][A-Za-z0-9.+~-]*)")
_REVISION = re.compile(r"[A-Za-z0-9+.~]+")
# Sorts after "~" and before everything else: where a run of non-digits stops, the policy counts nothing as
# greater than a tilde and less than any other character.
_END = "\x01"
_HIGHEST = 0x10FFFF


class _Weights(dict[int, int]):
    """Code points moved so that plain string order is the policy's: tilde, end, letters, all the rest."""

    def __missing__(self, code: int) -> int:
        return min(code + 0x80, _HIGHEST)


_WEIGHTS = _Weights({code: code for code in map(ord, string.ascii_letters + string.digits)} | {ord("~"): 0})


def key(version: str) -> Key:
    """Return the sort key: epoch, upstream version, revision. A missing epoch or revision counts as 0.

    Text before a colon that is no number is read as part of the upstream version.
    """
    epoch, colon, rest = version.strip().partition(":")
    if not (colon and epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", version.strip()
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, ""
    return (numeral(epoch), _runs(upstream), _runs(revision))


def parses(version: str) -> bool:
    """Say whether the policy allows the version: known characters, a leading digit, no empty revision."""
    if not _WELL_FORMED.fullmatch(version):
        return False
    _, hyphen, revision = version.rpartition("-")
    return not hyphen or _REVISION.fullmatch(revision) is not None


def _runs(part: str) -> Key:
    runs: list[int | str] = []
    # Nothing at all equals 0 ("1.0" = "1.0-0").
    for text, digits in _RUN.findall((part or "0").translate(_WEIGHTS)):
        runs.append(text + _END)
        runs.append(numeral(digits) if digits else 0)
    return tuple(runs)
