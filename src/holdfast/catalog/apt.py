"""Where a Debian-like image fetches its packages from: apt's source lists, kept as they stand."""

from holdfast.fs.tree import File
from holdfast.model.found import Found

_LIMIT = 1 << 20


class AptCataloger:
    """Keeps sources.list(5) files: the archive's own advisories are asked of the mirrors named there."""

    name = "apt"
    version = 1
    patterns = ("etc/apt/sources.list", "etc/apt/sources.list.d/*.list", "etc/apt/sources.list.d/*.sources")
    magic = ()

    def read(self, file: File) -> Found:
        """The file's content, whatever it says: it is parsed where it is used."""
        return Found(repositories=file.read(_LIMIT))
