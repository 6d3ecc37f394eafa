"""What to upgrade to be rid of most."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.finding import Finding
from holdfast.model.package import Package
from holdfast.report.remedy import Upgrade, newest_version, upgrades
from holdfast.report.rows import is_fixable, rows
from report.reports import deb, declared, finding, pypi, report


def plan(*findings: Finding, packages: tuple[Package, ...]) -> tuple[Upgrade, ...]:
    return upgrades(rows(report(*findings, packages=packages)), newest_version)


def test_the_version_to_move_to_is_the_newest_of_the_fixes_by_the_ordering_of_the_ecosystem() -> None:
    package = deb("openssl", "3.0.9-1")
    found = plan(
        finding(package, "CVE-1", fixed="3.0.11-1~deb12u2"),
        finding(package, "CVE-2", fixed="3.0.9-2"),
        finding(package, "CVE-3", fixed="3.0.11-1~deb12u10"),
        packages=(package,),
    )
    assert [(item.name, item.version, item.count) for item in found] == [("openssl", "3.0.11-1~deb12u10", 3)]


def test_a_tilde_sorts_before_the_release_for_debian() -> None:
    assert newest_version("deb", ["1.0", "1.0~rc1"]) == "1.0"
    assert newest_version("pypi", ["1.10", "1.9"]) == "1.10"


def test_what_has_no_fix_is_not_counted() -> None:
    package = pypi("a", "1")
    found = plan(finding(package, "CVE-1", fixed="2"), finding(package, "CVE-2"), packages=(package,))
    assert [item.count for item in found] == [1]


def test_no_fix_no_plan() -> None:
    package = pypi("a", "1")
    assert plan(finding(package, "CVE-1"), packages=(package,)) == ()


def test_a_known_exploited_one_comes_before_many_others() -> None:
    many, exploited = pypi("many", "1"), pypi("exploited", "1")
    found = plan(
        *(finding(many, f"CVE-{number}", fixed="2") for number in range(20)),
        finding(exploited, "CVE-99", fixed="2", risk=30, exploited=True),
        packages=(many, exploited),
    )
    assert [item.name for item in found] == ["exploited", "many"]


def test_two_installed_versions_of_one_package_are_one_thing_to_do() -> None:
    old, older = pypi("lodash", "2.0"), pypi("lodash", "1.0")
    found = plan(finding(old, "CVE-1", fixed="3.0"), finding(older, "CVE-1", fixed="2.5"), packages=(old, older))
    assert [(set(item.installed), item.version, item.count) for item in found] == [({"1.0", "2.0"}, "3.0", 2)]


def test_the_base_and_the_application_are_upgraded_apart() -> None:
    packages = (deb("openssl", "1"), pypi("openssl", "1"))
    found = plan(*(finding(one, "CVE-1", fixed="2") for one in packages), packages=packages)
    assert {item.side for item in found} == {"base", "application"}


def test_what_serves_development_only_is_nothing_to_do() -> None:
    package = declared("pytest", "1", development=True)
    assert plan(finding(package, "CVE-1", fixed="2"), packages=(package,)) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.sampled_from(["", "1.2", "1.10", "2.0"])), max_size=30)
)
def test_all_upgrades_together_mend_all_that_can_be_mended(drawn: list[tuple[int, int, str]]) -> None:
    packages = tuple(pypi(f"p{number}", "1.0") for number in range(6))
    findings = [finding(packages[number], f"CVE-{rule}", fixed=fixed) for number, rule, fixed in drawn]
    found = rows(report(*findings, packages=packages))
    total = sum(is_fixable(one) for row in found for one in row.findings)
    made = upgrades(found, newest_version)
    assert sum(item.count for item in made) == total
    assert [item.weight for item in made] == sorted((item.weight for item in made), reverse=True)
