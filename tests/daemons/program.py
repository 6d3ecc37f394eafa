"""A real daemon in the foreground of a test: started, waited for, and ended by its own process id.

    with program("docker-registry", "serve", config, folder=tmp_path) as it:
        it.wait_for(r"listening on (\\S+)")      # a line of its log; the match
        it.log.read_text()

A test is skipped, with the reason, where the program is not installed.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS_TO_START = 20.0
SECONDS_TO_END = 5.0


def need(name: str) -> str:
    """The path of a program; the test is skipped where it is absent."""
    # Daemons stand in sbin, which is not in everybody's path.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@dataclass
class Program:
    """A running daemon and the file that its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_for(self, pattern: str, seconds: float = SECONDS_TO_START) -> re.Match[str]:
        """The first match in its log; AssertionError with the log's end where it ends or is silent for too long."""
        end = time.monotonic() + seconds
        while True:
            alive = self.is_running
            text = self.log.read_text(errors="replace")
            if found := re.search(pattern, text):
                return found
            assert alive, f"{self.log.name}: it ended:\n{text[-2000:]}"
            assert time.monotonic() < end, f"{self.log.name}: no {pattern!r} within {seconds} s:\n{text[-2000:]}"
            time.sleep(0.01)

    def end(self) -> None:
        """Ask it to end, then make it."""
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(name: str, *arguments: object, folder: Path, environment: Mapping[str, str] | None = None) -> Program:
    """The program in the background, with its output in `folder/NAME.log`."""
    path = need(name)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [path, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd=folder, env=environment, start_new_session=True,
        )  # fmt: skip
    return Program(process, log)


@contextmanager
def program(
    name: str, *arguments: object, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """As `start`, for the length of a block."""
    running = start(name, *arguments, folder=folder, environment=environment)
    try:
        yield running
    finally:
        running.end()
