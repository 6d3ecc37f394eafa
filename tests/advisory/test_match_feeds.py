"""Matching against the real feeds that stand beside the project: what is found, and what must not be."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from advisory.records import DEBIAN, apk, deb, found, library, rpm
from holdfast.advisory.build import build
from holdfast.advisory.database import Database
from holdfast.advisory.feed import inputs_below
from holdfast.advisory.match import match
from holdfast.model.package import Distribution, Package

FEEDS = Path(__file__).parents[2].parent / "shared" / "feeds"
TODAY = date(2026, 8, 1)
BULLSEYE = Distribution("debian", "11", "Debian 11")
TRIXIE = Distribution("debian", "13", "Debian 13")
ALMA_8 = Distribution("almalinux", "8.9", "AlmaLinux 8.9")
ALMA_9 = Distribution("almalinux", "9.3", "AlmaLinux 9.3")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared feeds are not there"),
    # One database for all, built once by whichever worker runs them.
    pytest.mark.xdist_group("feeds"),
]


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The database of all the feeds that other tests of this room do not need at full size."""
    path = tmp_path_factory.mktemp("advisories") / "advisories.db"
    inputs = [one for one in inputs_below(FEEDS) if one.resource not in ("Bitnami/all.zip",)]
    assert build(inputs, path).problems == ()
    with Database.open(path) as database:
        yield database


def alpine(release: str) -> Distribution:
    return Distribution("alpine", release, f"Alpine Linux {release}")


def signed_kernel(version: str) -> Package:
    return deb(
        "linux-image-6.1.0-9-amd64",
        version,
        source="linux-signed-amd64",
        source_version=version.replace("-", "+"),
    )


# What a package at a version must have, and what it must not.
CASES: dict[str, tuple[Distribution | None, Package, set[str], set[str]]] = {
    # Debian: source names and versions, epochs, rebuilds, fixes in the release and not in the version.
    "debian-openssl-before-a-security-update": (
        DEBIAN,
        deb("libssl3", "3.0.8-1", source="openssl"),
        {"CVE-2023-0464", "CVE-2023-2650"},
        {"CVE-2022-0778"},
    ),
    "debian-openssl-after-it": (
        DEBIAN,
        deb("libssl3", "3.0.9-1", source="openssl"),
        set(),
        {"CVE-2023-0464", "CVE-2023-2650"},
    ),
    "debian-shellshock": (DEBIAN, deb("bash", "4.3-9"), {"CVE-2014-6271", "CVE-2014-7169"}, {"CVE-2012-3410"}),
    "debian-shellshock-half-fixed": (DEBIAN, deb("bash", "4.3-9.1"), {"CVE-2014-7169"}, {"CVE-2014-6271"}),
    "debian-bash-rebuilt": (DEBIAN, deb("bash", "5.2.15-2+b13", source_version="5.2.15-2"), set(), {"CVE-2019-18276"}),
    "debian-heartbleed": (DEBIAN, deb("openssl", "1.0.1e-2"), {"CVE-2014-0160"}, set()),
    "debian-heartbleed-fixed": (DEBIAN, deb("openssl", "1.0.1g-1"), set(), {"CVE-2014-0160"}),
    "debian-never-affected": (DEBIAN, deb("openssl", "0.9.6-1"), {"CVE-2014-0160"}, {"CVE-2007-6755"}),
    "debian-zlib-has-an-epoch": (
        BULLSEYE,
        deb("zlib1g", "1:1.2.11.dfsg-2", source="zlib"),
        {"CVE-2018-25032", "CVE-2022-37434"},
        {"CVE-2016-9840"},
    ),
    "debian-zlib-first-update": (
        BULLSEYE,
        deb("zlib1g", "1:1.2.11.dfsg-2+deb11u1", source="zlib"),
        {"CVE-2022-37434"},
        {"CVE-2018-25032"},
    ),
    "debian-zlib-up-to-date": (
        BULLSEYE,
        deb("zlib1g", "1:1.2.11.dfsg-2+deb11u2", source="zlib"),
        set(),
        {"CVE-2022-37434"},
    ),
    "debian-kernel-by-its-signed-binary": (DEBIAN, signed_kernel("6.1.25-1"), {"CVE-2023-32233"}, {"CVE-2017-5715"}),
    "debian-kernel-fixed": (DEBIAN, signed_kernel("6.1.27-1"), set(), {"CVE-2023-32233"}),
    "debian-kernel-never-affected": (DEBIAN, signed_kernel("4.0-1"), {"CVE-2017-5715"}, {"CVE-2017-13693"}),
    "debian-boot-loader-by-its-signed-binary": (
        DEBIAN,
        deb("grub-efi-amd64-signed", "1+2.04+8", source="grub-efi-amd64-signed", source_version="1+2.04+8"),
        {"CVE-2020-10713"},
        {"CVE-2015-8370"},
    ),
    "debian-sudo": (BULLSEYE, deb("sudo", "1.9.5p1-1"), {"CVE-2021-3156"}, set()),
    "debian-sudo-fixed": (BULLSEYE, deb("sudo", "1.9.5p2-3"), set(), {"CVE-2021-3156"}),
    "debian-glibc-old-holes-are-closed": (DEBIAN, deb("libc6", "2.36-9", source="glibc"), set(), {"CVE-2015-7547"}),
    "debian-13-is-another-release": (TRIXIE, deb("openssl", "3.0.7-1"), {"CVE-2022-3996"}, {"CVE-2022-3602"}),
    "debian-a-name-that-is-only-a-binary": (DEBIAN, deb("libssl3", "0.9"), set(), {"CVE-2014-0160"}),
    "debian-a-backport-is-not-compared": (DEBIAN, deb("curl", "7.20.0-1~bpo12+1"), set(), {"CVE-2012-0036"}),
    "debian-sury-is-not-compared": (
        DEBIAN,
        deb("openssl", "1.0.1e-2+0~20230101.1+debian12~1.gbp1"),
        set(),
        {"CVE-2014-0160"},
    ),
    "debian-curl": (
        DEBIAN,
        deb("libcurl4", "7.20.0-1", source="curl"),
        {"CVE-2011-2192", "CVE-2012-0036"},
        {"CVE-2003-1605"},
    ),
    # Alpine: origins, version 0, several ids in one entry, odd versions and ids.
    "alpine-openssl": (
        alpine("3.18.0"),
        apk("libssl3", "3.0.1-r0", source="openssl"),
        {"CVE-2022-0778"},
        {"CVE-2020-1971"},
    ),
    "alpine-version-0-is-not-affected": (
        alpine("3.18.0"),
        apk("libssl3", "3.0.1-r0", source="openssl"),
        set(),
        {"CVE-2022-1292", "CVE-2022-2068"},
    ),
    "alpine-openssl-fixed": (alpine("3.18.0"), apk("libssl3", "3.0.7-r0", source="openssl"), set(), {"CVE-2022-3602"}),
    "alpine-busybox": (alpine("3.18.0"), apk("busybox", "1.33.0-r4"), {"CVE-2021-28831"}, {"CVE-2021-42373"}),
    "alpine-busybox-subpackage": (
        alpine("3.18.0"),
        apk("ssl_client", "1.33.0-r4", source="busybox"),
        {"CVE-2021-28831"},
        set(),
    ),
    "alpine-busybox-revision": (alpine("3.18.0"), apk("busybox", "1.33.0-r5"), set(), {"CVE-2021-28831"}),
    "alpine-two-ids-in-one-entry": (
        alpine("3.6.0"),
        apk("sdl2_image", "2.0.1-r1"),
        {"CVE-2017-2887"},
        {"TALOS-2017-0394"},
    ),
    "alpine-two-ids-in-one-entry-fixed": (alpine("3.6.0"), apk("sdl2_image", "2.0.1-r2"), set(), {"CVE-2017-2887"}),
    "alpine-an-id-with-a-part-number": (
        alpine("3.10.0"),
        apk("rsync", "3.1.2-r6"),
        {"CVE-2017-17434"},
        {"CVE-2017-17434-1"},
    ),
    "alpine-an-id-with-an-underscore": (
        alpine("3.10.0"),
        apk("openjdk8", "8.191.0-r0"),
        {"CVE-2019-2426"},
        {"CVE_2019-2426"},
    ),
    "alpine-an-id-that-is-no-cve": (alpine("3.16.0"), apk("xen", "4.9.0-r0"), {"XSA-248"}, set()),
    "alpine-a-snapshot-of-git": (
        alpine("edge"),
        apk("qt5-qtwebengine", "5.15.3_git20220505-r0"),
        {"CVE-2022-1854"},
        set(),
    ),
    "alpine-a-snapshot-of-git-fixed": (
        alpine("edge"),
        apk("qt5-qtwebengine", "5.15.3_git20220601-r1"),
        set(),
        {"CVE-2022-1854"},
    ),
    "alpine-curl-not-affected": (alpine("3.17.1"), apk("curl", "7.49.0-r0"), {"CVE-2016-5419"}, {"CVE-2021-22897"}),
    # AlmaLinux: errata of several CVEs, epochs, modules.
    "alma-openssl": (
        ALMA_9,
        rpm("openssl-libs", "1:3.0.7-24.el9", source="openssl"),
        {"CVE-2023-5363"},
        {"CVE-2022-3602"},
    ),
    "alma-openssl-fixed": (ALMA_9, rpm("openssl-libs", "1:3.0.7-25.el9_3", source="openssl"), set(), {"CVE-2023-5363"}),
    "alma-module-of-the-same-stream": (
        ALMA_8,
        rpm("nodejs", "1:16.13.0-1.module_el8.5.0+1+1"),
        {"CVE-2021-3918"},
        set(),
    ),
    "alma-module-of-another-build": (
        ALMA_8,
        rpm("nodejs", "1:16.13.1-3.module_el8.5.0+246+05401605"),
        set(),
        {"CVE-2021-3918"},
    ),
    "alma-module-of-another-stream": (
        ALMA_8,
        rpm("nodejs", "1:10.24.0-1.module_el8.3.0+2047+b07ac28e"),
        set(),
        {"CVE-2022-35255", "CVE-2021-3918"},
    ),
    "alma-a-package-of-epel": (
        ALMA_9,
        rpm("openssl-libs", "1:1.0-1.el9", vendor="Fedora Project"),
        set(),
        {"CVE-2022-3602"},
    ),
    # PyPI: names, aliases, withdrawn records, branches.
    "pypi-jinja2": (None, library("pypi", "Jinja2", "2.10"), {"CVE-2019-10906", "CVE-2024-22195"}, set()),
    "pypi-jinja2-fixed": (None, library("pypi", "Jinja2", "3.1.6"), set(), {"CVE-2019-10906", "CVE-2024-22195"}),
    "pypi-requests": (None, library("pypi", "requests", "2.19.1"), {"CVE-2018-18074", "CVE-2023-32681"}, set()),
    "pypi-django-own-branch": (None, library("pypi", "Django", "3.2.12"), {"CVE-2022-28346"}, set()),
    "pypi-django-branch-fixed": (None, library("pypi", "Django", "3.2.13"), set(), {"CVE-2022-28346"}),
    "pypi-a-name-in-another-spelling": (None, library("pypi", "PyYAML", "5.3"), {"CVE-2020-14343"}, set()),
    "pypi-a-local-label": (None, library("pypi", "torch", "2.5.1+cu124"), {"CVE-2025-32434"}, set()),
    "pypi-a-local-label-fixed": (None, library("pypi", "torch", "2.6.0+cu124"), set(), {"CVE-2025-32434"}),
    "pypi-listed-versions": (None, library("pypi", "aiocpa", "0.1.14"), {"PYSEC-2024-152"}, set()),
    "pypi-listed-versions-not": (None, library("pypi", "aiocpa", "0.1.12"), set(), {"PYSEC-2024-152"}),
    "pypi-malware": (None, library("pypi", "bramin", "0.0.3"), {"PYSEC-2026-578"}, set()),
    "pypi-a-library-of-a-distribution": (
        None,
        library("pypi", "requests", "2.19.1", owner="pkg:deb/debian/python3-requests@2.19.1-1"),
        set(),
        {"CVE-2018-18074"},
    ),
    # Go: prefixes, pseudo-versions, the standard library, main modules.
    "go-crypto": (None, library("golang", "golang.org/x/crypto", "v0.16.0"), {"CVE-2023-48795"}, set()),
    "go-crypto-fixed": (
        None,
        library("golang", "golang.org/x/crypto", "v0.17.0"),
        {"CVE-2024-45337"},
        {"CVE-2023-48795"},
    ),
    "go-crypto-of-2020": (
        None,
        library("golang", "golang.org/x/crypto", "v0.0.0-20201203163018-be400aefbc4c"),
        {"CVE-2020-29652"},
        set(),
    ),
    "go-crypto-after-the-commit": (
        None,
        library("golang", "golang.org/x/crypto", "v0.0.0-20210921155107-089bfa567519"),
        {"CVE-2022-27191"},
        {"CVE-2020-29652"},
    ),
    "go-runc": (None, library("golang", "github.com/opencontainers/runc", "v1.1.11"), {"CVE-2024-21626"}, set()),
    "go-runc-fixed": (None, library("golang", "github.com/opencontainers/runc", "v1.1.12"), set(), {"CVE-2024-21626"}),
    "go-docker-is-incompatible": (
        None,
        library("golang", "github.com/docker/docker", "v20.10.7+incompatible"),
        {"CVE-2024-41110"},
        set(),
    ),
    "go-standard-library": (None, library("golang", "stdlib", "1.22.3"), {"CVE-2024-24790"}, {"CVE-2023-45288"}),
    "go-standard-library-fixed": (None, library("golang", "stdlib", "1.22.4"), set(), {"CVE-2024-24790"}),
    "go-a-main-module": (
        None,
        library("golang", "github.com/opencontainers/runc", "(devel)"),
        set(),
        {"CVE-2024-21626"},
    ),
    # npm, Maven, NuGet, Packagist, RubyGems, crates.io.
    "npm-lodash": (None, library("npm", "lodash", "4.17.15"), {"CVE-2020-8203", "CVE-2021-23337"}, {"CVE-2019-10744"}),
    "npm-lodash-fixed": (None, library("npm", "lodash", "4.17.21"), set(), {"CVE-2021-23337"}),
    "npm-minimist": (None, library("npm", "minimist", "1.2.5"), {"CVE-2021-44906"}, {"CVE-2020-7598"}),
    "npm-a-last-affected-version": (None, library("npm", "knightjs", "0.0.1"), {"CVE-2018-16475"}, set()),
    "npm-after-a-last-affected-version": (None, library("npm", "knightjs", "0.0.2"), set(), {"CVE-2018-16475"}),
    "npm-a-scoped-name-is-another": (None, library("npm", "@types/lodash", "4.14.0"), set(), {"CVE-2021-23337"}),
    "maven-log4shell": (
        None,
        library("maven", "log4j-core", "2.14.1", namespace="org.apache.logging.log4j"),
        {"CVE-2021-44228"},
        set(),
    ),
    "maven-the-name-alone-is-nothing": (None, library("maven", "log4j-core", "2.14.1"), set(), {"CVE-2021-44228"}),
    "maven-struts": (None, library("maven", "org.apache.struts:struts2-core", "2.3.31"), {"CVE-2017-5638"}, set()),
    "maven-struts-fixed": (
        None,
        library("maven", "org.apache.struts:struts2-core", "2.3.32"),
        set(),
        {"CVE-2017-5638"},
    ),
    "maven-spring": (None, library("maven", "org.springframework:spring-beans", "5.3.17"), {"CVE-2022-22965"}, set()),
    "nuget-ignores-case": (None, library("nuget", "system.net.http", "4.3.3"), {"CVE-2018-8292"}, set()),
    "packagist-phpunit": (
        None,
        library("composer", "phpunit", "4.8.27", namespace="phpunit"),
        {"CVE-2017-9841"},
        set(),
    ),
    "packagist-phpunit-fixed": (None, library("composer", "phpunit/phpunit", "4.8.28"), set(), {"CVE-2017-9841"}),
    "rubygems-actionview": (None, library("gem", "actionview", "5.2.2"), {"CVE-2019-5418"}, set()),
    "rubygems-actionview-fixed": (None, library("gem", "actionview", "5.2.2.1"), set(), {"CVE-2019-5418"}),
    "crates-time": (None, library("cargo", "time", "0.1.43"), {"CVE-2020-26235"}, set()),
    "crates-unmaintained-is-no-vulnerability": (
        None,
        library("cargo", "ansi_term", "0.12.1"),
        set(),
        {"RUSTSEC-2021-0139"},
    ),
    "crates-malware": (None, library("cargo", "rustdecimal", "1.23.1"), {"RUSTSEC-2022-0042"}, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, feeds: Database) -> None:
    distribution, package, present, absent = CASES[name]
    rules = found(match([package], distribution, [feeds], today=TODAY))
    assert (present - rules, absent & rules) == (set(), set())


def test_there_are_enough_cases_of_both_kinds() -> None:
    assert sum(bool(present) for _, _, present, _ in CASES.values()) >= 35
    assert sum(bool(absent) for _, _, _, absent in CASES.values()) >= 35


def test_every_finding_says_why_and_what_to_do(feeds: Database) -> None:
    packages = [package for distribution, package, _, _ in CASES.values() if distribution in (None, DEBIAN)]
    matching = match(packages, DEBIAN, [feeds], today=TODAY)
    assert len(matching.findings) > 100
    for finding in matching.findings:
        assert finding.title
        assert finding.references
        assert finding.fix.advice
        assert finding.count >= 1
        assert 0 <= getattr(finding.evidence, "risk", -1) <= 100


def test_withdrawn_records_are_explained_and_match_nothing(feeds: Database) -> None:
    """PYSEC-2008-11 says of every exiv2 of PyPI that it is affected, and was withdrawn."""
    (withdrawn,) = (one for one in feeds.advisory("CVE-2008-2696") if one.id == "PYSEC-2008-11")
    assert withdrawn.withdrawn
    assert "CVE-2008-2696" not in found(match([library("pypi", "exiv2", "0.3")], None, [feeds], today=TODAY))
