"""The policies that come with Holdfast: what each of them stops, and what it lets pass."""

from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.model.finding import Finding, VulnerabilityEvidence
from holdfast.model.report import Report
from holdfast.model.status import Problem
from holdfast.policy.evaluate import evaluate
from holdfast.policy.facts import BaseFact, Facts
from holdfast.policy.parse import BUILTIN, builtin
from policy.policies import TODAY, day, image, malware, registry, secret
from report.reports import deb, digest, finding, report, tampered

SSL = deb("libssl3", "3.0.1", source="openssl")
KNOWN = Facts((BaseFact(f"debian@{digest('debian')}", digest("debian"), "2026-11-20"),), attachments=("sbom",))
LABELS = {"org_opencontainers_image_source": "https://example.org", "org_opencontainers_image_revision": "cafe"}


def on(*findings: Finding, **fields: Any) -> Report:
    given: dict[str, Any] = {
        "packages": (SSL,),
        "target": registry(f"registry.example/shop@{digest('manifest')}"),
        "configuration": image(**LABELS),
    }
    return report(*findings, **(given | fields))


def new(one: Finding) -> Finding:
    assert isinstance(one.evidence, VulnerabilityEvidence)
    return replace(one, evidence=replace(one.evidence, published=day(-2)))


SITUATIONS: dict[str, tuple[Report, str, str, str]] = {
    #                             what is found                                                developer balanced strict
    "nothing": (on(), "allow", "allow", "allow"),
    "critical, fixable": (on(finding(SSL, "CVE-1", "critical", fixed="3.0.9")), "warn", "deny", "deny"),
    "high, fixable": (on(finding(SSL, "CVE-1", "high", fixed="3.0.9")), "warn", "warn", "deny"),
    "critical, two days old": (on(new(finding(SSL, "CVE-1", "critical", fixed="3.0.9"))), "warn", "warn", "warn"),
    "critical, without a fix": (on(finding(SSL, "CVE-1", "critical")), "allow", "allow", "warn"),
    "exploited, fixable": (on(finding(SSL, "CVE-1", "low", fixed="3.0.9", exploited=True)), "deny", "deny", "deny"),
    "exploited, without a fix": (on(finding(SSL, "CVE-1", "low", exploited=True)), "allow", "allow", "allow"),
    "a token, sure": (on(secret()), "warn", "deny", "deny"),
    "a token, likely": (on(secret(confidence="medium")), "warn", "warn", "deny"),
    "a token, doubtful": (on(secret(confidence="low")), "allow", "allow", "warn"),
    "a token that works": (on(secret(confidence="low", alive="yes")), "deny", "deny", "deny"),
    "a private key": (on(secret("secret.private-key")), "deny", "deny", "deny"),
    "a private key, doubtful": (on(secret("secret.private-key", confidence="low")), "allow", "allow", "warn"),
    "malware": (on(malware()), "deny", "deny", "deny"),
    "malware, doubtful": (on(malware(confidence="low")), "warn", "warn", "warn"),
    "changed bytes": (on(tampered()), "deny", "deny", "deny"),
    "root": (on(configuration=image("root", **LABELS)), "warn", "warn", "deny"),
    "no labels": (on(configuration=image()), "allow", "allow", "deny"),
    "a tag": (on(target=registry()), "allow", "allow", "deny"),
    "old": (on(configuration=image(created=day(-300), **LABELS)), "allow", "allow", "warn"),
    "incomplete": (on(problems=(Problem("a.b", "unread"),)), "warn", "warn", "deny"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("place", range(len(BUILTIN)), ids=BUILTIN)
def test_what_each_policy_decides(situation: str, place: int) -> None:
    target, *expected = SITUATIONS[situation]
    assert evaluate(builtin(BUILTIN[place]), target, today=TODAY, facts=KNOWN).decision == expected[place]


def test_no_policy_stops_production_for_what_nobody_can_fix() -> None:
    unfixed = [finding(SSL, f"CVE-2026-{n}", "critical", epss=0.99) for n in range(300)]
    for name in BUILTIN:
        assert evaluate(builtin(name), on(*unfixed), today=TODAY, facts=KNOWN).decision != "deny"


def test_the_stricter_policy_never_decides_more_mildly() -> None:
    for target, *expected in SITUATIONS.values():
        ranks = [["allow", "warn", "deny"].index(one) for one in expected]
        assert ranks == sorted(ranks), target.findings
