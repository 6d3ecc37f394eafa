"""Packages from SPDX documents, in the shapes that syft, Trivy and BuildKit's scanner write."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.catalog import spdx
from holdfast.catalog.listed import Inventory
from holdfast.catalog.sbom import read_cyclonedx, read_sbom
from holdfast.catalog.spdx import read_spdx
from holdfast.model.errors import InputError, LimitError
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Gravity


def document(*packages: Any, version: str = "SPDX-2.3", **more: Any) -> bytes:
    head = {"spdxVersion": version, "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "dataLicense": "CC0-1.0"}
    return json.dumps({**head, "packages": packages, **more}).encode()


def package(purl: str = "", *, category: str = "PACKAGE-MANAGER", **more: Any) -> dict[str, Any]:
    cpe = {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x:x:1"}
    named = {"referenceCategory": category, "referenceType": "purl", "referenceLocator": purl}
    given = {"name": "x", "SPDXID": "SPDXRef-Package-x", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION"}
    return {**given, "externalRefs": [cpe, named] if purl else [cpe], **more}


def only(data: bytes) -> Package:
    found = read_spdx(data)
    assert found.problems == ()
    (one,) = found.packages
    return one


BASH = "pkg:deb/debian/bash@5.2.15-2%2Bb13?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"


def test_a_package_of_syft_or_buildkits_scanner() -> None:
    written = package(
        BASH,
        name="bash",
        versionInfo="5.2.15-2+b13",
        supplier="Person: Matthias Klose (doko@debian.org)",
        sourceInfo="acquired package info from DPKG DB: /var/lib/dpkg/status, /usr/share/doc/bash/copyright",
        licenseDeclared="GPL-3.0-only AND LicenseRef-MIT-like",
    )
    assert only(document(written)) == Package(
        name="bash", version="5.2.15-2+b13", type="deb", purl=BASH, architecture="amd64", source_version="5.2.15-2",
        licenses=("GPL-3.0-only AND LicenseRef-MIT-like",), vendor="Matthias Klose <doko@debian.org>",
        locations=("/usr/share/doc/bash/copyright", "/var/lib/dpkg/status"),
    )  # fmt: skip


@pytest.mark.parametrize("field", ["attributionTexts", "annotations"])
def test_a_package_of_trivy_names_its_source_and_layer(field: str) -> None:
    layer = "sha256:" + "a" * 64
    said = ["PkgID: zlib1g@1:1.2.13-1", f"LayerDiffID: {layer}"]
    texts: dict[str, Any] = {
        "attributionTexts": said,
        "annotations": [{"comment": text, "annotator": "Tool: trivy"} for text in said],
    }
    purl = "pkg:deb/debian/zlib1g@1.2.13-1?arch=amd64&distro=debian-12.5&epoch=1"
    written = package(
        purl, versionInfo="1:1.2.13-1", sourceInfo="built package from: zlib 1:1.2.13-1", licenseDeclared="NONE",
    )  # fmt: skip
    written[field] = texts[field]
    assert only(document(written)) == Package(
        name="zlib1g", version="1:1.2.13-1", type="deb", purl=purl, architecture="amd64", source_name="zlib",
        diff_id=layer,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["SPDX-2.2", "SPDX-2.3"])
@pytest.mark.parametrize("category", ["PACKAGE-MANAGER", "PACKAGE_MANAGER"])
def test_both_spellings_of_the_category_are_read(version: str, category: str) -> None:
    assert only(document(package("pkg:npm/a@1", category=category), version=version)).name == "a"


def test_an_spdx_document_and_a_cyclonedx_document_say_the_same() -> None:
    bom = {"type": "library", "name": "bash", "version": "5.2.15-2+b13", "purl": BASH}
    other = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [bom]}).encode()
    assert read_spdx(document(package(BASH, versionInfo="5.2.15-2+b13"))) == read_cyclonedx(other)


@pytest.mark.parametrize(
    "system",
    [
        {"name": "alpine", "SPDXID": "SPDXRef-OperatingSystem-bd17", "versionInfo": "3.20.3"},
        {"name": "alpine", "SPDXID": "SPDXRef-1", "versionInfo": "3.20.3", "primaryPackagePurpose": "OPERATING-SYSTEM"},
    ],
)
def test_the_distribution_is_the_package_that_is_an_operating_system(system: dict[str, Any]) -> None:
    found = read_spdx(document(package("pkg:apk/alpine/musl@1?distro=3.16.0"), system))
    assert (found.distribution, len(found.packages), found.problems) == (Distribution("alpine", "3.20.3"), 1, ())


@pytest.mark.parametrize("distro", ["debian-12", "12"])
def test_without_one_it_is_what_the_purls_say(distro: str) -> None:
    found = read_spdx(document(package(f"pkg:deb/debian/a@1?distro={distro}"), package("pkg:npm/b@1")))
    assert found.distribution == Distribution("debian", "12")


@pytest.mark.parametrize(
    ("other", "relation"),
    [
        (package(name="image", SPDXID="SPDXRef-DocumentRoot-Image-shop"), {}),
        (package(name="image", primaryPackagePurpose="CONTAINER"), {}),
        (package("pkg:oci/shop@sha256:00?arch=amd64", SPDXID="SPDXRef-root"), {}),
        (package(name="Java", SPDXID="SPDXRef-Application-150e", versionInfo="jar"), {}),
        (package(name="root", SPDXID="SPDXRef-r"), {"documentDescribes": ["SPDXRef-r"]}),
        (
            package(name="root", SPDXID="SPDXRef-r"),
            {"relationships": [
                {"spdxElementId": "SPDXRef-a", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-b"},
                {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                 "relatedSpdxElement": "SPDXRef-r"},
            ]},
        ),
        (
            package(name="root", SPDXID="SPDXRef-r"),
            {"relationships": [{"spdxElementId": "SPDXRef-r", "relationshipType": "DESCRIBED_BY",
                                "relatedSpdxElement": "SPDXRef-DOCUMENT"}]},
        ),
    ],
)  # fmt: skip
def test_what_the_document_is_about_is_no_package_without_a_purl(other: Any, relation: dict[str, Any]) -> None:
    assert only(document(package("pkg:npm/a@1"), other, **relation)).name == "a"


def test_packages_without_a_purl_make_the_result_partial() -> None:
    found = read_spdx(document(package("pkg:npm/a@1"), package(), package(externalRefs=None)))
    assert [(problem.code, problem.gravity, problem.count) for problem in found.problems] == [
        ("catalog.sbom.without-purl", Gravity.PARTIAL, 2)
    ]


def test_what_cannot_be_read_is_said_and_the_rest_is_read() -> None:
    found = read_spdx(document(7, {"name": []}, package("nonsense"), package("pkg:npm/" + "a" * 5000), package(BASH)))
    assert [(problem.code, problem.count) for problem in found.problems] == [
        ("catalog.sbom.beyond-budget", 1),
        ("catalog.sbom.damaged", 3),
    ]
    assert len(found.packages) == 1


def test_nulls_stand_for_what_is_absent() -> None:
    nulls = dict.fromkeys(("versionInfo", "supplier", "sourceInfo", "licenseDeclared", "annotations"))
    assert only(document(package("pkg:npm/a@1") | nulls, relationships=None, documentDescribes=None)).version == "1"


def test_an_unknown_version_is_read_and_noted() -> None:
    found = read_spdx(document(package("pkg:npm/a@1"), version="SPDX-2.9"))
    assert (len(found.packages), found.problems[0].code) == (1, "catalog.sbom.version")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no version"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(document(version="SPDX-3.0"), id="another version"),
        pytest.param(b'{"spdxVersion": 7}', id="a number"),
        pytest.param(b'{"spdxVersion": "SPDX-2.3", "packages": {}}', id="no list"),
        pytest.param(b'{"spdxVersion": "SPDX-2.3", "packages": ' + b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_spdx_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_spdx(data)


def test_the_budget_counts_what_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdx, "MAX_VALUES", 1_000)
    assert len(read_spdx(document(package("pkg:npm/a@1"), files=[{}] * 2_000)).packages) == 1
    with pytest.raises(LimitError, match="1,000 values"):
        read_spdx(document(*[{}] * 2_000))


def test_relations_beyond_the_budget_leave_the_nameless_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdx, "MAX_VALUES", 1_000)
    found = read_spdx(
        document(package(SPDXID="SPDXRef-r"), documentDescribes=["SPDXRef-r"], relationships=[{}] * 2_000)
    )
    assert [problem.code for problem in found.problems] == ["catalog.sbom.without-purl"]


def test_a_document_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdx, "MAX_BYTES", 1_000)
    with pytest.raises(LimitError, match="bill of materials"):
        read_spdx(b" " * 1_001)


def test_both_formats_are_told_apart_by_what_they_hold() -> None:
    bom = b'\xef\xbb\xbf{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}'
    assert read_sbom(bom) == Inventory()
    assert [one.name for one in read_sbom(b"\xef\xbb\xbf" + document(package("pkg:npm/a@1"))).packages] == ["a"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', "SPDX 3 is not read yet"),
        (b'{"artifacts": [], "descriptor": {"name": "syft"}}', "syft's own format"),
        (b"SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "of tags and values"),
        (b'\n<?xml version="1.0"?><bom/>', "in XML"),
        (b"{}", "neither CycloneDX nor SPDX"),
        (b"[]", "not a bill of materials"),
        (b"\xff\xfe", "not a bill of materials"),
        (b"[" * 100_000, "not a bill of materials"),
        (b'{"x": ' + b"[" * 100_000, "not a bill of materials"),
    ],
)
def test_other_formats_are_named_with_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        read_sbom(data)
    assert "CycloneDX JSON" in error.value.remedy


@given(place=st.integers(0, 4000), length=st.integers(0, 60), new=st.binary(max_size=10))
@settings(max_examples=200, deadline=None)
def test_a_damaged_document_is_read_or_refused(place: int, length: int, new: bytes) -> None:
    data = document(
        {"name": "debian", "SPDXID": "SPDXRef-OperatingSystem-1", "versionInfo": "12"},
        package(BASH, supplier="Person: A (a@b)", sourceInfo="built package from: bash 5", attributionTexts=["x: y"]),
        package("pkg:npm/%40a/b@1", sourceInfo="acquired package info from x: /a, /b", annotations=[{"comment": "c"}]),
        package(name="nameless"),
        relationships=[{"spdxElementId": "a", "relationshipType": "DESCRIBES", "relatedSpdxElement": "b"}],
    )
    at = place % len(data)
    try:
        assert isinstance(read_sbom(data[:at] + new + data[at + length :]), Inventory)
    except InputError:
        return


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_sbom(data)
