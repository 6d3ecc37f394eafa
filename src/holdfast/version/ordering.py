"""What every ordering offers, and which ordering an advisory ecosystem or a purl type uses."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from typing import NamedTuple, TypeAlias

Key: TypeAlias = "tuple[int | str | Key, ...]"
"""A precomputed sort key: hashable, and totally ordered among the keys of one ordering (never across two)."""

ORDERINGS: tuple[str, ...] = (
    "apk",
    "bitnami",
    "composer",
    "deb",
    "gem",
    "generic",
    "go",
    "maven",
    "nuget",
    "pep440",
    "pub",
    "rpm",
    "semver",
)
"""Every ordering, by the name of the file that defines its `key` and `parses`; a file is imported on first use."""

# OSV ecosystems (https://ossf.github.io/osv-schema/#defined-ecosystems) and purl types
# (https://github.com/package-url/purl-spec), in lower case. What is absent here is compared by `generic`.
_ORDERING_OF: dict[str, str] = {
    name: ordering
    for ordering, names in {
        "apk": (
            "apk", "alpine", "alpaquita", "bellsoft hardened containers", "chainguard", "cleanstart", "minimos",
            "wolfi",
        ),
        "bitnami": ("bitnami",),
        "composer": ("composer", "packagist"),
        # opam documents its ordering as Debian's: https://opam.ocaml.org/doc/Manual.html#version-ordering
        "deb": ("deb", "debian", "echo", "opam", "ubuntu"),
        "gem": ("cocoapods", "gem", "rubygems"),
        "go": ("go", "golang"),
        "maven": ("maven",),
        "nuget": ("chocolatey", "nuget"),
        "pep440": ("pypi",),
        "pub": ("pub",),
        "rpm": (
            "rpm", "almalinux", "amazon linux", "azure linux", "cbl-mariner", "centos", "fedora", "mageia", "openeuler",
            "opensuse", "oracle linux", "photon os", "red hat", "rocky linux", "suse",
        ),
        "semver": (
            "cargo", "crates.io", "elm", "github actions", "githubactions", "hex", "julia", "kubernetes", "npm",
            "semver", "swift", "swifturl", "vscode", "vscode-extension",
        ),
    }.items()
    for name in names
}  # fmt: skip

# Keys are asked for again and again (one version against many ranges). What is long is hostile or meaningless:
# keeping it would let an image fill memory.
_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 128


class Ordering(NamedTuple):
    """One way of ordering versions; frozen.

    `key` gives any text a sort key and never raises: text that is no version of this kind still sorts somewhere,
    the same way every time. `parses` says whether the text is well formed, for those who want to report it.
    """

    name: str
    key: Callable[[str], Key]
    parses: Callable[[str], bool]

    def compare(self, left: str, right: str) -> int:
        """Return -1, 0 or 1 as `left` is older than, the same as or newer than `right`."""
        a, b = self.key(left), self.key(right)
        return (a > b) - (a < b)


@cache
def load(name: str) -> Ordering:
    """Return the ordering called `name` (one of `ORDERINGS`), with its keys remembered; else ValueError."""
    if name not in ORDERINGS:
        raise ValueError(f"no ordering is called {name!r}; there are {', '.join(ORDERINGS)}")
    module = import_module(f"holdfast.version.{name}")
    return Ordering(name, _remembered(module.key), module.parses)


def ordering_for(ecosystem_or_purl_type: str) -> Ordering:
    """Return the ordering of an OSV ecosystem or a purl type, in any case; `generic` where none is known.

    A release after a colon is ignored (`Debian:12`, `Ubuntu:22.04:LTS`), except that `Root:Alpine:3.18` names
    the ecosystem that Root repackages.
    """
    name, _, suffix = ecosystem_or_purl_type.strip().lower().partition(":")
    if name == "root":
        name = suffix.partition(":")[0]
    return load(_ORDERING_OF.get(name.strip(), "generic"))


def _remembered(key: Callable[[str], Key]) -> Callable[[str], Key]:
    cached = lru_cache(maxsize=_REMEMBERED)(key)

    def remembered(version: str) -> Key:
        return cached(version) if len(version) <= _LONGEST_REMEMBERED else key(version)

    return remembered
