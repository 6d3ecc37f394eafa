"""Python's ordering: the version specifiers specification, formerly PEP 440.

https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

import re

from holdfast.version import generic
from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_VERSION = re.compile(
    r"""v?(?:([0-9]+)!)?                                                # epoch
    ([0-9]+(?:\.[0-9]+)*)                                             # release
    (?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?          # pre-release
    (?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?                    # post-release, implicit or named
    (?:[-_.]?(dev)[-_.]?([0-9]*))?                                      # development release
    (?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?                             # local version
    """,
    re.VERBOSE,
)
_LEGACY, _VALID = range(2)
_STAGES = {"a": 1, "alpha": 1, "b": 2, "beta": 2, "c": 3, "rc": 3, "pre": 3, "preview": 3}
_DEVELOPMENT_ONLY, _FINAL = 0, 4  # stages before the first pre-release and after the last
_LETTERS, _NUMBER = range(2)


def key(version: str) -> Key:
    """Return the sort key. What is no valid version sorts before all that are, among themselves as `generic` does.

    (So did setuptools when it still read such versions: any of them is older than 0.)
    """
    match = _VERSION.fullmatch(version.strip().lower())
    if match is None:
        return (_LEGACY, generic.key(version))
    epoch, release, stage, stage_number, implicit_post, post, post_number, dev, dev_number, local = match.groups()
    is_post = post is not None or implicit_post is not None
    if stage:
        pre_key = (_STAGES[stage], numeral(stage_number or "0"))
    else:
        # 1.0.dev1 comes before 1.0a1, but 1.0.post1.dev1 after 1.0.
        pre_key = (_DEVELOPMENT_ONLY if dev and not is_post else _FINAL, 0)
    return (
        _VALID,
        numeral(epoch or "0"),
        _release(release),
        pre_key,
        (1, numeral(implicit_post or post_number or "0")) if is_post else (0, 0),
        (0, numeral(dev_number or "0")) if dev else (1, 0),
        _local(local),
    )


def parses(version: str) -> bool:
    """Say whether the specification can read the version, in any of its spellings."""
    return _VERSION.fullmatch(version.strip().lower()) is not None


def _release(release: str) -> Key:
    numbers = [numeral(number) for number in release.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _local(local: str | None) -> Key:
    # No local version sorts before any, and a shorter one before a longer: an empty tuple and plain tuple order.
    segments: list[int | str] = []
    for segment in re.split(r"[-_.]", local) if local else ():
        if segment.isdigit():
            segments += (_NUMBER, numeral(segment))
        else:
            segments += (_LETTERS, segment)
    return tuple(segments)
