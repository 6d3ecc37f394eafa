"""RubyGems' ordering: Gem::Version (https://docs.ruby-lang.org/en/master/Gem/Version.html)."""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+")
_WELL_FORMED = re.compile(r"(?:[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?")
# A missing segment counts as 0, so a run of zeros is no different from the end until what follows it is seen: letters
# make it less than the end, a number makes it more.
_LETTERS, _ZERO_BEFORE_LETTERS, _END, _ZERO_BEFORE_NUMBER, _NUMBER = range(5)


def key(version: str) -> Key:
    """Return the sort key; a hyphen means `.pre.`, and characters that belong to no segment are passed over."""
    segments = _SEGMENT.findall(version.replace("-", ".pre."))
    reversed_tokens: list[int | str] = [_END]
    zero: int | None = None  # what a zero means here; None while only zeros have been seen: they do not count
    first_word = next((place for place, segment in enumerate(segments) if segment[0] > "9"), len(segments))
    for place in range(len(segments) - 1, -1, -1):
        segment = segments[place]
        if place == first_word - 1:
            zero = None  # nor do zeros at the end of the leading numbers: 1.0.a = 1.a
        if segment[0] > "9":
            reversed_tokens += (segment, _LETTERS)
            zero = _ZERO_BEFORE_LETTERS
        elif value := numeral(segment):
            reversed_tokens += (value, _NUMBER)
            zero = _ZERO_BEFORE_NUMBER
        elif zero is not None:
            reversed_tokens += (0, zero)
    reversed_tokens.reverse()
    return tuple(reversed_tokens)


def parses(version: str) -> bool:
    """Say whether Gem::Version.correct? would accept the version."""
    return _WELL_FORMED.fullmatch(version.strip()) is not None
