"""Which of OSV's ecosystems speak of a distribution, from its own release file."""

import pytest

from catalog.samples import read
from holdfast.advisory.ecosystem import ecosystems_of
from holdfast.catalog.distro import DISTRO


@pytest.mark.parametrize(
    ("os_release", "ecosystem"),
    [
        ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm', "Debian:12"),
        ('PRETTY_NAME="Debian GNU/Linux trixie/sid"\nVERSION_CODENAME=trixie\nID=debian', "Debian:13"),
        ('PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="12"', "Debian:12"),
        ("ID=debian\n", "Debian:sid"),
        ('ID=ubuntu\nVERSION_ID="22.04"', "Ubuntu:22.04:LTS"),
        ('ID=ubuntu\nVERSION_ID="24.10"', "Ubuntu:24.10:LTS"),
        ('ID=ubuntu\nVERSION_ID="25.04"', "Ubuntu:25.04:LTS"),
        ("ID=alpine\nVERSION_ID=3.20.3", "Alpine:v3.20"),
        ("ID=alpine\nVERSION_ID=3.22.0_alpha20250108", "Alpine:edge"),
        ("ID=wolfi\nVERSION_ID=20230201", "Wolfi"),
        ("ID=chainguard\nVERSION_ID=20230214", "Chainguard"),
        ("ID=minimos\nVERSION_ID=20241031", "MinimOS"),
        ('ID="rhel"\nVERSION_ID="9.4"', "Red Hat:enterprise_linux:9"),
        ('ID="centos"\nVERSION_ID="7"', ""),
        ('ID="rocky"\nVERSION_ID="9.4"', "Rocky Linux:9"),
        ('ID="almalinux"\nVERSION_ID="8.10"', "AlmaLinux:8"),
        ("ID=fedora\nVERSION_ID=41", ""),
        ('ID="ol"\nVERSION_ID="9.3"', ""),
        ('ID="amzn"\nVERSION_ID="2023"', ""),
        ('ID="opensuse-leap"\nVERSION_ID="15.5"', "openSUSE:Leap 15.5"),
        ('ID="opensuse-tumbleweed"\nVERSION_ID="20240101"', "openSUSE:Tumbleweed"),
        ('ID="sles"\nVERSION_ID="15.5"', "SUSE:Linux Enterprise Server 15 SP5"),
        ("ID=photon\nVERSION_ID=5.0", "Photon OS:5.0"),
        ("ID=arch\nBUILD_ID=rolling", ""),
        ('ID=azurelinux\nVERSION_ID="3.0"', "Azure Linux:3"),
        ('ID=mariner\nVERSION_ID="2.0"', "Azure Linux:2"),
        ('ID="openEuler"\nVERSION_ID="24.03"\nVERSION="24.03 (LTS-SP1)"', "openEuler:24.03-LTS-SP1"),
        ('ID=alpaquita\nVERSION_ID="23"', "Alpaquita:23"),
        ('ID=alpaquita\nVERSION_ID="stream"', "Alpaquita:stream"),
        ("ID=busybox\n", ""),
        ("ID='something else'\nVERSION_ID=1", ""),
    ],
)
def test_the_first_ecosystem_is_the_distributions_own(os_release: str, ecosystem: str) -> None:
    distribution = read(DISTRO, "etc/os-release", os_release + "\n").distribution
    assert distribution is not None
    assert next(iter(ecosystems_of(distribution)), "") == ecosystem


def test_an_interim_release_of_ubuntu_is_looked_up_without_lts_as_well() -> None:
    distribution = read(DISTRO, "etc/os-release", 'ID=ubuntu\nVERSION_ID="24.10"\n').distribution
    assert distribution is not None
    assert "Ubuntu:24.10" in ecosystems_of(distribution)
