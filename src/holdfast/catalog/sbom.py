"""Packages from somebody's bill of materials instead of from files: CycloneDX JSON (ECMA-424), 1.2 to 1.7."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from holdfast.catalog.deb import source_of
from holdfast.catalog.distro import from_id
from holdfast.catalog.document import MAX_TEXT, bounded
from holdfast.model.artifact import Side
from holdfast.model.errors import InputError, LimitError
from holdfast.model.package import Distribution, Origin, Package, Purl
from holdfast.model.status import Gravity, Problem, Status

MAX_BYTES = 128 << 20
MAX_VALUES = 3_000_000
MAX_COMPONENTS = 1_000_000
MAX_DEPTH = 32
_VERSIONS = re.compile(r"1\.[2-7]")
_MAX_LICENSES = 40
_MAX_SAID = 200

# What other tools call the facts that have no field of their own in CycloneDX.
_SOURCE_NAMES = (
    "holdfast:source_name",
    "aquasecurity:trivy:SrcName",
    "syft:metadata:source",
    "syft:metadata:originPackage",
)
_SOURCE_VERSIONS = ("holdfast:source_version", "syft:metadata:sourceVersion")
_LOCATIONS = re.compile(r"holdfast:location|syft:location:\d+:path|aquasecurity:trivy:FilePath")
_PACKAGES = ("library", "application", "framework")
# Trivy lists lock files as components of type application: their packages are components of their own.
_TRIVY_FILE = "aquasecurity:trivy:Class"
_DIFF_IDS = ("holdfast:diff_id", "aquasecurity:trivy:LayerDiffID", "syft:location:0:layerID")


class Inventory(Struct, frozen=True):
    """What a bill of materials lists."""

    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    problems: tuple[Problem, ...] = ()


class _Property(Struct):
    name: str = ""
    value: str = ""


class _License(Struct):
    id: str = ""
    name: str = ""


class _LicenseChoice(Struct):
    license: _License | None = None
    expression: str = ""


class _Component(Struct):
    type: str = ""
    name: str = ""
    version: str = ""
    purl: str = ""
    scope: str = ""
    description: str = ""
    licenses: list[_LicenseChoice] = []
    properties: list[_Property] = []
    components: list[msgspec.Raw] = []


class _Metadata(Struct):
    component: _Component | None = None


class _Document(Struct):
    bomFormat: str = ""
    specVersion: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    components: list[msgspec.Raw] = []


_DOCUMENT = msgspec.json.Decoder(_Document)
_METADATA = msgspec.json.Decoder(_Metadata)
_COMPONENT = msgspec.json.Decoder(_Component)
_DISTRIBUTION = msgspec.json.Decoder(Distribution)


def read_cyclonedx(data: bytes) -> Inventory:
    """The packages of a CycloneDX document; InputError where it is none, LimitError beyond MAX_BYTES or MAX_VALUES.

    A purl is kept as it stands. The distribution is that of an operating-system component, else what most purls'
    `distro` qualifiers say. Components without a purl cannot be compared with anything: they are counted in a problem.
    What a partial scan of ours wrote is partial still.
    """
    if len(data) > MAX_BYTES:
        raise LimitError(f"a bill of materials over {MAX_BYTES >> 20} MiB")
    try:
        document = _DOCUMENT.decode(bounded(data, MAX_VALUES).removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not a CycloneDX document: {str(error)[:200]}") from error
    if document.bomFormat != "CycloneDX":
        raise InputError("not a CycloneDX document: bomFormat is not CycloneDX", remedy="write one as CycloneDX JSON")
    packages: list[Package] = []
    distributions: list[Distribution] = []
    unnamed: Counter[str] = Counter()
    for component in _components(document.components, unnamed):
        if component.type == "operating-system":
            distributions.append(_distribution(component))
        elif package := _package(component, unnamed):
            packages.append(package)
    known = distributions[0] if distributions else _from_purls(packages)
    return Inventory(tuple(packages), known, (*_version_problem(document), *_partial(document), *_problems(unnamed)))


def _components(roots: Iterable[msgspec.Raw], unread: Counter[str]) -> Iterator[_Component]:
    """Every component, those within others after the one that holds them; what cannot be read is counted."""
    count = 0
    for root in roots:
        waiting = [(root, 0)]
        while waiting:
            raw, depth = waiting.pop()
            count += 1
            if depth > MAX_DEPTH or count > MAX_COMPONENTS:
                unread["beyond-budget"] += 1
                continue
            try:
                component = _COMPONENT.decode(raw)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                unread["damaged"] += 1
                continue
            yield component
            waiting.extend((inner, depth + 1) for inner in reversed(component.components))


def _package(component: _Component, unnamed: Counter[str]) -> Package | None:
    if not component.purl:
        if component.type in _PACKAGES and not any(item.name == _TRIVY_FILE for item in component.properties):
            unnamed["without-purl"] += 1
        return None
    try:
        purl = Purl.parse(component.purl)
    except InputError:
        unnamed["damaged"] += 1
        return None
    if max(len(component.purl), len(component.version)) > MAX_TEXT * 3:
        unnamed["beyond-budget"] += 1
        return None
    said = {item.name: item.value for item in component.properties if item.value}
    version = component.version or purl.version
    source_name, source_version = _source(purl, version, said)
    return Package(
        name=_advisory_name(purl),
        version=version,
        type=purl.type,
        purl=component.purl,
        architecture=purl.qualifier("arch"),
        source_name=source_name,
        source_version=source_version,
        origin=Origin.DECLARED if said.get("holdfast:origin") == Origin.DECLARED else Origin.INSTALLED,
        licenses=_licenses(component),
        locations=tuple(sorted({item.value for item in component.properties if _LOCATIONS.fullmatch(item.name)})),
        diff_id=_first(said, _DIFF_IDS),
        side=next((side for side in Side if said.get("holdfast:side") == side), Side.UNKNOWN),
        owner=said.get("holdfast:owner", ""),
        vendor=said.get("holdfast:vendor") or said.get("syft:metadata:maintainer", ""),
        development=said.get("holdfast:development") == "true" or component.scope == "excluded",
    )


def _advisory_name(purl: Purl) -> str:
    """The name that the ecosystem's advisories use: of some types the namespace is a part of it."""
    if purl.type == "maven" and purl.namespace:
        return f"{purl.namespace}:{purl.name}"
    if purl.type == "pypi":
        return re.sub(r"[-_.]+", "-", purl.name).lower()
    is_vendor = purl.type in ("deb", "apk", "rpm", "alpm", "bitnami")
    return purl.name if is_vendor or not purl.namespace else f"{purl.namespace}/{purl.name}"


def _source(purl: Purl, version: str, said: dict[str, str]) -> tuple[str, str]:
    """The source package: properties first, then the purl's `upstream` qualifier (`name` or `name@version`)."""
    upstream, _, upstream_version = purl.qualifier("upstream").partition("@")
    if purl.type == "rpm":  # There it is a file name, bash-5.1.8-6.el9.src.rpm.
        upstream, upstream_version = "", ""
    name = _first(said, _SOURCE_NAMES) or upstream
    source_version = _first(said, _SOURCE_VERSIONS) or _trivy_version(said) or upstream_version
    if purl.type == "deb":
        name, source_version = source_of(purl.name, version, f"{name or purl.name} ({source_version})")
    return (name if name != purl.name else ""), (source_version if source_version != version else "")


def _trivy_version(said: dict[str, str]) -> str:
    """Trivy tells a source version's epoch, version and release apart."""
    version = said.get("aquasecurity:trivy:SrcVersion", "")
    if not version:
        return ""
    epoch, release = said.get("aquasecurity:trivy:SrcEpoch", ""), said.get("aquasecurity:trivy:SrcRelease", "")
    return (f"{epoch}:" if epoch not in ("", "0") else "") + version + (f"-{release}" if release else "")


def _distribution(component: _Component) -> Distribution:
    said = {item.name: item.value for item in component.properties}
    try:
        return _DISTRIBUTION.decode(said.get("holdfast:distribution", ""))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        codename = said.get("syft:distro:versionCodename", "")
        return from_id(component.name, component.version, component.description, codename)


def _from_purls(packages: Iterable[Package]) -> Distribution | None:
    """What most operating system packages say of themselves: `distro=debian-12`, `opensuse-leap-15.5`, `wolfi`."""
    named = Counter(
        value
        for package in packages
        if package.type in ("deb", "apk", "rpm", "alpm") and (value := Purl.parse(package.purl).qualifier("distro"))
    )
    if not named:
        return None
    best = min(named, key=lambda value: (-named[value], value))
    name, _, version = best.rpartition("-")
    if not name or not re.match(r"v?\d|edge$|stream$", version):
        codename = version if name in ("debian", "ubuntu") else ""
        return from_id(name if codename else best, "", "", codename)
    return from_id(name, version)


def _licenses(component: _Component) -> tuple[str, ...]:
    names = {
        choice.expression or (choice.license.id or choice.license.name if choice.license else "")
        for choice in component.licenses
    }
    return tuple(sorted(names - {""}))[:_MAX_LICENSES]


def _first(said: dict[str, str], names: Iterable[str]) -> str:
    return next((said[name] for name in names if name in said), "")


def _version_problem(document: _Document) -> Iterator[Problem]:
    if not _VERSIONS.fullmatch(document.specVersion):
        message = f"CycloneDX {document.specVersion[:20] or 'of no version'} is not known: read as 1.7"
        yield Problem("catalog.sbom.version", message, Gravity.NOTE)


def _partial(document: _Document) -> Iterator[Problem]:
    """What the scan behind a document of ours said of its own completeness."""
    try:
        root = _METADATA.decode(document.metadata).component or _Component()
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return
    status = next((item.value for item in root.properties if item.name == "holdfast:status"), Status.COMPLETE)
    left_out = sorted({item.value[:_MAX_SAID] for item in root.properties if item.name == "holdfast:not_checked"})
    if status != Status.COMPLETE or left_out:
        told = ", ".join(left_out[:8]) + (" …" if len(left_out) > 8 else "")
        what = f"not checked: {told}" if told else "packages may be missing"
        yield Problem("catalog.sbom.partial", f"the scan that made this document was partial: {what}")


def _problems(counts: Counter[str]) -> Iterator[Problem]:
    messages = {
        "without-purl": ("components name no purl: they were not checked", Gravity.PARTIAL),
        "damaged": ("components that cannot be read", Gravity.PARTIAL),
        "beyond-budget": ("components left out: too many, too deep, or with too long a name", Gravity.PARTIAL),
    }
    for what, count in sorted(counts.items()):
        message, gravity = messages[what]
        yield Problem(f"catalog.sbom.{what}", message, gravity, count=count)
