"""The documents of an image: tolerant of what others write, deaf to what is no document."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import History, Platform
from holdfast.model.errors import InputError, LimitError
from holdfast.oci.manifest import Configuration, Descriptor, DockerImage, Document, parse, parse_document

MANIFEST = b'{"schemaVersion": 2, "config": {"digest": "sha256:00", "size": 2}, "layers": []}'
INDEX = b'{"schemaVersion": 2, "manifests": []}'


def test_a_manifest_and_an_index_are_told_apart_by_what_they_hold() -> None:
    assert parse_document(MANIFEST, "x").manifests is None
    assert parse_document(INDEX, "x").manifests == []


@pytest.mark.parametrize(
    "data",
    [
        b'{"manifests": [], "layers": []}',  # CVE-2021-41190
        b'{"manifests": [], "config": {}}',
        b'{"mediaType": "application/vnd.oci.image.manifest.v1+json", "manifests": []}',
        b'{"mediaType": "application/vnd.oci.image.index.v1+json", "layers": []}',
        b"{}",
        b"[]",
        b"",
        b"\xff\xfe",
        b'{"manifests": 5}',
        b'{"manifests": [5]}',
        b'{"manifests": [{"digest": 5}]}',
        b'{"layers": [{"size": 99999999999999999999999}]}',
        b'{"layers": [{"size": ' + b"9" * 5000 + b"}]}",
    ],
)
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_document(data, "x")


@pytest.mark.parametrize("data", [b'{"schemaVersion": 1, "layers": []}', b'{"fsLayers": [], "layers": []}'])
def test_schema_1_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InputError, match="schema 1"):
        parse_document(data, "x")


@pytest.mark.parametrize("start", [b"[", b'{"a":', b'{"manifests":[{"annotations":', b'{"layers":[', b'{"fsLayers":['])
@pytest.mark.parametrize("type_", [Document, Configuration, list[DockerImage]])
def test_json_nested_100_000_deep_is_refused(start: bytes, type_: type[object]) -> None:
    deep = start * 100_000 if start in (b"[", b'{"a":') else start + b"[" * 100_000
    with pytest.raises((InputError, LimitError)):
        parse(deep, type_, "x")


def test_nulls_stand_for_what_is_absent() -> None:
    members = ("architecture", "os", "variant", "created", "config", "rootfs", "history")
    empty = parse(json.dumps(dict.fromkeys(members)).encode(), Configuration, "x")
    assert (empty.platform, empty.diff_ids, empty.history, empty.labels, empty.user) == (None, [], (), {}, "")
    nested = parse(b'{"config": {"Labels": null, "User": null}, "rootfs": {"diff_ids": null}}', Configuration, "x")
    assert (nested.diff_ids, nested.labels, nested.user) == ([], {}, "")


def test_a_configuration_says_platform_labels_user_and_history() -> None:
    document = {
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "config": {"Labels": {"a": "b"}, "User": "app", "Env": ["X=1"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
        "history": [{"created_by": "ADD", "created": "2026"}, {"created_by": "ENV", "empty_layer": True}, {}],
    }
    one = parse(json.dumps(document).encode(), Configuration, "x")
    assert (one.platform, one.labels, one.user) == (Platform("linux", "arm64", "v8"), {"a": "b"}, "app")
    assert one.history == (History("ADD", "2026"), History("ENV", empty=True), History())


def test_attestations_and_artifacts_are_no_platforms() -> None:
    def descriptor(**members: object) -> Descriptor:
        return parse(json.dumps(members).encode(), Descriptor, "x")

    assert descriptor(platform={"os": "linux", "architecture": "amd64"}).is_platform
    assert descriptor().is_platform
    assert not descriptor(platform={"os": "unknown", "architecture": "unknown"}).is_platform
    assert not descriptor(annotations={"vnd.docker.reference.type": "attestation-manifest"}).is_platform
    assert not descriptor(artifactType="application/vnd.example").is_platform


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["manifests", "layers", "config", "digest", "size", "annotations", "mediaType", "rootfs", "history"]
                ),
                inner,
                max_size=4,
            )
        ),
    ),
)
def test_any_bytes_and_any_json_are_documents_or_refused(data: bytes, value: object) -> None:
    for candidate in (data, json.dumps(value).encode()):
        for type_ in (Document, Configuration, list[DockerImage]):
            with contextlib.suppress(InputError):
                parse(candidate, type_, "x")
        with contextlib.suppress(InputError):
            parse_document(candidate, "x")


def test_a_great_many_objects_are_refused_before_they_are_made() -> None:
    bomb = b'{"schemaVersion": 2, "layers": [' + b"{}," * 1_000_000 + b"{}]}"
    with pytest.raises(LimitError, match="objects"):
        parse_document(bomb, "x")
