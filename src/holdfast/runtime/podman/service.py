"""Podman's service, started by ourselves where none listens: on a Podman host that is the normal case.

Podman has no daemon. Its API is served by `podman system service` for as long as somebody wants it: here behind a
socket in a folder that only we can enter, until we are done.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from holdfast.model.errors import NotFound, SourceError
from holdfast.runtime.place import probe

_START_SECONDS = 30.0
_END_SECONDS = 5.0
_IDLE_SECONDS = 3600  # it ends by itself where we were killed before we could end it


class Service:
    """A running `podman system service`. `url` is where it listens; close it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        program = shutil.which("podman", path=environment.get("PATH", ""))
        if program is None:
            raise NotFound("podman is not in the path", remedy="install it, or say where its service listens")
        self._folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
        self._socket = self._folder / "podman.sock"
        self.url = f"unix://{self._socket}"
        self._said = self._folder / "said"
        # Told of another machine's service, even by an empty variable, podman would be nothing but its client.
        remote = ("CONTAINER_HOST", "CONTAINER_CONNECTION")
        local = {name: value for name, value in environment.items() if name not in remote}
        try:
            with self._said.open("wb") as said:
                self._process = subprocess.Popen(  # noqa: S603  # a fixed command
                    [program, "system", "service", "--time", str(_IDLE_SECONDS), self.url],
                    stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=local, start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SourceError(f"podman cannot be started: {error.strerror}", where=program) from error
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it, and remove its folder."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while probe(str(self._socket)):
            ended = self._process.poll() is not None
            if ended or time.monotonic() > end:
                said = self._last_words()
                what = "ended" if ended else f"did not begin to serve within {_START_SECONDS:.0f} s"
                remedy = "see whether `podman system service` works for this user"
                raise SourceError(f"podman {what}{': ' if said else ''}{said}", where="podman", remedy=remedy)
            time.sleep(0.02)

    def _last_words(self) -> str:
        lines = self._said.read_bytes()[-4096:].decode("utf-8", "replace").split("\n")
        words = next((line for line in reversed(lines) if line.strip()), "")
        return "".join(one if one.isprintable() else " " for one in words)[:200]
