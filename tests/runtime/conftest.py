"""The engines that the tests of this folder share: each is started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.docker import EngineDaemon, dockerd
from daemons.podman import podman
from holdfast.transport.wire import Wire
from world import file, image, layer, symlink

BUSYBOX = Path("/bin/busybox")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `docker save` archive of app:1, which can run, and has one layer twice."""
    program = BUSYBOX.read_bytes() if BUSYBOX.exists() else b""
    rootfs = layer({"etc/os-release": "ID=debian\n", "bin/busybox": file(program, mode=0o755)}, parents=True)
    application = layer({"srv/app.txt": "hello", "srv/link": symlink("app.txt")}, parents=True)
    history = ["ADD rootfs /", "#ENV A=b", "COPY app /srv", "COPY app /srv"]
    return image(
        tmp_path_factory.mktemp("archive"), [rootfs, application, application], form="docker-archive-old",
        history=history, labels={"owner": "tests"}, user="1000", tag="1", compression="none",
    )  # fmt: skip


@pytest.fixture(scope="session")
def docker_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDaemon]:
    with dockerd(tmp_path_factory.mktemp("dockerd")) as it:
        yield it


@pytest.fixture(scope="session")
def podman_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDaemon]:
    with podman(tmp_path_factory.mktemp("podman")) as it:
        yield it


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(offline=True) as it:
        yield it
