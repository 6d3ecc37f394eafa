"""Which distribution it is, by whatever release file there is."""

import pytest

from catalog.samples import read
from holdfast.catalog.distro import DISTRO
from holdfast.model.package import Distribution


def of(content: str, path: str = "etc/os-release") -> Distribution:
    found = read(DISTRO, path, content)
    assert found.distribution is not None
    return found.distribution


@pytest.mark.parametrize(
    ("os_release", "identity"),
    [
        ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm', "debian"),
        ('PRETTY_NAME="Debian GNU/Linux trixie/sid"\nVERSION_CODENAME=trixie\nID=debian', "debian"),
        ('PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="12"', "debian"),
        ("ID=debian\n", "debian"),
        ('ID=ubuntu\nVERSION_ID="22.04"', "ubuntu"),
        ('ID=ubuntu\nVERSION_ID="24.10"', "ubuntu"),
        ('ID=ubuntu\nVERSION_ID="25.04"', "ubuntu"),
        ("ID=alpine\nVERSION_ID=3.20.3", "alpine"),
        ("ID=alpine\nVERSION_ID=3.22.0_alpha20250108", "alpine"),
        ("ID=wolfi\nVERSION_ID=20230201", "wolfi"),
        ("ID=chainguard\nVERSION_ID=20230214", "chainguard"),
        ("ID=minimos\nVERSION_ID=20241031", "minimos"),
        ('ID="rhel"\nVERSION_ID="9.4"', "rhel"),
        ('ID="centos"\nVERSION_ID="7"', "centos"),
        ('ID="rocky"\nVERSION_ID="9.4"', "rocky"),
        ('ID="almalinux"\nVERSION_ID="8.10"', "almalinux"),
        ("ID=fedora\nVERSION_ID=41", "fedora"),
        ('ID="ol"\nVERSION_ID="9.3"', "ol"),
        ('ID="amzn"\nVERSION_ID="2023"', "amzn"),
        ('ID="opensuse-leap"\nVERSION_ID="15.5"', "opensuse-leap"),
        ('ID="opensuse-tumbleweed"\nVERSION_ID="20240101"', "opensuse-tumbleweed"),
        ('ID="sles"\nVERSION_ID="15.5"', "sles"),
        ("ID=photon\nVERSION_ID=5.0", "photon"),
        ("ID=arch\nBUILD_ID=rolling", "arch"),
        ('ID=azurelinux\nVERSION_ID="3.0"', "azurelinux"),
        ('ID=mariner\nVERSION_ID="2.0"', "azurelinux"),
        ('ID="openEuler"\nVERSION_ID="24.03"\nVERSION="24.03 (LTS-SP1)"', "openeuler"),
        ('ID=alpaquita\nVERSION_ID="23"', "alpaquita"),
        ('ID=alpaquita\nVERSION_ID="stream"', "alpaquita"),
        ("ID=busybox\n", "busybox"),
        ("ID='something else'\nVERSION_ID=1", "something-else"),
    ],
)
def test_os_release_names_a_distribution(os_release: str, identity: str) -> None:
    assert of(os_release + "\n").id == identity


@pytest.mark.parametrize(
    ("path", "content", "identity", "version"),
    [
        ("etc/alpine-release", "3.20.3\n", "alpine", "3.20.3"),
        ("etc/centos-release", "CentOS release 6.10 (Final)\n", "centos", "6.10"),
        ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n", "rhel", "6.10"),
        ("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n", "centos", "7.9.2009"),
        ("etc/rocky-release", "Rocky Linux release 8.9 (Green Obsidian)\n", "rocky", "8.9"),
        ("etc/oracle-release", "Oracle Linux Server release 7.9\n", "ol", "7.9"),
        ("etc/system-release", "Amazon Linux AMI release 2018.03\n", "amzn", "2018.03"),
        (
            "etc/SuSE-release",
            "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
            "sles",
            "11.4",
        ),
        ("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n", "ubuntu", "14.04"),
        ("etc/debian_version", "8.11\n", "debian", "8.11"),
        ("etc/debian_version", "trixie/sid\n", "debian", ""),
        ("etc/arch-release", "", "arch", ""),
    ],
)
def test_without_os_release_older_files_tell(path: str, content: str, identity: str, version: str) -> None:
    distribution = of(content, path)
    assert (distribution.id, distribution.version) == (identity, version)


def test_a_derivative_outranks_what_it_derives_from() -> None:
    ranks = [
        read(DISTRO, path, content).rank
        for path, content in (
            ("etc/os-release", "ID=rocky\n"),
            ("usr/lib/os-release", "ID=rocky\n"),
            ("etc/rocky-release", "Rocky Linux release 9.1\n"),
            ("etc/redhat-release", "Rocky Linux release 9.1\n"),
            ("etc/debian_version", "12.1\n"),
        )
    ]
    assert ranks == sorted(set(ranks))


def test_os_release_under_another_name_is_read_where_a_link_leads_to_it() -> None:
    assert of("ID=nixos\nVERSION_ID=24.05\n", "nix/store/abc-os-release") == Distribution("nixos", "24.05")


def test_quotes_escapes_and_likeness_are_understood() -> None:
    distribution = of('ID=x\nNAME="a"\nPRETTY_NAME="The \\"X\\" \\$ system"\nID_LIKE="rhel FEDORA"\n')
    assert (str(distribution), distribution.like) == ('The "X" $ system', ("rhel", "fedora"))


def test_a_file_that_names_nothing_shows_nothing() -> None:
    assert read(DISTRO, "etc/redhat-release", "hello\n").distribution is None
    assert read(DISTRO, "etc/os-release", "garbage").distribution is None
