"""Maven's ordering: "Version Order Specification" in the POM reference; the class ComparableVersion of maven-artifact.

https://maven.apache.org/pom.html#version-order-specification

Two departures, both about a qualifier after a dot. Since 3.8.7 Maven reads it as one after a hyphen (MNG-7644); the
published comparisons were made before and keep the two apart (6.1.12.rc5 < 6.1.12rc1), and so does this. Maven went
round in circles (2.9.0.RC1 < 2.9.0 < 2.9.0-1 < 2.9.0.RC1), which a sort key cannot: here, as in Maven since, a
pre-release is older than its release whatever else there is.
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_TOKEN = re.compile(r"[0-9]+|[^0-9.-]+|[.-]")
_WELL_FORMED = re.compile(r"[0-9][0-9A-Za-z_+]*(?:[.-][0-9A-Za-z_+]+)*")
_PRE_RELEASES = {"alpha": 0, "beta": 1, "milestone": 2, "rc": 3, "cr": 3, "snapshot": 4}
_RELEASES = {"ga", "final", "release"}
_SERVICE_PACK = "sp"
_SHORTENED = {"a": "alpha", "b": "beta", "m": "milestone"}
# What may follow a common beginning, oldest first. A version that ends is compared as if a release qualifier followed.
(
    _DOT_PRE, _HYPHEN_PRE, _ZERO_BEFORE_PRE, _END, _DOT_SP, _DOT_WORD, _HYPHEN_SP, _HYPHEN_WORD, _HYPHEN_NUMBER,
    _DOT_NUMBER,
) = range(10)  # fmt: skip
_ZEROS = {(_HYPHEN_NUMBER, 0), (_DOT_NUMBER, 0)}
_NULLS = {(_END, 0), *_ZEROS}

_Tokens = list[tuple[int, int | str]]


def key(version: str) -> Key:
    """Return the sort key. Every text has an order in Maven; there is nothing that does not parse."""
    text = version.strip().lower()
    tokens: _Tokens = []
    separator = "."
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in (".", "-"):
            if separator:  # two in a row: an empty component stands for 0
                _append(tokens, "0", hyphen=separator == "-")
            separator = token
        else:
            if token in _SHORTENED and text[match.end() : match.end() + 1].isdigit():
                token = _SHORTENED[token]
            # A change between letters and digits is as good as a hyphen.
            _append(tokens, token, hyphen=separator != ".")
            separator = ""
    _trim(tokens)
    tokens.append((_END, 0))
    return tuple(tokens)


def parses(version: str) -> bool:
    """Say whether the version has the usual shape: a number first, then single separators."""
    return _WELL_FORMED.fullmatch(version) is not None


def _append(tokens: _Tokens, token: str, *, hyphen: bool) -> None:
    if hyphen:
        _trim(tokens)
    if "0" <= token[0] <= "9":
        tokens.append((_HYPHEN_NUMBER if hyphen else _DOT_NUMBER, numeral(token)))
    elif token in _PRE_RELEASES:
        # 1.0.rc is older than 1 although 0 equals nothing and 1.0.1 is newer: its zeros know what follows them.
        for place in range(len(tokens) - 1, -1, -1):
            if tokens[place] not in _ZEROS:
                break
            tokens[place] = (_ZERO_BEFORE_PRE, 0)
        tokens.append((_HYPHEN_PRE if hyphen else _DOT_PRE, _PRE_RELEASES[token]))
    elif token in _RELEASES:
        tokens.append((_END, 0))
    elif token == _SERVICE_PACK:
        tokens.append((_HYPHEN_SP if hyphen else _DOT_SP, 0))
    else:
        tokens.append((_HYPHEN_WORD if hyphen else _DOT_WORD, token))


def _trim(tokens: _Tokens) -> None:
    """Drop trailing zeros and release qualifiers, as the specification does at the end and before each hyphen."""
    while tokens and tokens[-1] in _NULLS:
        tokens.pop()
