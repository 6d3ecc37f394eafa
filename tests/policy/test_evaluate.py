"""Given a report and a policy: allow, warn or deny, by which rules and findings, and how to pass."""

from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.model.finding import Finding, VulnerabilityEvidence
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem
from holdfast.model.verdict import Decision
from holdfast.policy.evaluate import evaluate
from holdfast.policy.facts import Facts
from holdfast.policy.reason import MOST_FINDINGS
from policy.policies import TODAY, day, image, malware, messages, policy, registry, rules, secret, setting, vet, waiver
from report.reports import deb, digest, finding, pypi, report, tampered

SSL = deb("libssl3", "3.0.1", source="openssl")
FLASK = pypi("flask", "1.0")


def on(*findings: Finding, **fields: Any) -> Report:
    given: dict[str, Any] = {"packages": (SSL, FLASK), "target": registry(), "configuration": image()}
    return report(*findings, **(given | fields))


def published(one: Finding, when: str) -> Finding:
    assert isinstance(one.evidence, VulnerabilityEvidence)
    return replace(one, evidence=replace(one.evidence, published=when))


CRITICAL = finding(SSL, "CVE-2026-1", "critical", fixed="3.0.9")
UNFIXED = finding(SSL, "CVE-2026-2", "critical")
HIGH = finding(FLASK, "CVE-2026-3", "high", fixed="2.0")
EXPLOITED = finding(FLASK, "CVE-2026-4", "low", fixed="2.1", exploited=True)


def test_nothing_against_it_is_allowed() -> None:
    verdict = vet("[vulnerability]\ndeny = 'critical'", on(HIGH))
    assert (verdict.decision, verdict.because, verdict.policy) == (Decision.ALLOW, (), "p")
    assert (verdict.target, verdict.digest, verdict.day) == (
        "registry.example/prod/shop:1.4", digest("manifest"), "2026-11-24",
    )  # fmt: skip


def test_what_denies_outweighs_what_warns() -> None:
    verdict = vet("[vulnerability]\ndeny = 'critical'\nwarn = 'high'", on(HIGH, CRITICAL))
    assert verdict.decision is Decision.DENY
    assert rules(verdict) == [("policy.vulnerability", "deny"), ("policy.vulnerability", "warn")]


def test_a_reason_names_findings_and_the_way_to_pass() -> None:
    more = finding(SSL, "CVE-2026-9", "critical", fixed="3.0.10")
    reason = vet("[vulnerability]\ndeny = 'critical'", on(CRITICAL, more, UNFIXED)).because[0]
    assert reason.message == "Vulnerabilities at or above the policy's threshold: 3 vulnerabilities in openssl"
    assert (reason.count, reason.findings) == (3, (CRITICAL.fingerprint, more.fingerprint, UNFIXED.fingerprint))
    assert reason.how_to_pass == (
        "upgrade openssl in the base image to 3.0.10 (2)",
        "no fix is known for openssl: remove it if nothing needs it, or waive it",
    )


def test_a_reason_holds_no_more_findings_than_can_be_read() -> None:
    many = [finding(FLASK, f"CVE-2026-{n}", "critical", fixed="2") for n in range(MOST_FINDINGS + 70)]
    reason = vet("[vulnerability]\ndeny = 'critical'", on(*many)).because[0]
    assert (len(reason.findings), reason.count) == (MOST_FINDINGS, MOST_FINDINGS + 70)


def test_a_waiver_to_paste_is_refused_until_filled_in_and_then_lets_it_pass() -> None:
    text = "[vulnerability]\ndeny = 'critical'\n[secret]\ndeny = 'low'\n"
    target = on(CRITICAL, secret())
    pasted = text + "\n".join(reason.waiver for reason in vet(text, target).because)
    with pytest.raises(Exception, match="reason is empty"):
        policy(pasted)
    filled = pasted.replace('reason = ""', 'reason = "known"').replace('owner = ""', 'owner = "ann"')
    verdict = vet(filled, target)
    assert verdict.decision is Decision.ALLOW
    assert verdict.set_aside_count == 2


@pytest.mark.parametrize(
    ("rule", "denied"),
    [
        pytest.param("deny = 'critical'", True, id="severity reached"),
        pytest.param("deny = 'high'\nfixable_only = true", True, id="with a fix"),
        pytest.param("deny = { severity = 'high', confidence = 'high' }", True, id="sure enough"),
        pytest.param("", False, id="nothing said"),
    ],
)
def test_thresholds(rule: str, denied: bool) -> None:
    assert (vet(f"[vulnerability]\n{rule}", on(CRITICAL)).decision is Decision.DENY) == denied


def test_fixable_only_leaves_out_what_nobody_can_fix() -> None:
    assert vet("[vulnerability]\ndeny = 'low'\nfixable_only = true", on(UNFIXED)).decision is Decision.ALLOW


def test_confidence_keeps_out_what_is_not_sure() -> None:
    text = "[secret]\ndeny = { severity = 'low', confidence = 'high' }\nwarn = 'low'"
    assert rules(vet(text, on(secret(confidence="medium")))) == [("secret.npm-token", "warn")]


def test_every_kind_has_its_own_thresholds() -> None:
    text = "[malware]\ndeny = 'low'\n[configuration]\nwarn = 'low'\n[integrity]\ndeny = 'critical'"
    verdict = vet(text, on(malware(), setting(), tampered(), secret()))
    assert rules(verdict) == [
        ("malware.miner", "deny"), ("image.layer-digest-mismatch", "deny"), ("image.setuid", "warn"),
    ]  # fmt: skip
    assert verdict.because[0].how_to_pass == ("Mend malware.miner.", f"found in tmp/x (layer {digest('l')[7:19]})")


def test_the_same_rule_is_one_reason() -> None:
    verdict = vet("[secret]\ndeny = 'low'", on(secret(path="a"), secret(path="b")))
    assert [(reason.rule, reason.count) for reason in verdict.because] == [("secret.npm-token", 2)]


def test_known_exploited_outranks_severity() -> None:
    text = "[vulnerability]\nwarn = 'low'\nknown_exploited = 'deny'"
    assert rules(vet(text, on(EXPLOITED, HIGH))) == [
        ("policy.known-exploited", "deny"),
        ("policy.vulnerability", "warn"),
    ]


def test_known_exploited_without_a_fix_can_be_let_through() -> None:
    text = "[vulnerability]\nknown_exploited = { decision = 'deny', fixable_only = true }"
    assert vet(text, on(finding(SSL, "CVE-2026-5", exploited=True))).decision is Decision.ALLOW


def test_the_epss_percentile() -> None:
    text = "[vulnerability]\nepss = 0.9"
    likely, unlikely = finding(FLASK, "CVE-1", "low", epss=0.95), finding(FLASK, "CVE-2", "low", epss=0.5)
    verdict = vet(text, on(likely, unlikely))
    assert rules(verdict) == [("policy.likely-exploited", "deny")]
    assert verdict.because[0].findings == (likely.fingerprint,)


def test_a_secret_that_still_works() -> None:
    text = "[secret]\nalive = 'deny'"
    assert vet(text, on(secret(alive="yes"))).decision is Decision.DENY
    assert vet(text, on(secret(alive="no"), secret(path="b"))).decision is Decision.ALLOW


def test_single_rules_are_set_apart() -> None:
    text = "[configuration]\ndeny = 'low'\n[[rule]]\nmatch = 'image.set*'\ndecision = 'allow'\n"
    assert vet(text, on(setting())).decision is Decision.ALLOW
    assert vet(text.replace("allow", "warn"), on(setting())).decision is Decision.WARN


def test_what_a_later_layer_deletes_is_still_there() -> None:
    hidden = secret()
    hidden = replace(hidden, evidence=replace(hidden.evidence, deleted_by=digest("later")))
    steps = vet("[secret]\ndeny = 'low'", on(hidden)).because[0].how_to_pass
    assert "a later layer deletes it, and the image still holds it: rebuild so that it never comes in" in steps


# Grace


GRACE = "[vulnerability]\ndeny = 'high'\nknown_exploited = 'deny'\ngrace_days = 7"


@pytest.mark.parametrize(
    ("when", "decision"),
    [
        pytest.param(day(0), "warn", id="today"),
        pytest.param(day(-6), "warn", id="the last day"),
        pytest.param(day(-7), "deny", id="the day after"),
        pytest.param(day(1), "deny", id="a date to come"),
        pytest.param("", "deny", id="no date"),
        pytest.param("soon", "deny", id="no date at all"),
        pytest.param("9999-12-31", "deny", id="the end of time"),
    ],
)
def test_a_new_vulnerability_is_given_time(when: str, decision: str) -> None:
    verdict = vet(GRACE, on(published(HIGH, when)))
    assert verdict.decision == decision
    if decision == "warn":
        assert rules(verdict) == [("policy.grace", "warn")]


def test_grace_says_when_it_ends() -> None:
    assert vet(GRACE, on(published(HIGH, day(-3)))).because[0].how_to_pass[0] == f"from {day(4)} on this is denied"


def test_what_is_exploited_has_no_grace() -> None:
    assert vet(GRACE, on(published(EXPLOITED, day(0)))).decision is Decision.DENY
    # … not even where the policy sets no rule for exploited ones.
    exploited = published(finding(FLASK, "CVE-9", "high", fixed="2", exploited=True), day(0))
    assert vet("[vulnerability]\ndeny = 'high'\ngrace_days = 7", on(exploited)).decision is Decision.DENY


# Waivers


DENY = "[vulnerability]\ndeny = 'low'\n[secret]\ndeny = 'low'\n"


@pytest.mark.parametrize(
    ("scope", "accepted"),
    [
        pytest.param({"rule": "CVE-2026-1"}, True, id="rule"),
        pytest.param({"rule": "CVE-2026-*"}, True, id="rules"),
        pytest.param({"rule": "CVE-2026-2"}, False, id="another rule"),
        pytest.param({"package": "pkg:deb/debian/libssl3"}, True, id="purl"),
        pytest.param({"package": "pkg:deb/debian/libssl3@3.0.1"}, True, id="purl with its version"),
        pytest.param({"package": "pkg:deb/debian/libssl3@3.0.2"}, False, id="purl with another version"),
        pytest.param({"package": "pkg:deb/debian/libssl3?arch=amd64"}, True, id="purl with a qualifier"),
        pytest.param({"package": "pkg:deb/debian/libssl3?arch=arm64"}, False, id="purl with another qualifier"),
        pytest.param({"package": "libssl3"}, True, id="name"),
        pytest.param({"package": "openssl"}, True, id="source"),
        pytest.param({"package": "flask"}, False, id="another package"),
        pytest.param({"path": "var/lib/dpkg/*"}, True, id="path"),
        pytest.param({"path": "/var/**"}, True, id="folders"),
        pytest.param({"path": "var/*"}, False, id="one folder only"),
        pytest.param({"fingerprint": CRITICAL.fingerprint}, True, id="fingerprint"),
        pytest.param({"fingerprint": "0" * 32}, False, id="another fingerprint"),
        pytest.param({"rule": "CVE-2026-1", "package": "flask"}, False, id="all parts have to match"),
        pytest.param({"rule": "CVE-2026-1", "target": "registry.example/prod/*"}, True, id="target"),
        pytest.param({"rule": "CVE-2026-1", "target": "registry.example/dev/*"}, False, id="another target"),
        pytest.param({"rule": "*", "package": "openssl"}, True, id="every rule within a scope"),
    ],
)
def test_what_a_waiver_accepts(scope: dict[str, str], accepted: bool) -> None:
    verdict = vet(DENY + waiver(**scope), on(CRITICAL))
    assert (verdict.decision is Decision.ALLOW) == accepted
    assert verdict.set_aside_count == accepted


def test_an_alias_is_waived_as_well() -> None:
    assert isinstance(CRITICAL.evidence, VulnerabilityEvidence)
    known = replace(CRITICAL, rule="GHSA-1", evidence=replace(CRITICAL.evidence, aliases=("CVE-2026-1",)))
    assert vet(DENY + waiver(rule="CVE-2026-1"), on(known)).decision is Decision.ALLOW


def test_what_was_set_aside_is_listed_with_why() -> None:
    aside = vet(DENY + waiver(rule="CVE-2026-1"), on(CRITICAL)).set_aside[0]
    assert (aside.rule, aside.by, aside.reason, aside.owner, aside.expires) == (
        "CVE-2026-1", "waiver", "known", "ann", "2027-01-01",
    )  # fmt: skip
    assert aside.subject == "libssl3 3.0.1"
    assert aside.where.startswith("p.toml:")


def test_a_waiver_holds_through_its_last_day_and_not_after() -> None:
    assert vet(DENY + waiver(day(0), rule="CVE-2026-1"), on(CRITICAL)).decision is Decision.ALLOW
    verdict = vet(DENY + waiver(day(-1), rule="CVE-2026-1"), on(CRITICAL))
    assert verdict.decision is Decision.DENY
    assert [(one.code, one.gravity) for one in verdict.warnings] == [("waiver.expired", Gravity.NOTE)]
    assert "expired on 2026-11-23" in verdict.warnings[0].message


def test_a_waiver_that_ends_soon_is_told_before() -> None:
    verdict = vet(DENY + waiver(day(10), rule="CVE-2026-1"), on(CRITICAL))
    assert [one.code for one in verdict.warnings] == ["waiver.ending"]


def test_a_waiver_that_matches_nothing_is_told() -> None:
    verdict = vet(DENY + waiver(rule="CVE-1999-1"), on())
    assert [one.code for one in verdict.warnings] == ["waiver.unused"]
    assert verdict.decision is Decision.ALLOW


def test_a_waiver_for_another_target_is_not_unused() -> None:
    assert vet(DENY + waiver(rule="CVE-1999-1", target="elsewhere/*"), on()).warnings == ()


def test_a_demand_can_be_waived_by_its_rule() -> None:
    text = "[user]\nallow = ['non-root']\n"
    assert vet(text, on(configuration=image("root"))).decision is Decision.DENY
    verdict = vet(text + waiver(rule="policy.user"), on(configuration=image("root")))
    assert (verdict.decision, verdict.set_aside[0].rule) == (Decision.ALLOW, "policy.user")


def test_thousands_of_findings_and_waivers_leave_a_verdict_that_can_be_read() -> None:
    waivers = "".join(waiver(rule=f"CVE-2020-{n}") for n in range(2_000))
    many = [finding(FLASK, f"CVE-2019-{n}", "critical", fixed="2") for n in range(10_000)]
    verdict = vet(DENY + waivers, on(*many))
    assert verdict.because[0].count == 10_000
    assert len(verdict.warnings) < 50


# Completeness


def test_an_incomplete_scan_warns_unless_told_otherwise() -> None:
    problem = Problem("layer.truncated", "a layer is cut short", where="layer 2", remedy="pull it again")
    verdict = vet("", on(problems=(problem,)))
    assert rules(verdict) == [("policy.incomplete", "warn")]
    assert "a layer is cut short (layer 2)" in verdict.because[0].message
    assert verdict.because[0].how_to_pass == ("pull it again",)
    assert vet("incomplete = 'deny'", on(problems=(problem,))).decision is Decision.DENY


def test_a_failed_scan_is_always_denied() -> None:
    assert vet("", on(problems=(Problem("x.y", "unreadable", Gravity.FAILED),))).decision is Decision.DENY


def test_notes_are_no_incompleteness() -> None:
    assert vet("", on(problems=(Problem("x.y", "by the way", Gravity.NOTE),))).decision is Decision.ALLOW


def test_what_the_policy_has_rules_for_and_nobody_looked_for_is_incomplete() -> None:
    verdict = vet("[secret]\ndeny = 'low'", on(engines=("packages", "vulnerabilities")))
    assert messages(verdict) == ["the scan is complete: secrets were not looked for"]
    assert vet("[secret]\ndeny = 'low'", on(engines=("packages", "secrets"))).decision is Decision.ALLOW


def test_what_was_not_checked_is_incomplete() -> None:
    assert "not checked: Maven" in messages(vet("", on(not_checked=("Maven",))))[0]


# Targets


def test_a_target_has_demands_of_its_own() -> None:
    text = """
        [vulnerability]
        deny = "critical"
        known_exploited = "deny"
        [[target]]
        match = "registry.example/prod/*"
        [target.vulnerability]
        deny = "high"
        [[target]]
        match = "registry.example/dev/*"
        incomplete = "deny"
        """
    assert vet(text, on(HIGH)).decision is Decision.DENY
    assert vet(text, on(HIGH, target=registry("registry.example/dev/a:1"))).decision is Decision.ALLOW
    assert vet(text, on(EXPLOITED)).decision is Decision.DENY, "what the target does not say stays"


def test_names_are_completed_before_they_are_compared() -> None:
    text = "[[target]]\nmatch = 'docker.io/library/*'\n[target.vulnerability]\ndeny = 'low'"
    assert vet(text, on(HIGH, target=registry("nginx:1.27"))).decision is Decision.DENY


def test_a_target_may_be_known_by_other_names() -> None:
    text = DENY + waiver(rule="CVE-2026-1", target="prod/*")
    assert vet(text, on(CRITICAL)).decision is Decision.DENY
    assert vet(text, on(CRITICAL), facts=Facts(names=("prod/shop",))).decision is Decision.ALLOW


def test_evaluating_changes_nothing_and_gives_the_same_again() -> None:
    one = policy(DENY + waiver(rule="CVE-2026-1"))
    target = on(CRITICAL, HIGH, secret())
    assert evaluate(one, target, today=TODAY) == evaluate(one, target, today=TODAY)
