"""What a bill of materials lists, whatever format it is written in."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from holdfast.catalog.deb import source_of
from holdfast.catalog.distro import from_id
from holdfast.catalog.document import MAX_TEXT
from holdfast.model.errors import InputError
from holdfast.model.package import Distribution, Package, Purl
from holdfast.model.status import Gravity, Problem

MAX_BYTES = 128 << 20
MAX_VALUES = 3_000_000
MAX_LICENSES = 40
_MESSAGES = {
    "without-purl": "components name no purl: they were not checked",
    "damaged": "components that cannot be read",
    "beyond-budget": "components left out: too many, too deep, or with too long a name",
}
_VERSION = re.compile(r"v?\d|edge$|stream$")


class Inventory(Struct, frozen=True):
    """What a bill of materials lists."""

    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    problems: tuple[Problem, ...] = ()


def package_of(
    purl: str, version: str, unread: Counter[str], *, source_name: str = "", source_version: str = ""
) -> Package | None:
    """What a purl names, with the purl as it stands; without a usable one None, and counted in `unread`.

    The version is the one stated beside the purl, else the purl's; the source package the one stated, else that of
    the purl's `upstream` qualifier.
    """
    try:
        parsed = Purl.parse(purl)
    except InputError:
        unread["damaged"] += 1
        return None
    if max(len(purl), len(version)) > MAX_TEXT * 3:
        unread["beyond-budget"] += 1
        return None
    version = version or _version(parsed)
    source_name, source_version = _source(parsed, version, source_name, source_version)
    return Package(
        name=_advisory_name(parsed),
        version=version,
        type=parsed.type,
        purl=purl,
        architecture=parsed.qualifier("arch"),
        source_name=source_name,
        source_version=source_version,
    )


def distribution_of(packages: Iterable[Package]) -> Distribution | None:
    """What most operating system packages say of themselves: `distro=debian-12`, `opensuse-leap-15.5`, `wolfi`.

    Trivy writes only the version where the namespace names the distribution, `pkg:apk/alpine/…?distro=3.20.3`, and
    Docker Scout `os_name=debian&os_version=12`.
    """
    purls = (Purl.parse(package.purl) for package in packages if package.type in ("deb", "apk", "rpm", "alpm"))
    named = Counter(value for purl in purls if (value := _distro(purl)))
    if not named:
        return None
    best = min(named, key=lambda value: (-named[value], value))
    name, _, version = best.rpartition("-")
    if not name or not _VERSION.match(version):
        codename = version if name in ("debian", "ubuntu") else ""
        return from_id(name if codename else best, "", "", codename)
    return from_id(name, version)


def _distro(purl: Purl) -> str:
    name, value = purl.qualifier("os_name"), purl.qualifier("distro") or purl.qualifier("os_version")
    name = name or purl.namespace
    return f"{name}-{value}" if name and _VERSION.match(value) else value


def problems_of(unread: Counter[str]) -> Iterator[Problem]:
    """What of the document could not be used, by kind."""
    for what, count in sorted(unread.items()):
        yield Problem(f"catalog.sbom.{what}", _MESSAGES[what], Gravity.PARTIAL, count=count)


def _version(purl: Purl) -> str:
    """The purl's version, with the epoch that rpm's type definition, and Trivy for deb, keep apart from it."""
    epoch = purl.qualifier("epoch") if purl.type in ("deb", "rpm") else ""
    return f"{epoch}:{purl.version}" if epoch not in ("", "0") and ":" not in purl.version else purl.version


def _advisory_name(purl: Purl) -> str:
    """The name that the ecosystem's advisories use: of some types the namespace is a part of it."""
    if purl.type == "maven" and purl.namespace:
        return f"{purl.namespace}:{purl.name}"
    if purl.type == "pypi":
        return re.sub(r"[-_.]+", "-", purl.name).lower()
    is_vendor = purl.type in ("deb", "apk", "rpm", "alpm", "bitnami")
    return purl.name if is_vendor or not purl.namespace else f"{purl.namespace}/{purl.name}"


def _source(purl: Purl, version: str, name: str, source_version: str) -> tuple[str, str]:
    """The source package's name and version, each empty where it is the binary's."""
    upstream, _, upstream_version = purl.qualifier("upstream").partition("@")
    if purl.type == "rpm":  # There it is a file name, bash-5.1.8-6.el9.src.rpm.
        upstream, upstream_version = "", ""
    name, source_version = name or upstream, source_version or upstream_version
    if purl.type == "deb":
        name, source_version = source_of(purl.name, version, f"{name or purl.name} ({source_version})")
    return (name if name != purl.name else ""), (source_version if source_version != version else "")
