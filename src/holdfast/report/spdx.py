"""A report as an SPDX 2.3 bill of materials in JSON (spdx.github.io/spdx-spec/v2.3, ISO/IEC 5962).

SPDX 2 has no word for vulnerabilities or other findings: this is the inventory alone. What it has no field for stands
in the free texts that other tools use too, and in annotations `holdfast:…`, so that a scan of the document sees the
same packages.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, TextIO

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.package import Distribution, Origin, Package, Purl
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.report.licences import Form, form_of
from holdfast.report.writer import emit, encode, speakable

_DOCUMENT = "SPDXRef-DOCUMENT"
_ROOT = "SPDXRef-Target"
_SYSTEM = "SPDXRef-OperatingSystem"
_NONE = "NOASSERTION"
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.-]+")
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_SUPPLIER = re.compile(r"([^<>\r\n]+?) *<([^<>\r\n]*)>")
_NO_DATE = "1970-01-01T00:00:00Z"  # the field must be there; nothing else in the document knows the time


class SpdxWriter(Struct, frozen=True):
    """The packages as SPDX 2.3."""

    name: str = "spdx"
    suffix: str = ".spdx.json"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report's inventory as one SPDX JSON document."""
        emit(encode(document(report)), output)


def document(report: Report) -> dict[str, Any]:
    """The document as plain values. Its namespace is made of its content: same report, same document."""
    import uuid

    licences = _Licences()
    ids = _ids(report.packages)
    packages = [_root(report)]
    packages += [_operating_system(report.distribution)] if report.distribution else []
    created = _created(report.created)
    packages += [
        _package(package, identifier, licences, created, report.tool)
        for package, identifier in zip(report.packages, ids, strict=True)
    ]
    body: dict[str, Any] = {
        "creationInfo": {
            "created": created,
            "creators": [f"Tool: {speakable(report.tool).replace(' ', '-')}"],
            **_given(comment=_completeness(report)),
        },
        "packages": packages,
        "relationships": list(_relationships([package["SPDXID"] for package in packages])),
        **_given(hasExtractedLicensingInfos=licences.extracted()),
    }
    name = speakable(report.target.name) or "target"
    digest = hashlib.sha256(encode({"name": name, **body})).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": name,
        "documentNamespace": f"urn:holdfast:spdx:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        **body,
    }


def _created(created: str) -> str:
    """The time as SPDX has it, in UTC and whole seconds."""
    try:
        moment = datetime.fromisoformat(created)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return _NO_DATE


def _completeness(report: Report) -> str:
    if report.status is Status.COMPLETE and not report.not_checked:
        return ""
    missing = f"; not checked: {', '.join(report.not_checked[:20])}" if report.not_checked else ""
    return f"the scan was {report.status}{missing}"


def _ids(packages: Sequence[Package]) -> list[str]:
    """An identifier for each package, of the characters that SPDX allows; a number where several are the same."""
    taken: dict[str, int] = {}
    found = []
    for package in packages:
        readable = _NOT_IN_AN_ID.sub("-", f"{package.type}-{package.name[:60]}").strip("-")
        content = f"{package.purl}\n{package.type}\n{package.name}\n{package.version}"
        base = f"SPDXRef-Package-{readable}-{hashlib.sha256(content.encode(errors='surrogatepass')).hexdigest()[:12]}"
        taken[base] = taken.get(base, 0) + 1
        found.append(base if taken[base] == 1 else f"{base}-{taken[base]}")
    return found


def _root(report: Report) -> dict[str, Any]:
    """What was scanned: the package that the document describes."""
    target = report.target
    is_image = bool(target.digest or target.config_digest or report.layers)
    digest = _SHA256.fullmatch(target.digest or target.config_digest)
    return {
        "SPDXID": _ROOT,
        "name": speakable(target.name) or "target",
        **_given(versionInfo=speakable(target.digest)),
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        "primaryPackagePurpose": "CONTAINER" if is_image else "FILE",
        **_given(
            checksums=[{"algorithm": "SHA256", "checksumValue": digest[1]}] if digest else [],
            externalRefs=[_purl(_image_purl(report))] if is_image and target.digest else [],
        ),
    }


def _image_purl(report: Report) -> str:
    last = report.target.name.removeprefix(f"{report.target.kind}:").rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^a-z0-9._-]", "-", last.partition(":")[0].lower()).strip("-.")
    return str(Purl("oci", name or "image", report.target.digest))


def _operating_system(distribution: Distribution) -> dict[str, Any]:
    return {
        "SPDXID": _SYSTEM,
        "name": speakable(distribution.id) or "unknown",
        **_given(versionInfo=speakable(distribution.version), summary=speakable(distribution.name)),
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }


def _package(package: Package, identifier: str, licences: "_Licences", created: str, tool: str) -> dict[str, Any]:
    texts = list(_annotations(package))
    whole = f"{package.namespace}/{package.name}" if package.namespace and package.type == "npm" else package.name
    return {
        "SPDXID": identifier,
        "name": speakable(whole) or "unnamed",
        **_given(versionInfo=speakable(package.version), supplier=_supplier(package.vendor)),
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        **_given(sourceInfo=_source(package)),
        "licenseConcluded": _NONE,
        "licenseDeclared": licences.expression(package.licenses),
        "copyrightText": _NONE,
        "primaryPackagePurpose": "LIBRARY",
        **_given(
            externalRefs=[_purl(package.purl)] if package.purl else [],
            annotations=[
                {
                    "annotationDate": created,
                    "annotationType": "OTHER",
                    "annotator": f"Tool: {speakable(tool).replace(' ', '-')}",
                    "comment": text,
                }
                for text in texts
            ],
        ),
    }


def _purl(purl: str) -> dict[str, str]:
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": speakable(purl)}


def _supplier(vendor: str) -> str:
    """`Name <address>` as SPDX writes it; a database does not say whether it is a person."""
    vendor = " ".join(speakable(vendor).split())
    parts = _SUPPLIER.fullmatch(vendor)
    return f"Organization: {parts[1]} ({parts[2]})" if parts else f"Organization: {vendor}" if vendor else ""


def _source(package: Package) -> str:
    """The source package, or the files that show it: in the words of Trivy and of syft, which readers know."""
    if package.source_name or package.source_version:
        name, version = package.source_name or package.name, package.source_version or package.version
        return speakable(f"built package from: {name} {version}")
    if package.locations:
        paths = ", ".join(f"/{path.lstrip('/')}" for path in package.locations[:50])
        return speakable(f"acquired package info from {package.type} files: {paths}")
    return ""


def _annotations(package: Package) -> Iterator[str]:
    if package.diff_id:
        yield speakable(f"LayerDiffID: {package.diff_id}")
    if package.origin is not Origin.INSTALLED:
        yield f"holdfast:origin={package.origin}"
    if package.development:
        yield "holdfast:development=true"
    if package.owner:
        yield speakable(f"holdfast:owner={package.owner}")
    if package.side is not Side.UNKNOWN:
        yield f"holdfast:side={package.side}"
    if package.source_name or package.source_version:
        for path in package.locations[:20]:
            yield speakable(f"holdfast:location={path}")


def _relationships(ids: Sequence[str]) -> Iterator[dict[str, str]]:
    root, *contained = ids
    yield {"spdxElementId": _DOCUMENT, "relationshipType": "DESCRIBES", "relatedSpdxElement": root}
    for identifier in contained:
        yield {"spdxElementId": root, "relationshipType": "CONTAINS", "relatedSpdxElement": identifier}


class _Licences:
    """Licence strings as one SPDX expression, with a LicenseRef for each that is only a name (annex D)."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def expression(self, licences: Sequence[str]) -> str:
        """All of them joined by AND; NOASSERTION where none is known."""
        parts = [self._operand(licence, alone=len(licences) == 1) for licence in dict.fromkeys(licences) if licence]
        return " AND ".join(parts) or _NONE

    def extracted(self) -> list[dict[str, str]]:
        """What every LicenseRef stands for: the name is all that is known of it."""
        return [
            {"licenseId": identifier, "name": text, "extractedText": text}
            for text, identifier in sorted(self._names.items(), key=lambda item: item[1])
        ]

    def _operand(self, licence: str, *, alone: bool) -> str:
        form = form_of(licence)
        if form is Form.ID or (form is Form.EXPRESSION and "DocumentRef-" not in licence):
            for reference in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", licence):
                self._names.setdefault(reference, reference)
            return licence if form is Form.ID or alone else f"({licence})"
        text = speakable(licence)
        if text not in self._names:
            readable = _NOT_IN_AN_ID.sub("-", text[:40]).strip("-.") or "unnamed"
            self._names[text] = f"LicenseRef-{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        return self._names[text]


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
