"""Explaining an id, and the rules of the room."""

from advisory.records import CRITICAL, database, osv, tracker
from holdfast.advisory.record import EpssEntry, KevEntry
from holdfast.advisory.rules import RULES, explain
from holdfast.model.advisory import Epss, KnownExploited
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


def test_what_nobody_knows() -> None:
    assert explain([database()], "CVE-2024-9999") is None


def test_rules_serve_controls() -> None:
    assert all(rule.controls and rule.why and rule.fix for rule in RULES)
