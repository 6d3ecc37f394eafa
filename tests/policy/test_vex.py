"""VEX is applied where it speaks of what is inside, with its justification, and nowhere else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.model.advisory import FixState
from holdfast.model.errors import HoldfastError, InputError, LimitError
from holdfast.model.finding import Finding, VulnerabilityEvidence
from holdfast.model.report import Report, Target
from holdfast.policy.vex import product
from holdfast.policy.vex.apply import apply
from holdfast.policy.vex.read import read
from holdfast.policy.vex.statement import Statements
from policy.documents import SHOP, analysed, cyclonedx, openvex, says
from policy.policies import image, registry, vet
from report.reports import deb, digest, finding, pypi, report

SSL = deb("libssl3", "3.0.1", source="openssl", source_version="3.0.1-1")
FLASK = pypi("flask", "1.0")
OTHER = pypi("werkzeug", "2.0")
CVE = finding(SSL, "CVE-2026-1", "critical", fixed="3.0.9")
FLASKS = finding(FLASK, "CVE-2026-1", "critical", fixed="2.0")


def on(*findings: Finding, **fields: Any) -> Report:
    given_: dict[str, Any] = {"packages": (SSL, FLASK, OTHER), "target": registry()}
    return report(*(findings or (CVE, FLASKS)), **(given_ | fields))


def told(data: bytes, target: Report | None = None, **given_: Any) -> list[str]:
    """The rules with the packages that are said to be not affected."""
    after = apply(target or on(), read(data, "v.json"), **given_)
    return [f"{one.subject.name}" for one in after.findings if one.fix.state is FixState.NOT_AFFECTED]


def note(data: bytes) -> str:
    evidence = apply(on(), read(data, "v.json")).findings[0].evidence
    assert isinstance(evidence, VulnerabilityEvidence)
    return evidence.note


PURL = "pkg:deb/debian/libssl3"
PRODUCTS = [
    (PURL, ["libssl3"], "purl"),
    (f"{PURL}@3.0.1", ["libssl3"], "purl with its version"),
    (f"{PURL}@3.0.2", [], "purl with another version"),
    (f"{PURL}?arch=amd64", ["libssl3"], "purl with a qualifier"),
    (f"{PURL}@3.0.1?arch=arm64", [], "purl with another qualifier"),
    ("pkg:deb/ubuntu/libssl3", [], "another distribution"),
    ("pkg:deb/debian/openssl", [], "another binary of the same source"),
    ("pkg:deb/debian/openssl?arch=source", ["libssl3"], "the source package"),
    ("pkg:deb/debian/openssl@3.0.1-1?arch=source", ["libssl3"], "the source package with its version"),
    ("pkg:deb/debian/openssl@9?arch=source", [], "another version of the source package"),
    ("pkg:pypi/Flask", ["flask"], "PyPI's names in any case"),
    (SHOP, ["libssl3", "flask"], "the image by its digest"),
    (SHOP.replace("oci/shop", "oci/any"), ["libssl3", "flask"], "the digest decides, not the name"),
    (f"pkg:oci/shop@{digest('index')}", ["libssl3", "flask"], "the index that led to it"),
    (f"pkg:oci/shop@{digest('else')}?repository_url=registry.example/prod/shop", [], "another digest"),
    ("pkg:oci/shop?repository_url=registry.example/prod/shop", ["libssl3", "flask"], "the image by its repository"),
    ("pkg:oci/shop?repository_url=registry.example/prod", ["libssl3", "flask"], "… by the folder it is in"),
    ("pkg:oci/shop?repository_url=registry.example/prod/shop&tag=1.4", ["libssl3", "flask"], "… and its tag"),
    ("pkg:oci/shop?repository_url=registry.example/prod/shop&tag=1.5", [], "… and another tag"),
    ("pkg:oci/shop?repository_url=evil.example/prod/shop", [], "another registry"),
    ("pkg:oci/shop", ["libssl3", "flask"], "the image by its name alone"),
    ("registry.example/prod/shop:1.4", ["libssl3", "flask"], "the image as people name it"),
    (f"any/name@{digest('manifest')}", ["libssl3", "flask"], "a name with the digest"),
    ({"hashes": {"sha-256": digest("manifest")[7:]}}, ["libssl3", "flask"], "a hash"),
    ({"identifiers": {"purl": PURL}}, ["libssl3"], "an identifier"),
    ({"@id": SHOP, "subcomponents": [{"@id": PURL}]}, ["libssl3"], "a part of the image"),
    ({"@id": SHOP, "subcomponents": [{"identifiers": {"cpe23": "cpe:2.3:a:b"}}]}, [], "a part that is not known"),
    ({"@id": "pkg:oci/else", "subcomponents": [{"@id": PURL}]}, [], "a part of another image"),
]


@pytest.mark.parametrize(("named", "expected"), [one[:2] for one in PRODUCTS], ids=[one[2] for one in PRODUCTS])
def test_which_product_is_meant(named: Any, expected: list[str]) -> None:
    assert told(openvex(says(named))) == expected


def test_what_is_silenced_keeps_its_place_with_who_said_why() -> None:
    after = apply(on(), read(openvex(says(PURL, impact_statement="never called")), "v.json"))
    assert len(after.findings) == 2
    assert note(openvex(says(PURL, impact_statement="never called"))) == (
        'VEX not_affected: vulnerable_code_not_in_execute_path, "never called" (Ann, 2026-11-01)'
    )
    verdict = vet("[vulnerability]\ndeny = 'low'", after)
    assert [reason.count for reason in verdict.because] == [1]
    assert [(one.by, one.subject) for one in verdict.set_aside] == [("vex", "libssl3 3.0.1")]


@pytest.mark.parametrize(
    ("fields", "silenced", "noted"),
    [
        ({"status": "fixed"}, True, "VEX fixed (Ann, 2026-11-01)"),
        ({"status": "affected", "action_statement": "upgrade"}, False, 'VEX affected: "upgrade" (Ann, 2026-11-01)'),
        ({"status": "under_investigation"}, False, "VEX under_investigation (Ann, 2026-11-01)"),
        ({"status": "not_affected", "impact_statement": "no"}, True, 'VEX not_affected: "no" (Ann, 2026-11-01)'),
        ({"status": "not_affected"}, False, ""),
        ({"status": "not_affected", "justification": "because"}, False, ""),
        ({"status": "unheard-of"}, False, ""),
    ],
)
def test_statuses(fields: dict[str, str], silenced: bool, noted: str) -> None:
    data = openvex(says(f"{PURL}@3.0.1", **fields))
    assert told(data) == (["libssl3"] if silenced else [])
    assert note(data) == noted
    assert (not noted) == bool(read(data, "v.json").problems), "what is ignored is said"


def test_fixed_says_nothing_without_the_version_that_is() -> None:
    assert told(openvex(says(PURL, status="fixed"))) == []
    assert told(openvex(says(SHOP, status="fixed"))) == ["libssl3", "flask"]


def test_the_newest_statement_counts_wherever_it_stands() -> None:
    old = says(PURL, timestamp="2026-01-01T00:00:00Z")
    new = says(PURL, status="affected", timestamp="2026-02-01T00:00:00.123456789+02:00")
    assert told(openvex(new, old)) == []
    assert told(openvex(old, new)) == []
    newest = says(PURL, timestamp="2026-03-01T00:00:00")
    assert told(openvex(newest, old, new)) == ["libssl3"]


def test_of_equally_old_statements_the_last_counts() -> None:
    assert told(openvex(says(PURL), says(PURL, status="affected"))) == []
    assert told(openvex(says(PURL, status="affected"), says(PURL))) == ["libssl3"]


@pytest.mark.parametrize(
    "cve",
    [
        {"name": "CVE-2026-1"},
        {"name": "GHSA-x", "aliases": ["CVE-2026-1"]},
        {"name": "", "@id": "https://nvd.nist.gov/vuln/detail/CVE-2026-1"},
        {"name": "cve-2026-1"},
    ],
)
def test_a_vulnerability_has_many_names(cve: dict[str, Any]) -> None:
    assert told(openvex(says(PURL, cve=cve))) == ["libssl3"]


def test_an_alias_of_the_finding_counts_as_well() -> None:
    assert isinstance(CVE.evidence, VulnerabilityEvidence)
    known = replace(CVE, rule="GHSA-1", evidence=replace(CVE.evidence, aliases=("CVE-2026-1",)))
    assert told(openvex(says(PURL)), on(known)) == ["libssl3"]


def test_other_vulnerabilities_are_left_alone() -> None:
    assert told(openvex(says(PURL, cve="CVE-2026-2"))) == []


def test_a_part_of_one_product_does_not_speak_for_another() -> None:
    """What a library means within one program says nothing of the copy that another one brings."""
    program = replace(pypi("shop", "2.0"), locations=("srv/shop",))
    inside = replace(FLASK, locations=("srv/shop",))
    elsewhere = replace(FLASK, locations=("srv/other",))
    data = openvex(says({"@id": "pkg:pypi/shop@2.0", "subcomponents": [{"@id": "pkg:pypi/flask"}]}))
    assert told(data, on(FLASKS, packages=(program, inside))) == ["flask"]
    assert told(data, on(FLASKS, packages=(program, inside, elsewhere))) == []
    assert told(data, on(FLASKS, packages=(inside,))) == [], "the product is not in the image"


def test_the_older_context_is_read() -> None:
    old = {
        "vulnerability": "CVE-2026-1", "products": [SHOP], "subcomponents": [PURL], "status": "not_affected",
        "justification": "component_not_present",
    }  # fmt: skip
    assert told(openvex(old, **{"@context": "https://openvex.dev/ns"})) == ["libssl3"]


def test_an_attestation_speaks_of_its_subject() -> None:
    statement = says()
    predicate = json.loads(openvex(statement))
    subject = [{"name": "shop", "digest": {"sha256": digest("manifest")[7:]}}]
    attested = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicate": predicate}
    assert told(json.dumps(attested).encode()) == ["libssl3", "flask"]
    attested["subject"] = [{"name": "shop", "digest": {"sha256": "0" * 64}}]
    assert told(json.dumps(attested).encode()) == []


def test_what_matched_nothing_is_said() -> None:
    after = apply(on(), read(openvex(says("pkg:npm/x"), says("pkg:npm/y")), "v.json"))
    assert [(one.code, one.count, one.where) for one in after.problems] == [("vex.unused", 2, "v.json")]


@pytest.mark.parametrize(
    "statement",
    [
        {"status": "fixed", "products": [{"@id": PURL}]},
        {"status": "fixed", "vulnerability": {"name": "CVE-2026-1"}},
        {"status": ["fixed"], "vulnerability": 5, "products": "x"},
        {},
    ],
)
def test_a_statement_that_says_nothing_is_told_and_the_others_count(statement: dict[str, Any]) -> None:
    data = openvex(statement, says(PURL))
    assert told(data) == ["libssl3"]
    assert [(one.code, one.where) for one in read(data, "v.json").problems] == [("vex.ignored", "v.json: statement 1")]


def test_a_verdict_tells_what_of_vex_was_not_used() -> None:
    after = apply(on(), read(openvex(says("pkg:npm/x"), says(PURL, status="not_affected")), "v.json"))
    assert [one.code for one in vet("", after).warnings] == ["vex.ignored", "vex.unused"]


# CycloneDX


LIBRARY = {"type": "library", "bom-ref": "1", "name": "libssl3", "purl": f"{PURL}@3.0.1"}
ROOT = {"type": "container", "bom-ref": "root", "name": "registry.example/prod/shop", "version": digest("manifest")}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(cyclonedx(analysed("1"), components=(LIBRARY,)), ["libssl3"], id="a component"),
        pytest.param(
            cyclonedx(analysed("1"), components=({"type": "library", "components": [LIBRARY]},)), ["libssl3"],
            id="a component within another",
        ),
        pytest.param(cyclonedx(analysed(f"{PURL}@3.0.1")), ["libssl3"], id="a purl as the reference"),
        pytest.param(cyclonedx(analysed(f"urn:cdx:1-2/1#{PURL}@3.0.1")), ["libssl3"], id="a BOM-Link to a purl"),
        pytest.param(cyclonedx(analysed("urn:cdx:1-2/1#1")), [], id="a BOM-Link to another document"),
        pytest.param(cyclonedx(analysed("root"), root=ROOT), ["libssl3", "flask"], id="the image itself"),
        pytest.param(cyclonedx(analysed("1"), root=ROOT, components=(LIBRARY,)), ["libssl3"], id="a part of the image"),
        pytest.param(
            cyclonedx(analysed("1"), root=ROOT | {"version": digest("else")}, components=(LIBRARY,)), [],
            id="a part of another image",
        ),
        pytest.param(cyclonedx(analysed("2"), components=(LIBRARY,)), [], id="nothing of that name"),
    ],
)  # fmt: skip
def test_which_component_is_meant(data: bytes, expected: list[str]) -> None:
    assert told(data) == expected


def test_what_stands_in_the_bill_that_was_scanned_speaks_of_it() -> None:
    bill = cyclonedx(analysed("1"), root=ROOT | {"version": "1.4", "name": "shop"}, components=(LIBRARY,))
    target = on(CVE, target=Target("sbom:shop.cdx.json", "sbom"))
    assert told(bill, target) == []
    assert told(bill, target, embedded=True) == ["libssl3"]


@pytest.mark.parametrize(
    ("analysis", "silenced"),
    [
        ({"state": "not_affected", "justification": "code_not_present"}, True),
        ({"state": "not_affected", "detail": "not called"}, True),
        ({"state": "not_affected"}, False),
        ({"state": "false_positive", "detail": "another product"}, True),
        ({"state": "resolved"}, True),
        ({"state": "resolved_with_pedigree"}, True),
        ({"state": "exploitable"}, False),
        ({"state": "in_triage"}, False),
        ({"state": "asleep"}, False),
    ],
)
def test_states(analysis: dict[str, str], silenced: bool) -> None:
    assert told(cyclonedx(analysed("1", **analysis), components=(LIBRARY,))) == (["libssl3"] if silenced else [])


def test_a_vulnerability_without_an_analysis_says_nothing() -> None:
    assert read(cyclonedx({"id": "CVE-2026-1", "affects": [{"ref": "1"}]}), "v.json") == Statements()


def test_references_are_aliases() -> None:
    one = analysed("1", cve="SNYK-1") | {"references": [{"id": "CVE-2026-1", "source": {"name": "NVD"}}]}
    assert told(cyclonedx(one, components=(LIBRARY,))) == ["libssl3"]


def test_the_newest_analysis_counts() -> None:
    old = analysed("1", state="not_affected", detail="a", lastUpdated="2026-01-01T00:00:00Z")
    new = analysed("1", state="exploitable", firstIssued="2026-05-01T00:00:00Z")
    assert told(cyclonedx(new, old, components=(LIBRARY,))) == []


# Damage


@pytest.mark.parametrize(
    ("data", "where"),
    [
        pytest.param(b'{\n  "a": 1,\n  "b" 2\n}', "v.json:3:7", id="no colon"),
        pytest.param(b'{\n  "a": [1, 2', "v.json:2:", id="cut short"),
        pytest.param(b"", "v.json:1:1", id="empty"),
        pytest.param(b"[]", "v.json:1:1", id="no object"),
        pytest.param(b'{\n"a": "\xff"}', "v.json:", id="not UTF-8"),
        pytest.param(b"{}", "v.json", id="another format"),
        pytest.param(b"<bom/>", "v.json:1:1", id="XML"),
    ],
)
def test_what_is_no_document_is_told_with_line_and_column(data: bytes, where: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data, "v.json")
    assert caught.value.where.startswith(where)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":' * 100_000, id="deep"),
        pytest.param(b'{"a":[' + b"0," * 2_100_000 + b"0]}", id="many"),
        pytest.param(b'{"a":' + b"9" * 10_000 + b"}", id="a number without end"),
    ],
)
def test_what_is_too_much_is_refused(data: bytes) -> None:
    with pytest.raises((LimitError, InputError)):
        read(data, "v.json")


def test_odd_values_are_no_obstacle() -> None:
    long = "x" * 100_000
    statement = says(PURL, impact_statement=long, timestamp="9" * 5_000, supplier=long)
    assert len(note(openvex(statement))) < 1_000
    assert told(openvex(says(PURL, timestamp="0001-01-01T00:00:00+14:00"))) == ["libssl3"]


GOOD = (
    openvex(says(PURL), says({"@id": SHOP, "subcomponents": [{"@id": PURL}]}, timestamp="2026-01-01T00:00:00Z")),
    cyclonedx(analysed("1"), root=ROOT, components=(LIBRARY,)),
)
MEMBERS = (
    "@context", "statements", "vulnerability", "name", "aliases", "products", "@id", "status",
    "subcomponents", "author", "bomFormat", "vulnerabilities", "analysis", "state", "affects", "ref",
    "components", "bom-ref", "purl", "metadata", "component", "predicate", "subject", "digest",
    "hashes", "identifiers", "timestamp",
)  # fmt: skip
VALUES = st.sampled_from(
    ["https://openvex.dev/ns", "CycloneDX", "fixed", "not_affected", PURL, SHOP, "CVE-2026-1", "1"]
)
JSON = st.recursive(
    st.none() | st.integers() | VALUES | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=20,
)


def assert_read(data: bytes) -> None:
    try:
        apply(on(configuration=image()), read(data, "v.json"))
    except HoldfastError:
        return


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from([{"@context": "https://openvex.dev/ns"}, {"bomFormat": "CycloneDX"}]))
def test_any_document_is_read_or_refused(value: Any, kind: dict[str, str]) -> None:
    document = value | kind if isinstance(value, dict) else {**kind, "statements": value, "vulnerabilities": value}
    assert_read(json.dumps(document).encode())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_document_is_read_or_refused(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(GOOD))
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 20)))
    assert_read(good[:start] + data.draw(st.binary(max_size=6)) + good[end:])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert_read(data)


def test_statements_without_end_are_not_applied_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "MAX_COMPARISONS", 10_000)
    products = [f"pkg:npm/a{number}" for number in range(400)]
    many = [replace(CVE, subject=replace(CVE.subject, purl=f"pkg:deb/debian/p{n}@1")) for n in range(60)]
    after = apply(on(*many, CVE), read(openvex(says(*products, PURL)), "v.json"))
    assert [(one.code, one.where) for one in after.problems] == [("vex.too-large", "v.json")]
    assert after.findings == (*many, CVE)
