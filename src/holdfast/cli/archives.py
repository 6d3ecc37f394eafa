"""The package archives that this host is configured for."""

from pathlib import Path

from holdfast.advisory.aptsources import parse
from holdfast.model.errors import SourceError

_ETC = Path("/etc/apt")
_LIMIT = 1 << 20


def host_apt_sources() -> dict[str, bytes]:
    """The host's own apt source files by path; empty on a host without apt."""
    files = [_ETC / "sources.list", *sorted((_ETC / "sources.list.d").glob("*"))]
    found = {}
    for file in files:
        if file.suffix in (".list", ".sources"):
            try:
                with file.open("rb") as stream:
                    found[str(file)] = stream.read(_LIMIT)
            except OSError:
                continue
    return found


def host_mirror() -> tuple[str, str]:
    """The address and release of this host's Debian or Ubuntu archive, as its apt sources name them."""
    for source in parse(host_apt_sources()):
        for suite in source.suites:
            if "main" in source.components and "-" not in suite and "/" not in suite:
                return source.uri, suite
    raise SourceError(
        "this host's apt sources name no Debian or Ubuntu archive to build a base image from",
        where=str(_ETC),
        remedy="scan an image you have, or this machine: holdfast scan dir:/",
    )
