"""Debian packages: dpkg's status database, the lists of files beside it, and what copyright files say."""

import re

from holdfast.catalog.document import MAX_PACKAGES, DocumentCataloger, corrupt, paragraphs
from holdfast.model.found import Claim, Found
from holdfast.model.package import Package

_FIELD = re.compile(rb"^(Package|Status|Version|Architecture|Source|Maintainer):(.*)$", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\n[ \t\r]*\n")
_STRAY = re.compile(rb"^(?![ \t\r#]|[!-9;-~]+:).", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*", re.IGNORECASE | re.ASCII)
_SOURCE = re.compile(r"(\S+)(?:\s+\(([^)]*)\))?")
_SIGNED_KERNEL = re.compile(r"linux-signed(-.+)?")
_DEBIAN_ARCHITECTURES = {"-amd64", "-arm64", "-armhf", "-i386", "-ppc64el", "-s390x", "-riscv64", "-loong64"}
# dpkg(1), "Package states": in all of these files of the package are unpacked.
_PRESENT = {"installed", "unpacked", "half-configured", "half-installed", "triggers-awaited", "triggers-pending"}

_LICENSE = re.compile(r"^License:(.*)$", re.MULTILINE)
_COMMON_LICENSE = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_MAX_LICENSES = 40
_MAX_LICENSE_TEXT = 120


def parse_status(_path: str, data: bytes) -> Found:
    """The packages that are installed, of a status file or of one package's own control paragraph (distroless)."""
    packages, reasons = [], []
    for paragraph in paragraphs(data, _BLANK):
        if not paragraph.strip():
            continue
        if b"\0" in paragraph or _STRAY.search(paragraph):
            reasons.append("lines that are neither a field nor the continuation of one")
        fields = {field[1].lower(): field[2].decode("utf-8", "replace").strip() for field in _FIELD.finditer(paragraph)}
        words = fields.get(b"status", "install ok installed").split()
        if words[-1:] and words[-1] not in _PRESENT:
            continue
        name, version = fields.get(b"package", ""), fields.get(b"version", "")
        if _NAME.fullmatch(name) and version:
            packages.append(_package(name, version, fields))
            if len(packages) > MAX_PACKAGES:
                break
        elif words[-1:] != ["half-installed"]:
            reasons.append("a paragraph without the name or version of a package")
    return Found(tuple(packages), problems=corrupt("deb", reasons))


def parse_list(path: str, data: bytes) -> Found:
    """Which files a package installed: `<package>[:<architecture>].list`, one absolute path a line."""
    package = path.rpartition("/")[2].removesuffix(".list")
    return Found(claims=(Claim(package, data.strip(b"\n")),)) if data.strip() else Found()


def parse_md5sums(path: str, data: bytes) -> Found:
    """The same from `<package>.md5sums` of a distroless image, where dpkg's lists are left out."""
    package = path.rpartition("/")[2].removesuffix(".md5sums")
    paths = b"\n".join(b"/" + match for match in re.findall(rb"^[0-9a-f]{32}  \.?/?(.+)$", data, re.MULTILINE))
    return Found(claims=(Claim(package, paths),)) if paths else Found()


def parse_copyright(path: str, data: bytes) -> Found:
    """The licences that `usr/share/doc/<package>/copyright` names, as it writes them (DEP-5, else common-licenses)."""
    package = path.split("/")[-2]
    text = data.decode("utf-8", "replace")
    names = _LICENSE.findall(text) or _COMMON_LICENSE.findall(text)
    licenses = sorted({name.strip() for name in names if len(name) <= _MAX_LICENSE_TEXT} - {""})[:_MAX_LICENSES]
    return Found(claims=(Claim(package, licenses=tuple(licenses)),)) if licenses else Found()


def source_of(name: str, version: str, field: str) -> tuple[str, str]:
    """The source package's name and version that advisories speak of, from the `Source` field.

    It names the version where that differs from the binary's (a rebuild appends `+bN`). A signed kernel is built from
    `linux-signed-<arch>` with a version of its own spelling, 6.1.192+2 for linux 6.1.192-2.
    """
    match = _SOURCE.match(field)
    source = match[1] if match else name
    source_version = (match[2] if match else "") or re.sub(r"\+b\d+$", "", version)
    if signed := _SIGNED_KERNEL.fullmatch(source):
        flavour = signed[1] or ""
        source = "linux" if flavour in _DEBIAN_ARCHITECTURES else f"linux{flavour}"
        if "-" not in source_version:
            source_version = source_version.replace("+", "-", 1)
    return source, source_version


def _package(name: str, version: str, fields: dict[bytes, str]) -> Package:
    source, source_version = source_of(name, version, fields.get(b"source", ""))
    return Package(
        name=name,
        version=version,
        type="deb",
        architecture=fields.get(b"architecture", ""),
        source_name=source if source != name else "",
        source_version=source_version if source_version != version else "",
        vendor=fields.get(b"maintainer", "")[:200],
    )


def _parse_single(path: str, data: bytes) -> Found:
    """Distroless images keep one package's paragraph a file, and the checksums of its files beside it."""
    return parse_md5sums(path, data) if path.endswith(".md5sums") else parse_status(path, data)


DEB = DocumentCataloger("deb", 2, ("var/lib/dpkg/status",), parse_status, limit=32 << 20)
DEB_SINGLE = DocumentCataloger("deb-single", 1, ("var/lib/dpkg/status.d/*",), _parse_single, limit=4 << 20)
DEB_LIST = DocumentCataloger("deb-list", 1, ("var/lib/dpkg/info/*.list",), parse_list)
DEB_COPYRIGHT = DocumentCataloger("deb-copyright", 1, ("usr/share/doc/*/copyright",), parse_copyright, limit=8 << 20)
