"""How findings become what people count."""

from holdfast.model.artifact import Side
from holdfast.report.rows import rows
from report.reports import deb, declared, finding, pypi, report, tampered


def test_binaries_of_one_source_package_are_one_row_with_each_vulnerability_once() -> None:
    library, tool = (deb(name, "3.0.1-1", source="openssl") for name in ("libssl3", "openssl"))
    found = rows(
        report(
            *(finding(package, rule) for package in (library, tool) for rule in ("CVE-1", "CVE-2")),
            packages=(library, tool),
        )
    )
    assert [(row.name, row.version, len(row.findings), row.binaries) for row in found] == [
        ("openssl", "3.0.1-1", 2, ("libssl3", "openssl"))
    ]


def test_a_single_binary_is_shown_with_its_own_version() -> None:
    bash = deb("bash", "5.2.15-2+b13", source="bash", source_version="5.2.15-2")
    assert rows(report(finding(bash, "CVE-1"), packages=(bash,)))[0].version == "5.2.15-2+b13"


def test_two_versions_of_one_package_are_two_rows() -> None:
    old, new = pypi("jinja2", "2.10"), pypi("jinja2", "3.0")
    found = rows(report(finding(old, "CVE-1"), finding(new, "CVE-1"), packages=(old, new)))
    assert {row.version for row in found} == {"2.10", "3.0"}


def test_rows_are_ordered_by_their_highest_risk() -> None:
    calm, urgent = pypi("calm", "1"), pypi("urgent", "1")
    found = rows(
        report(
            finding(calm, "CVE-1", risk=10), finding(calm, "CVE-2", risk=20), finding(urgent, "CVE-3", risk=90),
            packages=(calm, urgent),
        )
    )  # fmt: skip
    assert [(row.name, row.risk) for row in found] == [("urgent", 90), ("calm", 20)]


def test_what_a_lock_file_declares_and_what_serves_development_stand_apart() -> None:
    packages = (pypi("a", "1"), declared("b", "1"), declared("c", "1", development=True))
    found = rows(report(*(finding(package, "CVE-1") for package in packages), packages=packages))
    assert {row.name: row.apart for row in found} == {"a": "", "b": "declared", "c": "development"}


def test_not_affected_and_tampered_are_no_vulnerabilities_of_a_package() -> None:
    package = pypi("a", "1")
    assert rows(report(tampered(), finding(package, "CVE-1", state="not-affected"), packages=(package,))) == ()


def test_of_two_records_of_one_rule_the_one_with_a_fix_counts() -> None:
    package = pypi("a", "1")
    found = rows(
        report(finding(package, "CVE-1", risk=50), finding(package, "CVE-1", risk=40, fixed="2"), packages=(package,))
    )
    assert [one.fix.version for one in found[0].findings] == ["2"]


def test_the_side_that_has_to_move_decides() -> None:
    package = deb("openssl", "3.0.1")
    assert rows(report(finding(package, "CVE-1", fixed="3.0.2"), packages=(package,)))[0].side is Side.BASE


def test_a_finding_about_a_package_that_is_not_listed_is_not_lost() -> None:
    found = rows(report(finding(pypi("gone", "1"), "CVE-1"), packages=()))
    assert [(row.type, row.name) for row in found] == [("pypi", "gone")]


def test_an_npm_scope_belongs_to_the_name_and_a_distribution_does_not() -> None:
    scoped = pypi("core", "1", namespace="@angular")
    packages = (scoped, deb("openssl", "1"))
    assert {row.name for row in rows(report(*(finding(one, "CVE-1") for one in packages), packages=packages))} == {
        "@angular/core",
        "openssl",
    }
