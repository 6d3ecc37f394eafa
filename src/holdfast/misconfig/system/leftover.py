"""Files that a build needs and a container does not."""

from msgspec import Struct

from holdfast.fs.tree import File
from holdfast.misconfig.reading import PresenceReader, is_part
from holdfast.model.found import Found, Trait

CACHE = "package-cache"
"""The fact that a package manager's cache is there; its value names the package manager."""


class DumpReader(Struct, frozen=True):
    """Tells a dump of a database by its first bytes, whatever its name."""

    name: str = "database-dump"
    version: int = 1
    patterns: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = (
        b"-- MySQL dump ", b"-- MariaDB dump ", b"/*!999999\\- enable the sandbox mode", b"PGDMP",
        b"--\n-- PostgreSQL database dump", b"--\n-- PostgreSQL database cluster dump",
    )  # fmt: skip

    def read(self, file: File) -> Found:
        """That the file is a dump."""
        return Found() if is_part(file.entry.path) else Found(traits=(Trait("image.database-dump"),))


READERS = (
    PresenceReader("apt-cache", 1, ("var/lib/apt/lists/*", "var/cache/apt/archives/*.deb"), Trait(CACHE, "apt")),
    PresenceReader("apk-cache", 1, ("var/cache/apk/*",), Trait(CACHE, "apk")),
    PresenceReader("dnf-cache", 1, ("var/cache/dnf/**/repomd.xml", "var/cache/yum/**/repomd.xml"), Trait(CACHE, "dnf")),
    PresenceReader(
        "repository", 1, ("**/.git/HEAD", "**/.svn/wc.db", "**/.hg/hgrc"), Trait("image.repository-left"), own=True
    ),
    PresenceReader(
        "build-file", 1,
        ("**/Dockerfile", "**/Containerfile", "**/docker-compose.yml", "**/docker-compose.yaml", "**/compose.yaml"),
        Trait("image.build-file"), own=True,
    ),
    PresenceReader(
        "env-file", 1, ("**/.env", "**/.env.production", "**/.env.local"), Trait("image.env-file"), own=True
    ),
    PresenceReader("preload", 1, ("etc/ld.so.preload",), Trait("image.preloaded-library")),
    DumpReader(),
)  # fmt: skip
