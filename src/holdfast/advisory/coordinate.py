"""Under which name and version advisories speak of a package, and whether they do at all."""

import re

from msgspec import Struct

from holdfast.advisory.ecosystem import DISTRIBUTED, LANGUAGES, ecosystems_of, language_name
from holdfast.model.package import Distribution, Package

_BINARY_REBUILD = re.compile(r"\+b\d+$", re.ASCII)
_SIGNED = re.compile(r"(.+?)(-(amd64|arm64|i386|ia32|armhf|ppc64el))?-signed(-(amd64|arm64|i386|ia32|armhf))?")
# `1+2.06+13+deb12u1` signs 2.06-13+deb12u1, and `1.39+15.7-1` signs 15.7-1: the signer's version stands in front.
_SIGNED_PREFIX = re.compile(r"\d[\d.]*\+(?=\d[^+-]*[+-])", re.ASCII)
_SIGNED_SOURCES = {"grub-efi": "grub2", "grub2": "grub2"}
_META = ("linux-meta", "linux-restricted-modules")

_GO_UNKNOWN = re.compile(r"(v?0\.0\.0-(00010101000000-0{12}|\d{14}-[0-9a-f]{12}\+dirty)|\(devel\)|unknown)?")
_BRANCH = re.compile(r"dev-.+|.+-dev|latest|unknown", re.IGNORECASE)

# Ecosystems of rpm distributions whose advisories name source packages; all others name the binary ones.
_RPM_BY_SOURCE = ("Rocky Linux", "SUSE", "openSUSE", "Mageia", "openEuler", "Photon OS")


class Coordinate(Struct, frozen=True):
    """What is looked up for a package: in these ecosystems, under this name, as this version.

    `source` and `source_version` are the package's source, as findings are grouped; for a language package itself.
    """

    ecosystems: tuple[str, ...]
    name: str
    version: str
    source: str
    source_version: str


def of_language(package: Package) -> Coordinate | None:
    """The coordinate of a package of a language ecosystem; None where no advisories speak of its type."""
    ecosystem = LANGUAGES.get(package.type)
    if ecosystem is None:
        return None
    name, version = language_name(package), package.version.strip()
    if ecosystem == "Go":
        version = _go_version(name, version)
    elif ecosystem == "PyPI":
        # A local label (`2.0.1+cu118`) is the same release, built elsewhere (PEP 440).
        version = version.partition("+")[0]
    elif _BRANCH.fullmatch(version):
        version = ""
    return Coordinate((ecosystem,), name, version, name, version)


def _go_version(name: str, version: str) -> str:
    """A Go version as advisories write it, or nothing: a main module that was built from a working tree has none."""
    if _GO_UNKNOWN.fullmatch(version):
        return ""
    if name == "stdlib":
        version = version.removeprefix("go").partition(" ")[0]
    return version.removeprefix("v").removesuffix("+incompatible").removesuffix("+dirty")


def of_distributed(package: Package, distribution: Distribution) -> Coordinate | None:
    """The coordinate of a distribution's package; None where it is one that holds no code (a meta package)."""
    ecosystems = ecosystems_of(distribution)
    source, version = source_of(package)
    if source in _META:
        return None
    by_source = package.type != "rpm" or any(e.startswith(_RPM_BY_SOURCE) for e in ecosystems)
    if by_source:
        return Coordinate(ecosystems, source, version, source, version)
    return Coordinate(ecosystems, package.name, _with_epoch(package), source, version)


def source_of(package: Package) -> tuple[str, str]:
    """The source package's name and version.

    A binary rebuilt without a change of its source (`5.2.15-2+b13`) has the source's version, and what is rebuilt with
    a signature (`linux-signed-amd64 6.1.192+2`) is the source that advisories name, in the version of the binary.
    """
    name = package.source_name or package.name
    version = package.source_version or package.version
    if package.type == "rpm":
        return name, package.source_version or _with_epoch(package)
    if package.type != "deb":
        return name, version
    if signed := _SIGNED.fullmatch(name):
        name = _SIGNED_SOURCES.get(signed[1], signed[1])
        version = _SIGNED_PREFIX.sub("", package.version, count=1)
        version = version if "-" in version else version.replace("+", "-", 1)
    return name, _BINARY_REBUILD.sub("", version)


def _with_epoch(package: Package) -> str:
    epoch = next((value for key, value in package.qualifiers if key == "epoch"), "")
    return f"{epoch}:{package.version}" if epoch and ":" not in package.version else package.version


_KERNEL = re.compile(
    r"linux(-(aws|azure|bluefield|edge|fips|gcp|gke|gkeop|hwe|ibm|intel|kvm|lowlatency|lts|nvidia|oem|oracle|raspi"
    r"|riscv|rpi|virt|xilinx|\d)[\w.-]*)?|kernel(-(rt|uek|64k|core|lt|ml|default|azure))?",
    re.ASCII,
)


def is_kernel(package: Package, source: str) -> bool:
    """Whether a distribution's package was made from the Linux kernel's source."""
    return package.type in DISTRIBUTED and _KERNEL.fullmatch(source) is not None
