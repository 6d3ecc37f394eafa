"""Go's ordering: module versions (https://go.dev/ref/mod#versions) and the toolchain's own (go.dev/doc/toolchain).

Modules are Semantic Versioning with a leading `v`: pseudo-versions sort as the pre-releases that they are, and
`+incompatible` is metadata. The standard library's advisories use the same form (1.21.0-rc.2) for what the
toolchain calls go1.21rc2.
"""

import re

from holdfast.version import semver
from holdfast.version.ordering import Key

_TOOLCHAIN = re.compile(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?:(alpha|beta|rc)([0-9]+))?")
_NAMED_TOOLCHAIN = re.compile(r"go(?=[0-9])([^\s+-]+)")
# Since Go 1.21 a bare go1.21 is the language version, older than go1.21rc1; before, go1.20 was the release itself.
_FIRST_LANGUAGE_VERSION = (1, 21)


def key(version: str) -> Key:
    """Return the sort key; the `v`, `go` and `+incompatible` of a version do not count, `(devel)` sorts first.

    A toolchain version ends before a space, plus or hyphen (`go1.22.1 X:boringcrypto`, `go1.21.3-bigcorp`).
    """
    return semver.key(_as_semver(version.strip()))


def parses(version: str) -> bool:
    """Say whether this is a module version, with or without its `v`, or a toolchain version."""
    named = _NAMED_TOOLCHAIN.match(version)
    if named:
        return _TOOLCHAIN.fullmatch(named[1]) is not None
    return semver.parses(version.removeprefix("v")) or _TOOLCHAIN.fullmatch(version) is not None


def _as_semver(version: str) -> str:
    named = _NAMED_TOOLCHAIN.match(version)
    text = named[1] if named else version
    match = _TOOLCHAIN.fullmatch(text)
    if match is None:
        return text
    major, minor, patch, stage, number = match.groups()
    release = f"{major}.{minor}.{patch or 0}"
    if stage:
        return f"{release}-{stage}.{number}"
    # Only a toolchain is named in two numbers: an advisory that says 1.23 of a module means v1.23.0.
    if named and patch is None and _at_least(major, minor):
        return f"{release}-0"
    return release


def _at_least(major: str, minor: str) -> bool:
    first_major, first_minor = _FIRST_LANGUAGE_VERSION
    major, minor = major.lstrip("0"), minor.lstrip("0")
    if major != str(first_major):
        return len(major) > 1 or major > str(first_major)
    return len(minor) > 2 or (len(minor) == 2 and minor >= str(first_minor))
