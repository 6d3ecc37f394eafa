"""dpkg's database."""

import pytest

from catalog.samples import listed, paragraph, read, status
from holdfast.catalog.deb import DEB, DEB_COPYRIGHT, DEB_LIST, DEB_SINGLE, source_of
from holdfast.model.found import Claim, Found

STATUS = "var/lib/dpkg/status"


def test_installed_packages_are_listed_with_architecture_source_and_maintainer() -> None:
    text = paragraph("zlib1g", "1:1.2.13.dfsg-1", Source="zlib", Maintainer="Mark <mark@example.org>")
    (package,) = read(DEB, STATUS, status(paragraph("old", status="deinstall ok config-files"), text)).packages
    assert (package.name, package.version, package.architecture) == ("zlib1g", "1:1.2.13.dfsg-1", "amd64")
    assert (package.source_name, package.source_version) == ("zlib", "")
    assert package.vendor == "Mark <mark@example.org>"


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("install ok unpacked", True),
        ("install ok half-configured", True),
        ("install reinstreq half-installed", True),
        ("install ok triggers-pending", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
    ],
)
def test_a_package_counts_where_its_files_are_there(state: str, counts: bool) -> None:
    assert bool(read(DEB, STATUS, paragraph(status=state)).packages) is counts


@pytest.mark.parametrize(
    ("name", "version", "field", "source"),
    [
        ("bash", "5.2.15-2+b13", "bash (5.2.15-2)", ("bash", "5.2.15-2")),
        ("bash", "5.2.15-2+b13", "", ("bash", "5.2.15-2")),
        ("libssl3", "3.0.11-1", "openssl", ("openssl", "3.0.11-1")),
        ("libgcc-s1", "12.2.0-14", "gcc-12", ("gcc-12", "12.2.0-14")),
        ("linux-image-amd64", "6.1.192-2", "linux-signed-amd64 (6.1.192+2)", ("linux", "6.1.192-2")),
        (
            "linux-image-6.5.0-0.deb12.4-amd64",
            "6.5.10-1~bpo12+1",
            "linux-signed-amd64 (6.5.10+1~bpo12+1)",
            ("linux", "6.5.10-1~bpo12+1"),
        ),
        ("linux-image-5.15.0-91-generic", "5.15.0-91.101", "linux-signed", ("linux", "5.15.0-91.101")),
        ("linux-image-aws", "6.5.0-1014.14", "linux-signed-aws-6.5", ("linux-aws-6.5", "6.5.0-1014.14")),
        ("x", "1:2.0-1", "y (0.5)", ("y", "0.5")),
    ],
)
def test_the_source_is_what_advisories_speak_of(name: str, version: str, field: str, source: tuple[str, str]) -> None:
    assert source_of(name, version, field) == source


def test_a_corrupt_paragraph_is_a_problem_and_the_rest_is_kept() -> None:
    text = status(paragraph("a"), "Package: b\nStatus: install ok installed\n", "\0\xff garbage", paragraph("c"))
    found = read(DEB, STATUS, text)
    assert [package.name for package in found.packages] == ["a", "c"]
    assert {problem.code for problem in found.problems} == {"catalog.deb.corrupt"}


def test_a_truncated_database_keeps_what_came_before() -> None:
    text = status(paragraph("a"), paragraph("b"))
    found = read(DEB, STATUS, text[: text.rindex("Version")])
    assert [package.name for package in found.packages] == ["a"]
    assert found.problems


def test_distroless_keeps_a_file_for_each_package() -> None:
    found = read(DEB_SINGLE, "var/lib/dpkg/status.d/base", paragraph("base-files", "12.4", status=""))
    assert listed(found) == [("base-files", "12.4")]
    found = read(DEB_SINGLE, "var/lib/dpkg/status.d/libc6.md5sums", "0" * 32 + "  lib/x86_64-linux-gnu/libc.so.6\n")
    assert found == Found(claims=(Claim("libc6", b"/lib/x86_64-linux-gnu/libc.so.6"),))


def test_lists_claim_files_for_a_package_and_its_architecture() -> None:
    found = read(DEB_LIST, "var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n")
    assert found.claims == (Claim("libc6:amd64", b"/.\n/lib"),)


def test_copyright_files_name_licences() -> None:
    path = "usr/share/doc/bash/copyright"
    found = read(DEB_COPYRIGHT, path, "Files: *\nLicense: GPL-3+\n text\n\nFiles: b\nLicense: MIT\n\nLicense: GPL-3+\n")
    assert found.claims == (Claim("bash", licenses=("GPL-3+", "MIT")),)
    found = read(
        DEB_COPYRIGHT,
        path,
        "On Debian see `/usr/share/common-licenses/GPL-2'. Or /usr/share/common-licenses/Artistic.\n",
    )
    assert found.claims == (Claim("bash", licenses=("Artistic", "GPL-2")),)
    assert read(DEB_COPYRIGHT, path, "free software\n") == Found()
