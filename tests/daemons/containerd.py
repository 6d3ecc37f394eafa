"""A real containerd with its own root, state and socket, and nothing of this machine's.

    with containerd() as it:
        it.load(image(tmp_path, […], form="oci-archive"))              # as docker.io/library/app:latest
        it.load(archive, namespace="k8s.io", unpack=True)
        it.run("docker.io/library/app:latest", "web", "/bin/sleep", "300")
        it.ctr("images", "ls")                                         # its own client; what it says
        it.blob(digest)                                                # the file that holds a blob, to tamper with
        it.stop(); it.start()                                          # goes and comes back
        Containerd(it.address)

Skipped, with the reason, where a program is absent or we are not root. `run` skips where no container can be run here.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

from daemons.program import Program, need, start

_SECONDS = 60
_CONFIGURATION = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{folder}/s"
"""


@dataclass
class Daemon:
    """See the module."""

    folder: Path
    _program: Program | None = field(default=None, repr=False)
    _running: list[tuple[str, str]] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def ctr(self, *arguments: object, namespace: str = "default") -> str:
        """What containerd's own client says; AssertionError with its words where it fails."""
        code, words = self._ctr(*arguments, namespace=namespace)
        assert code == 0, words
        return words

    def load(self, archive: Path, *, namespace: str = "default", unpack: bool = False, platform: str = "") -> None:
        """Import an archive's images, under the names it gives them; all platforms where none is named."""
        which = [] if unpack else ["--no-unpack", *(["--platform", platform] if platform else ["--all-platforms"])]
        self.ctr("images", "import", *which, archive, namespace=namespace)

    def run(
        self, image: str, name: str, *command: str, namespace: str = "default", options: tuple[str, ...] = ()
    ) -> None:
        """Run a container in the background; the test is skipped where that cannot be done on this machine."""
        self._running.append((namespace, name))
        code, words = self._ctr("run", "-d", "--null-io", *options, image, name, *command, namespace=namespace)
        if code:
            pytest.skip(f"no container can be run here: {words[-300:]}")

    def end(self, name: str, *, namespace: str = "default") -> None:
        """End a container and forget it."""
        self._ctr("task", "rm", "-f", name, namespace=namespace)
        self._ctr("container", "rm", name, namespace=namespace)

    def blob(self, digest: str) -> Path:
        """The file that holds a blob."""
        return self.folder / "root/io.containerd.content.v1.content/blobs" / digest.replace(":", "/")

    def start(self) -> None:
        """Start it on what it has stored."""
        configuration = self.folder / "config.toml"
        configuration.write_text(_CONFIGURATION.format(folder=self.folder))
        self._program = start("containerd", "-c", configuration, folder=self.folder)
        try:
            self._program.wait_for("successfully booted")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it. Its containers go on."""
        if self._program is not None:
            self._program.end()

    def end_all(self) -> None:
        """End every container that was run here."""
        for namespace, name in self._running:
            self.end(name, namespace=namespace)

    def _ctr(self, *arguments: object, namespace: str) -> tuple[int, str]:
        command = ["ctr", "-a", str(self.socket), "-n", namespace, *map(str, arguments)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS
        )
        return done.returncode, done.stdout.decode(errors="replace")


@contextmanager
def containerd() -> Iterator[Daemon]:
    """A running containerd in a folder of its own, which is gone afterwards."""
    need("containerd")
    need("ctr")
    if os.geteuid() != 0:
        pytest.skip("containerd runs as root only")
    it = Daemon(Path(mkdtemp(prefix="holdfast-")))  # a socket's path is short, which tmp_path need not be
    try:
        it.start()
        yield it
    finally:
        it.end_all()
        it.stop()
        shutil.rmtree(it.folder, ignore_errors=True)
