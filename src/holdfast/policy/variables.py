"""What expressions of a policy may speak of: `report`, `findings`, `packages`, `image` (docs/policy.md lists them)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from holdfast.model.advisory import FixState
from holdfast.model.finding import Finding, SecretEvidence, VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.report import Report


def variables(report: Report, findings: Sequence[Finding], today: date) -> dict[str, Any]:
    """Plain values: the findings are those that count, what was waived or is not affected left out."""
    return {
        "report": _report(report, today),
        "findings": [_finding(one) for one in findings],
        "packages": [_package(one) for one in report.packages],
        "image": _image(report, today),
    }


def _report(report: Report, today: date) -> dict[str, Any]:
    distribution, base = report.distribution, report.base
    return {
        "target": report.target.name,
        "kind": report.target.kind,
        "digest": report.target.digest,
        "platform": str(report.target.platform or ""),
        "status": report.status.value,
        "created": report.created,
        "today": today.isoformat(),
        "engines": list(report.engines),
        "checked": list(report.checked),
        "not_checked": list(report.not_checked),
        "problems": [{"code": one.code, "message": one.message, "gravity": one.gravity.value}
            for one in report.problems
        ],
        "distribution": {
            "id": distribution.id if distribution else "", "version": distribution.version if distribution else "",
        },
        "base": {"name": base.name, "digest": base.digest, "layers": base.layers, "decided_by": base.decided_by},
        "attachments": [
            {"kind": one.kind.value, "predicate_type": one.predicate_type, "signed": one.signed}
            for one in report.attachments
        ],
    }  # fmt: skip


def _image(report: Report, today: date) -> dict[str, Any]:
    found = report.configuration
    created = found.created if found else ""
    try:
        age = (today - date.fromisoformat(created[:10])).days
    except ValueError:
        age = -1
    return {
        "user": found.user if found else "",
        "labels": dict(found.labels) if found else {},
        "created": created,
        "age_days": age,
        "exposed_ports": list(found.exposed_ports) if found else [],
        "entrypoint": list(found.entrypoint) if found else [],
        "command": list(found.command) if found else [],
        "has_health_check": bool(found and found.has_health_check),
        "is_image": found is not None,
        "layers": len(report.layers),
        "size": sum(max(layer.size, 0) for layer in report.layers),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    evidence = finding.evidence
    known = evidence if isinstance(evidence, VulnerabilityEvidence) else None
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "rank": finding.severity.rank,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "subject": finding.subject.name,
        "version": finding.subject.version,
        "purl": finding.subject.purl,
        "path": finding.location.path,
        "layer": finding.location.layer or finding.location.diff_id,
        "side": finding.location.side.value,
        "fix_version": finding.fix.version,
        "fix_state": finding.fix.state.value,
        "fixable": bool(finding.fix.version) and finding.fix.state is not FixState.NOT_AFFECTED,
        "count": finding.count,
        "aliases": list(known.aliases) if known else [],
        "known_exploited": bool(known and known.known_exploited),
        "ransomware": bool(known and known.known_exploited and known.known_exploited.ransomware),
        "epss": known.epss.percentile if known and known.epss else 0.0,
        "cvss": max((score.value for score in known.scores), default=0.0) if known else 0.0,
        "risk": known.risk if known else 0,
        "published": known.published if known else "",
        "alive": evidence.alive if isinstance(evidence, SecretEvidence) else "",
    }


def _package(package: Package) -> dict[str, Any]:
    return {
        "name": package.name,
        "version": package.version,
        "type": package.type,
        "namespace": package.namespace,
        "purl": package.purl,
        "source": package.source_name or package.name,
        "licences": list(package.licenses),
        "origin": package.origin.value,
        "development": package.development,
        "side": package.side.value,
        "vendor": package.vendor,
        "path": package.locations[0] if package.locations else "",
    }
