"""Builders: a policy from TOML as people write it, an image's configuration, and what a report then leads to."""

from datetime import date, timedelta
from textwrap import dedent
from typing import Any

from holdfast.model.finding import (
    Confidence,
    ConfigurationEvidence,
    Finding,
    Fix,
    Kind,
    Location,
    MalwareEvidence,
    SecretEvidence,
    Severity,
    Subject,
)
from holdfast.model.policy import Policy
from holdfast.model.report import Configuration, Report, Target
from holdfast.model.verdict import Verdict
from holdfast.policy.evaluate import evaluate
from holdfast.policy.parse import parse
from report.reports import digest

TODAY = date(2026, 11, 24)


def day(offset: int) -> str:
    """The day so many days from today."""
    return (TODAY + timedelta(days=offset)).isoformat()


def policy(text: str, name: str = "p.toml") -> Policy:
    return parse(dedent(text).lstrip("\n").encode(), name)


def vet(text: str, report: Report, **given: Any) -> Verdict:
    return evaluate(policy(text), report, today=TODAY, **given)


def waiver(expires: str = "2027-01-01", **fields: str) -> str:
    lines = "".join(f"{key} = {value!r}\n" for key, value in fields.items())
    return f"\n[[waiver]]\n{lines}reason = 'known'\nowner = 'ann'\nexpires = {expires}\n"


def rules(verdict: Verdict) -> list[tuple[str, str]]:
    return [(reason.rule, reason.decision.value) for reason in verdict.because]


def messages(verdict: Verdict) -> list[str]:
    return [reason.message for reason in verdict.because]


def image(user: str = "app", created: str = "2026-11-01T00:00:00Z", **labels: str) -> Configuration:
    return Configuration(user, {key.replace("_", "."): value for key, value in labels.items()}, created)


def registry(name: str = "registry.example/prod/shop:1.4") -> Target:
    return Target(name, "registry", digest("manifest"), digest("config"), digest("index"))


def _finding(kind: Kind, rule: str, path: str, evidence: Any, severity: str, confidence: str) -> Finding:
    return Finding(
        rule, kind, Severity(severity), Confidence(confidence), Subject(path), evidence,
        Location(path, digest("l"), digest("d")), Fix(advice=f"Mend {rule}."), f"This is {rule}",
    )  # fmt: skip


def secret(
    rule: str = "secret.npm-token", path: str = "app/.npmrc", *, confidence: str = "high", alive: str = ""
) -> Finding:
    evidence = SecretEvidence("npm_…abcd", "0" * 32, 40, alive=alive)
    return _finding(Kind.SECRET, rule, path, evidence, "high", confidence)


def malware(
    rule: str = "malware.miner", path: str = "tmp/x", severity: str = "high", confidence: str = "high"
) -> Finding:
    return _finding(Kind.MALWARE, rule, path, MalwareEvidence(), severity, confidence)


def setting(rule: str = "image.setuid", path: str = "bin/x", severity: str = "medium") -> Finding:
    return _finding(Kind.CONFIGURATION, rule, path, ConfigurationEvidence("a"), severity, "high")
