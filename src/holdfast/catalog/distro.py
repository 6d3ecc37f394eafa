"""Which distribution a root file system is: os-release(5), and the release files of those older than it."""

import re

from holdfast.catalog.document import DocumentCataloger
from holdfast.model.found import Found
from holdfast.model.package import DEBIAN_RELEASES, Distribution

_LIMIT = 64 << 10
_MAX_VALUE = 200
_ASSIGNMENT = re.compile(r"^[ \t]*([A-Z_]+)=(.*)$", re.MULTILINE)
_VERSION = re.compile(r"(?:^|\s)v?(\d[\w.]*)")

# Ids that mean a distribution known by another one.
_ALIASES = {
    "debian_gnu_linux": "debian",
    "distroless": "debian",
    "redhat": "rhel",
    "redhatenterpriseserver": "rhel",
    "oracle": "ol",
    "oraclelinux": "ol",
    "oracleserver": "ol",
    "amazon": "amzn",
    "rockylinux": "rocky",
    "alma": "almalinux",
    "mariner": "azurelinux",
    "common-base-linux-mariner": "azurelinux",
    "suse": "sles",
    "opensuse": "opensuse-leap",
    "archlinux": "arch",
    "vmware-photon": "photon",
}

# The first words of release files written before os-release, the longer of two alike first.
_NAMES = (
    ("Red Hat Enterprise Linux", "rhel"),
    ("CentOS", "centos"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
    ("Oracle Linux", "ol"),
    ("Fedora", "fedora"),
    ("Amazon Linux", "amzn"),
    ("Scientific Linux", "scientific"),
    ("openSUSE Tumbleweed", "opensuse-tumbleweed"),
    ("openSUSE", "opensuse-leap"),
    ("SUSE Linux Enterprise", "sles"),
    ("VMware Photon", "photon"),
    ("CBL-Mariner", "azurelinux"),
    ("Microsoft Azure Linux", "azurelinux"),
    ("openEuler", "openeuler"),
    ("Debian", "debian"),
    ("Ubuntu", "ubuntu"),
    ("Alpine", "alpine"),
    ("Arch", "arch"),
)

# Which file is believed first: the lowest rank. Derivatives keep their parent's release file beside their own.
_OS_RELEASE = {"etc/os-release": 0, "usr/lib/os-release": 1}
_RELEASE_FILES = {
    "etc/alpine-release": (10, "alpine"),
    "etc/oracle-release": (10, "ol"),
    "etc/rocky-release": (10, "rocky"),
    "etc/almalinux-release": (10, "almalinux"),
    "etc/centos-release": (11, "centos"),
    "etc/fedora-release": (11, "fedora"),
    "etc/mariner-release": (11, "azurelinux"),
    "etc/azurelinux-release": (11, "azurelinux"),
    "etc/photon-release": (11, "photon"),
    "etc/SuSE-release": (11, ""),
    "etc/openEuler-release": (11, "openeuler"),
    "etc/redhat-release": (12, ""),
    "etc/system-release": (13, ""),
    "etc/arch-release": (14, "arch"),
}
_LSB_RELEASE, _DEBIAN_VERSION = {"etc/lsb-release": 20}, {"etc/debian_version": 30}


def parse(path: str, data: bytes) -> Found:
    """The distribution that one release file names, with the rank of that file."""
    text = data.decode("utf-8", "replace")
    if path in _LSB_RELEASE:
        rank, distribution = _LSB_RELEASE[path], _from_lsb_release(text)
    elif path in _DEBIAN_VERSION:
        rank, distribution = _DEBIAN_VERSION[path], _from_debian_version(text.strip())
    elif path in _RELEASE_FILES:
        rank, identity = _RELEASE_FILES[path]
        distribution = _from_sentence(text.strip(), identity)
    else:
        # Anywhere else: etc/os-release is often a link to a file of another name.
        rank, distribution = _OS_RELEASE.get(path, 2), _from_os_release(text)
    return Found(distribution=distribution, rank=rank) if distribution else Found()


def from_id(identity: str, version: str = "", name: str = "", codename: str = "") -> Distribution:
    """A distribution from the words that os-release, an SBOM or a purl's `distro` qualifier uses for it."""
    word = identity.strip().lower().replace(" ", "-")
    return Distribution(_ALIASES.get(word, word), version, name, codename)


def _from_os_release(text: str) -> Distribution | None:
    values = _assignments(text)
    identity, name = values.get("ID", ""), values.get("PRETTY_NAME") or values.get("NAME", "")
    if not identity:
        return _from_sentence(name, "") if name else None
    codename = values.get("VERSION_CODENAME", "")
    if not codename and (words := re.search(r"\(([^)]+)\)", values.get("VERSION", ""))):
        codename = words[1]
    known = from_id(identity, values.get("VERSION_ID", ""), name, codename)
    like = tuple(values.get("ID_LIKE", "").lower().split())
    return Distribution(known.id, known.version, known.name, known.codename, like)


def _from_lsb_release(text: str) -> Distribution | None:
    values = _assignments(text)
    identity = values.get("DISTRIB_ID", "")
    if not identity:
        return None
    name, codename = values.get("DISTRIB_DESCRIPTION", ""), values.get("DISTRIB_CODENAME", "")
    return from_id(identity, values.get("DISTRIB_RELEASE", ""), name, codename)


def _from_debian_version(text: str) -> Distribution | None:
    """`12.5`, or `trixie/sid` on testing and unstable (and, for its own reasons, on Ubuntu)."""
    if re.fullmatch(r"\d+(\.\d+)*", text, re.ASCII):
        return Distribution("debian", text[:_MAX_VALUE], f"Debian GNU/Linux {text[:_MAX_VALUE]}")
    codename = text.partition("/")[0]
    return Distribution("debian", "", f"Debian GNU/Linux {text}", codename) if codename in DEBIAN_RELEASES else None


def _from_sentence(text: str, identity: str) -> Distribution | None:
    """`CentOS Linux release 7.9.2009 (Core)`, `3.20.3`, `VERSION = 11` on a later line (SuSE-release), or nothing."""
    line = text.partition("\n")[0][:_MAX_VALUE].strip()
    identity = identity or next((one for name, one in _NAMES if line.lower().startswith(name.lower())), "")
    if not identity:
        return None
    version = re.search(r"^VERSION *= *([\w.]+)", text, re.MULTILINE) or _VERSION.search(line)
    patch = re.search(r"^PATCHLEVEL *= *(\d+)", text, re.MULTILINE)
    number = version[1][:_MAX_VALUE] if version else ""
    if patch and patch[1] != "0" and "." not in number:
        number = f"{number}.{patch[1]}"
    codename = re.search(r"\(([^)]+)\)", line)
    return Distribution(identity, number, line if not line[:1].isdigit() else "", codename[1] if codename else "")


def _assignments(text: str) -> dict[str, str]:
    return {key: _unquoted(value.strip())[:_MAX_VALUE] for key, value in _ASSIGNMENT.findall(text)}


def _unquoted(value: str) -> str:
    """A shell assignment's value: quotes taken off, and the backslashes that os-release(5) allows within them."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return re.sub(r"\\([\"'$`\\])", r"\1", value)


DISTRO = DocumentCataloger(
    "distro", 1, (*_OS_RELEASE, *_RELEASE_FILES, *_LSB_RELEASE, *_DEBIAN_VERSION), parse, limit=_LIMIT
)
