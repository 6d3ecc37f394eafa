"""What is attached to an image is found wherever it is kept, each once, and nothing of another image's."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attached import (
    BUNDLE,
    COSIGN_SIGN,
    DSSE,
    IN_TOTO,
    OPENVEX,
    SLSA_1,
    SPDX,
    artifact,
    build,
    bundle,
    cyclonedx,
    entries,
    envelope,
    provenance,
    read,
    refer,
    serve,
    spdx,
    statement,
    subject,
    tag,
)
from daemons.fake import Fake, fake
from daemons.push import EMPTY, INDEX, MANIFEST, attach
from daemons.registry import registry
from holdfast.model.artifact import Attachment, AttachmentKind, Platform
from holdfast.model.errors import LimitError, NotFound
from holdfast.model.status import Gravity, Problem
from holdfast.oci.attachment import MOST, attachments
from holdfast.oci.folder import LayoutFolder
from holdfast.oci.image import ImageSource
from holdfast.oci.layout import blob_path
from holdfast.oci.open import open_image
from holdfast.oci.registry.pull import Puller
from holdfast.scan.opener import Opener
from holdfast.scan.plan import plan
from holdfast.settings import Settings
from world import blob, digest, image, index, layer, put, spec

BASH = "deb bash 5.2"
BILL = "application/spdx+json"
NOTATION = "application/vnd.cncf.notary.signature"
SIGNED = "application/vnd.dev.cosign.simplesigning.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
PREDICATE = "dev.sigstore.bundle.predicateType"
Found = tuple[tuple[Attachment, ...], tuple[Problem, ...]]


@contextmanager
def opened(tmp_path: Path, target: str) -> Iterator[ImageSource]:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data")
    with Opener(settings, {}, tmp_path) as opener, opener(plan(target), None) as source:
        assert isinstance(source, ImageSource)
        yield source


def found(tmp_path: Path, target: str) -> Found:
    """What is attached to the image that a target names."""
    with opened(tmp_path, target) as source:
        return attachments(source.layout, source.image.digest, source.image.index_digest)


def kinds(given: Found) -> list[tuple[str, str]]:
    """Kind and way of each, in order of kinds."""
    return sorted((str(one.kind), one.found_by) for one in given[0])


def everything(tmp_path: Path) -> Path:
    """An image with all that is ever attached to one."""
    path = build(tmp_path, [layer({"a": "b"})], [(SPDX, spdx(BASH)), (SLSA_1, provenance())])
    refer(path, BILL, spdx(BASH))
    refer(path, BUNDLE, lambda of: bundle(statement(of, SLSA_1, provenance())), **{PREDICATE: SLSA_1})
    refer(path, BUNDLE, lambda of: bundle(statement(of, COSIGN_SIGN, {})), **{PREDICATE: COSIGN_SIGN})
    refer(path, NOTATION, {"payload": "e30"})
    refer(path, "application/vnd.openvex+json", {"@context": "https://openvex.dev/ns/v0.2.0"})
    refer(path, "application/vnd.cyclonedx+json", cyclonedx(BASH, exploited=[BASH]))
    refer(path, HELM, {"name": "chart"})
    tag(path, "sig", {"critical": {}}, SIGNED)
    tag(path, "att", lambda of: envelope(statement(of, OPENVEX, {})), DSSE, predicateType=OPENVEX)
    tag(path, "sbom", spdx(BASH), "text/spdx+json")
    return path


EVERYTHING = [
    ("other", "referrers"), ("provenance", "index"), ("provenance", "referrers"), ("sbom", "index"),
    ("sbom", "referrers"), ("sbom", "referrers"), ("sbom", "tag"), ("signature", "referrers"),
    ("signature", "referrers"), ("signature", "tag"), ("vex", "referrers"), ("vex", "tag"),
]  # fmt: skip


@contextmanager
def in_a_layout(tmp_path: Path, path: Path) -> Iterator[str]:
    yield f"oci:{path}"


@contextmanager
def in_a_registry(tmp_path: Path, path: Path) -> Iterator[str]:
    with fake() as it:
        yield serve(it, path, "app:1")


@contextmanager
def in_a_registry_without_referrers(tmp_path: Path, path: Path) -> Iterator[str]:
    with fake(referrers=False) as it:
        yield serve(it, path, "app:1")


@contextmanager
def in_debians_registry(tmp_path: Path, path: Path) -> Iterator[str]:
    with registry(tmp_path / "registry") as it:
        yield serve(it, path, "app:1")


@contextmanager
def in_what_we_pulled(tmp_path: Path, path: Path) -> Iterator[str]:
    with fake() as it, opened(tmp_path, serve(it, path, "app:1")) as source:
        layout: Any = source.layout
        Puller(layout, LayoutFolder(tmp_path / "pulled")).pull(layout.root(), None, attached=True)
    yield f"oci:{tmp_path / 'pulled'}"


Kept = Callable[[Path, Path], Any]
PLACES = [in_a_layout, in_a_registry, in_a_registry_without_referrers, in_debians_registry, in_what_we_pulled]


class TestFound:
    @pytest.mark.parametrize("kept", PLACES)
    def test_each_thing_once_wherever_the_image_is_kept(self, tmp_path: Path, kept: Kept) -> None:
        path = everything(tmp_path)
        with kept(tmp_path, path) as target:
            result = found(tmp_path, target)
        assert kinds(result) == EVERYTHING
        assert result[1] == ()
        assert {one.subject for one in result[0]} == {subject(path)}
        assert len({one.digest for one in result[0]}) == len(EVERYTHING) - 1, "one bill refers, and is tagged"

    def test_the_predicate_type_and_the_annotations_go_along(self, tmp_path: Path) -> None:
        (first, second), _ = found(tmp_path, f"oci:{build(tmp_path, [], [(SPDX, spdx()), (SLSA_1, provenance())])}")
        assert (first.predicate_type, first.media_type) == (SPDX, IN_TOTO)
        assert second.annotations == {"in-toto.io/predicate-type": SLSA_1}
        assert first.manifest == second.manifest != first.digest
        assert first.size > 0

    def test_a_manifest_found_in_two_ways_is_told_once(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        files: dict[str, Any] = {}
        made = artifact(files, subject(path), BILL, b"{}")
        for relative, data in files.items():
            (path / relative).write_bytes(data)
        annotations = {
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject(path),
        }  # fmt: skip
        top = entries(path)[0]
        listed = [*read(path, top["digest"])["manifests"], made | {"annotations": annotations}]
        again = put(files, json.dumps({"schemaVersion": 2, "manifests": listed}).encode(), INDEX)
        for relative, data in files.items():
            (path / relative).write_bytes(data)
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [again, made]}))
        assert kinds(found(tmp_path, f"oci:{path}")) == [("sbom", "index")]

    def test_what_refers_to_the_index_belongs_to_its_image(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        whole = entries(path)[0]["digest"]
        refer(path, BILL, spdx(), about=whole)
        ((one,), problems) = found(tmp_path, f"oci:{path}")
        assert (one.subject, problems) == (whole, ())
        with in_a_registry(tmp_path, path) as target:
            ((same,), _) = found(tmp_path, target)
        assert (same.subject, same.digest) == (whole, one.digest)

    @pytest.mark.parametrize("nested", [True, False])
    def test_attestations_of_other_platforms_are_not_its(self, tmp_path: Path, nested: bool) -> None:
        specs = [spec([layer({"a": "b"})]), spec([layer({"c": "d"})], platform="linux/arm64")]
        path = index(tmp_path, specs, nested=nested, attestation=True)
        assert len(found(tmp_path, f"oci:{path}:latest")[0]) == 1

    def test_an_index_inside_an_index(self, tmp_path: Path) -> None:
        path = build(tmp_path, [], [(SPDX, spdx())])
        outer = json.dumps({"schemaVersion": 2, "manifests": entries(path)}).encode()
        (path / blob(digest(outer))).write_bytes(outer)
        top = {"mediaType": INDEX, "digest": digest(outer), "size": len(outer)}
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
        assert kinds(found(tmp_path, f"oci:{path}")) == [("sbom", "index")]

    def test_three_signatures_of_one_payload_are_three(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        files: dict[str, Any] = {}
        layers = [put(files, b"{}", SIGNED) | {"annotations": {"sig": str(number)}} for number in range(3)]
        document = {"schemaVersion": 2, "config": put(files, b"{}", EMPTY), "layers": layers}
        made = put(files, json.dumps(document).encode(), MANIFEST)
        for relative, data in files.items():
            (path / relative).write_bytes(data)
        named = {"org.opencontainers.image.ref.name": f"{subject(path).replace(':', '-')}.sig"}
        listed = [*entries(path), made | {"annotations": named}]
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": listed}))
        with opened(tmp_path, f"oci:{path}:latest") as source:
            assert kinds(attachments(source.layout, subject(path))) == [("signature", "tag")] * 3

    def test_a_layout_that_lists_all_it_holds_and_says_nothing_of_it(self, tmp_path: Path) -> None:
        path = image(tmp_path, [layer({"a": "b"})], platform="linux/s390x")
        refer(path, BILL, spdx())
        bare = [{key: one[key] for key in ("mediaType", "digest", "size")} for one in entries(path)]
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": bare}))
        assert kinds(found(tmp_path, f"oci:{path}")) == [("sbom", "referrers")]

    def test_a_file_that_oras_attached_is_what_the_artifact_type_says(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        files: dict[str, Any] = {}
        file = put(files, b"{}", "application/vnd.oci.image.layer.v1.tar")
        document = {"config": put(files, b"{}", EMPTY), "layers": [file], "artifactType": BILL}
        about = {"mediaType": MANIFEST, "digest": subject(path), "size": 1}
        made = put(files, json.dumps({"schemaVersion": 2, **document, "subject": about}).encode(), MANIFEST)
        for relative, data in files.items():
            (path / relative).write_bytes(data)
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [*entries(path), made]}))
        ((one,), _) = found(tmp_path, f"oci:{path}")
        assert (one.kind, one.media_type) == (AttachmentKind.SBOM, BILL)

    def test_nothing_is_attached(self, tmp_path: Path) -> None:
        path = image(tmp_path, [layer({"a": "b"})])
        assert found(tmp_path, f"oci:{path}") == ((), ())
        with in_a_registry(tmp_path, path) as target:
            assert found(tmp_path, target) == ((), ())

    @pytest.mark.parametrize("form", ["oci-archive", "docker-archive"])
    def test_archives(self, tmp_path: Path, form: str) -> None:
        path = index(tmp_path, [spec([layer({"a": "b"})])], form=form, nested=True, attestation=True)
        assert kinds(found(tmp_path, f"{form}:{path}")) == [("other", "index")]


def lists(it: Fake, entries: Sequence[dict[str, Any]]) -> None:
    """Let a registry say that these refer to whatever it is asked about."""
    setattr(it.repositories["app"], "referrers", lambda _: list(entries))  # noqa: B010


class TestPulled:
    def test_all_platforms_with_what_is_attached_to_each(self, tmp_path: Path) -> None:
        specs = [spec([layer({"a": "b"})]), spec([layer({"c": "d"})], platform="linux/arm64")]
        path = index(tmp_path, specs, nested=True, attestation=True)
        for image_ in read(path, entries(path)[0]["digest"])["manifests"]:
            if "annotations" not in image_:
                refer(path, BILL, spdx(name=image_["digest"]), about=image_["digest"])
        with fake() as it, opened(tmp_path, serve(it, path, "app:1")) as source:
            layout: Any = source.layout
            Puller(layout, LayoutFolder(tmp_path / "pulled")).pull(
                layout.root(), None, every_platform=True, attached=True
            )
        for platform in ("linux/amd64", "linux/arm64"):
            with open_image("oci", tmp_path / "pulled", "1", Platform.parse(platform)) as source:
                result = attachments(source.layout, source.image.digest, source.image.index_digest)
            assert kinds(result) == [("other", "index"), ("sbom", "referrers")]
            assert result[1] == ()

    def test_what_could_not_be_found_out_is_told(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        refer(path, BILL, spdx())
        with fake() as it:
            target = serve(it, path, "app:1")
            known = it.repositories["app"].referrers(subject(path))
            gone = {"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1}
            lists(it, [gone, *known])
            with opened(tmp_path, target) as source:
                layout: Any = source.layout
                left = Puller(layout, LayoutFolder(tmp_path / "pulled")).pull(layout.root(), None, attached=True)
        assert [problem.code for problem in left.problems] == ["attachment.unreadable"]
        assert kinds(found(tmp_path, f"oci:{tmp_path / 'pulled'}")) == [("sbom", "referrers")]


class TestLies:
    def test_a_referrer_of_another_image_is_left_out_and_told(self, tmp_path: Path) -> None:
        path, other = build(tmp_path, []), build(tmp_path, [layer({"a": "b"})], name="other")
        with fake() as it:
            target = serve(it, path, "app:1")
            serve(it, other, "app:2")
            attach(it, "app", subject(other), BILL, [(BILL, b"{}")])
            listed = it.repositories["app"].referrers(subject(other))
            lists(it, listed)
            result, (problem, *_) = found(tmp_path, target)
        assert result == ()
        assert problem.code == "attachment.unreadable"
        assert "attached to another" in problem.message
        assert problem.gravity is Gravity.NOTE

    def test_a_manifest_that_refers_to_nothing_is_no_referrer(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        with fake() as it:
            target = serve(it, path, "app:1")
            entry = {"mediaType": MANIFEST, "digest": subject(path), "size": 1, "artifactType": BILL}
            lists(it, [entry])
            result, problems = found(tmp_path, target)
        assert result == ()
        assert "it refers to none" in problems[0].message

    def test_a_manifest_in_a_layout_that_is_not_what_its_digest_says(self, tmp_path: Path) -> None:
        path = build(tmp_path, [], [(SPDX, spdx())])
        of = read(path, entries(path)[0]["digest"])["manifests"][1]["digest"]
        (path / blob(of)).write_bytes((path / blob(of)).read_bytes() + b" ")
        result, (problem,) = found(tmp_path, f"oci:{path}")
        assert result == ()
        assert "not the bytes asked for" in problem.message

    def test_one_that_is_broken_does_not_hide_the_others(self, tmp_path: Path) -> None:
        path = build(tmp_path, [], [(SPDX, spdx())])
        broken = refer(path, BILL, b"1")
        refer(path, BILL, b"2")
        (path / blob(broken)).write_bytes(b"[]")
        result, (problem,) = found(tmp_path, f"oci:{path}")
        assert kinds((result, ())) == [("sbom", "index"), ("sbom", "referrers")]
        assert problem.where == broken

    def test_names_of_a_registry_do_not_become_names_in_our_layout(self, tmp_path: Path) -> None:
        path = build(tmp_path, [layer({"a": "b"})])
        refer(path, BILL, spdx())
        names = {"org.opencontainers.image.ref.name": "1", "io.containerd.image.name": "docker.io/library/nginx:1"}
        with fake() as it:
            target = serve(it, path, "app:1")
            listed = it.repositories["app"].referrers(subject(path))
            lists(it, [one | {"annotations": names} for one in listed])
            with opened(tmp_path, target) as source:
                layout: Any = source.layout
                Puller(layout, LayoutFolder(tmp_path / "pulled")).pull(layout.root(), None, attached=True)
        _, added = entries(tmp_path / "pulled")
        assert added["artifactType"] == BILL
        assert "annotations" not in added or not set(names) & set(added["annotations"])


class TestBounds:
    def test_ten_thousand_referrers(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        refer(path, BILL, b"{}")
        with fake() as it:
            target = serve(it, path, "app:1")
            (one,) = it.repositories["app"].referrers(subject(path))

            def listed(of: str) -> list[dict[str, Any]]:  # another list for the image than for its index
                return [one, *(one | {"digest": f"sha256:{of[-60:]}{number:04x}"} for number in range(10_000))]

            setattr(it.repositories["app"], "referrers", listed)  # noqa: B010
            it.requests.clear()
            result, problems = found(tmp_path, target)
            asked = [request.path for request in it.requests if "/manifests/sha256:" in request.path]
        assert [one.kind for one in result] == [AttachmentKind.SBOM]
        assert problems[-1].code == "attachment.too-many"
        assert len(asked) <= MOST + 2

    def test_ten_thousand_layers_of_one_manifest(self, tmp_path: Path) -> None:
        path = build(tmp_path, [], [(SPDX, spdx(name=str(number))) for number in range(300)])
        result, (problem,) = found(tmp_path, f"oci:{path}")
        assert len(result) == MOST
        assert problem.code == "attachment.too-many"

    def test_long_and_many_annotations(self, tmp_path: Path) -> None:
        path = build(tmp_path, [])
        refer(path, BILL, b"{}", **{f"{number}-{'k' * 10_000}": "v" * 10_000 for number in range(100)})
        ((one,), _) = found(tmp_path, f"oci:{path}")
        assert len(one.annotations) == 32
        assert max(map(len, (*one.annotations, *one.annotations.values()))) < 2_100

    def test_a_layout_of_very_many_entries(self, tmp_path: Path) -> None:
        path = build(tmp_path, [], [(SPDX, spdx())])
        top = entries(path)
        many = [{"mediaType": MANIFEST, "digest": f"sha256:{number:064x}", "size": 1} for number in range(2_001)]
        with opened(tmp_path, f"oci:{path}") as source:
            (path / "index.json").write_text(json.dumps({"manifests": [*top, *many]}))
            result, problems = attachments(source.layout, source.image.digest, source.image.index_digest)
        assert result == ()
        assert {problem.code for problem in problems} == {"attachment.unreadable"}


class Memory:
    """A layout of a few blobs, whatever they are."""

    pulled = False

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.problems: list[Problem] = []

    def size(self, path: str) -> int:
        return len(self.read(path, 1 << 30))

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise NotFound(path)
        if len(self.files[path]) > limit:
            raise LimitError(path)
        return self.files[path]

    def chunks(self, path: str) -> Iterator[bytes]:
        yield self.read(path, 1 << 30)

    def identity(self, path: str) -> str:
        return path

    def close(self) -> None: ...


SUBJECT = digest(b"an image")
MEMBERS = (
    "manifests", "layers", "config", "subject", "digest", "mediaType", "artifactType", "annotations", "platform",
    "size", "vnd.docker.reference.type", "vnd.docker.reference.digest", "org.opencontainers.image.ref.name", "os",
)  # fmt: skip
WORDS = (SUBJECT, digest(b"{}"), "attestation-manifest", INDEX, MANIFEST, f"{SUBJECT.replace(':', '-')}.att", BILL)
JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.lists(JSON | st.binary(max_size=20), max_size=3), st.booleans())
def test_documents_of_any_shape_are_read_or_told(top: Any, blobs: list[Any], listed: bool) -> None:
    stored = [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in blobs]
    entry = [{"digest": digest(data), "artifactType": BILL, "mediaType": MANIFEST} for data in stored]
    written = msgspec.json.encode({"manifests": entry} if listed else top)
    files = {"index.json": written, **{blob_path(digest(data)): data for data in (*stored, written)}}
    result, problems = attachments(Memory(files), SUBJECT, digest(written))
    assert all(one.gravity is Gravity.NOTE for one in problems)
    msgspec.json.encode(result)
