"""Manifests and documents of a registry and its mirrors: what is asked for, or an error that says what came instead."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemons.behaviours import (
    content_type,
    deep_json,
    digest_header,
    empty,
    endless,
    flip,
    gzipped,
    html,
    instead,
    long_json,
    replay,
    shorten,
    status,
    swap,
)
from daemons.fake import Fake, fake
from daemons.listener import listen
from daemons.meddler import ANY, BLOBS, MANIFESTS, Behaviour, Meddler, meddler
from daemons.message import Answer
from daemons.push import push
from daemons.registry import registry
from holdfast.model.errors import InputError, LimitError, NotFound, SourceError
from holdfast.oci.integrity import Mismatched
from holdfast.oci.registry.client import Registry
from holdfast.settings import RegistrySettings
from oci.registry.clients import app, client, noise
from world import OCI, digest, image, index, layer, spec

INDEX, MANIFEST = OCI + "index.v1+json", OCI + "manifest.v1+json"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Fake]:
    with fake({"app": app(tmp_path)}) as it:
        it.repositories["app"].tags["old"] = _store(it, app(tmp_path, 500, name="old"))
        yield it


def _store(place: Fake, layout: Path) -> str:
    """Put an image beside the others of a repository; its digest."""
    from daemons.fake import Repository

    other = Repository.of(layout)
    mine = place.repositories["app"]
    mine.manifests |= other.manifests
    mine.blobs |= other.blobs
    return other.tags["latest"]


def tag(place: Fake, document: object, media_type: str = MANIFEST, name: str = "odd") -> str:
    """Put any document under a tag."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    repository = place.repositories["app"]
    repository.manifests[digest(data)] = media_type, data
    repository.tags[name] = digest(data)
    return digest(data)


def latest(place: Fake) -> str:
    return place.repositories["app"].tags["latest"]


class TestManifests:
    def test_by_tag_and_by_digest(self, place: Fake, ours: Registry) -> None:
        by_tag = ours.manifest("app", "latest")
        assert by_tag == ours.manifest("app", latest(place))
        assert (by_tag.digest, by_tag.media_type) == (latest(place), MANIFEST)
        assert digest(by_tag.data) == by_tag.digest

    def test_a_head_tells_the_digest_of_a_tag(self, place: Fake, between: Meddler, ours: Registry) -> None:
        assert ours.digest("app", "latest") == latest(place)
        assert between.paths[-1] == "HEAD /v2/app/manifests/latest"
        with pytest.raises(NotFound):
            ours.digest("app", "absent")

    @pytest.mark.parametrize(
        "fault",
        [
            digest_header(None),
            digest_header("sha256:../../etc"),
            digest_header("md5:" + "a" * 32),
            status(405),
            status(501),
        ],
    )
    def test_one_that_does_not_tell_it(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(MANIFESTS, fault, method="HEAD")
        assert ours.digest("app", "latest") == ""

    def test_a_digest_by_another_algorithm(self, place: Fake, ours: Registry) -> None:
        import hashlib

        data = place.repositories["app"].manifests[latest(place)][1]
        named = f"sha512:{hashlib.sha512(data).hexdigest()}"
        place.repositories["app"].manifests[named] = MANIFEST, data
        assert ours.manifest("app", named).digest == named

    @pytest.mark.parametrize("value", [None, "", "md5:" + "a" * 32, "sha256:short", "blake3:" + "b" * 64])
    def test_a_stated_digest_that_cannot_be_verified_is_no_digest(
        self, place: Fake, between: Meddler, ours: Registry, value: str | None
    ) -> None:
        between.on(MANIFESTS, digest_header(value))
        assert ours.manifest("app", "latest").digest == latest(place)

    def test_content_that_is_not_what_its_head_says(self, between: Meddler, ours: Registry) -> None:
        between.on(MANIFESTS, digest_header("sha256:" + "0" * 64))
        with pytest.raises(Mismatched, match=r"manifest digest is sha256:.* instead of sha256:0000"):
            ours.manifest("app", "latest")

    @pytest.mark.parametrize(
        "fault", [flip(3), flip(-1), shorten(50), swap(b"{}"), swap(b"{}", honest=True), instead("old"), html()]
    )
    def test_other_bytes_than_a_digest_asks_for(
        self, place: Fake, between: Meddler, ours: Registry, fault: Behaviour
    ) -> None:
        between.on(MANIFESTS, fault)
        with pytest.raises(Mismatched) as caught:
            ours.manifest("app", latest(place))
        assert caught.value.mismatch.expected == latest(place)

    @pytest.mark.parametrize("fault", [flip(3), shorten(50), swap(b"{}"), instead("old", honest=False)])
    def test_other_bytes_than_the_head_of_a_tag_says(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(MANIFESTS, fault)
        with pytest.raises(Mismatched):
            ours.manifest("app", "latest")

    def test_a_tag_that_somebody_turns_back_is_named_by_its_digest(
        self, place: Fake, between: Meddler, ours: Registry, tmp_path: Path
    ) -> None:
        """Nobody can see that a tag is replayed; but what is said is said of the digest that came."""
        between.on(MANIFESTS, replay())
        before = ours.manifest("app", "latest").digest
        place.repositories["app"].tags["latest"] = place.repositories["app"].tags["old"]
        again = ours.manifest("app", "latest")
        assert again.digest == before == digest(again.data)

    @pytest.mark.parametrize(
        "fault",
        [
            html(),
            swap(b"null", honest=True),
            swap(b"[]", honest=True),
            swap(deep_json(100_000), honest=True),
            swap(b"\xff", honest=True),
        ],
    )
    def test_what_is_no_manifest(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(MANIFESTS, fault)
        with pytest.raises((InputError, Mismatched)):
            ours.manifest("app", "latest")

    def test_nothing_at_all(self, between: Meddler, ours: Registry) -> None:
        rule = between.on(MANIFESTS, empty(), times=1)
        assert ours.manifest("app", "latest")
        between.on(MANIFESTS, empty())
        with pytest.raises(SourceError, match="sent nothing"):
            ours.manifest("app", "latest")
        assert rule.met == 1

    @pytest.mark.parametrize("fault", [swap(long_json("x", 9 << 20), honest=True), endless(), endless(length=1 << 40)])
    def test_one_that_is_too_long(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(MANIFESTS, fault)
        with pytest.raises(LimitError, match="longer than the 8,388,608 bytes"):
            ours.manifest("app", "latest")

    def test_schema_1(self, place: Fake, ours: Registry) -> None:
        tag(place, {"schemaVersion": 1, "name": "app", "fsLayers": [{"blobSum": "sha256:" + "a" * 64}]})
        with pytest.raises(InputError, match="schema 1"):
            ours.manifest("app", "odd")

    @pytest.mark.parametrize("media_type", [INDEX, MANIFEST, None])
    def test_what_is_an_index_and_a_manifest_at_once(self, place: Fake, ours: Registry, media_type: str | None) -> None:
        """CVE-2021-41190: two clients would see two images under one digest."""
        entry = {"mediaType": MANIFEST, "digest": latest(place), "size": 1}
        both: dict[str, Any] = {"schemaVersion": 2, "manifests": [entry], "config": entry, "layers": []}
        tag(place, both | ({"mediaType": media_type} if media_type else {}), media_type or MANIFEST)
        with pytest.raises(InputError, match="both at once"):
            ours.manifest("app", "odd")

    @pytest.mark.parametrize("stated", [INDEX, MANIFEST, "text/html", None])
    def test_what_it_is_says_the_document_and_not_the_head(
        self, place: Fake, between: Meddler, ours: Registry, stated: str | None
    ) -> None:
        entry = {"mediaType": MANIFEST, "digest": latest(place), "size": 1}
        tag(place, {"schemaVersion": 2, "manifests": [entry]})
        between.on(MANIFESTS, content_type(stated))
        assert ours.manifest("app", "odd").media_type == INDEX
        assert ours.manifest("app", "latest").media_type == MANIFEST

    def test_an_encoding_that_nobody_asked_for(self, between: Meddler, ours: Registry) -> None:
        between.on(MANIFESTS, gzipped())
        with pytest.raises(SourceError, match="encoding"):
            ours.manifest("app", "latest")

    def test_docker_media_types_at_a_real_registry(self, tmp_path: Path) -> None:
        layers = [layer({"a": "b"})]
        both = index(tmp_path, [spec(layers), spec(layers, platform="linux/arm64")], nested=True)
        with registry(tmp_path / "registry") as it:
            pushed = push(it, both, "app:docker", docker=True)
            with client(it.host) as real:
                fetched = real.manifest("app", "docker")
                assert fetched.media_type == "application/vnd.docker.distribution.manifest.list.v2+json"
                assert fetched.digest == pushed.digest == real.digest("app", "docker")


class TestDocuments:
    def test_held_to_its_digest(self, place: Fake, between: Meddler, ours: Registry) -> None:
        config = json.loads(ours.manifest("app", "latest").data)["config"]["digest"]
        assert digest(ours.document("app", config, 1 << 20)) == config
        between.on(BLOBS, flip(0))
        with pytest.raises(Mismatched, match="configuration digest"):
            ours.document("app", config, 1 << 20)

    def test_too_long_or_absent(self, between: Meddler, ours: Registry) -> None:
        config = json.loads(ours.manifest("app", "latest").data)["config"]["digest"]
        with pytest.raises(LimitError):
            ours.document("app", config, 10)
        with pytest.raises(NotFound):
            ours.document("app", "sha256:" + "0" * 64, 10)
        assert ours.size("app", config) > 10
        between.on(BLOBS, lambda _request, _forward: Answer(200, [("Transfer-Encoding", "chunked")]), method="HEAD")
        with pytest.raises(SourceError, match="does not say how long"):
            ours.size("app", config)

    @pytest.mark.parametrize("text", ["", "sha256:../../v2/_catalog", "sha256:" + "A" * 64, "md5:" + "a" * 32])
    def test_what_is_no_digest_is_not_asked_for(self, between: Meddler, ours: Registry, text: str) -> None:
        for ask in (
            lambda: ours.document("app", text, 10),
            lambda: ours.size("app", text),
            lambda: list(ours.blob("app", text, 5)),
        ):
            with pytest.raises(InputError):
                ask()
        assert between.requests == []


class TestMirrors:
    """The registry and a mirror of it, each seen through a meddler."""

    @pytest.fixture
    def mirror(self, place: Fake) -> Iterator[Meddler]:
        with meddler(place, host="127.0.0.2") as it:
            yield it

    @pytest.fixture
    def mirrored(self, between: Meddler, mirror: Meddler) -> Iterator[Registry]:
        with client(between.host, settings=RegistrySettings(mirrors=(mirror.url,))) as it:
            yield it

    def blob(self, place: Fake, ours: Registry, *, mirrors: bool = True) -> tuple[str, bytes]:
        entry = json.loads(place.repositories["app"].manifests[latest(place)][1])["layers"][0]
        got = b"".join(ours.blob("app", entry["digest"], entry["size"], mirrors=mirrors))
        return entry["digest"], got

    def test_it_is_asked_first_and_alone_where_it_answers(
        self, place: Fake, between: Meddler, mirror: Meddler, mirrored: Registry
    ) -> None:
        assert mirrored.manifest("app", "latest").digest == mirrored.digest("app", "latest") == latest(place)
        named, got = self.blob(place, mirrored)
        assert digest(got) == named
        assert len(mirror.requests) == 3
        assert between.requests == []

    @pytest.mark.parametrize(
        "fault",
        [
            status(404),
            status(401),
            status(403),
            status(500),
            status(429, Retry_After="9999"),
            html(),
            flip(0),
            shorten(1),
            endless(),
            swap(b"{}", honest=True),
            gzipped(),
        ],
    )
    def test_what_it_cannot_give_the_registry_gives(
        self, place: Fake, between: Meddler, mirror: Meddler, mirrored: Registry, fault: Behaviour
    ) -> None:
        mirror.on(ANY, fault)
        fetched = mirrored.manifest("app", "latest")
        assert digest(fetched.data) == fetched.digest == latest(place)
        config = json.loads(fetched.data)["config"]["digest"]
        assert digest(mirrored.document("app", config, 1 << 20)) == config
        assert len(between.requests) == 2

    def test_one_that_is_down(self, place: Fake, between: Meddler) -> None:
        with listen(host="127.0.0.2") as gone:
            pass
        with client(between.host, settings=RegistrySettings(mirrors=(gone.url,))) as ours:
            assert ours.manifest("app", "latest").digest == latest(place)
            named, got = self.blob(place, ours)
            assert digest(got) == named

    def test_a_blob_that_breaks_off_there_is_gone_on_with_at_the_registry(
        self, place: Fake, between: Meddler, mirror: Meddler, mirrored: Registry
    ) -> None:
        from daemons.behaviours import truncate

        mirror.on(BLOBS, status(404))
        mirror.on(BLOBS, truncate(700), times=1)
        named, got = self.blob(place, mirrored)
        assert digest(got) == named
        assert [request.header("Range") for request in between.requests] == ["bytes=700-"]

    def test_a_blob_that_it_changes_is_had_from_the_registry_when_asked_for_again(
        self, place: Fake, between: Meddler, mirror: Meddler, mirrored: Registry
    ) -> None:
        mirror.on(BLOBS, flip(600))
        named, got = self.blob(place, mirrored)
        assert digest(got) != named  # whoever reads it sees that, and asks once more
        named, got = self.blob(place, mirrored, mirrors=False)
        assert digest(got) == named

    def test_it_may_have_everything_below_a_prefix(self, place: Fake, between: Meddler, tmp_path: Path) -> None:
        with fake({"hub/app": app(tmp_path)}, host="127.0.0.2") as cache:
            with client(between.host, settings=RegistrySettings(mirrors=(f"{cache.url}/hub",))) as ours:
                assert ours.manifest("app", "latest").digest == latest(place)
            assert cache.paths == ["GET /v2/hub/app/manifests/latest"]
            assert between.requests == []

    def test_where_all_fail_the_registrys_own_words_are_said(
        self, between: Meddler, mirror: Meddler, mirrored: Registry
    ) -> None:
        mirror.on(ANY, status(403))
        with pytest.raises(NotFound) as said:
            mirrored.manifest("app", "absent")
        assert said.value.where.startswith(between.host)

    def test_lists_are_the_registrys(self, mirror: Meddler, mirrored: Registry) -> None:
        assert list(mirrored.tags("app")) == ["latest", "old"]
        assert list(mirrored.catalog()) == ["app"]
        assert mirror.requests == []

    def test_credentials_of_the_registry_are_not_for_a_mirror(self, tmp_path: Path) -> None:
        from daemons.listener import heard
        from oci.registry.clients import login

        layout = app(tmp_path)
        with (
            fake({"app": layout}, users={"ci": "s3cret"}) as own,
            fake({"app": layout}, users={"ci": "s3cret"}, host="127.0.0.2") as cache,
        ):
            settings = RegistrySettings(mirrors=(cache.url,), plain_http=True)
            with client(own.host, settings=settings, environment=login(own.host)) as ours:
                assert ours.manifest("app", "latest")
            assert cache.requests
            assert heard("s3cret", cache) == []
            assert heard("s3cret", own)


def test_a_repository_of_many_layers_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    layers = [noise(20_000, seed) for seed in range(12)]
    with fake({"app": image(tmp_path, layers, compression="none")}) as it, client(it.host) as ours:
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda one: b"".join(ours.blob("app", digest(one), len(one))), layers))
        assert got == layers
        assert len(it.conversations) <= 8  # four, and as many that tried to encrypt
