"""Packages from a bill of materials."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.samples import SAMPLES, read
from holdfast.catalog import CATALOGERS
from holdfast.catalog.assemble import Piece, assemble
from holdfast.catalog.listed import Inventory
from holdfast.catalog.sbom import read_cyclonedx
from holdfast.model.artifact import Side
from holdfast.model.errors import InputError
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Status
from holdfast.report.cyclonedx import document


def bom(*components: Any, version: str = "1.6", **more: Any) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": version, "components": components, **more}).encode()


def component(purl: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "library", "name": "x", **({"purl": purl} if purl else {}), **more}


def properties(**values: str) -> list[dict[str, str]]:
    return [{"name": f"holdfast:{name}", "value": value} for name, value in values.items()]


def only(data: bytes) -> Package:
    (package,) = read_cyclonedx(data).packages
    return package


def test_what_holdfast_wrote_is_read_back() -> None:
    purl = "pkg:deb/debian/bash@5.2.15-2%2Bb13?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"
    said = properties(
        source_version="5.2.15-2", diff_id="sha256:a", side="base", vendor="M <m@x>", owner="pkg:deb/debian/o@1"
    )
    said += properties(location="b") + properties(location="a") + properties(origin="declared", development="true")
    licenses = [{"license": {"id": "MIT"}}]
    package = only(bom(component(purl, name="bash", version="5.2.15-2+b13", properties=said, licenses=licenses)))
    assert package == Package(
        name="bash", version="5.2.15-2+b13", type="deb", purl=purl, architecture="amd64", source_version="5.2.15-2",
        origin=Origin.DECLARED, licenses=("MIT",), locations=("a", "b"), diff_id="sha256:a", side=Side.BASE,
        owner="pkg:deb/debian/o@1", vendor="M <m@x>", development=True,
    )  # fmt: skip


def test_a_bill_of_materials_of_ours_gives_the_same_packages() -> None:
    found: list[Piece] = []
    for name, path, content in SAMPLES:
        cataloger = next(one for one in CATALOGERS if one.name == name)
        found.append((path, "sha256:" + "0" * 64, Side.BASE, read(cataloger, path, content, 0o755)))
    distribution = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm", ("x",))
    packages = assemble(found, distribution)
    target = Target("image", "oci")
    report = Report(target, Status.COMPLETE, "holdfast 1", packages=packages, distribution=distribution)
    inventory = read_cyclonedx(msgspec.json.encode(document(report)))
    assert inventory == Inventory(packages, distribution)


@pytest.mark.parametrize(
    ("purl", "name"),
    [
        ("pkg:npm/%40babel/core@7", "@babel/core"),
        ("pkg:golang/github.com/x/y@v1", "github.com/x/y"),
        ("pkg:maven/org.apache/log4j@2", "org.apache:log4j"),
        ("pkg:pypi/Zope.Interface@5", "zope-interface"),
        ("pkg:composer/a/b@1", "a/b"),
        ("pkg:deb/ubuntu/bash@1", "bash"),
    ],
)
def test_names_are_those_of_the_advisories_and_the_purl_stays_as_it_is(purl: str, name: str) -> None:
    package = only(bom(component(purl)))
    assert (package.name, package.purl) == (name, purl)


@pytest.mark.parametrize(
    ("purl", "said", "source"),
    [
        ("pkg:deb/debian/libssl3@3.0?upstream=openssl", {}, ("openssl", "")),
        ("pkg:deb/debian/bash@5-2%2Bb1?upstream=bash%405-2", {}, ("", "5-2")),
        ("pkg:deb/debian/bash@5-2%2Bb1", {}, ("", "5-2")),
        (
            "pkg:deb/debian/linux-image@6.1.1-2",
            {"syft:metadata:source": "linux-signed-amd64", "syft:metadata:sourceVersion": "6.1.1+2"},
            ("linux", ""),
        ),
        (
            "pkg:deb/debian/zlib1g@1:1.2-3",
            {
                "aquasecurity:trivy:SrcName": "zlib",
                "aquasecurity:trivy:SrcVersion": "1.2",
                "aquasecurity:trivy:SrcRelease": "3",
                "aquasecurity:trivy:SrcEpoch": "1",
            },
            ("zlib", ""),
        ),
        ("pkg:apk/alpine/libcrypto3@3", {"syft:metadata:originPackage": "openssl"}, ("openssl", "")),
        ("pkg:rpm/redhat/bash@5?upstream=bash-5-1.src.rpm", {}, ("", "")),
    ],
)
def test_source_packages_are_found_as_other_tools_write_them(
    purl: str, said: dict[str, str], source: tuple[str, str]
) -> None:
    package = only(bom(component(purl, properties=[{"name": key, "value": value} for key, value in said.items()])))
    assert (package.source_name, package.source_version) == source


def test_the_vendor_is_the_publisher_where_nothing_else_says_it() -> None:
    purl, said = "pkg:deb/debian/nginx@1", [{"name": "syft:metadata:maintainer", "value": "A <a@b>"}]
    assert only(bom(component(purl, publisher="NGINX <x@nginx.com>"))).vendor == "NGINX <x@nginx.com>"
    assert only(bom(component(purl, publisher="B", properties=said))).vendor == "A <a@b>"


def test_the_distribution_is_the_operating_system_component() -> None:
    system = {"type": "operating-system", "name": "debian", "version": "12.5", "description": "Debian 12"}
    assert read_cyclonedx(bom(system)).distribution == Distribution("debian", "12.5", "Debian 12")
    whole = Distribution("debian", "", "Debian trixie/sid", "trixie")
    said = properties(distribution='{"id": "debian", "name": "Debian trixie/sid", "codename": "trixie"}')
    assert read_cyclonedx(bom(system | {"properties": said})).distribution == whole


@pytest.mark.parametrize(
    ("distro", "distribution"),
    [
        ("debian-12", Distribution("debian", "12")),
        ("debian-trixie", Distribution("debian", codename="trixie")),
        ("opensuse-leap-15.5", Distribution("opensuse-leap", "15.5")),
        ("opensuse-tumbleweed", Distribution("opensuse-tumbleweed")),
        ("wolfi-20230201", Distribution("wolfi", "20230201")),
        ("alpine-3.20.3", Distribution("alpine", "3.20.3")),
        ("rhel-9.4", Distribution("rhel", "9.4")),
    ],
)
def test_without_one_it_is_what_most_purls_say(distro: str, distribution: Distribution) -> None:
    purls = [f"pkg:apk/x/a@1?distro={distro}", f"pkg:apk/x/b@1?distro={distro}", "pkg:apk/x/c@1?distro=other-1"]
    assert read_cyclonedx(bom(*map(component, purls))).distribution == distribution


def test_components_within_components_count() -> None:
    inner = component("pkg:npm/b@1")
    outer = component("pkg:npm/a@1", components=[inner])
    assert [package.name for package in read_cyclonedx(bom(outer, component("pkg:npm/c@1"))).packages] == [
        "a",
        "b",
        "c",
    ]


def test_what_cannot_be_used_is_said() -> None:
    found = read_cyclonedx(bom(component(), {"type": "file", "name": "f"}, component("nonsense"), 7, {"name": []}))
    assert [(problem.code, problem.count) for problem in found.problems] == [
        ("catalog.sbom.damaged", 3),
        ("catalog.sbom.without-purl", 1),
    ]


def test_components_without_a_purl_make_the_result_partial() -> None:
    kinds = ("library", "application", "framework", "operating-system", "file", "data")
    found = read_cyclonedx(bom(*({"type": kind, "name": "x"} for kind in kinds)))
    assert [(problem.code, problem.gravity, problem.count) for problem in found.problems] == [
        ("catalog.sbom.without-purl", Gravity.PARTIAL, 3)
    ]


def test_the_lock_files_that_trivy_lists_are_no_packages() -> None:
    said = [{"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}]
    lock = {"type": "application", "name": "srv/package-lock.json", "properties": said}
    assert read_cyclonedx(bom(lock)).problems == ()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (properties(status="partial"), "packages may be missing"),
        (properties(status="failed"), "packages may be missing"),
        (properties(status="partial", not_checked="PyPI") + properties(not_checked="Go"), "not checked: Go, PyPI"),
    ],
)
def test_what_a_partial_scan_of_ours_wrote_is_partial_again(said: list[dict[str, str]], message: str) -> None:
    root = {"type": "container", "name": "shop", "properties": said}
    (problem,) = read_cyclonedx(bom(component("pkg:npm/a@1"), metadata={"component": root})).problems
    assert (problem.code, problem.gravity) == ("catalog.sbom.partial", Gravity.PARTIAL)
    assert problem.message == f"the scan that made this document was partial: {message}"


@pytest.mark.parametrize(
    "metadata", [{"component": {"name": "x", "properties": properties(status="complete")}}, {}, 7, {"component": []}]
)
def test_a_complete_scans_document_and_anothers_are_not(metadata: Any) -> None:
    assert read_cyclonedx(bom(component("pkg:npm/a@1"), metadata=metadata)).problems == ()


def test_nesting_beyond_the_budget_is_said() -> None:
    nested: dict[str, Any] = component("pkg:npm/a@1")
    for _ in range(50):
        nested = component("pkg:npm/a@1", components=[nested])
    assert [problem.code for problem in read_cyclonedx(bom(nested)).problems] == ["catalog.sbom.beyond-budget"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no format"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"<bom/>", id="XML"),
        pytest.param(b'{"bomFormat": "SPDX"}', id="another format"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"bomFormat": "CycloneDX", "components": ' + b"[" * 100_000, id="deep components"),
    ],
)
def test_what_is_no_cyclonedx_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_cyclonedx(data)


def test_an_unknown_version_is_read_and_noted() -> None:
    found = read_cyclonedx(bom(component("pkg:npm/a@1"), version="2.0"))
    assert (len(found.packages), found.problems[0].code) == (1, "catalog.sbom.version")


@given(place=st.integers(0, 2000), length=st.integers(0, 40), new=st.binary(max_size=10))
@settings(max_examples=200, deadline=None)
def test_a_damaged_document_is_read_or_refused(place: int, length: int, new: bytes) -> None:
    data = bom(
        {"type": "operating-system", "name": "debian", "version": "12"},
        component("pkg:deb/debian/a@1?distro=debian-12", components=[component("pkg:npm/%40a/b@1")]),
        component("pkg:npm/c@1", licenses=[{"expression": "MIT"}]),
    )
    at = place % len(data)
    try:
        assert isinstance(read_cyclonedx(data[:at] + new + data[at + length :]), Inventory)
    except InputError:
        return
