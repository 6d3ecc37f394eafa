"""What purls in a bill of materials say, whatever its format."""

from collections import Counter

import pytest

from holdfast.catalog.listed import distribution_of, package_of
from holdfast.model.package import Distribution, Package


def package(purl: str, version: str = "") -> Package:
    unread: Counter[str] = Counter()
    found = package_of(purl, version, unread)
    assert found
    assert not unread
    return found


@pytest.mark.parametrize(
    ("purl", "version"),
    [
        ("pkg:deb/debian/zlib1g@1.2-3?epoch=1", "1:1.2-3"),
        ("pkg:deb/debian/zlib1g@1:1.2-3?epoch=1", "1:1.2-3"),
        ("pkg:rpm/rhel/bash@5.1-6.el9?epoch=2", "2:5.1-6.el9"),
        ("pkg:rpm/rhel/bash@5.1-6.el9?epoch=0", "5.1-6.el9"),
        ("pkg:npm/a@1?epoch=1", "1"),
        ("pkg:npm/a", ""),
    ],
)
def test_the_epoch_belongs_to_the_version(purl: str, version: str) -> None:
    assert package(purl).version == version


def test_the_version_beside_the_purl_counts_more() -> None:
    assert package("pkg:deb/debian/zlib1g@1.2-3?epoch=1", "1:1.2-4").version == "1:1.2-4"


def test_the_distribution_is_read_as_trivy_and_docker_scout_write_it() -> None:
    musl, other = package("pkg:apk/alpine/musl@1?distro=3.20.3"), package("pkg:apk/musl@1?distro=3.20.3")
    assert distribution_of([musl]) == Distribution("alpine", "3.20.3")
    assert distribution_of([other]) == Distribution("3.20.3")
    assert distribution_of([package("pkg:npm/a@1?distro=alpine-3")]) is None
    scout = package("pkg:deb/debian/glibc@2.36-9?os_distro=bookworm&os_name=debian&os_version=12")
    assert distribution_of([scout]) == Distribution("debian", "12")
