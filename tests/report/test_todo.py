"""Ten things to do: shared among the kinds, the most urgent first; and the order in which findings are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.finding import Finding, Kind, Severity
from holdfast.model.report import Report
from holdfast.report.entries import causes
from holdfast.report.rows import rows
from holdfast.report.todo import THINGS_TO_DO, Plan, plan_of, things
from holdfast.report.words import in_order, is_alive, other_places, place_of, times
from report.reports import (
    ALL_ENGINES,
    deb,
    finding,
    malicious,
    misstated,
    pypi,
    report,
    secret,
    setting,
    tampered,
)


def plan(given_: Report) -> Plan:
    return plan_of(given_, rows(given_), rows(given_, Kind.MALWARE))


numbers = st.integers(0, 40)


@given(numbers, numbers, numbers, numbers)
def test_the_ten_lines_are_shared(removals: int, secrets: int, settings: int, upgrades: int) -> None:
    packages = tuple(deb(f"p{number}", "1") for number in range(upgrades))
    made = Plan(
        tuple(f"evil {number}" for number in range(removals)),
        (),
        ((secret(), [secret()]),) * secrets,
        ((setting(), [setting()]),) * settings,
        plan(report(*(finding(one, "CVE-1", fixed="2") for one in packages), packages=packages)).upgrades,
    )
    wanted, shares = (removals, secrets, settings, upgrades), made.shares()
    assert sum(shares) == min(THINGS_TO_DO, sum(wanted))
    assert all(0 <= share <= count for share, count in zip(shares, wanted, strict=True))
    assert all(share for share, count in zip(shares, wanted, strict=True) if count)
    chosen, more = things(made)
    assert len(chosen) + more == sum(wanted)


def test_things_say_what_to_do_where_and_how() -> None:
    package = pypi("jinja2", "2.10")
    made = report(
        malicious(), secret(places=("a", "b")), setting(), finding(package, "CVE-1", fixed="2.10.1"),
        packages=(package,), engines=ALL_ENGINES,
    )  # fmt: skip
    chosen, more = things(plan(made))
    replacing = "in srv/app/.env:3 and 2 more places. Revoke the key, then build the image without it."
    assert more == 0
    assert [(one.verb, one.what, one.how) for one in chosen] == [
        ("remove", "usr/local/bin/kthreadd", "It was made to do harm."),
        ("replace", "AWS access key", replacing),
        ("change", "Containers of this image run as root", "Add USER to the Dockerfile."),
        ("upgrade", "jinja2", "2.10 → 2.10.1 (1 vulnerability gone, in the application)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "place", "more"),
    [
        (secret(), "srv/app/.env:3", 0),
        (secret("x", 0), "x", 0),
        (secret("", 0, place="history 3"), "history 3", 0),
        (secret("etc/x", 2, place="environment A"), "etc/x:2 (environment A)", 0),
        (secret(places=("srv/app/.env:3", "b", "b")), "srv/app/.env:3", 1),
        (malicious("a.zip", inside="b.php"), "a.zip!/b.php", 0),
        (malicious("a", places=("b",), count=9), "a", 8),
        (setting("x", "low", "Dockerfile", line=7), "Dockerfile:7", 0),
        (setting("x", "low", "a", places=("a", "b"), count=2), "a", 1),
        (setting(), "", 0),
    ],
)
def test_a_place_is_told_once_and_the_others_counted(one: Finding, place: str, more: int) -> None:
    assert place_of(one) == place
    assert times(one) - 1 == more
    assert place not in other_places(one) or not place


def test_findings_are_told_live_secrets_first_and_doubtful_ones_last() -> None:
    live, doubtful = secret("a", alive="yes", severity=Severity.LOW), secret("b", confidence="low")
    low, high = setting(severity="low"), setting("x", "high")
    assert in_order([doubtful, low, high, live]) == [live, high, low, doubtful]
    assert is_alive(live)


def test_causes_come_broken_integrity_first_then_malware_then_what_is_attacked() -> None:
    package = deb("openssl", "1")
    attacked, other = finding(package, "CVE-1", exploited=True), finding(package, "CVE-2", "critical")
    made = report(setting("x", "critical"), other, secret(), attacked, malicious(), tampered(), packages=(package,))
    assert [cause.finding.rule for cause in causes(made)] == [
        "image.layer-digest-mismatch", "malware.miner", "CVE-1", "secret.aws-access-key", "CVE-2", "x",
    ]  # fmt: skip


def test_one_cause_stands_for_all_binaries_and_all_places() -> None:
    binaries = tuple(deb(name, "3", source="openssl") for name in ("openssl", "libssl3"))
    many = [setting("image.setuid-file", "medium", f"usr/bin/{number}") for number in range(5)]
    many.append(setting("image.setuid-file", "high", "usr/bin/evil"))
    made = report(*(finding(one, "CVE-1") for one in binaries), *many, misstated(), packages=binaries)
    found = causes(made)
    assert len(found) == 4
    assert sorted(len(cause.members) for cause in found) == [0, 0, 1, 5]


def test_what_is_not_affected_is_no_cause() -> None:
    package = deb("openssl", "1")
    assert causes(report(finding(package, "CVE-1", state="not-affected"), packages=(package,))) == []
