"""SPDX 2.3: held against the specification's rules, and read back by our own reader."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.catalog.sbom import read_sbom
from holdfast.model.package import Distribution
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem
from holdfast.report.licences import Form, form_of
from holdfast.report.spdx import SpdxWriter, document
from report.reports import ALL_ENGINES, DEBIAN, deb, declared, finding, pypi, report, secret

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
OPENSSL = deb("libssl3", "3.0.11-1+b2", source="openssl", source_version="3.0.11-1", licenses=("Apache-2.0",),
              vendor="Debian OpenSSL Team <openssl@example.org>")  # fmt: skip
JINJA = pypi("jinja2", "2.10", licenses=("BSD-3-Clause", "MIT OR Apache-2.0", "Some Licence"))
FULL = report(
    finding(JINJA, "CVE-1"), secret(), packages=(OPENSSL, JINJA, declared("django", "2", development=True)),
    engines=ALL_ENGINES,
)  # fmt: skip


def written(given: Report) -> bytes:
    output = io.BytesIO()
    SpdxWriter().write(given, output)
    return output.getvalue()


def read(given: Report) -> dict[str, Any]:
    """The document, after it was held against chapters 6, 7, 10, 11 and 12 of the specification."""
    made: dict[str, Any] = json.loads(written(given))
    assert set(made) <= {
        "spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages",
        "relationships", "hasExtractedLicensingInfos",
    }  # fmt: skip
    assert (made["spdxVersion"], made["dataLicense"], made["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert made["name"]
    assert re.fullmatch(r"[a-z]+:[^#\s]+", made["documentNamespace"])  # 6.5: an absolute URI without a fragment
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["creationInfo"]["created"])  # 6.9
    assert all(creator.startswith("Tool: ") for creator in made["creationInfo"]["creators"])
    ids = [package["SPDXID"] for package in made["packages"]]
    assert len(ids) == len(set(ids))
    defined = {one["licenseId"] for one in made.get("hasExtractedLicensingInfos", [])}
    for package in made["packages"]:
        read_package(package, defined)
    for one in made["relationships"]:  # 11.1
        assert one["relationshipType"] in ("DESCRIBES", "CONTAINS")
        assert {one["spdxElementId"], one["relatedSpdxElement"]} <= {*ids, "SPDXRef-DOCUMENT"}
    assert len(made["relationships"]) == len(ids)
    for one in made.get("hasExtractedLicensingInfos", []):  # 10.1
        assert re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", one["licenseId"])
        assert one["extractedText"]
    return made


def read_package(package: dict[str, Any], defined: set[str]) -> None:  # chapter 7
    assert ID.fullmatch(package["SPDXID"])
    assert package["name"]
    assert package["downloadLocation"] == "NOASSERTION"
    assert package["filesAnalyzed"] is False
    for name in ("licenseConcluded", "licenseDeclared"):
        licence = package[name]
        assert licence == "NOASSERTION" or form_of(licence) in (Form.ID, Form.EXPRESSION)
        assert set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", licence)) <= defined
    assert package["primaryPackagePurpose"] in ("CONTAINER", "FILE", "LIBRARY", "OPERATING-SYSTEM")
    for reference in package.get("externalRefs", []):
        assert reference["referenceCategory"] == "PACKAGE-MANAGER"
        assert reference["referenceType"] == "purl"
    if supplier := package.get("supplier"):
        assert supplier.startswith(("Organization: ", "Person: "))
    for annotation in package.get("annotations", []):
        assert set(annotation) == {"annotationDate", "annotationType", "annotator", "comment"}


def test_the_document_describes_the_target_that_contains_the_packages() -> None:
    made = read(FULL)
    root = made["packages"][0]
    assert made["relationships"][0] == {
        "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": root["SPDXID"],
    }  # fmt: skip
    assert root["name"] == "oci:demo:latest"
    assert root["primaryPackagePurpose"] == "CONTAINER"
    assert root["externalRefs"][0]["referenceLocator"].startswith("pkg:oci/demo@sha256:")


def test_our_own_reader_sees_the_same_packages() -> None:
    found = read_sbom(written(FULL))
    assert found.problems == ()
    assert [one.purl for one in found.packages] == [one.purl for one in FULL.packages]
    assert [(one.name, one.version, one.type) for one in found.packages] == [
        (one.name, one.version, one.type) for one in FULL.packages
    ]
    openssl, jinja, _ = found.packages
    assert (openssl.source_name, openssl.source_version) == ("openssl", "3.0.11-1")
    assert openssl.vendor == OPENSSL.vendor
    assert openssl.licenses == ("Apache-2.0",)
    assert openssl.diff_id == OPENSSL.diff_id
    assert jinja.locations == tuple(f"/{path}" for path in JINJA.locations)
    assert (found.distribution.id, found.distribution.version) == ("debian", "12") if found.distribution else False


@pytest.mark.parametrize(
    ("licences", "expression"),
    [
        ((), "NOASSERTION"),
        (("MIT",), "MIT"),
        (("MIT OR Apache-2.0",), "MIT OR Apache-2.0"),
        (("MIT", "GPL-2.0-only OR BSD-3-Clause"), "MIT AND (GPL-2.0-only OR BSD-3-Clause)"),
        (("MIT", "MIT"), "MIT"),
    ],
)
def test_licences_become_one_expression(licences: tuple[str, ...], expression: str) -> None:
    made = read(report(packages=(pypi("x", "1", licenses=licences),)))
    assert made["packages"][-1]["licenseDeclared"] == expression


def test_a_name_that_is_no_licence_of_the_list_becomes_a_reference() -> None:
    made = read(report(packages=(pypi("x", "1", licenses=("Do what you like",)),)))
    (extracted,) = made["hasExtractedLicensingInfos"]
    assert made["packages"][-1]["licenseDeclared"] == extracted["licenseId"]
    assert extracted["extractedText"] == "Do what you like"
    assert extracted["licenseId"].startswith("LicenseRef-Do-what-you-like-")


def test_names_that_look_alike_stay_apart() -> None:
    made = read(report(packages=(pypi("x", "1", licenses=("A B",)), pypi("y", "1", licenses=("A/B",)))))
    assert len(made["hasExtractedLicensingInfos"]) == 2


def test_the_namespace_is_that_of_the_content() -> None:
    assert document(FULL)["documentNamespace"] == document(FULL)["documentNamespace"]
    other = report(*FULL.findings, packages=FULL.packages[:1], engines=ALL_ENGINES)
    assert document(other)["documentNamespace"] != document(FULL)["documentNamespace"]


def test_what_spdx_has_no_word_for_stands_in_annotations() -> None:
    comments = [one["comment"] for one in read(FULL)["packages"][-1]["annotations"]]
    assert "holdfast:origin=declared" in comments
    assert "holdfast:development=true" in comments


def test_findings_are_no_part_of_it() -> None:
    text = written(FULL).decode()
    assert "CVE-1" not in text
    assert "AKIA" not in text


def test_a_partial_scan_says_so() -> None:
    made = read(report(problems=(Problem("x", "y", Gravity.PARTIAL),), not_checked=("npm",)))
    assert made["creationInfo"]["comment"] == "the scan was partial; not checked: npm"


def test_copies_of_one_package_have_ids_of_their_own() -> None:
    made = read(report(packages=(JINJA, JINJA, JINJA)))
    assert len({one["SPDXID"] for one in made["packages"]}) == 5


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.text(st.characters(), max_size=40)] * 6), st.booleans())
def test_any_text_is_by_the_specification_and_can_be_read(texts: tuple[str, ...], is_image: bool) -> None:
    name, version, path, licence, vendor, purl = texts
    package = type(JINJA)(
        name, version, "pypi", purl, locations=(path,), licenses=(licence, name), vendor=vendor, owner=path,
        source_name=vendor, diff_id=path,
    )  # fmt: skip
    made = report(
        packages=(package, package), target=Target(name, path, digest=version if is_image else ""), tool=vendor,
        created=path, not_checked=(licence,), distribution=Distribution(name, version, path) if is_image else DEBIAN,
        layers=(),
    )  # fmt: skip
    read(made)
    read_sbom(written(made))
