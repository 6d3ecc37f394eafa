"""Composer's ordering: PHP's version_compare, by which OSV's Packagist ranges are evaluated.

https://www.php.net/version_compare; what composer/semver's VersionParser takes off a version before it is compared
(a leading v, build metadata) or makes of a numbered branch is done here too. Two of its steps are left out because
the published comparisons contradict them: numbers are not filled up to four (3.0 < 3.0.0-beta < 3.0.0), and the
names of pre-releases count as such in version_compare's own spelling only (BETA and stable are unknown words).
"""

import re

from holdfast.version.numeral import numeral
from holdfast.version.ordering import Key

_VERSION = re.compile(r"[vV]?([0-9][^+]*)(?:\+.*)?", re.DOTALL)
_WELL_FORMED = re.compile(
    r"[vV]?[0-9]+(?:\.[0-9]+){0,3}(?:[._-]?(?:stable|beta|b|rc|alpha|a|patch|pl|p)[0-9]*(?:[.-][0-9]+)*)?(?:[.-]?dev)?"
    r"(?:\+[^\s]+)?",
    re.IGNORECASE,
)
_BRANCH = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){0,2})(?:\.[xX*])+-dev", re.IGNORECASE)
_BRANCH_NUMBERS = 4
_PART = re.compile(r"[0-9]+|[A-Za-z]+")
_UNKNOWN, _DEV, _ALPHA, _BETA, _CANDIDATE, _END, _NUMBER, _PATCH = range(8)
# In the order in which version_compare tries them as the beginning of a word: "patch", "pl" and "post" are all p.
_FORMS = (("dev", _DEV), ("a", _ALPHA), ("b", _BETA), ("RC", _CANDIDATE), ("rc", _CANDIDATE), ("p", _PATCH))
_UNPARSED, _PARSED = range(2)


def key(version: str) -> Key:
    """Return the sort key; a leading v and build metadata do not count, a longer version is newer (3.0 < 3.0.0).

    A named branch (`dev-main`) sorts before every version, a numbered one (`2.1.x-dev`) after all of its releases.
    """
    text = version.strip()
    if branch := _BRANCH.fullmatch(text):
        numbers = branch[1].split(".")
        text = ".".join(numbers + ["9999999"] * (_BRANCH_NUMBERS - len(numbers))) + "-dev"
    match = _VERSION.fullmatch(text)
    if match is None:
        return (_UNPARSED, *_parts(text), _END, text)
    return (_PARSED, *_parts(match[1]), _END)


def parses(version: str) -> bool:
    """Say whether Composer accepts the text as a version or a numbered branch."""
    return _WELL_FORMED.fullmatch(version) is not None or _BRANCH.fullmatch(version) is not None


def _parts(text: str) -> Key:
    parts: list[int] = []
    for part in _PART.findall(text):
        if part[0] <= "9":
            parts += (_NUMBER, numeral(part))
        else:
            parts += (next((rank for form, rank in _FORMS if part.startswith(form)), _UNKNOWN), 0)
    return tuple(parts)
