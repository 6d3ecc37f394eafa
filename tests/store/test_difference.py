"""What changed from one report to another."""

from msgspec.structs import replace

from holdfast.store.difference import Difference, PackageChange, difference
from report.reports import deb, finding, misstated, pypi, report

OPENSSL, FLASK = deb("openssl", "3.0.11-1"), pypi("flask", "2.0.0")
ONE, TWO = finding(OPENSSL, "CVE-2026-0001", "low"), finding(FLASK, "CVE-2026-0002", "critical")


def test_a_report_does_not_differ_from_itself() -> None:
    same = report(ONE, TWO, packages=(OPENSSL, FLASK))
    assert difference(same, same) == Difference(same=2)


def test_findings_are_new_gone_or_changed_gravest_first() -> None:
    worse = finding(OPENSSL, "CVE-2026-0001", "high", fixed="3.0.12-1")
    found = difference(report(ONE, misstated()), report(worse, TWO, finding(FLASK, "CVE-2026-0003", "medium")))
    assert [one.rule for one in found.new] == ["CVE-2026-0002", "CVE-2026-0003"]
    assert [one.rule for one in found.gone] == ["image.sbom-unlisted-package"]
    (changed,) = found.changed
    assert changed.what == ("severity low → high", "fixed in nothing → 3.0.12-1", "affected → fixed")
    assert found.same == 0


def test_a_finding_of_another_version_is_the_same() -> None:
    newer = finding(deb("openssl", "3.0.11-2"), "CVE-2026-0001", "low", risk=51)
    assert difference(report(ONE), report(newer)) == Difference(same=1)


def test_what_becomes_not_affected_is_gone() -> None:
    found = difference(report(ONE), report(finding(OPENSSL, "CVE-2026-0001", "low", state="not-affected")))
    assert [one.rule for one in found.gone] == ["CVE-2026-0001"]


def test_packages_are_added_removed_and_of_other_versions() -> None:
    arm = replace(OPENSSL, architecture="arm64")
    scoped = pypi("x", "1", namespace="org")
    old = report(packages=(OPENSSL, FLASK, deb("bash", "5")))
    new = report(packages=(arm, pypi("flask", "2.0.0"), pypi("flask", "3.0.0"), scoped))
    found = difference(old, new)
    assert found.added == (PackageChange("pypi", "org/x", (), ("1",)),)
    assert found.removed == (PackageChange("deb", "bash", ("5",), ()),)
    assert found.moved == (PackageChange("pypi", "flask", ("2.0.0",), ("2.0.0", "3.0.0")),)
