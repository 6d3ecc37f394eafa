"""A real dockerd with its own store, socket and no network, and the few requests that tests need of it.

    with dockerd(tmp_path) as it:
        it.load(image(tmp_path, [layer({...})], form="docker-archive-old"))      # an archive, as `docker load` would
        it.load(archive, name="other:1")                                         # … and tags what it loaded
        container = it.run("app:1", "/bin/busybox", "sleep", "60", name="web")   # --network none
        it.url                                                                   # "unix:///…/docker.sock"

Needs root. A test is skipped, with the reason, where dockerd is absent or cannot start.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from daemons.program import Program, need, start
from world import image, layer

SOCKET_BYTES = 100  # of a Unix socket's path


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


@dataclass
class EngineDaemon:
    """A running engine that speaks Docker's API at `socket`, below `prefix`."""

    socket: Path
    program: Program
    prefix: str = "/v1.40"
    containers: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def ask(self, method: str, path: str, body: bytes | dict[str, Any] | None = None, kind: str = "") -> Any:
        """One request; its answer from JSON, AssertionError where it is none of 2xx."""
        connection = UnixConnection(str(self.socket))
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": kind or "application/json"}
        connection.request(method, self.prefix + path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert 200 <= answer.status < 305, (path, answer.status, text[:500])
        try:
            return json.loads(text)
        except ValueError:
            return text

    def load(self, archive: Path, name: str = "") -> str:
        """What the engine says it loaded; tagged `name` as well, where one is given."""
        told = self.ask("POST", "/images/load", archive.read_bytes(), "application/x-tar")
        assert not isinstance(told, dict) or "stream" in told, told  # its word for a failure after 200
        text = told["stream"] if isinstance(told, dict) else told.decode()
        loaded = str(text).rpartition(": ")[2].strip().rstrip('"}\\n')
        if name:
            repository, _, tag = name.rpartition(":")
            self.ask("POST", f"/images/{quote(loaded)}/tag?repo={quote(repository)}&tag={tag}")
        return loaded

    def run(self, image: str, *command: str, name: str) -> str:
        """The id of a container that runs, without a network."""
        host = {
            "NetworkMode": "none",
            "Ulimits": [{"Name": limit, "Soft": 1024, "Hard": 1024} for limit in ("nofile", "nproc")],
        }
        body = {"Image": image, "Cmd": list(command), "HostConfig": host, "Labels": {"for": "test"}}
        identity: str = self.ask("POST", f"/containers/create?name={name}", body)["Id"]
        self.containers.append(identity)
        try:
            self.ask("POST", f"/containers/{identity}/start")
        except AssertionError as error:
            pytest.skip(f"no container can be run here: {str(error)[:400]}")
        return identity

    def require_loading(self, folder: Path) -> None:
        """Skip the tests where this engine runs, and cannot unpack a layer: in a chroot, say, or on a bare overlay."""
        try:
            self.load(image(folder, [layer({"probe": ""})], form="docker-archive-old", tag="probe"))
        except AssertionError as error:
            pytest.skip(f"no image can be loaded here: {str(error)[:400]}")

    def clean(self) -> None:
        """Remove the containers that were made."""
        while self.containers:
            self.ask("DELETE", f"/containers/{self.containers.pop()}?force=1")


@contextmanager
def dockerd(folder: Path) -> Iterator[EngineDaemon]:
    """A running dockerd that keeps everything in `folder`."""
    need("dockerd")
    if os.geteuid() != 0:
        pytest.skip("dockerd needs root")
    with short_folder() as short:
        path = short / "docker.sock"
        program = start(
            "dockerd", "--iptables=false", "--bridge=none", "--data-root", folder / "data",
            "--exec-root", short / "exec", "-H", f"unix://{path}", "-p", short / "docker.pid", folder=folder,
        )  # fmt: skip
        it = EngineDaemon(path, program)
        try:
            wait(program, "API listen on")
            it.require_loading(short)
            yield it
        finally:
            if program.is_running:
                it.clean()
            program.end()
            unmount(folder, short)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder for sockets: the path of one has 107 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="hf-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait(program: Program, pattern: str) -> None:
    """Wait for a line of its log; skip the test where the daemon cannot run on this machine."""
    try:
        program.wait_for(pattern)
    except AssertionError as error:
        program.end()
        pytest.skip(f"does not start here: {str(error)[-400:]}")


def unmount(*folders: Path) -> None:
    """Unmount what a daemon has left mounted below its folders."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split(" ")[1] for line in lines]
    for point in reversed(points):
        if any(point.startswith(f"{folder}/") for folder in folders):
            subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)
