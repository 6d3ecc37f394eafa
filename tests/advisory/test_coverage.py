"""What cannot be checked is said before anything is looked up, and makes the result partial."""

from datetime import date

import pytest

from advisory.records import ALMA, DEBIAN, database, deb, declared, library, osv, rpm, tracker
from holdfast.advisory.coverage import Plan, plan
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity, Status, status_of

TODAY = date(2026, 6, 1)


def planned(*packages: Package, on: Distribution | None = None) -> Plan:
    """A plan against a database of Debian, AlmaLinux and three languages."""
    told = [
        tracker("bash", "CVE-2022-1"),
        osv("ALSA-1", "AlmaLinux:9", "bash"),
        osv("GHSA-1", "PyPI", "flask", fixed="1"),
        osv("GHSA-2", "npm", "ws", fixed="1"),
        osv("GO-1", "Go", "example.com/x", fixed="1"),
    ]
    return plan(packages, on, [database(*told)], TODAY)


def problems(plan: Plan) -> list[tuple[str, Gravity, int]]:
    return [(problem.code, problem.gravity, problem.count) for problem in plan.problems]


@pytest.mark.parametrize("packages", [(), (library("pypi", "flask", "2.0"),)], ids=["nothing", "a language"])
def test_a_distribution_without_its_packages_is_not_checked(packages: tuple[Package, ...]) -> None:
    outcome = planned(*packages, on=ALMA)
    assert problems(outcome) == [("distribution.no-packages", Gravity.PARTIAL, 1)]
    assert outcome.not_checked == (str(ALMA),)
    assert outcome.problems[0].message.startswith("AlmaLinux 9.3 was recognised")


def test_a_distribution_without_its_packages_is_said_without_a_database_too() -> None:
    codes = [problem.code for problem in plan((), DEBIAN, [], TODAY).problems]
    assert codes == ["distribution.no-packages", "database.missing"]


def test_nothing_at_all_is_not_complete() -> None:
    assert problems(planned()) == [("packages.none", Gravity.PARTIAL, 1)]


def test_an_image_of_one_program_needs_no_distribution() -> None:
    assert problems(planned(library("golang", "example.com/x", "1.0.0"))) == []


def test_a_distribution_with_its_packages_is_complete() -> None:
    assert problems(planned(deb("bash", "5.2-1"), on=DEBIAN)) == []


def test_what_is_not_checked_is_never_complete() -> None:
    outcome = planned(rpm("php", "8.0.1-1.el9.remi"), on=ALMA)
    assert outcome.not_checked == ("third-party packages (php)",)
    assert problems(outcome) == [("package.third-party", Gravity.PARTIAL, 1)]
    assert status_of(outcome.problems) is Status.PARTIAL


@pytest.mark.parametrize("version", ["", "(devel)"])
def test_a_programs_own_module_is_no_gap(version: str) -> None:
    outcome = planned(library("golang", "example.com/shop", version), library("golang", "example.com/x", "1.0.0"))
    assert problems(outcome) == []


def test_a_standard_library_without_a_version_is_told() -> None:
    assert problems(planned(library("golang", "stdlib", ""))) == [("package.unversioned", Gravity.NOTE, 1)]


def test_requirements_that_name_no_version_make_the_result_partial() -> None:
    outcome = planned(declared("pypi", "flask", ""), declared("pypi", "urllib3", ""))
    assert problems(outcome) == [("package.unpinned", Gravity.PARTIAL, 2)]
    assert outcome.problems[0].message.endswith("flask, urllib3")


def test_requirements_for_development_and_installed_packages_without_a_version_are_notes() -> None:
    outcome = planned(declared("pypi", "pytest", "", development=True), library("npm", "ws", ""))
    assert problems(outcome) == [("package.unversioned", Gravity.NOTE, 2)]
