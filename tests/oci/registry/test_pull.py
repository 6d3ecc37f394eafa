"""Pulling into a folder: whole, verified, gone on with, and never half there."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.behaviours import cut, endless, flip, shorten, status, truncate
from daemons.fake import Fake, fake
from daemons.meddler import BLOBS, MANIFESTS, Behaviour, Meddler, meddler
from daemons.push import attach, push
from daemons.registry import registry
from daemons.skopeo import skopeo
from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, LimitError, SourceError
from holdfast.oci.folder import LayoutFolder
from holdfast.oci.integrity import Mismatched
from holdfast.oci.open import open_image
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.pull import Pulled, Puller
from holdfast.settings import RegistrySettings
from oci.registry.clients import app, client, layout_of, noise
from world import file, index, layer, spec

AMD64 = Platform("linux", "amd64")
SIZES = (40_000, 30_000, 20_000, 10_000, 5_000)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Fake]:
    layers = [layer({"file": file(noise(9000))})]
    both = index(
        tmp_path, [spec(layers), spec(layers, platform="linux/arm64")], nested=True, attestation=True, name="both"
    )
    with fake({"app": app(tmp_path, *SIZES), "both": both}) as it:
        yield it


def pull(ours: Registry, name: str, into: Path, **options: bool) -> Pulled:
    layout = layout_of(ours, name, into.parent)
    return Puller(layout, LayoutFolder(into)).pull(layout.root(), AMD64, **options)


def check(folder: Path, tag: str = "latest") -> str:
    """Open what was pulled, read all of it; its digest."""
    with open_image("oci", folder, tag, AMD64) as source:
        assert source.problems == []
        assert source.integrity == []
        for number in range(len(source.image.layers)):
            with source.open_layer(number) as stream:
                stream.drain()
                assert stream.verified
        return source.image.digest


def test_an_image(place: Fake, ours: Registry, tmp_path: Path) -> None:
    pulled = pull(ours, "app", tmp_path / "out")
    assert check(tmp_path / "out") == pulled.digest == place.repositories["app"].tags["latest"]
    assert (pulled.fetched, pulled.had) == (len(SIZES) + 1, 0)
    assert not [*(tmp_path / "out").rglob(".part-*")]


def test_again_costs_nothing_but_the_manifest(between: Meddler, ours: Registry, tmp_path: Path) -> None:
    pull(ours, "app", tmp_path / "out")
    between.requests.clear()
    pulled = pull(ours, "app", tmp_path / "out")
    assert (pulled.fetched, pulled.fetched_bytes, pulled.had) == (0, 0, len(SIZES) + 1)
    assert between.paths == ["GET /v2/app/manifests/latest"]
    assert len(json.loads((tmp_path / "out" / "index.json").read_text())["manifests"]) == 1


def test_one_platform_or_all(place: Fake, ours: Registry, tmp_path: Path) -> None:
    one = pull(ours, "both", tmp_path / "one")
    assert check(tmp_path / "one") == one.digest != place.repositories["both"].tags["latest"]
    every = pull(ours, "both", tmp_path / "every", every_platform=True)
    assert every.digest == place.repositories["both"].tags["latest"]
    assert check(tmp_path / "every")


def test_with_what_is_attached(place: Fake, ours: Registry, tmp_path: Path) -> None:
    subject = place.repositories["app"].tags["latest"]
    made = attach(place, "app", subject, "application/spdx+json", [("application/spdx+json", b'{"a": 1}')])
    pull(ours, "app", tmp_path / "out", attached=True)
    entries = [entry["digest"] for entry in json.loads((tmp_path / "out" / "index.json").read_text())["manifests"]]
    assert entries == [subject, made]
    assert check(tmp_path / "out") == subject


def test_several_images_into_one_folder_at_once(place: Fake, between: Meddler, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def one(name: str) -> None:
        try:
            with client(between.host) as ours:
                pull(ours, name, tmp_path / "out")
        except BaseException as error:
            failures.append(error)

    place.add("twin", tmp_path / "app")
    threads = [threading.Thread(target=one, args=(name,)) for name in ("app", "twin", "both", "app", "twin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(json.loads((tmp_path / "out" / "index.json").read_text())["manifests"]) == 3
    stored = place.repositories["app"]
    layers = json.loads(stored.manifests[stored.tags["latest"]][1])["layers"]
    asked = [path.rpartition("/")[2] for path in between.paths if "/blobs/" in path]
    assert [asked.count(one["digest"]) for one in layers] == [1] * len(SIZES)  # what one fetches, the others have
    assert not [*(tmp_path / "out").rglob(".part-*")]


class TestFaults:
    @pytest.mark.parametrize("fault", [truncate(3000), cut(3000)], ids=["closed", "reset"])
    def test_cuts_are_mended(self, between: Meddler, ours: Registry, tmp_path: Path, fault: Behaviour) -> None:
        between.on(BLOBS, fault, times=6)
        pull(ours, "app", tmp_path / "out")
        assert check(tmp_path / "out")

    def test_one_that_broke_off_is_gone_on_with(self, between: Meddler, tmp_path: Path) -> None:
        between.on(BLOBS, status(404))
        between.on(BLOBS, truncate(3000), times=len(SIZES))
        with client(between.host) as ours, pytest.raises(SourceError):
            pull(ours, "app", tmp_path / "out")
        assert not (tmp_path / "out" / "index.json").exists()
        begun = sum(path.stat().st_size for path in (tmp_path / "out").rglob(".part-*"))
        assert begun >= 3000
        between.forget()
        with client(between.host) as ours:
            pulled = pull(ours, "app", tmp_path / "out")
        assert check(tmp_path / "out") == pulled.digest
        everything = sum(path.stat().st_size for path in (tmp_path / "app" / "blobs").rglob("*") if path.is_file())
        assert pulled.fetched_bytes < everything - begun

    def test_a_part_from_before_that_is_wrong_is_thrown_away(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        blob = json.loads(place.repositories["app"].manifests[place.repositories["app"].tags["latest"]][1])["layers"][0]
        folder = LayoutFolder(tmp_path / "out")
        folder.prepare()
        part = folder.path / "blobs" / "sha256" / f".part-{blob['digest'].partition(':')[2]}"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"\0" * 500)
        pull(ours, "app", tmp_path / "out")
        assert check(tmp_path / "out")

    @pytest.mark.parametrize("fault", [flip(100), shorten(100), endless()])
    def test_other_bytes_are_never_there(
        self, between: Meddler, ours: Registry, tmp_path: Path, fault: Behaviour
    ) -> None:
        between.on(BLOBS, fault)
        with pytest.raises(Mismatched):
            pull(ours, "app", tmp_path / "out")
        left = [path for path in (tmp_path / "out" / "blobs").rglob("*") if path.is_file() and "part" not in path.name]
        assert len(left) == 1  # the manifest, which is what its name says
        assert not (tmp_path / "out" / "index.json").exists()

    def test_a_mirror_that_lies_is_found_out_and_left(self, place: Fake, between: Meddler, tmp_path: Path) -> None:
        with (
            meddler(place, host="127.0.0.2") as mirror,
            client(between.host, settings=RegistrySettings(mirrors=(mirror.url,))) as ours,
        ):
            mirror.on(BLOBS, flip(0))
            pull(ours, "app", tmp_path / "out")
        assert check(tmp_path / "out")

    @pytest.mark.parametrize("where", [MANIFESTS, BLOBS])
    def test_what_is_there_already_stays_whole(
        self, between: Meddler, ours: Registry, tmp_path: Path, where: str
    ) -> None:
        pull(ours, "app", tmp_path / "out")
        between.on(where, status(500))
        with pytest.raises(HoldfastError):
            pull(ours, "both", tmp_path / "out")
        assert check(tmp_path / "out")

    def test_indexes_that_go_too_deep(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        from world import digest

        repository = place.repositories["app"]
        inner = repository.tags["latest"]
        kind = repository.manifests[inner][0]
        for _ in range(8):
            document = {"schemaVersion": 2, "manifests": [{"mediaType": kind, "digest": inner, "size": 5}]}
            data = json.dumps(document).encode()
            inner, kind = digest(data), "application/vnd.oci.image.index.v1+json"
            repository.manifests[inner] = kind, data
        repository.tags["deep"] = inner
        with pytest.raises(LimitError):
            pull(ours, "app:deep", tmp_path / "out", every_platform=True)

    def test_a_foreign_layer_is_left_out_and_said(self, place: Fake, ours: Registry, tmp_path: Path) -> None:
        from world import digest

        repository = place.repositories["app"]
        manifest = json.loads(repository.manifests[repository.tags["latest"]][1])
        manifest["layers"][0] |= {"urls": ["https://elsewhere.test/x"], "digest": "sha256:" + "7" * 64}
        data = json.dumps(manifest).encode()
        repository.manifests[digest(data)] = repository.manifests[repository.tags["latest"]][0], data
        repository.tags["foreign"] = digest(data)
        pulled = pull(ours, "app:foreign", tmp_path / "out")
        assert pulled.left_out == ("sha256:" + "7" * 64,)


def test_progress_ends_at_everything(ours: Registry, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    layout = layout_of(ours, "app", tmp_path)
    Puller(layout, LayoutFolder(tmp_path / "out"), lambda done, total: told.append((done, total))).pull(
        layout.root(), AMD64
    )
    assert told[-1][0] == told[-1][1] > sum(SIZES)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_skopeo_takes_what_was_pulled_from_a_real_registry(tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as it:
        pushed = push(it, app(tmp_path, *SIZES), "team/app:1.0")
        with client(it.host) as ours:
            assert pull(ours, "team/app:1.0", tmp_path / "out").digest == pushed.digest
    assert check(tmp_path / "out", "1.0") == pushed.digest
    said = json.loads(skopeo("inspect", f"oci:{tmp_path / 'out'}:1.0", folder=tmp_path))
    assert said["Digest"] == pushed.digest
