"""Packages that are there and that nobody here reads yet: known by their files' paths, said rather than passed over."""

import re
from collections.abc import Sequence

from msgspec import Struct

from holdfast.catalog.declared import is_foreign
from holdfast.fs.select import compile_glob
from holdfast.fs.tree import File
from holdfast.model.found import Found
from holdfast.model.status import Problem


class _Kind(Struct, frozen=True):
    """One kind of packages: what it is called, the files of installed ones, and the lock files of applications."""

    what: str
    installed: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()


_RPM = ("Packages", "Packages.db", "rpmdb.sqlite")
_RPM_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")

_KINDS: Sequence[_Kind] = (
    _Kind("RPM packages", (*(f"{folder}/{name}" for folder in _RPM_FOLDERS for name in _RPM), "var/lib/rpmmanifest/*")),
    _Kind("Pacman packages", ("var/lib/pacman/local/*/desc",)),
    _Kind("opkg packages", ("usr/lib/opkg/status", "var/lib/opkg/status", "opt/lib/opkg/status")),
    _Kind("Portage packages", ("var/db/pkg/*/*/PF",)),
    _Kind("Nix packages", ("nix/var/nix/db/db.sqlite",)),
    _Kind("Guix packages", ("var/guix/db/db.sqlite",)),
    _Kind("XBPS packages", ("var/db/xbps/pkgdb-*.plist",)),
    _Kind("Slackware packages", ("var/lib/pkgtools/packages/*", "var/log/packages/*")),
    _Kind("Conda packages", ("**/conda-meta/*.json",)),
    _Kind(
        "Java archives",
        ("**/*.jar", "**/*.war", "**/*.ear", "**/*.jpi", "**/*.hpi", "**/META-INF/maven/*/*/pom.properties"),
        ("**/gradle.lockfile",),
    ),
    _Kind("Ruby gems", ("**/specifications/*.gemspec", "**/specifications/default/*.gemspec"), ("**/Gemfile.lock",)),
    _Kind("Rust crates", (), ("**/Cargo.lock",)),
    _Kind("PHP packages", ("**/vendor/composer/installed.json",), ("**/composer.lock",)),
    _Kind(".NET packages", ("**/*.deps.json",), ("**/packages.lock.json",)),
    _Kind("Python eggs", ("**/*.egg",)),
    _Kind("R packages", ("usr/local/lib/R/*/*/DESCRIPTION",), ("**/renv.lock",)),
    _Kind("packages of Bun and Deno", (), ("**/bun.lock", "**/bun.lockb", "**/deno.lock")),
    _Kind("Elixir and Erlang packages", (), ("**/mix.lock", "**/rebar.lock")),
    _Kind("Dart packages", (), ("**/pubspec.lock",)),
    _Kind("Swift packages", (), ("**/Package.resolved", "**/Podfile.lock")),
    _Kind("Conan packages", (), ("**/conan.lock",)),
)

# Where distributions put the libraries and runtimes of their own packages, which stand for what is in them.
_OF_DISTRIBUTION = re.compile(
    r"usr/(?:share/(?:java|maven-repo|rubygems-integration)|lib/(?:jvm|ruby/gems/[^/]+/specifications/default))/"
)


class UnreadCataloger:
    """Knows files of package managers and builds that no cataloger reads, and says so once for each kind.

    Nothing is read of them: an image may hold thousands of Java archives.
    """

    name = "unread"
    version = 1
    patterns = tuple(pattern for kind in _KINDS for pattern in (*kind.installed, *kind.locks))
    magic = ()

    def read(self, file: File) -> Found:
        """The problem of the file's kind, the same for all of its files, so that they become one with a count."""
        path = file.entry.path
        if _OF_DISTRIBUTION.match(path):
            return Found()
        for installed, locks, found in _RULES:
            if installed.fullmatch(path) or (locks.fullmatch(path) and not is_foreign(path)):
                return found
        return Found()


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(compile_glob(pattern).pattern for pattern in patterns) or r"(?!)", re.DOTALL)


def _found(kind: _Kind) -> Found:
    files = ", ".join(pattern.removeprefix("**/") for pattern in (*kind.installed, *kind.locks)[:3])
    message = f"{kind.what} are not catalogued yet: what is in these files was not checked"
    return Found(problems=(Problem("catalog.unsupported", message, where=f"{kind.what} ({files})"),))


_RULES = tuple((_any_of(kind.installed), _any_of(kind.locks), _found(kind)) for kind in _KINDS)
