"""Packages from an SPDX document: JSON of version 2.2 and 2.3, as syft, Trivy, BuildKit's scanner and others write it.

Sources: spdx.github.io/spdx-spec/v2.3 (chapters 6, 7, 11, annex F) and its JSON schemas; what tools put into the free
fields: syft's spdxutil/helpers/source_info.go, Trivy's pkg/sbom/spdx/marshal.go.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw, Struct, field
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
from holdfast.model.errors import InputError, LimitError
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity, Problem

_VERSIONS = re.compile(r"SPDX-2\.[0-3]")
_BUILT_FROM = re.compile(r"built package from: (\S+) (\S+)")
_ACQUIRED = re.compile(r"acquired package info from [^:]+: (/.+)")
_LAYER = re.compile(r"LayerDiffID: (sha(?:256|512):[0-9a-f]+)")
_NO_LICENSE = ("", "NOASSERTION", "NONE")
# What is listed beside the packages: the image itself, single files, lock files (by syft's and Trivy's identifiers).
_OTHER_PURPOSES = ("CONTAINER", "FILE")
_OTHER_IDS = ("SPDXRef-Application-", "SPDXRef-DocumentRoot-", "SPDXRef-ContainerImage-", "SPDXRef-Filesystem-")
_ITSELF = "SPDXRef-DOCUMENT"
_SYSTEM_ID = "SPDXRef-OperatingSystem"
_IMAGES = ("pkg:oci/", "pkg:docker/")


class _Reference(Struct):
    category: str = field(default="", name="referenceCategory")
    type: str = field(default="", name="referenceType")
    locator: str = field(default="", name="referenceLocator")


class _Annotation(Struct):
    comment: str | None = None


class _Package(Struct):
    id: str = field(default="", name="SPDXID")
    name: str | None = None
    version: str | None = field(default=None, name="versionInfo")
    purpose: str | None = field(default=None, name="primaryPackagePurpose")
    source: str | None = field(default=None, name="sourceInfo")
    supplier: str | None = None
    concluded: str | None = field(default=None, name="licenseConcluded")
    declared: str | None = field(default=None, name="licenseDeclared")
    references: list[_Reference] | None = field(default=None, name="externalRefs")
    attributions: list[str] | None = field(default=None, name="attributionTexts")
    annotations: list[_Annotation] | None = None

    @property
    def purl(self) -> str:
        return next((one.locator for one in self.references or () if one.type == "purl"), "")


class _Relationship(Struct):
    element: str = field(default="", name="spdxElementId")
    type: str = field(default="", name="relationshipType")
    related: str = field(default="", name="relatedSpdxElement")


class _Document(Struct):
    """The files of an image stand here too, many more than its packages: what is not needed stays undecoded."""

    version: str = field(default="", name="spdxVersion")
    packages: Raw = Raw(b"null")
    relationships: Raw = Raw(b"null")
    describes: Raw = field(default=Raw(b"null"), name="documentDescribes")


_DOCUMENT = msgspec.json.Decoder(_Document)
_PACKAGES = msgspec.json.Decoder(list[Raw] | None)
_PACKAGE = msgspec.json.Decoder(_Package)
_NAMES = msgspec.json.Decoder(list[str] | None)
_RELATIONSHIPS = msgspec.json.Decoder(list[_Relationship] | None)


def read_spdx(data: bytes) -> Inventory:
    """The packages of an SPDX document; InputError where it is none, LimitError beyond MAX_BYTES or MAX_VALUES.

    A package is what names a purl, which is kept as it stands. The distribution is the package that is an operating
    system, else what most purls' `distro` qualifiers say. Packages without a purl cannot be compared with anything:
    they are counted in a problem, all but what the document describes as a whole and what is no package in fact.
    """
    if len(data) > MAX_BYTES:
        raise LimitError(f"a bill of materials over {MAX_BYTES >> 20} MiB")
    try:
        document = _DOCUMENT.decode(data.removeprefix(b"\xef\xbb\xbf"))
        listed = _PACKAGES.decode(bounded(bytes(document.packages), MAX_VALUES)) or []
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not an SPDX document: {str(error)[:200]}") from error
    if not document.version.startswith("SPDX-2."):
        raise InputError("not an SPDX 2 document: its spdxVersion is another", remedy="write it as SPDX 2.3 JSON")
    packages: list[Package] = []
    nameless: list[str] = []
    known: Distribution | None = None
    unread: Counter[str] = Counter()
    for item in _readable(listed, unread):
        if item.purpose == "OPERATING-SYSTEM" or item.id.startswith(_SYSTEM_ID):
            known = known or from_id(item.name or "", item.version or "")
        elif not item.purl:
            if not (item.purpose in _OTHER_PURPOSES or item.id.startswith(_OTHER_IDS)):
                nameless.append(item.id)
        elif not item.purl.startswith(_IMAGES) and (package := _package(item, unread)):
            packages.append(package)
    if nameless:
        described = _described(document)
        if count := sum(name not in described for name in nameless):
            unread["without-purl"] = count
    return Inventory(
        tuple(packages), known or distribution_of(packages), (*_version_problem(document), *problems_of(unread))
    )


def _readable(listed: Sequence[Raw], unread: Counter[str]) -> Iterator[_Package]:
    for raw in listed:
        try:
            yield _PACKAGE.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            unread["damaged"] += 1


def _package(item: _Package, unread: Counter[str]) -> Package | None:
    built = _BUILT_FROM.match(item.source or "")
    package = package_of(
        item.purl,
        item.version or "",
        unread,
        source_name=built[1] if built else "",
        source_version=built[2] if built else "",
    )
    return package and replace(
        package,
        licenses=tuple(sorted({item.concluded or "", item.declared or ""}.difference(_NO_LICENSE)))[:MAX_LICENSES],
        locations=_locations(item),
        diff_id=_diff_id(item),
        vendor=_vendor(item),
    )


def _locations(item: _Package) -> tuple[str, ...]:
    """The files that syft names: `acquired package info from DPKG DB: /var/lib/dpkg/status, …`."""
    acquired = _ACQUIRED.match(item.source or "")
    return tuple(sorted(set(re.split(r", (?=/)", acquired[1])))) if acquired else ()


def _diff_id(item: _Package) -> str:
    """The layer that Trivy names, in attribution texts and since 2025 in annotations."""
    texts = (*(item.attributions or ()), *(one.comment or "" for one in item.annotations or ()))
    return next((match[1] for text in texts if (match := _LAYER.fullmatch(text))), "")


def _vendor(item: _Package) -> str:
    """The supplier as package databases write one: `Person: Name (address)` is `Name <address>`."""
    kind, _, name = (item.supplier or "").partition(": ")
    if kind not in ("Person", "Organization"):
        return ""
    return re.sub(r" \(([^()]*)\)$", r" <\1>", name)[:200]


def _described(document: _Document) -> set[str]:
    """What the document is about as a whole, by its identifiers; nothing where that cannot be read."""
    try:
        directly = _NAMES.decode(bounded(bytes(document.describes), MAX_VALUES)) or []
        related = _RELATIONSHIPS.decode(bounded(bytes(document.relationships), MAX_VALUES)) or []
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, LimitError):
        return set()
    described = (one.related for one in related if (one.element, one.type) == (_ITSELF, "DESCRIBES"))
    describing = (one.element for one in related if (one.type, one.related) == ("DESCRIBED_BY", _ITSELF))
    return {*directly, *described, *describing}


def _version_problem(document: _Document) -> Iterator[Problem]:
    if not _VERSIONS.fullmatch(document.version):
        message = f"{document.version[:20]} is not known: read as SPDX-2.3"
        yield Problem("catalog.sbom.version", message, Gravity.NOTE)
