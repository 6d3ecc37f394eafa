"""NuGet's ordering: Semantic Versioning with up to four numbers and pre-releases compared without case.

https://learn.microsoft.com/nuget/concepts/package-versioning; NuGet.Versioning's VersionComparer.
"""

import re

from holdfast.version import semver
from holdfast.version.ordering import Key

_WELL_FORMED = re.compile(
    r"[0-9]+(?:\.[0-9]+){0,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def key(version: str) -> Key:
    """Return the sort key; metadata does not count, missing numbers are 0 (1.0 = 1.0.0.0)."""
    # NuGet compares by OrdinalIgnoreCase, which folds to upper case.
    return semver.key(version.upper())


def parses(version: str) -> bool:
    """Say whether NuGet's NuGetVersion would read the version."""
    return _WELL_FORMED.fullmatch(version) is not None
