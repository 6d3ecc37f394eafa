"""Risk: one number, 0…100, by which findings are put in order. It is no probability, and no policy should rest on it.

Version 1 of the formula, rounded, and 100 for malware:

    ( 5 × severity 0…10              CVSS where it decided the severity, else the middle of the severity's band
    + 20 × (2 × percentile − 1)      EPSS's percentile above the median; nothing below it or without one
    + 22, or 25 with ransomware      where CISA knows it exploited
    + 5 )                            where a fix is there to be installed
    × 0.2  the kernel of a container's image, which is not the one that runs
    × 0.5  something that only development needs
    × 0.8  only declared by a lock file, not installed
    × 0.6  low confidence
"""

from msgspec import Struct

from holdfast.model.advisory import Epss, KnownExploited

RISK_VERSION = 1

_SEVERITY, _EPSS, _EXPLOITED, _RANSOMWARE, _FIX = 5.0, 20.0, 22.0, 3.0, 5.0
_KERNEL, _DEVELOPMENT, _DECLARED, _DOUBTFUL = 0.2, 0.5, 0.8, 0.6


class Circumstances(Struct, frozen=True):
    """What lowers a risk in this image, whatever the vulnerability is."""

    fixable: bool = False
    kernel: bool = False
    development: bool = False
    declared: bool = False
    doubtful: bool = False


def risk(severity: float, epss: Epss | None, exploited: KnownExploited | None, around: Circumstances) -> int:
    """The risk of one finding. `severity` is a figure of 0…10."""
    total = _SEVERITY * severity
    if epss is not None:
        total += _EPSS * max(0.0, 2 * epss.percentile - 1)
    if exploited is not None:
        total += _EXPLOITED + (_RANSOMWARE if exploited.ransomware else 0.0)
    if around.fixable:
        total += _FIX
    for applies, factor in (
        (around.kernel, _KERNEL),
        (around.development, _DEVELOPMENT),
        (around.declared, _DECLARED),
        (around.doubtful, _DOUBTFUL),
    ):
        total *= factor if applies else 1.0
    return min(100, round(total))
