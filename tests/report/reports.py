"""Builders of reports: a package, a finding about it, and a report with a name for everything that tests look at."""

import hashlib
from typing import Any

from holdfast.model.advisory import DatabaseInfo, Epss, FixState, KnownExploited, Score, SourceInfo
from holdfast.model.artifact import Layer, Platform, Side
from holdfast.model.finding import (
    Confidence,
    ConfigurationEvidence,
    Finding,
    Fix,
    IntegrityEvidence,
    Kind,
    Location,
    MalwareEvidence,
    SbomEvidence,
    SecretEvidence,
    Severity,
    Subject,
    VulnerabilityEvidence,
)
from holdfast.model.package import Distribution, Origin, Package, Purl
from holdfast.model.report import Base, Report, Target
from holdfast.model.status import Problem, Status, status_of


def digest(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()


BASE_LAYER = Layer(
    digest("base-diff"), digest("base"), size=48_000_000, created_by="ADD rootfs.tar.xz /", side=Side.BASE
)
APPLICATION_LAYER = Layer(
    digest("app-diff"),
    digest("app"),
    size=9_000_000,
    created_by="RUN /bin/sh -c pip install -r requirements.txt # buildkit",
    side=Side.APPLICATION,
)
DEBIAN = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm")
DATABASE = DatabaseInfo(
    digest("database"),
    1,
    (
        SourceInfo("debian", "2026-10-30T02:11:00Z", 91234),
        SourceInfo("osv/PyPI", "2026-10-30T00:00:00Z", 6811),
        SourceInfo("kev", "2026-10-29", 1400),
    ),
    ecosystems=("Debian:12", "PyPI"),
)


def deb(name: str, version: str, *, source: str = "", **fields: Any) -> Package:
    purl = Purl("deb", name, version, "debian", (("arch", "amd64"), ("distro", "debian-12")))
    given: dict[str, Any] = {
        "architecture": "amd64",
        "source_name": source,
        "locations": ("var/lib/dpkg/status",),
        "diff_id": BASE_LAYER.diff_id,
        "side": Side.BASE,
    }
    return Package(name, version, "deb", str(purl), **(given | fields))


def pypi(name: str, version: str, **fields: Any) -> Package:
    given: dict[str, Any] = {
        "locations": (f"usr/lib/python3/dist-packages/{name}-{version}.dist-info/METADATA",),
        "diff_id": APPLICATION_LAYER.diff_id,
        "side": Side.APPLICATION,
    }
    return Package(name, version, "pypi", str(Purl("pypi", name, version)), **(given | fields))


def declared(name: str, version: str, *, development: bool = False) -> Package:
    return pypi(name, version, origin=Origin.DECLARED, development=development, locations=("srv/app/poetry.lock",))


def finding(
    package: Package,
    rule: str,
    severity: str = "high",
    *,
    fixed: str = "",
    state: str = "",
    risk: int = 50,
    exploited: bool = False,
    epss: float = 0.0,
    score: float = 0.0,
    **fields: Any,
) -> Finding:
    evidence = VulnerabilityEvidence(
        advisory=rule,
        source="debian" if package.type == "deb" else "osv/PyPI",
        compared=f"{package.source_name or package.name} {package.version}",
        affected=f"< {fixed}" if fixed else "all versions",
        summary=f"Something is wrong in {package.name}",
        scores=(Score("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", score, "nvd"),) if score else (),
        known_exploited=KnownExploited("2026-01-02", ransomware=True) if exploited else None,
        epss=Epss(epss / 2, epss, "v2026.06") if epss else None,
        risk=risk,
        published="2026-01-01T00:00:00Z",
    )
    layer = BASE_LAYER if package.side is Side.BASE else APPLICATION_LAYER
    given: dict[str, Any] = {
        "evidence": evidence,
        "location": Location(
            package.locations[0] if package.locations else "",
            layer.digest,
            layer.diff_id,
            layer.created_by,
            package.side,
        ),
        "fix": Fix(
            FixState(state) if state else FixState.FIXED if fixed else FixState.AFFECTED,
            fixed,
            package.side,
            f"Upgrade {package.name} to {fixed}." if fixed else "",
        ),
        "references": (f"https://security-tracker.debian.org/tracker/{rule}",),
        "controls": ("nist-800-190:4.1.1",),
    }
    return Finding(
        rule,
        Kind.MALWARE if rule.startswith("MAL-") else Kind.VULNERABILITY,
        Severity(severity),
        Confidence.HIGH,
        Subject(package.name, package.version, package.purl),
        **(given | fields),
    )


def tampered() -> Finding:
    return Finding(
        "image.layer-digest-mismatch",
        Kind.INTEGRITY,
        Severity.CRITICAL,
        Confidence.HIGH,
        Subject("layer 2"),
        IntegrityEvidence(digest("promised"), digest("found")),
        Location(layer=APPLICATION_LAYER.digest, diff_id=APPLICATION_LAYER.diff_id, side=Side.APPLICATION),
        Fix(advice="Do not run this image. Fetch it again from a source you trust."),
        "A layer's bytes are not the ones that the manifest names",
    )


def misstated(count: int = 40, **fields: Any) -> Finding:
    names = tuple(f"deb hidden-{number} 1" for number in range(min(count, 12)))
    return Finding(
        "image.sbom-unlisted-package",
        Kind.INTEGRITY,
        Severity.MEDIUM,
        Confidence.HIGH,
        Subject("oci:demo:latest"),
        SbomEvidence(digest("bill"), 100, 60, names),
        Location(diff_id=APPLICATION_LAYER.diff_id, side=Side.APPLICATION),
        Fix(advice="Find out which layer brought the packages."),
        "The image holds packages that its bill of materials does not list",
        count=count,
        **fields,
    )


def secret(path: str = "srv/app/.env", line: int = 3, *, confidence: str = "high", **fields: Any) -> Finding:
    evidence = {name: fields.pop(name) for name in SecretEvidence.__struct_fields__ if name in fields}
    shown: dict[str, Any] = {
        "redacted": "AKIA…7QZX", "key_id": digest(path)[7:39], "length": 20, "checks": ("structure",),
    }  # fmt: skip
    given: dict[str, Any] = {
        "severity": Severity.CRITICAL,
        "title": "AWS access key",
        "location": Location(
            path, APPLICATION_LAYER.digest, APPLICATION_LAYER.diff_id, "COPY . /srv/app", Side.APPLICATION, line
        ),
        "fix": Fix(side=Side.APPLICATION, advice="Revoke the key, then build the image without it."),
        "references": ("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",),
        "controls": ("nist-800-190:4.1.4",),
    }
    return Finding(
        "secret.aws-access-key",
        Kind.SECRET,
        confidence=Confidence(confidence),
        subject=Subject("AWS access key"),
        evidence=SecretEvidence(**(shown | evidence)),
        **(given | fields),
    )


def malicious(path: str = "usr/local/bin/kthreadd", *, confidence: str = "high", **fields: Any) -> Finding:
    evidence = {name: fields.pop(name) for name in MalwareEvidence.__struct_fields__ if name in fields}
    given: dict[str, Any] = {
        "severity": Severity.CRITICAL,
        "title": "A program that mines cryptocurrency",
        "location": Location(
            path, APPLICATION_LAYER.digest, APPLICATION_LAYER.diff_id, "RUN ./install.sh", Side.APPLICATION
        ),
        "fix": Fix(side=Side.APPLICATION, advice="Remove the file, and find out how it came into the build."),
        "controls": ("nist-800-190:4.1.3",),
    }
    return Finding(
        "malware.miner",
        Kind.MALWARE,
        confidence=Confidence(confidence),
        subject=Subject(path),
        evidence=MalwareEvidence(**({"sha256": digest(path)[7:], "matched": ("0x40: stratum+tcp://",)} | evidence)),
        **(given | fields),
    )


def setting(rule: str = "image.root-user", severity: str = "high", path: str = "", **fields: Any) -> Finding:
    evidence = {name: fields.pop(name) for name in ConfigurationEvidence.__struct_fields__ if name in fields}
    line = fields.pop("line", 0)
    given: dict[str, Any] = {
        "confidence": Confidence.HIGH,
        "title": "Containers of this image run as root",
        "location": Location(path, diff_id=BASE_LAYER.diff_id if path else "", side=Side.APPLICATION, line=line),
        "fix": Fix(side=Side.APPLICATION, advice="Add USER to the Dockerfile."),
        "controls": ("nist-800-190:4.1.2",),
    }
    return Finding(
        rule,
        Kind.CONFIGURATION,
        Severity(severity),
        subject=Subject(path or "oci:demo:latest"),
        evidence=ConfigurationEvidence(
            **({"found": "no user is set", "expected": "a user other than root"} | evidence)
        ),
        **(given | fields),
    )


ALL_ENGINES = ("packages", "vulnerabilities", "secrets", "malware", "configuration")


def report(*findings: Finding, packages: tuple[Package, ...] = (), **fields: Any) -> Report:
    problems: tuple[Problem, ...] = fields.get("problems", ())
    given: dict[str, Any] = {
        "target": Target(
            "oci:demo:latest", "oci", digest("manifest"), digest("config"), platform=Platform("linux", "amd64")
        ),
        "status": Status(status_of(problems)),
        "tool": "holdfast 0.1.0",
        "created": "2026-11-01T10:00:00+00:00",
        "distribution": DEBIAN,
        "base": Base(1, "label", "debian:12"),
        "layers": (BASE_LAYER, APPLICATION_LAYER),
        "packages": packages,
        "findings": findings,
        "checked": ("packages", "vulnerabilities"),
        "database": DATABASE,
    }
    return Report(**(given | fields))
