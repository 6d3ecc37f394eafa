"""A repository as a layout: what its documents name, each asked for once, and opened as any layout is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemons.behaviours import content_type, digest_header, flip, instead, shorten, status
from daemons.fake import INDEX, MANIFEST, Fake, fake
from daemons.meddler import BLOBS, MANIFESTS, Behaviour, Meddler, meddler
from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound, SourceError
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.image import ImageSource
from holdfast.oci.integrity import Mismatched
from holdfast.oci.layout import blob_path
from holdfast.oci.reader import LayoutReader
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.layout import RegistryLayout
from oci.registry.clients import app, client, layout_of
from world import digest, index, layer, spec

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Fake]:
    layers = [layer({"etc/os-release": "ID=debian\n"})]
    both = index(tmp_path, [spec(layers), spec(layers, platform="linux/arm64")], nested=True, name="both")
    with fake({"app": app(tmp_path), "both": both}) as it:
        yield it


def opened(layout: RegistryLayout, platform: Platform | None = AMD64, last: str = "") -> ImageSource:
    root = layout.root(last)
    return LayoutReader(layout, "registry", str(layout.reference), IMAGE_BUDGET).open_from([root], platform)


def latest(place: Fake, repository: str = "app") -> str:
    return place.repositories[repository].tags["latest"]


def store(place: Fake, document: object, media_type: str = MANIFEST, tag: str = "") -> dict[str, Any]:
    """Put any document into a repository; its descriptor."""
    data = json.dumps(document).encode()
    repository = place.repositories["app"]
    repository.manifests[digest(data)] = media_type, data
    if tag:
        repository.tags[tag] = digest(data)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


class TestRequests:
    def test_an_image_costs_its_documents_and_layers_once(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        with opened(layout_of(ours, "app", tmp_path)) as source, source.open_layer(0) as stream:
            stream.drain()
            assert stream.verified
        assert [path.split("/")[3] for path in between.paths] == ["manifests", "blobs", "blobs"]

    def test_an_unchanged_tag_costs_one_request_without_content(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        opened(layout_of(ours, "both", tmp_path)).close()
        between.requests.clear()
        source = opened(layout_of(ours, "both", tmp_path), last=latest(place, "both"))
        assert source.image.index_digest == latest(place, "both")
        assert between.paths == ["HEAD /v2/both/manifests/latest"]

    def test_a_digest_that_is_known_costs_none(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        name = f"app@{latest(place)}"
        opened(layout_of(ours, name, tmp_path)).close()
        between.requests.clear()
        opened(layout_of(ours, name, tmp_path)).close()
        assert between.requests == []

    def test_a_tag_that_moved_costs_a_manifest(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        opened(layout_of(ours, "app", tmp_path)).close()
        before = latest(place)
        stored = json.loads(place.repositories["app"].manifests[before][1])
        moved = store(place, stored | {"annotations": {"a": "b"}}, tag="latest")
        between.requests.clear()
        source = opened(layout_of(ours, "app", tmp_path), last=before)
        assert source.image.digest == moved["digest"]
        paths = ["HEAD /v2/app/manifests/latest", f"GET /v2/app/manifests/{moved['digest']}"]
        assert between.paths == paths

    @pytest.mark.parametrize("fault", [digest_header(None), status(405)])
    def test_a_registry_that_does_not_tell_the_digest_costs_the_manifest(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path, fault: Behaviour
    ) -> None:
        opened(layout_of(ours, "app", tmp_path)).close()
        between.requests.clear()
        between.on(MANIFESTS, fault, method="HEAD")
        opened(layout_of(ours, "app", tmp_path), last=latest(place)).close()
        assert between.paths == ["HEAD /v2/app/manifests/latest", "GET /v2/app/manifests/latest"]

    def test_a_kept_document_that_was_damaged_is_fetched_again(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        opened(layout_of(ours, "app", tmp_path)).close()
        for path in (tmp_path / "documents").iterdir():
            path.write_bytes(b"{}")
        between.requests.clear()
        opened(layout_of(ours, "app", tmp_path), last=latest(place)).close()
        assert [path.split("/")[3] for path in between.paths] == ["manifests", "blobs"]

    def test_a_tag_that_is_gone(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        opened(layout_of(ours, "app", tmp_path)).close()
        before = place.repositories["app"].tags.pop("latest")
        with pytest.raises(NotFound):
            opened(layout_of(ours, "app", tmp_path), last=before)


class TestPlatforms:
    @pytest.mark.parametrize("platform", [AMD64, ARM64])
    def test_the_one_that_is_asked_for(self, ours: Registry, tmp_path: Path, platform: Platform) -> None:
        assert opened(layout_of(ours, "both", tmp_path), platform).image.platform == platform

    def test_one_that_is_not_there(self, ours: Registry, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no image for linux/s390x") as refused:
            opened(layout_of(ours, "both", tmp_path), Platform("linux", "s390x"))
        assert "linux/amd64, linux/arm64" in refused.value.remedy

    def test_indexes_in_indexes_that_go_too_deep(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        inner: dict[str, Any] = {"mediaType": MANIFEST, "digest": latest(place), "size": 5}
        for _ in range(IMAGE_BUDGET.index_depth + 2):
            inner = store(place, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]}, INDEX, "deep")
        with pytest.raises(LimitError, match="too deep"):
            opened(layout_of(ours, "app:deep", tmp_path))

    def test_an_index_that_names_too_many(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        entry = {"mediaType": MANIFEST, "digest": latest(place), "size": 5}
        store(place, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] * 2001}, INDEX, "wide")
        with pytest.raises(LimitError, match="too many"):
            opened(layout_of(ours, "app:wide", tmp_path))

    @pytest.mark.parametrize("stated", [INDEX, MANIFEST])
    def test_a_manifest_is_one_whatever_the_head_of_the_answer_says(
        self, between: Meddler, ours: Registry, tmp_path: Path, stated: str
    ) -> None:
        between.on(MANIFESTS, content_type(stated))
        first = opened(layout_of(ours, "app", tmp_path)).image
        again = opened(layout_of(ours, "app", tmp_path), last=first.digest).image
        assert first == again


class TestDamage:
    @pytest.mark.parametrize("fault", [flip(3), shorten(10)])
    def test_a_manifest_of_an_index_that_is_another(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path, fault: Behaviour
    ) -> None:
        between.on(lambda request: "sha256:" in request.path and "/manifests/" in request.path, fault)
        with pytest.raises(Mismatched):
            opened(layout_of(ours, "both", tmp_path))

    def test_a_layer_that_somebody_swapped(self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path) -> None:
        with opened(layout_of(ours, "app", tmp_path)) as source:
            between.on(BLOBS, flip(700))
            with source.open_layer(0) as stream:
                stream.drain()
            assert not stream.verified
            assert [one.what for one in stream.integrity] == ["blob digest", "diff ID"]

    def test_a_layer_that_is_another_one_of_the_repository(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        config = json.loads(place.repositories["app"].manifests[latest(place)][1])["config"]["digest"]
        with opened(layout_of(ours, "app", tmp_path)) as source:
            between.on(BLOBS, instead(config, honest=False))
            with source.open_layer(0) as stream:
                stream.drain()
            assert not stream.verified

    @pytest.mark.parametrize("what", ["config", "layer"])
    def test_a_blob_that_is_missing(self, place: Fake, ours: Registry, tmp_path: Path, what: str) -> None:
        manifest = json.loads(place.repositories["app"].manifests[latest(place)][1])
        gone = manifest["config"] if what == "config" else manifest["layers"][0]
        del place.repositories["app"].blobs[gone["digest"]]
        with opened(layout_of(ours, "app", tmp_path)) as source, source.open_layer(0) as stream:
            stream.drain()
            codes = [problem.code for problem in (*source.problems, *stream.problems)]
        assert ("image.configuration-unreadable" if what == "config" else "layer.missing") in codes
        assert not stream.verified

    def test_a_digest_by_an_algorithm_that_nobody_knows(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        manifest = json.loads(place.repositories["app"].manifests[latest(place)][1])
        manifest["layers"][0]["digest"] = "blake3:" + "a" * 64
        store(place, manifest, tag="odd")
        with opened(layout_of(ours, "app:odd", tmp_path)) as source, source.open_layer(0) as stream:
            assert [problem.code for problem in stream.problems] == ["layer.bad-digest"]
        manifest["config"]["digest"] = "../../../etc/passwd"
        store(place, manifest, tag="odder")
        with opened(layout_of(ours, "app:odder", tmp_path)) as source:
            assert "image.configuration-unreadable" in [problem.code for problem in source.problems]
        entry = {"mediaType": MANIFEST, "digest": "md4:" + "a" * 32, "size": 5}
        store(place, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}, INDEX, "oddest")
        with pytest.raises(HoldfastError, match="not a digest"):
            opened(layout_of(ours, "app:oddest", tmp_path))

    @pytest.mark.parametrize(
        "media_type", ["application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.empty.v1+json"]
    )
    def test_what_is_no_image(self, place: Fake, ours: Registry, tmp_path: Path, media_type: str) -> None:
        manifest = json.loads(place.repositories["app"].manifests[latest(place)][1])
        manifest["config"]["mediaType"] = media_type
        store(place, manifest, tag="chart")
        with pytest.raises(InputError, match="not a container image"):
            opened(layout_of(ours, "app:chart", tmp_path))

    def test_a_foreign_layer_is_never_fetched_from_where_its_manifest_says(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        manifest = json.loads(place.repositories["app"].manifests[latest(place)][1])
        manifest["layers"][0] |= {"urls": [f"{between.url}/stolen"], "digest": "sha256:" + "7" * 64}
        store(place, manifest, tag="foreign")
        with opened(layout_of(ours, "app:foreign", tmp_path)) as source, source.open_layer(0) as stream:
            assert [problem.code for problem in stream.problems] == ["layer.foreign"]
        assert not [path for path in between.paths if "stolen" in path]


class TestReading:
    def test_only_what_a_document_named(self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path) -> None:
        layout = layout_of(ours, "app", tmp_path)
        layout.root()
        between.requests.clear()
        for path in (blob_path("sha256:" + "0" * 64), "index.json", "../x", "blobs/sha256/.."):
            for ask in (layout.size, layout.identity, lambda path: layout.read(path, 10), layout.chunks):
                with pytest.raises(NotFound):
                    ask(path)
        assert between.requests == []

    def test_a_limit_is_kept(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        layout = layout_of(ours, "app", tmp_path)
        path = blob_path(layout.root().digest)
        with pytest.raises(LimitError):
            layout.read(path, 10)

    def test_a_blob_asked_for_again_is_asked_of_the_registry_itself(
        self, place: Fake, between: Meddler, tmp_path: Path
    ) -> None:
        from holdfast.settings import RegistrySettings

        with (
            meddler(place, host="127.0.0.2") as mirror,
            client(between.host, settings=RegistrySettings(mirrors=(mirror.url,))) as ours,
        ):
            mirror.on(BLOBS, flip(700))
            layout = layout_of(ours, "app", tmp_path)
            root = layout.root()
            layout.read(blob_path(root.digest), 1 << 20)
            blob = json.loads(place.repositories["app"].manifests[root.digest][1])["layers"][0]["digest"]
            assert digest(b"".join(layout.chunks(blob_path(blob)))) != blob
            assert digest(b"".join(layout.chunks(blob_path(blob)))) == blob
            assert between.paths == [f"GET /v2/app/blobs/{blob}"]


def test_offline_reads_what_is_known(place: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    name = f"app@{latest(place)}"
    with client(place.host) as ours:
        opened(layout_of(ours, name, tmp_path)).close()

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", forbidden)
    with client(place.host, offline=True) as ours:
        source = opened(layout_of(ours, name, tmp_path))
        assert source.image.digest == latest(place)
        with pytest.raises(SourceError, match="--offline"):
            opened(layout_of(ours, "app", tmp_path))
