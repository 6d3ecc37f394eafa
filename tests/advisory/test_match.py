"""Matching, by hand-written records: one test for every trap that advisories and packages set."""

from datetime import date

import pytest

from advisory.records import (
    ALMA,
    ALPINE,
    CRITICAL,
    DEBIAN,
    UBUNTU,
    apk,
    codes,
    database,
    deb,
    declared,
    evidence,
    found,
    library,
    only,
    osv,
    rpm,
    tracker,
)
from holdfast.advisory.match import Matching, match
from holdfast.advisory.record import EpssEntry, KevEntry, Record, Release
from holdfast.model.advisory import Advisory, Affected, Epss, FixState, KnownExploited, Score
from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Kind, Location, Severity
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity

TODAY = date(2026, 6, 1)


def on_debian(packages: list[Package], *records: Advisory) -> Matching:
    return match(packages, DEBIAN, [database(*records)], today=TODAY)


def in_language(package: Package, *records: Advisory) -> Matching:
    return match([package], None, [database(*records)], today=TODAY)


class TestSources:
    """Distributions speak of source packages."""

    def test_a_binary_is_matched_by_its_source(self) -> None:
        matching = on_debian(
            [deb("libssl3", "3.0.11-1", source="openssl")], tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")
        )
        assert evidence(only(matching)).compared == "openssl 3.0.11-1"

    def test_a_binary_named_like_another_source_is_not_that_source(self) -> None:
        packages = [deb("openssl", "1.0", source="other")]
        assert not found(on_debian(packages, tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")))

    def test_a_rebuilt_binary_has_its_sources_version(self) -> None:
        """bash 5.2.15-2+b13 is source 5.2.15-2: a rebuild fixes nothing, and is no newer than its source."""
        told = tracker("bash", "CVE-2022-1", fixed="5.2.15-2+deb12u1")
        assert found(on_debian([deb("bash", "5.2.15-2+b13")], told)) == {"CVE-2022-1"}
        told = tracker("bash", "CVE-2022-1", fixed="5.2.15-2")
        assert not found(on_debian([deb("bash", "5.2.15-2+b13", source_version="5.2.15-2")], told))

    def test_epochs_count(self) -> None:
        told = tracker("zlib", "CVE-2022-1", fixed="1:1.2.13.dfsg-1")
        assert not found(on_debian([deb("zlib1g", "1:1.2.13.dfsg-1", source="zlib")], told))
        assert found(on_debian([deb("zlib1g", "1:1.2.11.dfsg-1", source="zlib")], told))

    def test_a_signed_kernel_is_the_kernel(self) -> None:
        package = deb(
            "linux-image-amd64", "6.1.55-1", source="linux-signed-amd64", source_version="6.1.55+1", vendor="Debian"
        )
        finding = only(on_debian([package], tracker("linux", "CVE-2023-1", fixed="6.1.64-1")))
        assert evidence(finding).compared == "linux 6.1.55-1"

    def test_a_signed_boot_loader_is_the_boot_loader(self) -> None:
        package = deb(
            "grub-efi-amd64-signed",
            "1+2.06+13+deb12u1",
            source="grub-efi-amd64-signed",
            source_version="1+2.06+13+deb12u1",
        )
        finding = only(on_debian([package], tracker("grub2", "CVE-2023-1", fixed="2.06-13+deb12u2")))
        assert evidence(finding).compared.startswith("grub2 2.06")

    def test_several_binaries_of_one_source_are_one_finding(self) -> None:
        packages = [deb(name, "3.0.11-1", source="openssl") for name in ("libssl3", "openssl", "libssl-dev")]
        told = tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")
        finding = only(on_debian(packages, told))
        assert (finding.subject.name, finding.count) == ("openssl", 3)
        assert only(on_debian(packages[::-1], told)) == finding

    def test_without_a_binary_named_like_the_source_the_shortest_name_tells(self) -> None:
        packages = [deb(name, "2.36-9", source="glibc") for name in ("libc-bin", "libc6", "locales")]
        assert only(on_debian(packages, tracker("glibc", "CVE-2023-4911", fixed="2.36-10"))).subject.name == "libc6"

    def test_an_alpine_package_is_matched_by_its_origin(self) -> None:
        told = tracker("openssl", "CVE-2023-1", fixed="3.1.4-r0", source="alpine", ecosystem="Alpine", release="v3.18")
        matching = match([apk("libcrypto3", "3.1.3-r0", source="openssl")], ALPINE, [database(told)], today=TODAY)
        assert only(matching).fix.version == "3.1.4-r0"

    def test_another_release_of_the_distribution_says_nothing(self) -> None:
        told = tracker("bash", "CVE-2022-1", fixed="9.0-1", release="11")
        here = tracker("other", "CVE-2022-2", fixed="9.0-1")
        assert not found(on_debian([deb("bash", "5.2.15-2")], told, here))


class TestStates:
    """What a distribution says is kept apart."""

    @pytest.mark.parametrize(
        "state",
        [FixState.AFFECTED, FixState.WILL_NOT_FIX, FixState.DEFERRED, FixState.END_OF_LIFE],
    )
    def test_without_a_fix_the_state_is_the_distributions(self, state: FixState) -> None:
        finding = only(on_debian([deb("bash", "5.2")], tracker("bash", "CVE-2022-1", state=state)))
        assert (finding.fix.state, finding.fix.version) == (state, "")
        assert finding.fix.advice

    def test_under_investigation_is_doubtful(self) -> None:
        told = tracker("bash", "CVE-2022-1", state=FixState.UNDER_INVESTIGATION)
        finding = only(on_debian([deb("bash", "5.2")], told))
        assert finding.confidence is Confidence.LOW

    def test_not_affected_is_no_finding_whoever_else_claims_it(self) -> None:
        told = tracker("bash", "CVE-2022-1", state=FixState.NOT_AFFECTED)
        claim = osv("DEBIAN-CVE-2022-1", "Debian:12", "bash", aliases=["CVE-2022-1"])
        assert not found(on_debian([deb("bash", "5.2")], told, claim))

    def test_unimportant_is_negligible(self) -> None:
        told = tracker("bash", "CVE-2022-1", state=FixState.AFFECTED, urgency="unimportant")
        scored = osv("GHSA-1", "PyPI", "bash", aliases=["CVE-2022-1"], vector=CRITICAL)
        assert only(on_debian([deb("bash", "5.2")], told, scored)).severity is Severity.NEGLIGIBLE

    def test_without_a_word_of_the_distribution_the_score_of_the_cve_counts(self) -> None:
        told = tracker("bash", "CVE-2022-1", fixed="6.0")
        scored = osv("GHSA-1", "PyPI", "bash", aliases=["CVE-2022-1"], vector=CRITICAL)
        finding = only(on_debian([deb("bash", "5.2")], told, scored))
        assert finding.severity is Severity.CRITICAL
        assert evidence(finding).scores[0].source == "GHSA-1"

    def test_the_trackers_word_beats_the_archives(self) -> None:
        told = tracker("bash", "CVE-2022-1", fixed="5.1-1")
        changelog = tracker("bash", "CVE-2022-1", fixed="5.3-1", source="archive")
        assert not found(on_debian([deb("bash", "5.2-1")], told, changelog))

    def test_the_archive_knows_a_fix_that_the_tracker_does_not(self) -> None:
        told = tracker("bash", "CVE-2022-1", state=FixState.AFFECTED)
        changelog = tracker("bash", "CVE-2022-1", fixed="5.3-1", source="archive")
        assert only(on_debian([deb("bash", "5.2-1")], told, changelog)).fix.version == "5.3-1"
        assert not found(on_debian([deb("bash", "5.3-1")], told, changelog))

    def test_ubuntus_pro_fix_still_means_affected(self) -> None:
        open_ = osv("UBUNTU-CVE-2022-1", "Ubuntu:22.04:LTS", "bash", aliases=["CVE-2022-1"])
        pro = osv("USN-1-1", "Ubuntu:Pro:22.04:LTS", "bash", fixed="5.1-6ubuntu1+esm1", related=["CVE-2022-1"])
        packages = [deb("bash", "5.1-6ubuntu1", vendor="Ubuntu Developers")]
        finding = only(match(packages, UBUNTU, [database(open_, pro)], today=TODAY))
        assert finding.fix.version == "5.1-6ubuntu1+esm1"
        assert "Pro" in finding.fix.advice

    def test_ubuntus_own_fix_is_enough_without_pro(self) -> None:
        fixed = osv("UBUNTU-CVE-2022-1", "Ubuntu:22.04:LTS", "bash", fixed="5.1-6ubuntu1.1", aliases=["CVE-2022-1"])
        pro = osv("USN-1-1", "Ubuntu:Pro:22.04:LTS", "bash", fixed="5.1-6ubuntu1.1+esm1", related=["CVE-2022-1"])
        packages = [deb("bash", "5.1-6ubuntu1.1")]
        assert not found(match(packages, UBUNTU, [database(fixed, pro)], today=TODAY))


class TestKernel:
    def test_an_images_kernel_is_ranked_apart(self) -> None:
        told = [tracker("linux", "CVE-2023-1", fixed="6.1.64-1"), tracker("bash", "CVE-2023-2", fixed="6.0-1")]
        packages = [deb("linux-libc-dev", "6.1.55-1", source="linux"), deb("bash", "5.2-1")]
        bash, kernel = on_debian(packages, *told).findings
        assert (bash.rule, kernel.confidence) == ("CVE-2023-2", Confidence.LOW)
        assert evidence(kernel).risk < evidence(bash).risk / 2
        assert "kernel" in evidence(kernel).note

    def test_a_hosts_kernel_is_not(self) -> None:
        told = database(tracker("linux", "CVE-2023-1", fixed="6.1.64-1"))
        matching = match([deb("linux-image-amd64", "6.1.55-1", source="linux")], DEBIAN, [told], today=TODAY, host=True)
        assert only(matching).confidence is Confidence.HIGH


class TestRpm:
    """rpm distributions, by hand: binaries are looked up, sources are found."""

    def test_errata_are_one_finding_a_cve(self) -> None:
        told = osv("ALSA-2024:1", "AlmaLinux:9", "curl", fixed="7.76.1-27.el9", related=["CVE-2023-1", "CVE-2023-2"])
        matching = match([rpm("curl", "7.76.1-26.el9")], ALMA, [database(told)], today=TODAY)
        assert found(matching) == {"CVE-2023-1", "CVE-2023-2"}

    def test_several_errata_of_one_cve_are_one_finding(self) -> None:
        told = [
            osv("ALSA-2024:1", "AlmaLinux:9", "curl", fixed="7.76.1-27.el9", related=["CVE-2023-1"]),
            osv("ALSA-2024:2", "AlmaLinux:9", "curl", fixed="7.76.1-29.el9", related=["CVE-2023-1"]),
        ]
        finding = only(match([rpm("curl", "7.76.1-26.el9")], ALMA, [database(*told)], today=TODAY))
        assert finding.fix.version == "7.76.1-29.el9"

    def test_binaries_of_one_source_are_one_finding(self) -> None:
        names = ("openssl", "openssl-libs")
        told = [osv("ALSA-2024:1", "AlmaLinux:9", n, fixed="1:3.0.7-25.el9", related=["CVE-2023-1"]) for n in names]
        packages = [rpm(name, "1:3.0.7-24.el9", source="openssl") for name in names]
        assert only(match(packages, ALMA, [database(*told)], today=TODAY)).count == 2

    def test_an_epoch_beside_the_version_counts(self) -> None:
        told = osv("ALSA-2024:1", "AlmaLinux:9", "openssl", fixed="1:3.0.7-25.el9", related=["CVE-2023-1"])
        package = rpm("openssl", "3.0.7-25.el9", qualifiers=(("epoch", "1"),))
        assert not found(match([package], ALMA, [database(told)], today=TODAY))

    def test_a_module_is_held_against_its_own_stream(self) -> None:
        told = osv("ALSA-1", "AlmaLinux:9", "nodejs", fixed="1:20.9.0-1.module_el9.3", related=["CVE-2023-1"])
        world = database(told)
        other = rpm("nodejs", "1:18.18.0-1.module_el9.2")
        plain = rpm("nodejs", "1:16.20.0-1.el9")
        own = rpm("nodejs", "1:20.8.0-1.module_el9.3")
        assert not found(match([other], ALMA, [world], today=TODAY))
        assert not found(match([plain], ALMA, [world], today=TODAY))
        assert found(match([own], ALMA, [world], today=TODAY)) == {"CVE-2023-1"}

    def test_any_build_of_the_fix_is_the_fix(self) -> None:
        builds = ("1:16.13.1-3.module_el8.5.0+246+05401605", "1:16.13.1-3.module_el8.5.0+2605+45d748af")
        rows = tuple(Affected("AlmaLinux:9", "nodejs", fixed=build, state=FixState.FIXED) for build in builds)
        told = database(Advisory("ALSA-2021:5171", "osv/AlmaLinux", rows, related=("CVE-2021-3918",)))
        assert not found(match([rpm("nodejs", builds[0])], ALMA, [told], today=TODAY))
        assert found(match([rpm("nodejs", "1:16.13.0-1.module_el8.5.0+1+1")], ALMA, [told], today=TODAY))

    def test_the_distributions_word_is_the_severity(self) -> None:
        told = osv(
            "ALSA-1", "AlmaLinux:9", "curl", fixed="8", related=["CVE-2023-1"], severity="Important", vector=CRITICAL
        )
        assert only(match([rpm("curl", "7")], ALMA, [database(told)], today=TODAY)).severity is Severity.HIGH

    def test_packages_of_another_vendor_are_not_checked(self) -> None:
        told = osv("ALSA-1", "AlmaLinux:9", "php", fixed="8.0.30-1.el9", related=["CVE-2023-1"])
        for package in (
            rpm("php", "8.0.1-1.el9.remi"),
            rpm("php", "8.0.1-1.el9", vendor="Fedora Project"),
            rpm("php", "8.0.1-1.el7"),
        ):
            matching = match([package], ALMA, [database(told)], today=TODAY)
            assert not found(matching)
            assert "package.third-party" in codes(matching)
        assert found(match([rpm("php", "8.0.1-1.el9", vendor="AlmaLinux")], ALMA, [database(told)], today=TODAY))


class TestNotChecked:
    """Nothing is left out in silence."""

    def test_without_a_database(self) -> None:
        matching = match([deb("bash", "5"), library("npm", "ws", "1.0.0")], DEBIAN, [])
        assert codes(matching) == {"database.missing"}
        assert matching.not_checked == (str(DEBIAN), "npm")

    def test_a_distribution_without_data(self) -> None:
        arch = Distribution("arch", "", "Arch Linux")
        matching = match([deb("bash", "5")], arch, [database(tracker("bash", "CVE-2022-1"))], today=TODAY)
        assert (matching.not_checked, matching.checked) == (("Arch Linux",), ())
        assert [problem.gravity for problem in matching.problems] == [Gravity.PARTIAL]

    def test_a_release_without_data(self) -> None:
        matching = match([deb("bash", "5")], Distribution("debian", "13"), [database(tracker("bash", "CVE-2022-1"))])
        assert "distribution.not-checked" in codes(matching)

    def test_an_unknown_distribution(self) -> None:
        matching = match([deb("bash", "5")], None, [database(tracker("bash", "CVE-2022-1"))])
        assert "distribution.unknown" in codes(matching)

    def test_an_ecosystem_without_data(self) -> None:
        matching = in_language(library("hex", "plug", "1.0.0"), osv("GHSA-1", "PyPI", "flask", fixed="1"))
        assert (matching.not_checked, codes(matching)) == (("Hex",), {"ecosystem.not-checked"})

    def test_what_was_checked_is_named(self) -> None:
        told = [tracker("bash", "CVE-2022-1"), osv("GHSA-1", "PyPI", "flask", fixed="1")]
        matching = on_debian([deb("dash", "1"), library("pypi", "click", "8")], *told)
        assert (matching.checked, matching.findings, matching.problems) == (("Debian:12", "PyPI"), (), ())

    def test_only_the_archive_is_said(self) -> None:
        changelog = tracker("bash", "CVE-2022-1", fixed="5.3-1", source="archive")
        matching = on_debian([deb("bash", "5.2-1")], changelog)
        assert codes(matching) == {"distribution.fixes-only"}
        assert found(matching) == {"CVE-2022-1"}

    @pytest.mark.parametrize(
        "version",
        [
            "2.31-1~bpo12+1",
            "8.2.1-1+0~20230101.1+debian12~1.gbp123",
            "20.1.0-1nodesource1",
            "1.25.3-1~bookworm",
            "15.4-1.pgdg120+1",
            "1:10.11.5+maria~deb12",
        ],
    )
    def test_packages_of_other_repositories(self, version: str) -> None:
        matching = on_debian([deb("thing", version)], tracker("thing", "CVE-2022-1", fixed="99:1"))
        assert not found(matching)
        assert [(p.code, p.gravity) for p in matching.problems] == [("package.third-party", Gravity.PARTIAL)]
        assert matching.not_checked

    def test_a_vendor_that_is_plainly_another(self) -> None:
        package = deb("nginx", "1.25.3-1", vendor="NGINX Packaging <nginx-packaging@f5.com>")
        assert "package.third-party" in codes(on_debian([package], tracker("nginx", "CVE-2022-1", fixed="99")))

    def test_a_security_update_is_the_distributions(self) -> None:
        package = deb("nginx", "1.22.1-9+deb12u1", vendor="Debian Nginx Maintainers <x@alioth-lists.debian.net>")
        assert found(on_debian([package], tracker("nginx", "CVE-2022-1", fixed="1.22.1-9+deb12u2")))


class TestEndOfLife:
    def test_an_old_release_is_said_to_be_unsupported(self) -> None:
        old = Distribution("debian", "10", "Debian 10")
        told = database(tracker("bash", "CVE-2022-1", release="10"))
        problem = next(p for p in match([deb("bash", "5")], old, [told], today=TODAY).problems)
        assert (problem.code, problem.gravity) == ("distribution.end-of-life", Gravity.PARTIAL)
        assert "incomplete" in problem.message

    def test_lts_is_not_the_end(self) -> None:
        told = database(tracker("bash", "CVE-2022-1", release="11"))
        bullseye = Distribution("debian", "11")
        assert "distribution.end-of-life" not in codes(match([deb("bash", "5")], bullseye, [told], today=TODAY))
        later = date(2026, 9, 1)
        assert "distribution.end-of-life" in codes(match([deb("bash", "5")], bullseye, [told], today=later))

    def test_the_feeds_date_beats_the_built_in_one(self) -> None:
        told = database(tracker("bash", "CVE-2022-1"), Release("debian", "12", "2026-01-01"))
        assert "distribution.end-of-life" in codes(match([deb("bash", "5")], DEBIAN, [told], today=TODAY))

    def test_alpines_releases_have_two_parts(self) -> None:
        told = tracker("openssl", "CVE-2023-1", source="alpine", ecosystem="Alpine", release="v3.18")
        assert "distribution.end-of-life" in codes(match([apk("zlib", "1")], ALPINE, [database(told)], today=TODAY))


class TestRanges:
    def test_below_within_and_above(self) -> None:
        told = osv("GHSA-1", "PyPI", "django", introduced="3.2", fixed="3.2.13")
        assert [bool(found(in_language(library("pypi", "django", v), told))) for v in ("3.1", "3.2", "3.2.12")] == [
            False,
            True,
            True,
        ]
        assert not found(in_language(library("pypi", "django", "3.2.13"), told))

    def test_last_affected_is_affected(self) -> None:
        told = osv("GHSA-1", "npm", "vm2", last_affected="3.9.19")
        assert found(in_language(library("npm", "vm2", "3.9.19"), told))
        assert not found(in_language(library("npm", "vm2", "3.9.20"), told))

    def test_versions_without_ranges(self) -> None:
        told = osv("GHSA-1", "npm", "ua-parser-js", versions=["0.7.29", "1.0.0"])
        assert found(in_language(library("npm", "ua-parser-js", "1.0.0"), told))
        assert not found(in_language(library("npm", "ua-parser-js", "0.7.30"), told))

    def test_listed_versions_are_compared_as_versions(self) -> None:
        told = osv("GHSA-1", "PyPI", "x", versions=["1.0"])
        assert found(in_language(library("pypi", "x", "1.0.0"), told))

    def test_the_fix_is_that_of_the_installed_branch(self) -> None:
        told = [
            osv("GHSA-1", "PyPI", "django", introduced="2.2", fixed="2.2.28"),
            osv("GHSA-1", "PyPI", "django", introduced="3.2", fixed="3.2.13"),
            osv("GHSA-1", "PyPI", "django", introduced="4.0", fixed="4.0.4"),
        ]
        assert only(in_language(library("pypi", "django", "3.2.1"), *told)).fix.version == "3.2.13"

    def test_a_fix_that_was_mended_again_is_not_offered(self) -> None:
        told = [osv("GHSA-1", "PyPI", "x", fixed="1.1"), osv("GHSA-2", "PyPI", "x", fixed="1.2", aliases=["GHSA-1"])]
        assert only(in_language(library("pypi", "x", "1.0"), *told)).fix.version == "1.2"

    def test_a_boundary_that_cannot_be_read_is_never_dropped(self) -> None:
        told = tracker("x", "CVE-1-1", fixed="0.12.5.-r0", source="alpine", ecosystem="Alpine", release="v3.18")
        told = Advisory("CVE-2020-1111", told.source, told.affected)
        finding = only(match([apk("x", "0.12.4-r0")], ALPINE, [database(told)], today=TODAY))
        assert finding.confidence is Confidence.LOW
        assert "could not be read" in evidence(finding).note

    def test_an_installed_version_that_cannot_be_read_is_said(self) -> None:
        matching = in_language(library("npm", "ws", "not-a-version"), osv("GHSA-1", "npm", "ws", fixed="1.0.0"))
        assert "version.unreadable" in codes(matching)
        assert all(finding.confidence is Confidence.LOW for finding in matching.findings)

    def test_a_package_without_a_version_is_said(self) -> None:
        matching = in_language(library("npm", "ws", ""), osv("GHSA-1", "npm", "ws", fixed="1.0.0"))
        assert codes(matching) == {"package.unversioned"}

    def test_names_are_compared_as_their_registry_does(self) -> None:
        assert found(in_language(library("pypi", "Ruamel_YAML", "1"), osv("GHSA-1", "PyPI", "ruamel.yaml", fixed="2")))
        assert found(
            in_language(library("nuget", "newtonsoft.json", "1"), osv("G", "NuGet", "Newtonsoft.Json", fixed="2"))
        )
        assert not found(
            in_language(library("npm", "JSONStream", "1.0.0"), osv("G", "npm", "jsonstream", fixed="2.0.0"))
        )

    def test_a_local_label_is_the_same_release(self) -> None:
        told = osv("GHSA-1", "PyPI", "torch", last_affected="2.5.1")
        assert found(in_language(library("pypi", "torch", "2.5.1+cu118"), told))

    def test_maven_names_have_two_parts(self) -> None:
        told = osv("GHSA-1", "Maven", "org.yaml:snakeyaml", fixed="2.0")
        for package in (
            library("maven", "snakeyaml", "1.33", namespace="org.yaml"),
            library("maven", "org.yaml:snakeyaml", "1.33"),
        ):
            assert found(in_language(package, told))


class TestGo:
    def test_v_and_incompatible_are_not_part_of_the_version(self) -> None:
        told = osv("GO-1", "Go", "github.com/docker/docker", fixed="23.0.15")
        assert found(in_language(library("golang", "github.com/docker/docker", "v20.10.7+incompatible"), told))
        assert not found(in_language(library("golang", "github.com/docker/docker", "v23.0.15+incompatible"), told))

    def test_pseudo_versions_are_ordered_by_time(self) -> None:
        told = osv("GO-1", "Go", "golang.org/x/net", fixed="0.0.0-20220906165146-f3363e06e74c")
        assert found(in_language(library("golang", "golang.org/x/net", "v0.0.0-20210226172049-e18ecbb05110"), told))
        assert not found(in_language(library("golang", "golang.org/x/net", "v0.1.0"), told))

    @pytest.mark.parametrize("version", ["(devel)", "", "v0.0.0-00010101000000-000000000000"])
    def test_a_main_module_is_not_matched(self, version: str) -> None:
        matching = in_language(library("golang", "example.com/app", version), osv("GO-1", "Go", "example.com/app"))
        assert (found(matching), codes(matching)) == (set(), set())

    def test_the_standard_library_has_the_builds_version(self) -> None:
        told = osv("GO-2024-2887", "Go", "stdlib", introduced="1.22.0-0", fixed="1.22.4", aliases=["CVE-2024-24790"])
        finding = only(in_language(library("golang", "stdlib", "go1.22.3"), told))
        assert "Go 1.22.4" in finding.fix.advice
        assert not found(in_language(library("golang", "stdlib", "1.22.4"), told))

    def test_an_unreviewed_record_without_an_end_is_doubtful(self) -> None:
        told = osv("GO-1", "Go", "example.com/x", note="unreviewed")
        assert only(in_language(library("golang", "example.com/x", "v1.0.0"), told)).confidence is Confidence.LOW


class TestMerging:
    def test_aliases_are_one_finding_named_by_the_cve(self) -> None:
        told = [
            osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2023-30861", "PYSEC-2023-62"]),
            osv("PYSEC-2023-62", "PyPI", "flask", fixed="2.2.5", aliases=["GHSA-1"]),
        ]
        finding = only(in_language(library("pypi", "flask", "2.2.4"), *told))
        assert finding.rule == "CVE-2023-30861"
        assert evidence(finding).aliases == ("GHSA-1", "PYSEC-2023-62")

    def test_the_record_with_a_fix_is_preferred(self) -> None:
        told = [
            osv("PYSEC-1", "PyPI", "x", aliases=["CVE-2023-1"]),
            osv("GHSA-1", "PyPI", "x", fixed="1.5", aliases=["CVE-2023-1"]),
        ]
        assert only(in_language(library("pypi", "x", "1.4"), *told)).fix.version == "1.5"
        assert not found(in_language(library("pypi", "x", "1.6"), *told))

    def test_a_fix_of_an_older_branch_does_not_hide_a_newer_ones_hole(self) -> None:
        told = [
            osv("GHSA-1", "PyPI", "x", fixed="1.5", aliases=["CVE-2023-1"]),
            osv("GHSA-2", "PyPI", "x", introduced="2.0", last_affected="2.3", aliases=["CVE-2023-1"]),
        ]
        assert found(in_language(library("pypi", "x", "2.1"), *told)) == {"CVE-2023-1"}

    def test_one_cve_in_two_ghsas_can_be_right(self) -> None:
        told = [
            osv("GHSA-1", "npm", "qs", introduced="6.5.0", fixed="6.5.3", aliases=["CVE-2022-24999"]),
            osv("GHSA-2", "npm", "qs", introduced="6.10.0", fixed="6.10.3", aliases=["CVE-2022-24999"]),
        ]
        assert only(in_language(library("npm", "qs", "6.10.1"), *told)).fix.version == "6.10.3"

    def test_the_same_cve_in_two_packages_is_two_findings(self) -> None:
        told = [osv("CVE-2022-1", "npm", name, fixed="2.0.0") for name in ("qs", "express")]
        world = database(*told)
        packages = [library("npm", "qs", "1.0.0"), library("npm", "express", "1.0.0")]
        assert len(match(packages, None, [world]).findings) == 2

    def test_without_a_cve_the_records_id_is_the_rule(self) -> None:
        told = [osv("PYSEC-1", "PyPI", "x", fixed="2", aliases=["GHSA-1"]), osv("GHSA-1", "PyPI", "x", fixed="2")]
        assert only(in_language(library("pypi", "x", "1"), *told)).rule == "GHSA-1"

    def test_two_cves_of_one_record_stay_two(self) -> None:
        told = osv("GHSA-1", "PyPI", "x", fixed="2", aliases=["CVE-2023-1", "CVE-2023-2"])
        assert found(in_language(library("pypi", "x", "1"), told)) == {"CVE-2023-1", "CVE-2023-2"}

    def test_withdrawn_records_match_nothing(self) -> None:
        told = osv("PYSEC-1", "PyPI", "x", fixed="2", withdrawn="2024-01-01T00:00:00Z")
        other = osv("PYSEC-2", "PyPI", "y", fixed="2")
        assert not found(in_language(library("pypi", "x", "1"), told, other))

    def test_disputed_records_are_doubtful(self) -> None:
        finding = only(in_language(library("pypi", "x", "1"), osv("PYSEC-1", "PyPI", "x", note="disputed")))
        assert (finding.confidence, evidence(finding).note) == (Confidence.LOW, "disputed")


class TestMalware:
    def test_a_malicious_package_is_malware(self) -> None:
        told = osv("MAL-2024-1", "npm", "evil")
        finding = only(in_language(library("npm", "evil", "1.0.0"), told))
        assert (finding.kind, finding.severity) == (Kind.MALWARE, Severity.CRITICAL)
        assert "remove" in finding.fix.advice

    def test_each_side_has_its_own_to_remove(self) -> None:
        told = database(osv("MAL-2024-1", "npm", "evil"))
        packages = [library("npm", "evil", "1.0.0", side=side) for side in (Side.BASE, Side.APPLICATION)]
        findings = match(packages, None, [told]).findings
        assert {one.fix.side for one in findings} == {Side.BASE, Side.APPLICATION}
        assert all(one.fix.side is one.location.side and "remove" in one.fix.advice for one in findings)

    def test_only_the_versions_that_are(self) -> None:
        told = osv("MAL-2024-1", "npm", "chalk", versions=["5.6.1"])
        assert found(in_language(library("npm", "chalk", "5.6.1"), told)) == {"MAL-2024-1"}
        assert not found(in_language(library("npm", "chalk", "5.6.2"), told))

    def test_a_record_that_calls_itself_malicious_is_too(self) -> None:
        told = osv("RUSTSEC-2022-0042", "crates.io", "rustdecimal", severity="malicious")
        assert only(in_language(library("cargo", "rustdecimal", "1.23.1"), told)).kind is Kind.MALWARE

    def test_a_record_that_a_malware_report_is_about_is_too(self) -> None:
        told = database(
            osv("PYSEC-2026-578", "PyPI", "bramin", versions=["0.0.2"], aliases=["MAL-2026-5280"], severity="malicious")
        )
        assert only(match([library("pypi", "bramin", "0.0.2")], None, [told])).kind is Kind.MALWARE


class TestCircumstances:
    def test_a_library_that_a_distributions_package_owns_is_matched_by_that_package_only(self) -> None:
        told = [
            osv("GHSA-1", "PyPI", "requests", fixed="2.31.0"),
            tracker("requests", "CVE-2023-9", fixed="2.28.1+dfsg-2"),
        ]
        packages = [
            library("pypi", "requests", "2.28.1", owner="pkg:deb/debian/python3-requests@2.28.1+dfsg-1"),
            deb("python3-requests", "2.28.1+dfsg-1", source="requests"),
        ]
        assert found(on_debian(packages, *told)) == {"CVE-2023-9"}

    def test_a_library_that_another_repositorys_package_owns_is_matched_by_itself(self) -> None:
        told = osv("GHSA-1", "npm", "tar", fixed="6.2.1")
        node = deb("nodejs", "20.20.2-1nodesource1", vendor="NodeSource <packages@nodesource.com>")
        packages = [library("npm", "tar", "6.2.0", owner=node.purl), node]
        assert found(on_debian(packages, told)) == {"GHSA-1"}

    def test_declared_is_less_certain_than_installed(self) -> None:
        told = osv("GHSA-1", "npm", "ws", fixed="8.0.0")
        lock = only(in_language(declared("npm", "ws", "7.0.0"), told))
        tree = only(in_language(library("npm", "ws", "7.0.0"), told))
        assert (lock.confidence, tree.confidence) == (Confidence.MEDIUM, Confidence.HIGH)
        assert evidence(lock).risk < evidence(tree).risk
        assert "lock file" in evidence(lock).note

    def test_development_only_is_less_pressing(self) -> None:
        told = osv("GHSA-1", "npm", "ws", fixed="8.0.0")
        finding = only(in_language(declared("npm", "ws", "7.0.0", development=True), told))
        assert finding.confidence is Confidence.LOW
        assert "development" in evidence(finding).note

    def test_copies_of_one_library_are_one_finding_where_it_is_installed(self) -> None:
        told = database(osv("GHSA-1", "npm", "ws", fixed="8.0.0"))
        packages = [
            declared("npm", "ws", "7.0.0", locations=("app/package-lock.json",)),
            library("npm", "ws", "7.0.0", locations=("app/node_modules/ws/package.json",), diff_id="sha256:1"),
        ]
        finding = only(match(packages, None, [told]))
        assert (finding.count, finding.location.path) == (2, "app/node_modules/ws/package.json")
        assert finding.location.diff_id == "sha256:1"
        assert finding.confidence is Confidence.HIGH

    def test_every_place_of_a_library_counts(self) -> None:
        told = osv("GHSA-1", "PyPI", "setuptools", fixed="70.0.0")
        copies = tuple(f"usr/{n}/setuptools-66.1.1.dist-info/METADATA" for n in "abc")
        three = library("pypi", "setuptools", "66.1.1", locations=copies)
        assert only(in_language(three, told)).count == 3
        apart = [library("pypi", "setuptools", "66.1.1", locations=(copy,), diff_id=copy) for copy in copies]
        assert only(match(apart, None, [database(told)])).count == 3

    def test_a_library_that_both_sides_brought_is_a_finding_of_each(self) -> None:
        told = database(osv("GHSA-1", "PyPI", "setuptools", fixed="70.0.0"))
        base = library("pypi", "setuptools", "66.1.1", locations=("usr/a", "usr/b"), diff_id="1", side=Side.BASE)
        own = library("pypi", "setuptools", "66.1.1", locations=("app/a",), diff_id="2", side=Side.APPLICATION)
        findings = match([base, own], None, [told]).findings
        assert findings == match([own, base], None, [told]).findings
        assert [(one.location, one.fix.side, one.count) for one in findings] == [
            (Location("app/a", diff_id="2", side=Side.APPLICATION), Side.APPLICATION, 1),
            (Location("usr/a", diff_id="1", side=Side.BASE), Side.BASE, 2),
        ]
        assert len({one.fingerprint for one in findings}) == 2

    def test_a_certain_copy_of_one_side_does_not_speak_for_the_other(self) -> None:
        told = database(osv("GHSA-1", "npm", "ws", fixed="8.0.0"))
        base = library("npm", "ws", "7.0.0", side=Side.BASE)
        lock = declared("npm", "ws", "7.0.0", side=Side.APPLICATION)
        assert {one.location.side: one.confidence for one in match([lock, base], None, [told]).findings} == {
            Side.BASE: Confidence.HIGH,
            Side.APPLICATION: Confidence.MEDIUM,
        }

    @pytest.mark.parametrize("side", [Side.BASE, Side.APPLICATION, Side.UNKNOWN])
    def test_of_copies_on_one_side_the_first_path_tells(self, side: Side) -> None:
        told = database(osv("GHSA-1", "npm", "ws", fixed="8.0.0"))
        packages = [
            library("npm", "ws", "7.0.0", locations=(at,), diff_id=at[::-1], side=side) for at in ("a/1", "b/0")
        ]
        finding = only(match(packages, None, [told]))
        assert only(match(packages[::-1], None, [told])) == finding
        assert finding.location == Location("a/1", diff_id="1/a", side=side)

    def test_binaries_of_one_source_on_two_sides_are_a_finding_of_each(self) -> None:
        told = tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")
        packages = [
            deb("libssl3", "3.0.11-1", source="openssl", side=Side.BASE, diff_id="1"),
            deb("openssl", "3.0.11-1", side=Side.APPLICATION, diff_id="2"),
            deb("libssl-dev", "3.0.11-1", source="openssl", side=Side.APPLICATION, diff_id="2"),
        ]
        findings = {one.fix.side: one for one in on_debian(packages, told).findings}
        assert {side: (one.subject.name, one.location.diff_id, one.count) for side, one in findings.items()} == {
            Side.BASE: ("libssl3", "1", 1),
            Side.APPLICATION: ("openssl", "2", 2),
        }
        assert "base image" in findings[Side.BASE].fix.advice
        assert "libssl3" not in findings[Side.APPLICATION].fix.advice

    def test_rpms_of_one_source_on_two_sides_are_a_finding_of_each(self) -> None:
        sides = {"openssl": Side.APPLICATION, "openssl-libs": Side.BASE}
        told = [osv("ALSA-1", "AlmaLinux:9", name, fixed="1:3.0.7-25.el9", related=["CVE-2023-1"]) for name in sides]
        packages = [rpm(name, "1:3.0.7-24.el9", source="openssl", side=side) for name, side in sides.items()]
        findings = match(packages, ALMA, [database(*told)], today=TODAY).findings
        assert {one.subject.name: one.location.side for one in findings} == sides

    def test_in_a_base_image_the_base_has_to_move(self) -> None:
        told = tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")
        finding = only(on_debian([deb("openssl", "3.0.11-1", side=Side.BASE)], told))
        assert finding.fix.side is Side.BASE
        assert "base image" in finding.fix.advice

    def test_in_the_application_the_command_is_told(self) -> None:
        told = tracker("openssl", "CVE-2023-1", fixed="3.0.13-1")
        advice = only(on_debian([deb("openssl", "3.0.11-1", side=Side.APPLICATION)], told)).fix.advice
        assert "3.0.13-1" in advice
        assert "apt-get" in advice

    def test_what_is_exploited_comes_first(self) -> None:
        told = [
            osv("CVE-2024-1001", "npm", "a", fixed="2.0.0", vector=CRITICAL),
            osv("CVE-2024-1002", "npm", "b", fixed="2.0.0", vector=CRITICAL),
        ]
        extra: list[Record] = [
            KevEntry("CVE-2024-1002", KnownExploited("2024-05-05", ransomware=True)),
            EpssEntry("CVE-2024-1002", Epss(0.9, 0.999, "v5")),
        ]
        packages = [library("npm", "a", "1.0.0"), library("npm", "b", "1.0.0")]
        first, _ = match(packages, None, [database(*told, *extra)]).findings
        assert first.rule == "CVE-2024-1002"
        assert evidence(first).known_exploited == KnownExploited("2024-05-05", ransomware=True)
        assert evidence(first).epss == Epss(0.9, 0.999, "v5")

    def test_versions_of_cvss_are_recorded_and_not_compared(self) -> None:
        low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"
        high = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"
        row = Affected("npm", "ws", fixed="8.0.0", state=FixState.FIXED)
        told = Advisory("GHSA-1", "osv/npm", (row,), scores=(Score("CVSS_V4", high), Score("CVSS_V3", low)))
        finding = only(in_language(library("npm", "ws", "7.0.0"), told))
        assert finding.severity is Severity.LOW
        assert [(score.vector, score.value) for score in evidence(finding).scores] == [(high, 10.0), (low, 1.8)]

    def test_the_order_of_packages_changes_nothing(self) -> None:
        told = database(*(osv(f"GHSA-{n}", "npm", name, fixed="9.0.0") for n, name in enumerate("abcdef")))
        packages = [library("npm", name, "1.0.0") for name in "abcdef"]
        assert match(packages, None, [told]) == match(packages[::-1], None, [told])

    def test_a_name_that_is_no_text_is_no_package(self) -> None:
        told = osv("GHSA-1", "npm", "ws", fixed="8.0.0")
        assert not found(in_language(library("npm", "w\udc80s", "7.0.0"), told))
