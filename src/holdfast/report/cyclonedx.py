"""A report as a CycloneDX bill of materials (ECMA-424), 1.6 or 1.7, with the vulnerabilities that were found.

It stays an inventory: secrets, malware in files, configuration and broken integrity are only counted, in a property of
the root component. What CycloneDX has no word for stands in properties named `holdfast:…`, so that a scan of this
document sees the same packages as the scan that wrote it (catalog.sbom reads them).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, TextIO

import msgspec
from msgspec import Struct

from holdfast.model.advisory import FixState, Score
from holdfast.model.artifact import Side
from holdfast.model.finding import Finding, Severity, VulnerabilityEvidence
from holdfast.model.package import Distribution, Origin, Package, Purl
from holdfast.model.report import Report
from holdfast.report.licences import Form, form_of
from holdfast.report.rows import is_about_a_package
from holdfast.report.writer import emit, encode, speakable

_SEVERITIES = {Severity.NEGLIGIBLE: "info"}
_STATES = {FixState.NOT_AFFECTED: "unaffected", FixState.UNDER_INVESTIGATION: "unknown"}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+", re.ASCII)
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_NAMESPACE = "urn:holdfast:bom:"


class CycloneDxWriter(Struct, frozen=True):
    """A bill of materials of one specification version."""

    name: str
    version: str = "1.6"
    suffix: str = ".cdx.json"

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report as one CycloneDX JSON document."""
        emit(encode(document(report, version=self.version)), output)


def document(report: Report, *, version: str = "1.6") -> dict[str, Any]:
    """The bill of materials as plain values. Its serial number is made of its content: same report, same document."""
    references = _references(report.packages)
    components = [_component(package, ref) for package, ref in zip(report.packages, references, strict=True)]
    operating_system = [_operating_system(report.distribution)] if report.distribution else []
    root = _root(report)
    bom = {
        "metadata": {
            **_given(timestamp=_date_time(report.created)),
            "tools": {"components": [_tool(report.tool)]},
            "component": root,
        },
        "components": [*operating_system, *components],
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": [item["bom-ref"] for item in (*operating_system, *components)]}
        ],
    }
    # Without findings the list is left out: an empty one would promise that there are none.
    if vulnerabilities := _vulnerabilities(report, references, root["bom-ref"]):
        bom["vulnerabilities"] = vulnerabilities
    head = {"$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json", "bomFormat": "CycloneDX"}
    return {**head, "specVersion": version, "serialNumber": _serial(bom), "version": 1, **bom}


def _serial(bom: dict[str, Any]) -> str:
    """A name-based UUID (RFC 9562, version 5) of the content: the same report gives the same number."""
    import uuid

    content = hashlib.sha256(encode(bom)).hexdigest()
    return uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE + content).urn


def _tool(tool: str) -> dict[str, Any]:
    name, _, version = tool.partition(" ")
    return {"type": "application", "name": name, **_given(version=version)}


def _root(report: Report) -> dict[str, Any]:
    """What was scanned, as the component that the document is about."""
    target = report.target
    is_image = bool(target.digest or target.config_digest or report.layers)
    purl = _image_purl(report) if target.digest else ""
    digest = _SHA256.fullmatch(target.digest or target.config_digest)
    properties = [
        *_property("kind", target.kind),
        *_property("digest", target.digest),
        *_property("config_digest", target.config_digest),
        *_property("index_digest", target.index_digest),
        *_property("platform", str(target.platform) if target.platform else ""),
        *_property("status", str(report.status)),
        *(item for name in report.not_checked for item in _property("not_checked", name)),
        *_property("findings_elsewhere", _elsewhere(report)),
    ]
    return {
        "bom-ref": "target",
        "type": "container" if is_image else "operating-system" if target.kind == "dir" else "application",
        "name": target.name or "target",
        **_given(
            version=target.digest,
            hashes=[{"alg": "SHA-256", "content": digest[1]}] if digest else [],
            purl=purl,
        ),
        "properties": properties,
    }


def _elsewhere(report: Report) -> str:
    """How many findings are no vulnerabilities of a component: they have no place here, which is said."""
    counts = Counter(str(finding.kind) for finding in report.findings if not is_about_a_package(finding))
    return ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items()))


def _image_purl(report: Report) -> str:
    """`pkg:oci/<last part of the name>@<digest>`, as the purl type definition of oci has it."""
    last = report.target.name.removeprefix(f"{report.target.kind}:").rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^a-z0-9._-]", "-", last.partition(":")[0].lower()).strip("-.")
    architecture = report.target.platform.architecture if report.target.platform else ""
    return str(
        Purl("oci", name or "image", report.target.digest, "", (("arch", architecture),) if architecture else ())
    )


def _operating_system(distribution: Distribution) -> dict[str, Any]:
    """The distribution: CycloneDX's name and version are its id and version, the whole is in the property."""
    plain = Distribution(distribution.id, distribution.version)
    whole = msgspec.json.encode(_clean(distribution)).decode() if distribution != plain else ""
    return {
        "bom-ref": "distribution",
        "type": "operating-system",
        "name": distribution.id,
        **_given(
            version=distribution.version,
            description=distribution.name,
            properties=list(_property("distribution", whole)),
        ),
    }


def _clean(distribution: Distribution) -> dict[str, Any]:
    values = {"id": distribution.id, "version": distribution.version, "name": distribution.name}
    values |= {"codename": distribution.codename}
    return {
        **{key: speakable(value) for key, value in values.items() if value},
        **_given(like=[speakable(item) for item in distribution.like]),
    }


def _references(packages: Iterable[Package]) -> list[str]:
    """A bom-ref for each package: its purl, with a number where several have the same."""
    references: list[str] = []
    taken: set[str] = {"target", "distribution"}
    for package in packages:
        wanted = speakable(package.purl) or speakable(f"{package.type}:{package.name}@{package.version}")
        reference, number = wanted, 2
        while reference in taken:
            reference, number = f"{wanted}#{number}", number + 1
        taken.add(reference)
        references.append(reference)
    return references


def _component(package: Package, reference: str) -> dict[str, Any]:
    """One package. A property stands only where the value is not the default."""
    properties = [
        *_property("source_name", package.source_name),
        *_property("source_version", package.source_version),
        *_property("origin", "" if package.origin is Origin.INSTALLED else package.origin),
        *_property("owner", package.owner),
        *_property("diff_id", package.diff_id),
        *_property("side", "" if package.side is Side.UNKNOWN else package.side),
        *(item for location in package.locations for item in _property("location", location)),
        *_property("vendor", package.vendor),
        *_property("development", "true" if package.development else ""),
    ]
    return {
        "bom-ref": reference,
        "type": "library",
        **_given(group=package.namespace),
        "name": package.name,
        **_given(
            version=package.version,
            scope="excluded" if package.development else "",
            licenses=_licences(package.licenses),
            purl=package.purl,
            properties=properties,
        ),
    }


def _licences(licences: tuple[str, ...]) -> list[dict[str, Any]]:
    """SPDX ids, an expression where it stands alone (the schema allows it nowhere else), and names."""
    if len(licences) == 1 and form_of(licences[0]) is Form.EXPRESSION:
        return [{"expression": licences[0]}]
    return [{"license": {"id" if form_of(licence) is Form.ID else "name": licence}} for licence in licences]


def _vulnerabilities(report: Report, references: list[str], root: str) -> list[dict[str, Any]]:
    """One entry for each vulnerability that is told in the same words, with all components it affects."""
    places: dict[str, list[tuple[Package, str]]] = {}
    for package, reference in zip(report.packages, references, strict=True):
        places.setdefault(package.purl, []).append((package, reference))
    entries: dict[bytes, dict[str, Any]] = {}
    affected: dict[bytes, dict[str, dict[str, Any]]] = {}
    for finding in report.findings:
        if not is_about_a_package(finding):
            continue
        entry = _vulnerability(finding)
        key = encode(entry)
        entries.setdefault(key, entry)
        reference = _place(finding, places.get(finding.subject.purl, []), root)
        status = _STATES.get(finding.fix.state, "affected")
        versions = [{"version": finding.subject.version, "status": status}] if finding.subject.version else []
        affected.setdefault(key, {})[reference] = {"ref": reference, **_given(versions=versions)}
    return [{**entry, "affects": list(affected[key].values())} for key, entry in entries.items()]


def _place(finding: Finding, same: list[tuple[Package, str]], root: str) -> str:
    """The component a finding is about: of several with one purl the one at its place, without any the target."""
    for package, reference in same:
        if finding.location.path in package.locations and finding.location.diff_id in ("", package.diff_id):
            return reference
    return same[0][1] if same else root


def _vulnerability(finding: Finding) -> dict[str, Any]:
    evidence = finding.evidence
    assert isinstance(evidence, VulnerabilityEvidence)
    advice = finding.fix.advice or (f"Upgrade to {finding.fix.version}." if finding.fix.version else "")
    properties = [
        *_property("fix_state", finding.fix.state),
        *_property("fixed_version", finding.fix.version),
        *_property("risk", str(evidence.risk) if evidence.risk else ""),
        *_property("known_exploited", evidence.known_exploited.added if evidence.known_exploited else ""),
        *_property("epss_percentile", f"{evidence.epss.percentile:.5f}" if evidence.epss else ""),
    ]
    source = {"name": evidence.source or "unknown"}
    return {
        "id": finding.rule,
        "source": source,
        **_given(
            references=[{"id": alias, "source": source} for alias in evidence.aliases if alias != finding.rule],
            ratings=_ratings(finding, evidence),
            description=evidence.summary or finding.title,
            recommendation=advice,
            analysis=_analysis(finding, evidence),
            advisories=[{"url": link} for link in dict.fromkeys(finding.references) if _LINK.fullmatch(link)],
            published=_date_time(evidence.published),
            updated=_date_time(evidence.modified),
            properties=properties,
        ),
    }


def _analysis(finding: Finding, evidence: VulnerabilityEvidence) -> dict[str, str]:
    """Why a vulnerability does not affect the target, where somebody said so."""
    if finding.fix.state is not FixState.NOT_AFFECTED:
        return {}
    return {"state": "not_affected", **_given(detail=evidence.note)}


def _ratings(finding: Finding, evidence: VulnerabilityEvidence) -> list[dict[str, Any]]:
    """Our severity first, then every score as published."""
    own = {
        "source": {"name": evidence.source or "unknown"},
        "severity": _SEVERITIES.get(finding.severity, finding.severity.value),
    }
    return [own, *(_rating(score) for score in dict.fromkeys(evidence.scores))]


def _rating(score: Score) -> dict[str, Any]:
    method = {"CVSS_V2": "CVSSv2", "CVSS_V3": "CVSSv3", "CVSS_V4": "CVSSv4"}.get(score.system, "other")
    if method == "CVSSv3" and score.vector.startswith("CVSS:3.1/"):
        method = "CVSSv31"
    value: dict[str, float] = {"score": score.value} if score.value else {}
    source = {"source": {"name": score.source}} if score.source else {}
    return {**source, **value, "method": method, **_given(vector=score.vector)}


def _date_time(text: str) -> str:
    """The text where it is a point in time by RFC 3339, else nothing."""
    if not _DATE_TIME.fullmatch(text):
        return ""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text


def _property(name: str, value: str) -> Iterator[dict[str, str]]:
    if value:
        yield {"name": f"holdfast:{name}", "value": str(value)}


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
