"""Where a Debian-like image fetches its packages from: apt's source lists, kept as they stand."""

import re

from holdfast.fs.tree import File
from holdfast.model.found import Found

_LIMIT = 1 << 20
_LOGIN = re.compile(rb"([a-z][a-z0-9+.-]{0,20}://)[^\s/@]{1,512}@", re.IGNORECASE)


class AptCataloger:
    """Keeps sources.list(5) files: the archive's own advisories are asked of the mirrors named there."""

    name = "apt"
    version = 2
    patterns = ("etc/apt/sources.list", "etc/apt/sources.list.d/*.list", "etc/apt/sources.list.d/*.sources")
    magic = ()

    def read(self, file: File) -> Found:
        """The file's content without the logins in its addresses: it is parsed where it is used, and kept."""
        return Found(repositories=_LOGIN.sub(rb"\1", file.read(_LIMIT)))
