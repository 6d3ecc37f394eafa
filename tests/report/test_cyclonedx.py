"""CycloneDX 1.6 and 1.7, valid by the official schemas, and nothing of a package lost on the way."""

import io
import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.catalog.sbom import read_cyclonedx
from holdfast.model.finding import VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.report import Report, Target
from holdfast.report.cyclonedx import CycloneDxWriter
from report.reports import DEBIAN, deb, declared, digest, finding, pypi, report, tampered

VERSIONS = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}
VALIDATORS = {name: JsonStrictValidator(version) for name, version in VERSIONS.items()}
OPENSSL = deb(
    "libssl3", "3.0.11-1~deb12u2", source="openssl", source_version="3.0.11-1", vendor="Debian <x@debian.org>",
    licenses=("Apache-2.0", "GPL-2+"), owner="pkg:deb/debian/x",
    locations=("var/lib/dpkg/status", "usr/lib/libssl.so.3"),
)  # fmt: skip
FULL = report(
    tampered(),
    finding(OPENSSL, "CVE-2026-1", "critical", fixed="3.0.12-1", exploited=True, epss=0.9, score=9.8),
    finding(pypi("jinja2", "2.10"), "CVE-2026-2", "negligible", state="under-investigation"),
    packages=(
        OPENSSL,
        pypi("jinja2", "2.10", licenses=("MIT OR Apache-2.0",)),
        declared("django", "2", development=True),
    ),
)


def written(given: Report, version: str = "1.6") -> str:
    output = io.StringIO()
    CycloneDxWriter("cyclonedx", version).write(given, output)
    return output.getvalue()


def bom(given: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(written(given))
    return document


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "made",
    [FULL, report(), report(target=Target("", "dir"), distribution=None, layers=(), created="yesterday")],
    ids=["full", "empty", "bare"],
)
def test_documents_are_valid_by_the_official_schema(made: Report, version: str) -> None:
    text = written(made, version)
    assert VALIDATORS[version].validate_str(text) is None
    assert json.loads(text)["specVersion"] == version


odd = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["a\udcff", "MIT", "MIT OR ISC", "2026-13-99T99:99:99Z", " "]
)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_an_image_holds_the_document_is_valid(data: st.DataObject) -> None:
    name, version, purl, licence, path, published = (data.draw(odd) for _ in range(6))
    package = Package(name, version, "pypi", purl, licenses=(licence, version), locations=(path,), vendor=name)
    evidence = VulnerabilityEvidence("a", "", "", "", aliases=(name,), published=published, modified=published)
    links = (path, f"https://example.org/{name}")
    one = finding(package, version, references=links, fixed=path, evidence=evidence)
    made = report(one, packages=(package, package), target=Target(name, "oci", digest("x")), created=published)
    assert VALIDATORS["1.6"].validate_str(written(made)) is None


def test_a_package_is_a_component_with_all_that_is_known_of_it() -> None:
    component = next(one for one in bom(FULL)["components"] if one["name"] == "libssl3")
    assert component["purl"] == OPENSSL.purl
    assert component["licenses"] == [{"license": {"id": "Apache-2.0"}}, {"license": {"name": "GPL-2+"}}]
    assert [(one["name"], one["value"]) for one in component["properties"]] == [
        ("holdfast:source_name", "openssl"),
        ("holdfast:source_version", "3.0.11-1"),
        ("holdfast:owner", "pkg:deb/debian/x"),
        ("holdfast:diff_id", OPENSSL.diff_id),
        ("holdfast:side", "base"),
        ("holdfast:location", "var/lib/dpkg/status"),
        ("holdfast:location", "usr/lib/libssl.so.3"),
        ("holdfast:vendor", "Debian <x@debian.org>"),
    ]


def test_a_lone_expression_is_an_expression_and_one_among_others_a_name() -> None:
    packages = (pypi("a", "1", licenses=("MIT OR ISC",)), pypi("b", "1", licenses=("MIT OR ISC", "MIT")))
    first, second = (one["licenses"] for one in bom(report(packages=packages))["components"][1:])
    assert first == [{"expression": "MIT OR ISC"}]
    assert second == [{"license": {"name": "MIT OR ISC"}}, {"license": {"id": "MIT"}}]


def test_the_distribution_is_the_operating_system_component() -> None:
    component = bom(report())["components"][0]
    assert (component["type"], component["name"], component["version"]) == ("operating-system", "debian", "12")
    assert json.loads(component["properties"][0]["value"]) == {
        "id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)", "codename": "bookworm",
    }  # fmt: skip
    plain = bom(report(distribution=type(DEBIAN)("debian", "12")))["components"][0]
    assert "properties" not in plain


def test_the_image_is_the_root_that_everything_hangs_on() -> None:
    document = bom(FULL)
    root = document["metadata"]["component"]
    assert root["type"] == "container"
    assert root["purl"] == "pkg:oci/demo@" + digest("manifest") + "?arch=amd64"
    assert root["hashes"] == [{"alg": "SHA-256", "content": digest("manifest")[7:]}]
    assert document["dependencies"] == [
        {"ref": root["bom-ref"], "dependsOn": [one["bom-ref"] for one in document["components"]]}
    ]


def test_one_package_found_twice_has_two_references() -> None:
    twice = (pypi("a", "1"), pypi("a", "1", locations=("elsewhere",)))
    references = [one["bom-ref"] for one in bom(report(packages=twice))["components"]]
    assert len(set(references)) == 3


def test_a_vulnerability_tells_severity_scores_remedy_and_what_it_affects() -> None:
    first, second = bom(FULL)["vulnerabilities"]
    component = next(one for one in bom(FULL)["components"] if one["name"] == "libssl3")
    assert (first["id"], first["source"]) == ("CVE-2026-1", {"name": "debian"})
    assert first["ratings"] == [
        {"source": {"name": "debian"}, "severity": "critical"},
        {
            "source": {"name": "nvd"},
            "score": 9.8,
            "method": "CVSSv31",
            "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        },
    ]
    assert first["recommendation"] == "Upgrade libssl3 to 3.0.12-1."
    assert first["advisories"] == [{"url": "https://security-tracker.debian.org/tracker/CVE-2026-1"}]
    assert first["affects"] == [
        {"ref": component["bom-ref"], "versions": [{"version": "3.0.11-1~deb12u2", "status": "affected"}]}
    ]
    assert "analysis" not in first
    assert second["ratings"][0]["severity"] == "info"
    assert second["affects"][0]["versions"][0]["status"] == "unknown"


def test_one_vulnerability_in_two_components_is_one_entry() -> None:
    packages = (pypi("a", "1"), pypi("b", "1"))
    evidence = VulnerabilityEvidence("CVE-1", "debian", "", "")
    findings = [finding(one, "CVE-1", evidence=evidence) for one in packages]
    (entry,) = bom(report(*findings, packages=packages))["vulnerabilities"]
    assert [one["ref"] for one in entry["affects"]] == [one.purl for one in packages]


def test_without_findings_nothing_is_said_of_vulnerabilities() -> None:
    assert "vulnerabilities" not in bom(report(tampered(), packages=(OPENSSL,)))


def test_the_serial_number_is_made_of_the_content() -> None:
    assert bom(FULL)["serialNumber"] == bom(FULL)["serialNumber"]
    assert bom(FULL)["serialNumber"] != bom(report())["serialNumber"]
    assert bom(FULL)["metadata"]["timestamp"] == FULL.created


class TestRoundTrip:
    """The reader of another room gets back the packages that were written, in the form that cataloguing gives them."""

    PACKAGES = (
        deb(
            "libssl3", "3.0.11-1~deb12u2", source="openssl", vendor="Debian <x@debian.org>", owner="pkg:deb/debian/x",
            licenses=("Apache-2.0", "GPL-2+"), locations=("usr/lib/libssl.so.3", "var/lib/dpkg/status"),
        ),
        deb("bash", "5.2.15-2+b13", source_version="5.2.15-2"),
        pypi("jinja2", "2.10", licenses=("MIT OR Apache-2.0",)),
        declared("django", "2", development=True),
        Package("@angular/core", "17.0.0", "npm", "pkg:npm/%40angular/core@17.0.0", locations=("srv/package.json",)),
        Package("golang.org/x/net", "v0.17.0", "golang", "pkg:golang/golang.org/x/net@v0.17.0"),
        Package("bash", "5.1.8-6.el9", "rpm", "pkg:rpm/rhel/bash@5.1.8-6.el9?arch=x86_64", architecture="x86_64"),
    )  # fmt: skip

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_field_of_every_package_comes_back(self, version: str) -> None:
        made = report(packages=self.PACKAGES)
        read = read_cyclonedx(written(made, version).encode())
        assert read.packages == made.packages
        assert read.distribution == made.distribution
        assert not read.problems
