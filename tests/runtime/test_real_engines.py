"""A real Docker and a real Podman have the same image as the archive that was loaded into them."""

import hashlib
from pathlib import Path

import pytest

from daemons.docker import EngineDaemon, short_folder, unmount
from daemons.podman import wrapper
from holdfast.fs.tar import TarTree
from holdfast.model.artifact import Image, Platform
from holdfast.model.errors import InputError, NotFound
from holdfast.oci.layer import LayerStream
from holdfast.oci.open import open_image
from holdfast.oci.source import Source, Streamed
from holdfast.runtime.docker.engine import Docker
from holdfast.runtime.find import known_engines, open_engine
from holdfast.runtime.podman.engine import Podman
from holdfast.transport.wire import Wire
from runtime.conftest import BUSYBOX
from world import image, layer

pytestmark = pytest.mark.root

ENGINES = ("docker", "podman")
Content = dict[str, tuple[object, int, str]]


@pytest.fixture(params=ENGINES)
def daemon(request: pytest.FixtureRequest) -> EngineDaemon:
    it: EngineDaemon = request.getfixturevalue(f"{request.param}_daemon")
    return it


@pytest.fixture
def engine(daemon: EngineDaemon, wire: Wire, archive: Path) -> Docker | Podman:
    daemon.load(archive)
    kind = Podman if "podman" in daemon.socket.name else Docker
    return kind(daemon.url, wire)


def content(stream: LayerStream) -> Content:
    """Every entry of a layer, read to its end."""
    found: Content = {}
    for item in TarTree(stream.chunks()).walk():
        entry = item.entry
        found[entry.path] = entry.type, entry.mode, hashlib.sha256(b"".join(item.chunks())).hexdigest() + entry.link
    stream.drain()
    return found


def stored(source: Source) -> dict[str, Content]:
    """The content of every layer of an image, by diff ID."""
    found = {}
    for index, promised in enumerate(source.image.layers):
        with source.open_layer(index) as stream:
            found[promised.diff_id] = content(stream)
    return found


def facts(it: Image) -> tuple[object, ...]:
    return (
        it.config_digest, it.platform, it.labels, it.user, it.created,
        [(one.diff_id, one.created_by) for one in it.layers], [(one.created_by, one.empty) for one in it.history],
    )  # fmt: skip


def test_an_engine_describes_the_image_as_its_archive_does(engine: Docker | Podman, archive: Path) -> None:
    with open_image("docker-archive", archive) as expected, engine.open("app:1") as source:
        assert isinstance(source, Streamed)
        assert facts(source.image) == facts(expected.image)
        assert source.problems == []


def test_its_layers_arrive_once_each_with_the_same_content(engine: Docker | Podman, archive: Path) -> None:
    with open_image("docker-archive", archive) as expected, engine.open("app:1") as source:
        arrived = {}
        for stream in source.arrivals():
            entries = content(stream)
            assert stream.problems == []
            assert stream.integrity == []
            assert stream.diff_id not in arrived
            arrived[stream.diff_id] = entries
        assert arrived == stored(expected)
        assert source.problems == []
        assert source.integrity == []


@pytest.mark.parametrize("arrived_before", [True, False])
def test_one_layer_can_be_opened_alone(engine: Docker | Podman, archive: Path, arrived_before: bool) -> None:
    with open_image("docker-archive", archive) as expected, engine.open("app:1") as source:
        for stream in source.arrivals() if arrived_before else ():
            content(stream)
        assert stored(source) == stored(expected)
        for index in range(3):
            with source.open_layer(index) as stream:
                content(stream)
                assert stream.verified


def test_layers_that_nobody_reads_are_passed_over(engine: Docker | Podman) -> None:
    with engine.open("app:1") as source:
        assert len([*source.arrivals()]) == 2
        assert source.integrity == []


def test_an_image_is_found_by_its_id_and_where_it_is_not_there_it_says_so(engine: Docker | Podman) -> None:
    identity = engine.open("app:1").image.config_digest
    assert engine.open(identity.removeprefix("sha256:")).image.config_digest == identity
    assert engine.open(identity.removeprefix("sha256:")[:12]).image.config_digest == identity
    with pytest.raises(NotFound, match="nothing"):
        engine.open("nothing:1")


def test_another_platform_than_the_one_that_is_there_is_refused(engine: Docker | Podman) -> None:
    assert engine.open("app:1", Platform("linux", "amd64")).image.platform == Platform("linux", "amd64")
    with pytest.raises(InputError, match="linux/arm64"):
        engine.open("app:1", Platform("linux", "arm64"))


def test_a_name_without_a_tag_exports_only_the_one_image(
    engine: Docker | Podman, daemon: EngineDaemon, tmp_path: Path
) -> None:
    for tag in ("latest", "old"):
        daemon.load(image(tmp_path, [layer({tag: tag})], form="docker-archive-old", name=tag, tag=tag))
    name = "localhost/app:latest" if engine.name == "podman" else "app"
    with engine.open(name) as source:
        assert [sorted(content(stream)) for stream in source.arrivals()] == [["latest"]]


@pytest.mark.skipif(not BUSYBOX.exists(), reason="busybox-static is not installed")
def test_a_running_container_is_named_with_its_image(engine: Docker | Podman, daemon: EngineDaemon) -> None:
    name = "localhost/app:1" if engine.name == "podman" else "app:1"
    identity = daemon.run(name, "/bin/busybox", "sleep", "60", name="web")
    try:
        (container,) = engine.running()
    finally:
        daemon.clean()
    assert (container.engine, container.id, container.name) == (engine.name, identity, "web")
    assert container.image == name
    assert container.labels == {"owner": "tests", "for": "test"}
    assert engine.open(container.image_id).image.config_digest == engine.open("app:1").image.config_digest
    assert engine.running() == []


def test_a_podman_that_does_not_listen_is_started_and_ended(
    podman_daemon: EngineDaemon, wire: Wire, tmp_path: Path
) -> None:
    with short_folder() as short:
        wrapper(tmp_path, short / "root", short / "run")
        environment = {"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path)}
        engine = open_engine("podman", "", environment, tmp_path, wire)
        try:
            assert engine.running() == []
            with pytest.raises(NotFound, match="nothing"):
                engine.open("nothing:1")
        finally:
            engine.close()
            unmount(short)
        with pytest.raises(NotFound, match="does not listen"):
            engine.running()


def test_the_engines_that_listen_are_known(
    docker_daemon: EngineDaemon, podman_daemon: EngineDaemon, tmp_path: Path
) -> None:
    environment = {"DOCKER_HOST": docker_daemon.url, "CONTAINER_HOST": podman_daemon.url}
    assert {"docker", "podman"} <= set(known_engines(environment, tmp_path))
