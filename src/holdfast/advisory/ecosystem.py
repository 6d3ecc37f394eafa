"""Where advisories speak of a package: OSV's ecosystem for a purl type or a distribution, and the name used there."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from holdfast.model.package import DEBIAN_RELEASES, Distribution, Package

_SEPARATORS = re.compile(r"[-_.]+")

LANGUAGES = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "maven": "Maven",
    "nuget": "NuGet",
    "gem": "RubyGems",
    "cargo": "crates.io",
    "composer": "Packagist",
    "hackage": "Hackage",
    "hex": "Hex",
    "pub": "Pub",
    "swift": "SwiftURL",
    "conan": "ConanCenter",
    "cran": "CRAN",
    "bitnami": "Bitnami",
    "githubactions": "GitHub Actions",
}
"""OSV's ecosystem by purl type, for packages that no distribution made."""

DISTRIBUTED = ("deb", "apk", "rpm")
"""The purl types of distributions' packages."""

CODENAMES: Mapping[str, str] = MappingProxyType({**DEBIAN_RELEASES, "sid": "sid"})
"""Debian's releases by codename as its tracker has them. `sid` never has a number."""

_LOWER = ("NuGet", "Packagist", "GitHub Actions", "Hex", "Pub", "Bitnami", "SwiftURL")


def normal_name(ecosystem: str, name: str) -> str:
    """The form of a name under which an ecosystem's packages are kept and looked up.

    PyPI by PEP 503; lower case where the registry ignores case; all others as written.
    """
    if ecosystem == "PyPI":
        return _SEPARATORS.sub("-", name).lower()
    return name.lower() if ecosystem in _LOWER else name


def ecosystems_of(distribution: Distribution) -> tuple[str, ...]:
    """The ecosystems that speak of a distribution's release, its own word first; empty where none is known to."""
    version = distribution.version
    major = version.partition(".")[0]
    match distribution.id:
        case "debian":
            # Testing and unstable have no version; testing has its future codename.
            return (f"Debian:{major or CODENAMES.get(distribution.codename, 'sid')}",)
        case "ubuntu":
            # Interim releases have no :LTS. Pro's ecosystem tells of the fixes that need a subscription.
            return (f"Ubuntu:{version}:LTS", f"Ubuntu:{version}", f"Ubuntu:Pro:{version}:LTS")
        case "alpine":
            edge = "_alpha" in version or version in ("", "edge")
            return ("Alpine:edge",) if edge else ("Alpine:v" + ".".join(version.split(".")[:2]),)
        case "almalinux":
            return (f"AlmaLinux:{major}",)
        case "rocky":
            return (f"Rocky Linux:{major}",)
        case "rhel":
            return (f"Red Hat:enterprise_linux:{major}",)
        case "mageia":
            return (f"Mageia:{major}",)
        case "opensuse-leap":
            return (f"openSUSE:Leap {version}",)
        case "opensuse-tumbleweed":
            return ("openSUSE:Tumbleweed",)
        case "photon":
            return (f"Photon OS:{version}",)
        case "azurelinux":
            return (f"Azure Linux:{major}",)
        case "alpaquita":
            return (f"Alpaquita:{'stream' if version in ('', 'stream') else major}",)
        case "sles" | "sle_hpc" | "sles_sap":
            service_pack = version.partition(".")[2]
            return (f"SUSE:Linux Enterprise Server {major}{f' SP{service_pack}' if service_pack else ''}",)
        case "openeuler":
            return (f"openEuler:{_open_euler(distribution)}",)
        case "minimos":
            return ("MinimOS",)
        case "echo":
            return ("Echo",)
        case "wolfi":
            return ("Wolfi",)
        case "chainguard":
            return ("Chainguard",)
    return ()


def _open_euler(distribution: Distribution) -> str:
    """openEuler's records name the long-term branch and service pack, which os-release has only in its names."""
    words = re.search(r"\(?(LTS(?:-SP\d+)?)", f"{distribution.codename} {distribution.name}")
    return f"{distribution.version}-{words[1]}" if words else distribution.version


def language_name(package: Package) -> str:
    """A language package's full name: `@scope/name`, `group:artifact`, `github.com/owner/module`."""
    if not package.namespace:
        return package.name
    separator = ":" if package.type == "maven" else "/"
    prefix = package.namespace + separator
    return package.name if package.name.startswith(prefix) else prefix + package.name
