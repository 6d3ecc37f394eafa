"""Where a package is looked up, under which name and version."""

import pytest

from advisory.records import ALMA, ALPINE, DEBIAN, UBUNTU, apk, deb, library, rpm
from holdfast.advisory.coordinate import is_kernel, of_distributed, of_language, source_of
from holdfast.advisory.ecosystem import ecosystems_of, language_name
from holdfast.advisory.origin import is_third_party
from holdfast.model.package import Distribution, Package


@pytest.mark.parametrize(
    ("package", "source"),
    [
        (deb("bash", "5.2.15-2+b13", source_version="5.2.15-2"), ("bash", "5.2.15-2")),
        (deb("bash", "5.2.15-2+b13"), ("bash", "5.2.15-2")),
        (deb("libc6", "2.36-9+deb12u1", source="glibc"), ("glibc", "2.36-9+deb12u1")),
        (
            deb("linux-image-amd64", "6.1.192-2", source="linux-signed-amd64", source_version="6.1.192+2"),
            ("linux", "6.1.192-2"),
        ),
        (deb("linux-image-5.15.0-91", "5.15.0-91.101", source="linux-signed"), ("linux", "5.15.0-91.101")),
        (deb("linux-image-arm64", "6.1.192-2", source="linux-signed-arm64"), ("linux", "6.1.192-2")),
        (
            deb("grub-efi-amd64-signed", "1+2.06+13+deb12u1", source="grub-efi-amd64-signed"),
            ("grub2", "2.06-13+deb12u1"),
        ),
        (deb("shim-signed", "1.39+15.7-1", source="shim-signed"), ("shim", "15.7-1")),
        (deb("fwupd-amd64-signed", "1.8.12+2", source="fwupd-amd64-signed"), ("fwupd", "1.8.12-2")),
        (apk("libcrypto3", "3.1.4-r0", source="openssl"), ("openssl", "3.1.4-r0")),
        (
            rpm("openssl-libs", "3.0.7-25.el9", source="openssl", qualifiers=(("epoch", "1"),)),
            ("openssl", "1:3.0.7-25.el9"),
        ),
    ],
)
def test_sources(package: Package, source: tuple[str, str]) -> None:
    assert source_of(package) == source


@pytest.mark.parametrize(
    ("distribution", "ecosystem"),
    [
        (DEBIAN, "Debian:12"),
        (Distribution("debian", "12.5"), "Debian:12"),
        (Distribution("debian", ""), "Debian:sid"),
        (Distribution("debian", "", codename="forky"), "Debian:14"),
        (UBUNTU, "Ubuntu:22.04:LTS"),
        (ALPINE, "Alpine:v3.18"),
        (Distribution("alpine", "3.21_alpha20240923"), "Alpine:edge"),
        (Distribution("alpine", "edge"), "Alpine:edge"),
        (ALMA, "AlmaLinux:9"),
        (Distribution("rocky", "9.2"), "Rocky Linux:9"),
        (Distribution("opensuse-leap", "15.5"), "openSUSE:Leap 15.5"),
    ],
)
def test_ecosystems(distribution: Distribution, ecosystem: str) -> None:
    assert ecosystems_of(distribution)[0] == ecosystem


def test_a_derivative_is_not_what_it_derives_from() -> None:
    assert ecosystems_of(Distribution("raspbian", "12", like=("debian",))) == ()
    assert ecosystems_of(Distribution("linuxmint", "21", like=("ubuntu", "debian"))) == ()


def test_a_meta_package_holds_no_code() -> None:
    assert of_distributed(deb("linux-image-generic", "5.15.0.91.88", source="linux-meta"), UBUNTU) is None


def test_names_of_languages() -> None:
    assert language_name(library("npm", "lodash", "1", namespace="@types")) == "@types/lodash"
    assert language_name(library("npm", "@types/lodash", "1", namespace="@types")) == "@types/lodash"
    assert language_name(library("maven", "snakeyaml", "1", namespace="org.yaml")) == "org.yaml:snakeyaml"


@pytest.mark.parametrize(
    ("kind", "name", "version", "compared"),
    [
        ("golang", "example.com/x", "v1.2.3", "1.2.3"),
        ("golang", "example.com/x", "v2.0.0+incompatible", "2.0.0"),
        ("golang", "example.com/x", "v1.2.3+dirty", "1.2.3"),
        ("golang", "example.com/x", "(devel)", ""),
        ("golang", "example.com/x", "v0.0.0-20240101000000-0123456789ab+dirty", ""),
        ("golang", "example.com/x", "v0.0.0-20240101000000-0123456789ab", "0.0.0-20240101000000-0123456789ab"),
        ("golang", "stdlib", "go1.22.3", "1.22.3"),
        ("golang", "stdlib", "go1.22.3 X:nocoverageredesign", "1.22.3"),
        ("pypi", "torch", "2.0.1+cu118", "2.0.1"),
        ("composer", "a/b", "dev-master", ""),
    ],
)
def test_versions_of_languages(kind: str, name: str, version: str, compared: str) -> None:
    coordinate = of_language(library(kind, name, version))
    assert coordinate is not None
    assert coordinate.version == compared


def test_a_type_that_no_advisories_speak_of() -> None:
    assert of_language(library("generic", "busybox", "1.36")) is None


@pytest.mark.parametrize(
    "name", ["linux", "linux-aws-5.15", "linux-6.1", "linux-lts", "kernel", "kernel-rt", "linux-hwe-6.5"]
)
def test_kernels(name: str) -> None:
    assert is_kernel(deb("x", "1", source=name), name)


@pytest.mark.parametrize(
    "name", ["linux-atm", "linux-firmware", "linux-base", "linux-pam", "util-linux", "kernel-wedge"]
)
def test_what_only_sounds_like_a_kernel(name: str) -> None:
    assert not is_kernel(deb("x", "1", source=name), name)


@pytest.mark.parametrize(
    "version", ["5.2.15-2+b13", "1.22.1-9+deb12u1", "2:8.2.3995-1+b1", "1.0~rc1-1", "7.88.1-10+deb12u5"]
)
def test_debians_own_versions_are_its_own(version: str) -> None:
    assert not is_third_party(deb("x", version, vendor="Some Person <person@example.org>"), DEBIAN)


def test_ubuntus_own_versions_are_its_own() -> None:
    assert not is_third_party(deb("x", "5.1-6ubuntu1.1", vendor="Ubuntu Developers <u@lists.ubuntu.com>"), UBUNTU)
    assert is_third_party(deb("x", "5.1-6~ppa1", vendor="Somebody <x@launchpad.net>"), UBUNTU)
