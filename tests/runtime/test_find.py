"""Where engines are looked for, in which order, and what is said where none can be used."""

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.docker import short_folder
from holdfast.model.errors import HoldfastError, InputError, NotFound
from holdfast.runtime.docker.place import sockets as docker_sockets
from holdfast.runtime.find import known_engines, open_engine
from holdfast.runtime.place import Place, choose
from holdfast.runtime.podman.place import sockets as podman_sockets
from holdfast.transport.trust import Trust
from holdfast.transport.wire import Wire


@pytest.fixture
def home() -> Iterator[Path]:
    with short_folder() as it:
        yield it


def listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def context(home: Path, name: str, host: object, *, tls: bool = False) -> None:
    """A context as `docker context create` writes it."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker/contexts/meta" / identity
    folder.mkdir(parents=True)
    document = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(document))
    if tls:
        files = home / ".docker/contexts/tls" / identity / "docker"
        files.mkdir(parents=True)
        for part in ("ca", "cert", "key"):
            (files / f"{part}.pem").touch()


def current(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"auths": {}, "currentContext": name}))


def urls(places: tuple[Place, ...]) -> list[str]:
    return [place.url for place in places]


def test_dockers_usual_places(home: Path) -> None:
    assert urls(docker_sockets({"XDG_RUNTIME_DIR": "/run/user/7"}, home)) == [
        "unix:///var/run/docker.sock", "unix:///run/user/7/docker.sock", f"unix://{home}/.docker/run/docker.sock",
    ]  # fmt: skip


def test_what_is_stated_is_the_only_place(home: Path) -> None:
    context(home, "colima", "unix:///colima.sock")
    context(home, "other", "unix:///other.sock")
    current(home, "colima")
    assert docker_sockets({}, home) == (Place("unix:///colima.sock", "context colima"),)
    assert docker_sockets({"DOCKER_CONTEXT": "other"}, home) == (Place("unix:///other.sock", "context other"),)
    stated = {"DOCKER_HOST": "unix:///mine.sock", "DOCKER_CONTEXT": "other"}
    assert docker_sockets(stated, home) == (Place("unix:///mine.sock", "DOCKER_HOST"),)
    assert len(docker_sockets({"DOCKER_CONTEXT": "default"}, home)) == 2


def test_tls_comes_with_the_environment_or_the_context(home: Path) -> None:
    (place,) = docker_sockets({"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}, home)
    assert place.trust == Trust("/c/ca.pem", "/c/cert.pem", "/c/key.pem")
    assert place.address("/version").url == "https://h:2376/version"
    context(home, "far", "tcp://h", tls=True)
    (place,) = docker_sockets({"DOCKER_CONTEXT": "far"}, home)
    assert place.trust is not None
    assert place.address("/version").url == "https://h:2376/version"


@pytest.mark.parametrize("text", ["{", "[]", '{"Endpoints": 1}', '{"Endpoints": {}}', "[" * 100_000, "\udcff"])
def test_a_damaged_context_says_so(home: Path, text: str) -> None:
    context(home, "broken", "")
    (meta,) = home.rglob("meta.json")
    meta.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="broken"):
        docker_sockets({"DOCKER_CONTEXT": "broken"}, home)


def test_a_context_that_is_not_there_and_a_damaged_configuration(home: Path) -> None:
    with pytest.raises(NotFound, match="context gone"):
        docker_sockets({"DOCKER_CONTEXT": "gone"}, home)
    current(home, "x")
    (home / ".docker/config.json").write_text("{" * 10)
    assert len(docker_sockets({}, home)) == 2


def test_podmans_places(home: Path) -> None:
    usual = podman_sockets({"XDG_RUNTIME_DIR": "/run/user/7"})
    assert urls(usual) == ["unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"]
    assert podman_sockets({"CONTAINER_HOST": "unix:///p"}) == (Place("unix:///p", "CONTAINER_HOST"),)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("unix:///a/b.sock", "unix:/a/b.sock:/version"),
        ("/a/b.sock", "unix:/a/b.sock:/version"),
        ("tcp://127.0.0.1:2375", "http://127.0.0.1:2375/version"),
        ("tcp://localhost", "http://localhost:2375/version"),
        ("tcp://[::1]:99", "http://[::1]:99/version"),
        ("tcp://[::1]", "http://[::1]:2375/version"),
        ("https://engine.example", "https://engine.example:2376/version"),
    ],
)
def test_an_address_is_understood(url: str, address: str) -> None:
    assert Place(url).address("/version").url == address


@pytest.mark.parametrize(
    "url",
    [
        "tcp://10.0.0.1:2375", "http://engine.example", "ssh://me@host", "npipe:////./pipe/docker", "fd://", "", "tcp://",
        "unix://", "unix:///a\0b", "tcp://user:s3cret@127.0.0.1:1", "tcp://127.0.0.1:99999", "\udcff",
    ],
)  # fmt: skip
def test_an_address_that_cannot_or_should_not_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(HoldfastError) as caught:
        Place(url).address("/version")
    assert "s3cret" not in str(caught.value)
    str(caught.value).encode()


def test_the_first_that_listens_is_chosen(home: Path) -> None:
    (home / "dead.sock").touch()
    places = [Place(f"unix://{home}/{name}.sock") for name in ("absent", "dead", "live", "other")]
    with listen(home / "live.sock"), listen(home / "other.sock"):
        assert choose(places) == places[2]
    assert choose(places) is None
    long = Place(f"unix://{home}/{'x' * 200}")
    assert choose([long, Place("unix://a\0b"), Place(f"unix://{home}/stated", "somebody")]) is not None


def test_no_engine_names_the_places(home: Path) -> None:
    with Wire(offline=True) as wire:
        environment = {"XDG_RUNTIME_DIR": str(home), "PATH": ""}
        with pytest.raises(NotFound, match="no podman listens here") as caught:
            open_engine("podman", "", environment, home, wire)
        assert f"{home}/podman/podman.sock" in caught.value.where
        with pytest.raises(InputError):
            open_engine("lxc", "", environment, home, wire)


def test_which_engines_are_here(home: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(home), "PATH": str(home), "CONTAINERD_ADDRESS": "/c.sock"}
    with listen(home / "podman/podman.sock"):
        assert {"podman", "containerd"} <= set(known_engines(environment, home))
    # One that does not listen is here where it was used before; starting another would write its folders.
    program = home / "podman"
    program.rename(home / "was")
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (home / "data/containers/storage").mkdir(parents=True)
    assert "podman" in known_engines(environment | {"XDG_DATA_HOME": f"{home}/data"}, home)
    assert "docker" in known_engines(environment, home, {"docker": "unix:///nowhere"})
    assert "docker" in known_engines(environment | {"DOCKER_CONTEXT": "gone"}, home)


def test_a_podman_that_cannot_serve_says_why(home: Path) -> None:
    program = home / "podman"
    program.write_text("#!/bin/sh\necho 'cannot clone: \x1b[1mOperation not permitted' >&2; exit 125\n")
    program.chmod(0o755)
    before = {*Path("/tmp").glob("holdfast-*")}
    with Wire(offline=True) as wire, pytest.raises(HoldfastError, match="Operation not permitted") as caught:
        open_engine("podman", "", {"PATH": f"{home}:/bin:/usr/bin"}, home, wire)
    assert caught.value.what.isprintable()
    assert {*Path("/tmp").glob("holdfast-*")} <= before
