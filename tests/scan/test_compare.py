"""An attached bill of materials and what is inside: told where they differ, and silent about habits of tools."""

import msgspec
import pytest

from catalog.samples import SAMPLES, read
from holdfast.catalog import CATALOGERS
from holdfast.catalog.assemble import assemble
from holdfast.catalog.listed import Inventory
from holdfast.catalog.sbom import read_sbom
from holdfast.model.artifact import Attachment, AttachmentKind, Side
from holdfast.model.finding import Confidence, Finding, Kind, SbomEvidence, Severity
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.cyclonedx import document
from holdfast.scan.compare import disagreement
from holdfast.scan.rules import RULES

DIGEST = "sha256:" + "5" * 64
ATTACHED = Attachment(AttachmentKind.SBOM, DIGEST)
UNLISTED, ABSENT = "image.sbom-unlisted-package", "image.sbom-absent-package"


def package(
    what: str, *, diff_id: str = "", side: Side = Side.UNKNOWN, owner: str = "", declared: bool = False
) -> Package:
    """`deb bash 5.2` as a package."""
    kind, name, version = (*what.split(), "")[:3]
    origin = Origin.DECLARED if declared else Origin.INSTALLED
    return Package(name, version, kind, diff_id=diff_id, side=side, owner=owner, origin=origin)


def compared(
    inside: list[str | Package], listed: list[str], *problems: Problem, complete: bool = True
) -> tuple[Finding, ...]:
    packages = [one if isinstance(one, Package) else package(one) for one in inside]
    stated = Inventory(tuple(map(package, listed)), None, problems)
    return disagreement(packages, stated, attachment=ATTACHED, name="shop", complete=complete)


def told(inside: list[str | Package], listed: list[str], *problems: Problem) -> dict[str, tuple[str, ...]]:
    """The packages named, by rule."""
    found = {}
    for finding in compared(inside, listed, *problems):
        assert isinstance(finding.evidence, SbomEvidence)
        assert finding.count == len(finding.evidence.packages)
        found[finding.rule] = finding.evidence.packages
    return found


class TestTold:
    def test_what_is_inside_and_not_listed(self) -> None:
        assert told(["deb bash 5", "deb miner 1"], ["deb bash 5"]) == {UNLISTED: ("deb miner 1",)}

    def test_what_is_listed_and_not_inside(self) -> None:
        assert told(["apk musl 1"], ["apk musl 1", "apk curl 8"]) == {ABSENT: ("apk curl 8",)}

    def test_another_version_is_told_once_and_with_both(self) -> None:
        found = told(["deb bash 5.1", "deb zlib 1"], ["deb bash 5.2", "deb bash 5.3", "deb zlib 1"])
        assert found == {UNLISTED: ("deb bash 5.1 (listed: 5.2, 5.3)",)}

    @pytest.mark.parametrize("kind", ["pypi", "npm", "golang"])
    def test_a_hidden_library_of_a_type_that_is_listed(self, kind: str) -> None:
        inside: list[str | Package] = ["deb bash 5", f"{kind} good v1", f"{kind} evil v2"]
        assert told(inside, ["deb bash 5", f"{kind} good v1"]) == {UNLISTED: (f"{kind} evil v2",)}

    def test_an_image_without_an_operating_system(self) -> None:
        assert told(["golang a v1", "golang b v1"], ["golang a v1"]) == {UNLISTED: ("golang b v1",)}

    def test_a_bill_of_another_image_altogether(self) -> None:
        assert told(["deb a 1"], ["deb b 1"]) == {UNLISTED: ("deb a 1",), ABSENT: ("deb b 1",)}


class TestSilent:
    @pytest.mark.parametrize(
        ("inside", "listed"),
        [
            pytest.param(["deb a 1"], ["deb a 1"], id="agreement"),
            pytest.param(["deb a 0:1"], ["deb a 1"], id="epoch zero"),
            pytest.param(["deb a 1", "npm b 1"], ["deb a 1"], id="a type that is not listed at all"),
            pytest.param(["deb a 1", "npm b 1", "npm c 1"], ["npm b 1"], id="only the application's own bill"),
            pytest.param(["deb a 1", "npm b 1"], ["deb a 1", "npm b 1", "npm root 1"], id="a project's own name"),
            pytest.param(["deb a 1"], ["deb a 1", "maven b 1", "cargo c 1", "generic d 1"], id="types we do not read"),
            pytest.param(["pypi b 1"], ["rpm a 1", "pypi c 1"], id="an operating system we do not read"),
            pytest.param(["deb a 1", "golang github.com/A/b"], ["deb a 1", "golang c v1"], id="a main module"),
            pytest.param(
                ["deb a 1", "golang github.com/A/b v1"], ["deb a 1", "golang github.com/a/b v1-dirty"],
                id="a version from the linker's flags",
            ),
            pytest.param(["deb a 1", "npm B 1.0-RC1"], ["deb a 1", "npm b 1.0-rc1"], id="case"),
            pytest.param([], [], id="nothing"),
            pytest.param(["deb a 1"], [], id="an empty bill"),
        ],
    )  # fmt: skip
    def test_where_tools_only_have_other_habits(self, inside: list[str | Package], listed: list[str]) -> None:
        assert told(inside, listed) == {}

    def test_about_libraries_of_the_distribution_and_lock_files(self) -> None:
        owned = package("pypi yaml 6", owner="pkg:deb/debian/python3-yaml@6")
        locked = package("npm left-pad 1", declared=True)
        assert told(["deb a 1", owned, locked], ["deb a 1", "pypi b 1", "npm c 1"]) == {}

    @pytest.mark.parametrize(
        "listed", [["glibc 2.36-9"], ["glibc 2.36-9+b1"], ["libc6 2.36-9+b1", "glibc 2.36-9"], ["libc6 2.36-9"]]
    )
    def test_about_bills_that_name_the_source(self, listed: list[str]) -> None:
        binary = Package("libc6", "2.36-9+b1", "deb", source_name="glibc", source_version="2.36-9")
        assert told([binary], [f"deb {one}" for one in listed]) == {}
        assert told([binary], ["deb glibc 2.35-1"]) == {UNLISTED: ("deb libc6 2.36-9+b1",)}

    def test_about_our_own_bill(self) -> None:
        found = [
            (path, "sha256:" + "0" * 64, Side.BASE, read(cataloger, path, content, 0o755))
            for name, path, content in SAMPLES
            for cataloger in CATALOGERS
            if cataloger.name == name
        ]
        packages = assemble(found, Distribution("debian", "12"))
        report = Report(Target("image", "oci"), Status.COMPLETE, "holdfast 1", packages=packages)
        stated = read_sbom(msgspec.json.encode(document(report)))
        assert len(stated.packages) == len(packages) > 5
        assert disagreement(packages, stated, attachment=ATTACHED, name="shop") == ()

    def test_about_what_an_incomplete_scan_did_not_find(self) -> None:
        assert compared(["deb a 1"], ["deb a 1", "deb b 1"], complete=False) == ()


class TestFinding:
    def test_it_counts_all_and_names_the_first(self) -> None:
        inside: list[str | Package] = [f"deb p{number:02} 1" for number in range(40)]
        (found,) = compared(inside, ["deb p00 1"])
        assert isinstance(found.evidence, SbomEvidence)
        assert (found.count, found.evidence.inside, found.evidence.listed) == (39, 40, 1)
        assert found.evidence.packages == tuple(f"deb p{number:02} 1" for number in range(1, 13))
        assert (found.kind, found.subject.name, found.evidence.attachment) == (Kind.INTEGRITY, "shop", DIGEST)

    def test_it_names_the_layer_where_one_brought_all(self) -> None:
        listed = ["deb a 1"]
        brought = [package(f"deb {name} 1", diff_id="sha256:1", side=Side.APPLICATION) for name in "bc"]
        (found,) = compared(["deb a 1", *brought], listed)
        assert (found.location.diff_id, found.location.side, found.fix.side) == (
            "sha256:1", Side.APPLICATION, Side.APPLICATION,
        )  # fmt: skip
        (found,) = compared(["deb a 1", *brought, package("deb d 1", diff_id="sha256:2")], listed)
        assert (found.location.diff_id, found.location.side) == ("", Side.UNKNOWN)

    def test_a_bill_that_was_not_wholly_read_lowers_the_confidence(self) -> None:
        doubt = Problem("catalog.sbom.without-purl", "x", Gravity.PARTIAL)
        (sure,) = compared(["deb a 1", "deb b 1"], ["deb a 1"])
        (unsure,) = compared(["deb a 1", "deb b 1"], ["deb a 1"], doubt)
        assert (sure.confidence, unsure.confidence) == (Confidence.HIGH, Confidence.LOW)

    def test_its_rules_are_the_rooms(self) -> None:
        rules = {rule.id: rule for rule in RULES}
        unlisted, absent = compared(["deb a 1"], ["deb b 1"])
        for finding, severity in ((unlisted, Severity.MEDIUM), (absent, Severity.LOW)):
            rule = rules[finding.rule]
            assert finding.severity is rule.severity is severity
            assert (finding.title, finding.controls, finding.fix.advice) == (rule.title, rule.controls, rule.fix)
            assert all((rule.why, rule.controls, rule.references))
