"""Containers as Kubernetes, Docker and others leave them in containerd, and the image that each was made from."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import NotFound
from holdfast.runtime.containerd.channel import is_namespace
from holdfast.runtime.containerd.containers import Container
from holdfast.runtime.containerd.engine import Containerd
from holdfast.runtime.containerd.origin import CONFIG_LABEL, chain_id
from holdfast.runtime.containerd.protobuf import Message, encode
from holdfast.runtime.engine import Running
from runtime.containerd.fake import Answer, digest, documents, fake, image_record, refuse, store
from world import layer

LAYER, UPPER = layer({"etc/os-release": "ID=debian\n"}), layer({"srv/app": "1"})
APP, APP_CONFIG = documents(LAYER, UPPER)
OTHER, OTHER_CONFIG = documents(UPPER)
NAME = "docker.io/library/app:latest"
CHAIN = chain_id([digest(LAYER), digest(UPPER)])
CREATED, RUNNING, STOPPED, PAUSED, PAUSING = 1, 2, 3, 4, 5


def task(name: str, status: int = RUNNING) -> bytes:
    return encode((1, encode((1, name), (4, status))))


def record(
    name: str, image: str = "", *, snapshot: str = "", metadata: bytes = b"", labels: Mapping[str, str] = {}
) -> bytes:
    """A container's answer; `metadata` is what Kubernetes' side writes on it."""
    any_ = encode((1, "github.com/containerd/cri/pkg/store/container/Metadata"), (2, metadata))
    extension = encode((1, "io.cri-containerd.container.metadata"), (2, any_)) if metadata else b""
    named = encode(*((2, encode((1, key), (2, value))) for key, value in labels.items()))
    rest = encode((1, name), (3, image), (6, "overlayfs"), (7, snapshot), (10, extension))
    return encode((1, named + rest))


def stands_on(parent: str) -> bytes:
    return encode((1, encode((1, "own"), (2, parent))))


def running(*records: bytes, **answers: Answer) -> list[Running]:
    """What a containerd tells that has the image `app` and runs these containers."""
    by_name = {Message(one).message(1).text(1): one for one in records}
    answers = {
        "tasks.v1.Tasks/List": b"".join(map(task, by_name)),
        "containers.v1.Containers/Get": lambda request, _context: by_name[Message(request).text(1)],
        "images.v1.Images/List": image_record(NAME, APP),
        **answers,
    }
    with fake(store(APP, APP_CONFIG, OTHER, OTHER_CONFIG, **answers)) as it, Containerd(it.address) as engine:
        return engine.running()


def one(found: list[Running]) -> tuple[str, str, str]:
    (container,) = found
    return container.image, container.image_id, container.digest


def kubernetes(image: str) -> bytes:
    return json.dumps({"Version": "v1", "Metadata": {"ID": "x", "ImageRef": image, "Config": {"a": 1}}}).encode()


def test_the_image_by_the_snapshot_that_it_stands_on() -> None:
    found = running(record("a", NAME, snapshot="own"), **{"snapshots.v1.Snapshots/Stat": stands_on(CHAIN)})
    assert one(found) == (NAME, digest(APP), digest(APP))


def test_another_snapshot_means_another_image() -> None:
    elsewhere = stands_on(digest(b"another chain"))
    found = running(record("a", NAME, snapshot="own"), **{"snapshots.v1.Snapshots/Stat": elsewhere})
    assert one(found) == (NAME, digest(b"another chain"), "")


def test_the_labels_of_what_was_unpacked_lead_to_the_image() -> None:
    def labelled(request: bytes, _context: Any) -> Any:
        wanted = Message(request).text(1)
        found = {
            f'labels."containerd.io/gc.ref.snapshot.overlayfs"=="{digest(UPPER)}"': OTHER_CONFIG,
            f'labels."{CONFIG_LABEL}"=="{digest(OTHER_CONFIG)}"': OTHER,
        }
        if wanted in found:
            yield encode((1, encode((1, digest(found[wanted])))))

    answers: dict[str, Answer] = {
        "snapshots.v1.Snapshots/Stat": stands_on(digest(UPPER)),
        "content.v1.Content/List": labelled,
    }
    found = running(record("a", NAME, snapshot="own"), **answers)
    assert one(found) == (NAME, digest(OTHER), digest(OTHER))


@pytest.mark.parametrize("stat", [refuse("NOT_FOUND"), refuse("UNIMPLEMENTED"), b"\xff", stands_on("sha256:ab-1000-1")])
def test_where_the_snapshot_tells_nothing_the_name_has_to_do(stat: Answer) -> None:
    found = running(record("a", NAME, snapshot="own"), **{"snapshots.v1.Snapshots/Stat": stat})
    assert one(found) == (NAME, digest(APP), digest(APP))


def test_kubernetes_says_by_digest_what_it_runs() -> None:
    config = digest(APP_CONFIG)
    both = image_record(NAME, APP) + image_record(config, APP)
    made = record("a", "docker.io/library/other:1", metadata=kubernetes(config))
    assert one(running(made, **{"images.v1.Images/List": both})) == (
        "docker.io/library/other:1",
        digest(APP),
        digest(APP),
    )
    by_digest = record("a", config, metadata=kubernetes(config))
    assert one(running(by_digest, **{"images.v1.Images/List": both})) == (NAME, digest(APP), digest(APP))
    unnamed = record("a", NAME, metadata=kubernetes(config))
    assert one(running(unnamed)) == (NAME, config, "")


@pytest.mark.parametrize("metadata", [b"{", b"[" * 99_999, b'{"Metadata": 1}', b"\xff", kubernetes("app:1")])
def test_metadata_that_is_something_else_is_passed_over(metadata: bytes) -> None:
    assert one(running(record("a", NAME, metadata=metadata))) == (NAME, digest(APP), digest(APP))


def test_what_docker_runs_has_no_image_here() -> None:
    (container,) = running(record("0123", labels={"com.docker/engine.bundle.path": "/x"}))
    assert (container.name, container.image, container.image_id) == ("0123", "", "")
    assert container.labels == {"com.docker/engine.bundle.path": "/x"}


def test_an_image_that_is_not_known_by_its_name() -> None:
    assert one(running(record("a", "gone:1"))) == ("gone:1", "", "")


@pytest.mark.parametrize(
    ("status", "is_running"),
    [(0, True), (CREATED, False), (RUNNING, True), (STOPPED, False), (PAUSED, True), (PAUSING, True)],
)
def test_which_states_count(status: int, is_running: bool) -> None:
    assert bool(running(record("a", NAME), **{"tasks.v1.Tasks/List": task("a", status)})) is is_running


def test_a_container_that_ends_meanwhile_is_left_out() -> None:
    assert running(record("a", NAME), **{"containers.v1.Containers/Get": refuse("NOT_FOUND")}) == []


def test_every_namespace_is_asked_and_named() -> None:
    two = encode((1, encode((1, "k8s.io"))), (1, encode((1, "moby"))))
    found = running(record("a", NAME), **{"namespaces.v1.Namespaces/List": two})
    assert [container.namespace for container in found] == ["k8s.io", "moby"]


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"nerdctl/name": "web"}, "web"),
        ({"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": "web-1"}, "shop/web-1"),
        ({"io.kubernetes.container.name": "app", "nerdctl/name": "x"}, "app"),
        ({"other": "x"}, "id"),
    ],
)
def test_what_people_call_it(labels: dict[str, str], name: str) -> None:
    assert Container("n", "id", "", "", "", "", labels).name == name


def test_chain_ids() -> None:
    """Those of the image specification: the first is the diff ID, each other one the hash of the two before."""
    first = chain_id([digest(b"1")])
    assert first == digest(b"1")
    assert chain_id([digest(b"1"), digest(b"2")]) == digest(f"{first} {digest(b'2')}".encode())
    assert chain_id([]) == chain_id([digest(b"1"), ""]) == ""


def test_an_image_that_is_gone_is_not_opened_by_its_name() -> None:
    answers = {"images.v1.Images/List": image_record(NAME, APP)}
    with fake(store(APP, APP_CONFIG, **answers)) as it, Containerd(it.address) as engine:
        with pytest.raises(NotFound, match="no image with this digest") as caught:
            engine.open(CHAIN)
        assert "name was given to another image" in caught.value.remedy


@given(st.text(max_size=20))
def test_no_snapshotter_adds_to_the_filter_that_it_is_put_in(snapshotter: str) -> None:
    if is_namespace(snapshotter):
        assert not set(snapshotter) & set('"\\,=~ ')
