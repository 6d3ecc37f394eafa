"""Packages from somebody's bill of materials instead of from files: CycloneDX JSON (ECMA-424) 1.2 to 1.7, and SPDX."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from holdfast.catalog.distro import from_id
from holdfast.catalog.document import bounded
from holdfast.catalog.listed import (
    MAX_BYTES,
    MAX_LICENSES,
    MAX_VALUES,
    Inventory,
    distribution_of,
    package_of,
    problems_of,
)
from holdfast.catalog.spdx import read_spdx
from holdfast.model.artifact import Side
from holdfast.model.errors import InputError, LimitError
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.status import Gravity, Problem, Status

MAX_COMPONENTS = 1_000_000
MAX_DEPTH = 32
_VERSIONS = re.compile(r"1\.[2-7]")
_MAX_SAID = 200
_ABSENT = msgspec.Raw()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TEXTS = {b"<": "in XML", b"SPDXVersion:": "of tags and values"}
_REMEDY = "write it as CycloneDX JSON, or as SPDX 2.3 JSON"

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
    publisher: str = ""
    scope: str = ""
    description: str = ""
    licenses: list[_LicenseChoice] = []
    properties: list[_Property] = []
    components: list[msgspec.Raw] = []


class _Metadata(Struct):
    component: _Component | None = None


class _Marks(Struct):
    """The members that tell formats apart, whatever they hold."""

    cyclonedx: msgspec.Raw = field(default=_ABSENT, name="bomFormat")
    spdx: msgspec.Raw = field(default=_ABSENT, name="spdxVersion")
    context: msgspec.Raw = field(default=_ABSENT, name="@context")
    graph: msgspec.Raw = field(default=_ABSENT, name="@graph")
    syft: msgspec.Raw = field(default=_ABSENT, name="artifacts")


class _Document(Struct):
    bomFormat: str = ""
    specVersion: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    components: list[msgspec.Raw] = []


_MARKS = msgspec.json.Decoder(_Marks)
_DOCUMENT = msgspec.json.Decoder(_Document)
_METADATA = msgspec.json.Decoder(_Metadata)
_COMPONENT = msgspec.json.Decoder(_Component)
_DISTRIBUTION = msgspec.json.Decoder(Distribution)


def read_sbom(data: bytes) -> Inventory:
    """The packages of a bill of materials in JSON, CycloneDX or SPDX 2: its content tells which.

    InputError where it is neither, LimitError beyond MAX_BYTES or MAX_VALUES.
    """
    if len(data) > MAX_BYTES:
        raise LimitError(f"a bill of materials over {MAX_BYTES >> 20} MiB")
    try:
        marks = _MARKS.decode(data.removeprefix(_BYTE_ORDER_MARK))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        what = next((what for start, what in _TEXTS.items() if data[:40].lstrip().startswith(start)), "")
        message = f"a bill of materials {what} is not read" if what else f"not a bill of materials: {str(error)[:200]}"
        raise InputError(message, remedy=_REMEDY) from error
    if marks.cyclonedx:
        return read_cyclonedx(data)
    if marks.spdx:
        return read_spdx(data)
    if marks.context and marks.graph:
        raise InputError("SPDX 3 is not read yet", remedy=_REMEDY)
    raise InputError("syft's own format is not read" if marks.syft else "neither CycloneDX nor SPDX", remedy=_REMEDY)


def read_cyclonedx(data: bytes) -> Inventory:
    """The packages of a CycloneDX document; InputError where it is none, LimitError beyond MAX_BYTES or MAX_VALUES.

    A purl is kept as it stands. The distribution is that of an operating-system component, else what most purls'
    `distro` qualifiers say. Components without a purl cannot be compared with anything: they are counted in a problem.
    What a partial scan of ours wrote is partial still.
    """
    if len(data) > MAX_BYTES:
        raise LimitError(f"a bill of materials over {MAX_BYTES >> 20} MiB")
    try:
        document = _DOCUMENT.decode(bounded(data, MAX_VALUES).removeprefix(_BYTE_ORDER_MARK))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not a CycloneDX document: {str(error)[:200]}") from error
    if document.bomFormat != "CycloneDX":
        raise InputError("not a CycloneDX document: bomFormat is not CycloneDX", remedy="write one as CycloneDX JSON")
    packages: list[Package] = []
    distributions: list[Distribution] = []
    unread: Counter[str] = Counter()
    for component in _components(document.components, unread):
        if component.type == "operating-system":
            distributions.append(_distribution(component))
        elif package := _package(component, unread):
            packages.append(package)
    known = distributions[0] if distributions else distribution_of(packages)
    return Inventory(tuple(packages), known, (*_version_problem(document), *_partial(document), *problems_of(unread)))


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


def _package(component: _Component, unread: Counter[str]) -> Package | None:
    if not component.purl:
        if component.type in _PACKAGES and not any(item.name == _TRIVY_FILE for item in component.properties):
            unread["without-purl"] += 1
        return None
    said = {item.name: item.value for item in component.properties if item.value}
    package = package_of(
        component.purl,
        component.version,
        unread,
        source_name=_first(said, _SOURCE_NAMES),
        source_version=_first(said, _SOURCE_VERSIONS) or _trivy_version(said),
    )
    return package and replace(
        package,
        origin=Origin.DECLARED if said.get("holdfast:origin") == Origin.DECLARED else Origin.INSTALLED,
        licenses=_licenses(component),
        locations=tuple(sorted({item.value for item in component.properties if _LOCATIONS.fullmatch(item.name)})),
        diff_id=_first(said, _DIFF_IDS),
        side=next((side for side in Side if said.get("holdfast:side") == side), Side.UNKNOWN),
        owner=said.get("holdfast:owner", ""),
        vendor=said.get("holdfast:vendor") or said.get("syft:metadata:maintainer") or component.publisher[:200],
        development=said.get("holdfast:development") == "true" or component.scope == "excluded",
    )


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


def _licenses(component: _Component) -> tuple[str, ...]:
    names = {
        choice.expression or (choice.license.id or choice.license.name if choice.license else "")
        for choice in component.licenses
    }
    return tuple(sorted(names - {""}))[:MAX_LICENSES]


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
