"""Explaining an id, and the rules of the room."""

import pytest

from advisory.records import CRITICAL, database, osv, tracker
from holdfast.advisory.record import EpssEntry, KevEntry
from holdfast.advisory.rules import RULES, explain
from holdfast.model.advisory import Affected, Epss, KnownExploited
from holdfast.model.finding import Severity


def test_everything_that_is_known_of_a_cve() -> None:
    exploited, epss = KnownExploited("2024-01-01"), Epss(0.5, 0.9, "v5")
    main = database(
        osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2024-1000"], vector=CRITICAL),
        KevEntry("CVE-2024-1000", exploited),
        EpssEntry("CVE-2024-1000", epss),
    )
    archive = database(tracker("flask", "CVE-2024-1000", fixed="2.2.2-3+deb12u1", source="archive"))
    told = explain([main, archive], "cve-2024-1000")
    assert told is not None
    assert [advisory.source for advisory in told.advisories] == ["osv/PyPI", "archive"]
    assert (told.severity, told.known_exploited, told.epss) == (Severity.CRITICAL, exploited, epss)


def test_an_id_in_its_own_case() -> None:
    told = explain([database(osv("GHSA-abcd-1", "PyPI", "x", fixed="1"))], " GHSA-abcd-1 ")
    assert told is not None


@pytest.mark.parametrize("identity", ["MAL-2024-1", "mal-2024-1", "GHSA-evil-1"])
def test_a_malicious_package_by_its_id_or_another(identity: str) -> None:
    main = database(
        osv("MAL-2024-1", "npm", "evil", versions=["1.0.0", "1.0.1"], aliases=["GHSA-evil-1", "GHSA-evil-2"]),
        osv("MAL-2024-10", "npm", "worse", aliases=["GHSA-evil-10"]),
    )
    told = explain([main], identity)
    assert told is not None
    (advisory,) = told.advisories
    assert (advisory.id, advisory.aliases) == ("MAL-2024-1", ("GHSA-evil-1", "GHSA-evil-2"))
    assert advisory.affected == (Affected("npm", "evil", versions=("1.0.0", "1.0.1")),)
    assert advisory.summary == "evil is a malicious package"
    assert told.severity is Severity.CRITICAL


@pytest.mark.parametrize("identity", ["GHSA-1", "PYSEC-1"])
def test_another_id_has_the_ranks_of_its_cves(identity: str) -> None:
    exploited, epss = KnownExploited("2024-01-01"), Epss(0.5, 0.9, "v5")
    main = database(
        osv("GHSA-1", "PyPI", "flask", fixed="2", aliases=["CVE-2024-1000", "CVE-2024-1001", "PYSEC-1"]),
        osv("PYSEC-1", "PyPI", "flask", fixed="2", aliases=["GHSA-1"]),
        KevEntry("CVE-2024-1000", exploited),
        EpssEntry("CVE-2024-1000", Epss(0.1, 0.2, "v5")),
        EpssEntry("CVE-2024-1001", epss),
    )
    told = explain([database(), main], identity)
    assert told is not None
    assert (told.known_exploited, told.epss) == (exploited, epss)


def test_a_cve_has_its_own_ranks_alone() -> None:
    main = database(
        osv("GHSA-1", "PyPI", "flask", fixed="2", aliases=["CVE-2024-1000", "CVE-2024-1001"]),
        KevEntry("CVE-2024-1000", KnownExploited("2024-01-01")),
    )
    told = explain([main], "CVE-2024-1001")
    assert told is not None
    assert told.known_exploited is None


def test_what_an_advisory_only_refers_to_is_not_ranked_by_it() -> None:
    main = database(
        osv("GHSA-1", "PyPI", "flask", fixed="2", aliases=["CVE-2024-1000"], related=["GHSA-2"]),
        osv("GHSA-2", "PyPI", "flask", fixed="2"),
        KevEntry("CVE-2024-1000", KnownExploited("2024-01-01")),
    )
    told = explain([main], "GHSA-2")
    assert told is not None
    assert told.known_exploited is None


def test_what_nobody_knows() -> None:
    assert explain([database()], "CVE-2024-9999") is None


def test_rules_serve_controls() -> None:
    assert all(rule.controls and rule.why and rule.fix for rule in RULES)
