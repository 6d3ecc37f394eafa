"""in-toto statements, and what provenance says."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.catalog import statement
from holdfast.catalog.statement import Statement, provenance_of, read_statement
from holdfast.model.artifact import AttachmentKind, Provenance, kind_of, stated_predicate_type
from holdfast.model.errors import InputError, LimitError

HEX = "23678f31b3b3586c4fb318aecfe64a96a1f0916ba8faf9b2be2abee63fa9e827"
IMAGE = f"sha256:{HEX}"
SPDX = "https://spdx.dev/Document"
SLSA_02 = "https://slsa.dev/provenance/v0.2"
SLSA_1 = "https://slsa.dev/provenance/v1"
DOCUMENT = {"spdxVersion": "SPDX-2.3"}
IN_TOTO = "application/vnd.in-toto+json"


def said(predicate: Any = DOCUMENT, *, version: str = "v0.1", **more: Any) -> dict[str, Any]:
    return {
        "_type": f"https://in-toto.io/Statement/{version}",
        "subject": [{"name": "pkg:docker/shop@1", "digest": {"sha256": HEX}}],
        "predicateType": SPDX,
        "predicate": predicate,
        **more,
    }


def envelope(content: Any, *, signatures: Any = ({"keyid": "", "sig": "MEUC"},), **more: Any) -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(content).encode()).decode()
    return {"payload": payload, "payloadType": IN_TOTO, "signatures": signatures, **more}


def bundle(content: dict[str, Any]) -> dict[str, Any]:
    media_type = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return {"mediaType": media_type, "verificationMaterial": {"tlogEntries": [{}]}, "dsseEnvelope": content}


def read(content: Any) -> Statement:
    return read_statement(json.dumps(content).encode())


@pytest.mark.parametrize("version", ["v0.1", "v1"])
@pytest.mark.parametrize(
    ("wrap", "signed"),
    [
        pytest.param(lambda one: one, False, id="plain"),
        pytest.param(envelope, True, id="DSSE"),
        pytest.param(lambda one: envelope(one, signatures=[]), False, id="DSSE without signatures"),
        pytest.param(lambda one: bundle(envelope(one)), True, id="sigstore bundle"),
    ],
)
def test_a_statement_is_the_same_however_it_is_wrapped(version: str, wrap: Any, signed: bool) -> None:
    found = read(wrap(said(version=version)))
    subjects = (("pkg:docker/shop@1", IMAGE),)
    assert found == Statement(subjects, SPDX, b'{"spdxVersion": "SPDX-2.3"}', signed)
    assert found.kind is AttachmentKind.SBOM


def test_it_speaks_of_its_subjects_and_of_nothing_else() -> None:
    digests = {"sha256": HEX.upper(), "sha512": "ab"}
    found = read(said(subject=[{"digest": digests}, {"name": "b", "digest": None}, {"name": "c"}]))
    assert found.subjects == (("", IMAGE), ("", "sha512:ab"))
    assert found.speaks_of(IMAGE)
    assert not found.speaks_of("sha256:" + "0" * 64)
    assert not found.speaks_of("")
    assert not read(said(subject=None)).speaks_of("")


@pytest.mark.parametrize("strip", ["", "="])
def test_both_alphabets_of_base64_are_read(strip: str) -> None:
    content = json.dumps(said({"x": "~~~???"})).encode()
    payload = base64.urlsafe_b64encode(content).decode()
    found = read({"payload": payload.rstrip(strip), "payloadType": IN_TOTO})
    assert found.predicate == b'{"x": "~~~???"}'


@pytest.mark.parametrize(
    "predicate", [{"Data": {"a": 1}, "Timestamp": "2022"}, {"Data": '{"a": 1}', "Timestamp": "2022"}, '{"a": 1}']
)
def test_what_cosign_wrapped_once_more_is_unwrapped(predicate: Any) -> None:
    assert read(said(predicate)).predicate == b'{"a": 1}'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="nothing"),
        pytest.param(said(version="v2"), id="another version"),
        pytest.param(said(_type="x"), id="another type"),
        pytest.param({key: value for key, value in said().items() if key != "predicate"}, id="no predicate"),
        pytest.param(said(subject={}), id="no list of subjects"),
        pytest.param(envelope(said(), payloadType="text/plain"), id="another payload"),
        pytest.param(envelope(said(), payload="!!"), id="no base64"),
        pytest.param(envelope(said(), payload="é"), id="no ASCII"),
        pytest.param(envelope(envelope(said())), id="an envelope in an envelope"),
        pytest.param(bundle({}), id="an empty envelope"),
        pytest.param({"messageSignature": {"signature": "MEUC"}}, id="a signature over bytes"),
        pytest.param([], id="a list"),
    ],
)
def test_what_is_no_statement_is_refused(content: Any) -> None:
    with pytest.raises(InputError):
        read(content)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000, b'{"predicate": ' + b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_statement(data)
    with pytest.raises(InputError):
        provenance_of(SLSA_1, data)


def test_bytes_and_values_have_a_budget_inside_an_envelope_too(monkeypatch: pytest.MonkeyPatch) -> None:
    many = said({"x": [[]] * 2_000})
    monkeypatch.setattr(statement, "MAX_VALUES", 1_000)
    for content in (many, envelope(many), bundle(envelope(many))):
        with pytest.raises(LimitError, match="1,000 values"):
            read(content)
    monkeypatch.setattr(statement, "MAX_BYTES", 100)
    with pytest.raises(LimitError, match="statement"):
        read(said())
    with pytest.raises(LimitError, match="provenance"):
        provenance_of(SLSA_1, b" " * 101)


@given(place=st.integers(0, 4000), length=st.integers(0, 60), new=st.binary(max_size=10), depth=st.integers(0, 2))
@settings(max_examples=200, deadline=None)
def test_a_damaged_statement_is_read_or_refused(place: int, length: int, new: bytes, depth: int) -> None:
    content = said({"Data": "{}", "Timestamp": "2022"})
    data = json.dumps([content, envelope(content), bundle(envelope(content))][depth]).encode()
    at = place % len(data)
    try:
        assert isinstance(read_statement(data[:at] + new + data[at + length :]), Statement)
    except InputError:
        return


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("application/vnd.cyclonedx+json",), AttachmentKind.SBOM),
        (("application/spdx+json",), AttachmentKind.SBOM),
        (("text/spdx+json",), AttachmentKind.SBOM),
        (("https://spdx.dev/Document/v2.3",), AttachmentKind.SBOM),
        (("https://cyclonedx.org/bom/v1.6",), AttachmentKind.SBOM),
        (("application/vnd.openvex+json",), AttachmentKind.VEX),
        (("https://openvex.dev/ns/v0.2.0",), AttachmentKind.VEX),
        ((SLSA_02,), AttachmentKind.PROVENANCE),
        ((SLSA_1,), AttachmentKind.PROVENANCE),
        (("application/vnd.dev.cosign.simplesigning.v1+json",), AttachmentKind.SIGNATURE),
        (("application/vnd.cncf.notary.signature",), AttachmentKind.SIGNATURE),
        (("application/vnd.dev.sigstore.bundle.v0.3+json",), AttachmentKind.SIGNATURE),
        (("https://sigstore.dev/cosign/sign/v1", "application/vnd.in-toto+json"), AttachmentKind.SIGNATURE),
        ((SLSA_1, "application/vnd.dev.sigstore.bundle.v0.3+json"), AttachmentKind.PROVENANCE),
        (("https://example.org/x", "application/vnd.dev.sigstore.bundle.v0.3+json"), AttachmentKind.OTHER),
        (("https://slsa.dev/verification_summary/v1",), AttachmentKind.OTHER),
        (("", "application/vnd.in-toto+json", "application/vnd.cyclonedx+json"), AttachmentKind.SBOM),
        (("application/vnd.in-toto+json",), AttachmentKind.OTHER),
        ((), AttachmentKind.OTHER),
    ],
)
def test_the_first_telling_name_decides_the_kind(names: tuple[str, ...], kind: AttachmentKind) -> None:
    assert kind_of(*names) is kind


@pytest.mark.parametrize("key", ["in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", "predicateType"])
def test_the_predicate_type_stands_in_an_annotation(key: str) -> None:
    assert stated_predicate_type({"x": "y", key: SPDX}) == SPDX
    assert stated_predicate_type({key: ""}) == ""


MATERIALS = [
    {"uri": "pkg:docker/alpine@3.17?platform=linux%2Famd64", "digest": {"sha256": "89"}},
    {"uri": "https://github.com/moby/buildkit.git#refs/tags/v0.11.0", "digest": {"sha1": "4b"}},
]
SAID = (
    ("pkg:docker/alpine@3.17?platform=linux%2Famd64", "sha256:89"),
    ("https://github.com/moby/buildkit.git#refs/tags/v0.11.0", "sha1:4b"),
)
SOURCE = {"uri": "https://github.com/moby/buildkit.git#refs/tags/v0.11.0", "digest": {"sha1": "4b"}}
BUILDER = "https://github.com/docker/buildx/actions/runs/3709599520"
BUILT = Provenance(BUILDER, "type", SOURCE["uri"], "4b", SAID)  # type: ignore[arg-type]
VCS = {"source": "https://user:s3cret@example.org/shop.git", "revision": "cafe"}
METADATA = "https://mobyproject.org/buildkit@v1#metadata"


def provenance(predicate_type: str, predicate: Any) -> Provenance:
    return provenance_of(predicate_type, json.dumps(predicate).encode())


def test_provenance_of_both_versions_says_the_same() -> None:
    old = {
        "builder": {"id": BUILDER}, "buildType": "type", "invocation": {"configSource": SOURCE}, "materials": MATERIALS,
    }  # fmt: skip
    new = {
        "buildDefinition": {
            "buildType": "type", "externalParameters": {"configSource": SOURCE}, "resolvedDependencies": MATERIALS,
        },
        "runDetails": {"builder": {"id": BUILDER}},
    }  # fmt: skip
    assert provenance(SLSA_02, old) == provenance(SLSA_1, new) == BUILT


@pytest.mark.parametrize(
    "predicate",
    [
        {"invocation": {"configSource": {"entryPoint": "Dockerfile"}}, "metadata": {METADATA: {"vcs": VCS}}},
        {"buildDefinition": {}, "runDetails": {"metadata": {"buildkit_metadata": {"vcs": VCS}}}},
        {"buildDefinition": {}, "runDetails": {"metadata": {METADATA: {"vcs": VCS}}}},
    ],
)
def test_a_build_from_a_local_folder_says_what_its_client_claimed_without_the_token(predicate: Any) -> None:
    found = provenance(SLSA_1, predicate)
    assert (found.source, found.revision) == ("https://example.org/shop.git", "cafe")


def test_github_names_the_workflows_repository() -> None:
    uri = "git+https://github.com/o/shop@refs/heads/main"
    definition = {
        "externalParameters": {"workflow": {"repository": "https://github.com/o/shop", "ref": "refs/heads/main"}},
        "resolvedDependencies": [{"uri": uri, "digest": {"gitCommit": "beef"}}],
    }
    found = provenance(SLSA_1, {"buildDefinition": definition})
    assert (found.source, found.revision) == ("https://github.com/o/shop", "beef")
    assert found.materials == ((uri, "gitCommit:beef"),)


def test_what_is_of_another_shape_is_empty_and_what_is_long_is_cut() -> None:
    odd = {"builder": [], "buildType": 7, "invocation": {"configSource": {"uri": "x" * 5_000}}, "materials": [1, {}]}
    found = provenance(SLSA_02, odd)
    assert found == Provenance(source="x" * 1_000 + "…")
    assert provenance(SLSA_1, {"buildDefinition": 7, "runDetails": []}) == Provenance()


def test_materials_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement, "MAX_MATERIALS", 1)
    with pytest.raises(LimitError, match="materials"):
        provenance(SLSA_02, {"materials": MATERIALS})


def test_only_provenance_is_read_as_provenance() -> None:
    with pytest.raises(InputError, match="not a provenance"):
        provenance(SPDX, {})
    with pytest.raises(InputError, match="no JSON object"):
        provenance(SLSA_1, [])


MEMBERS = (
    "builder", "id", "uri", "digest", "materials", "buildDefinition", "runDetails", "externalParameters", "sha256",
    "configSource", "workflow", "repository", "resolvedDependencies", "metadata", "vcs", "source",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=15,
)


@given(st.sampled_from((SLSA_02, SLSA_1)), JSON)
@settings(max_examples=200, deadline=None)
def test_provenance_of_any_shape_is_read_or_refused(predicate_type: str, predicate: Any) -> None:
    try:
        assert isinstance(provenance(predicate_type, predicate), Provenance)
    except InputError:
        return
