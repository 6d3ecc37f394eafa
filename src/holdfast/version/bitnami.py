"""Bitnami's ordering: Semantic Versioning with a packaging revision, 1.2.3 = 1.2.3-0 < 1.2.3-1 < 1.2.4.

A number after the hyphen counts Bitnami's own rebuilds and is no pre-release; anything else there is one.
https://github.com/bitnami/go-version
"""

from holdfast.version import semver
from holdfast.version.ordering import Key

parses = semver.parses

_UNPARSED, _PARSED = range(2)
_PRE_RELEASE, _REVISION = range(2)


def key(version: str) -> Key:
    """Return the sort key: the numbers, then pre-releases before revisions, a missing revision being 0."""
    parts = semver.split(version)
    if parts is None:
        return (_UNPARSED, version)
    numbers, suffix, _ = parts
    first = suffix.partition(".")[0] or "0"
    revision = first.isascii() and first.isdigit()
    return (_PARSED, numbers, _REVISION if revision else _PRE_RELEASE, semver.identifiers(suffix or "0"))
