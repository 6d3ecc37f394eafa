"""Dart's ordering: Semantic Versioning, but build metadata counts (pub_semver's Version.compareTo).

Flutter packages release fixes as 1.2.3+1, which comes after 1.2.3 and before 1.2.4.
https://pub.dev/documentation/pub_semver/latest/pub_semver/Version/compareTo.html
"""

from holdfast.version import semver
from holdfast.version.ordering import Key

parses = semver.parses


def key(version: str) -> Key:
    """Return the sort key: Semantic Versioning's, then the build metadata, none before any."""
    parts = semver.split(version)
    build = parts[2] if parts else ""
    return (*semver.key(version), semver.identifiers(build) if build else ())
