"""A real Podman service with its own store. See daemons.docker for what can be asked of it.

    with podman(tmp_path) as it: it.load(archive); it.run("localhost/app:1", "/bin/busybox", "sleep", "60", name="web")

`wrapper(folder, root)` writes a program `podman` that uses the store at `root`, for tests of what starts Podman itself.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemons.docker import EngineDaemon, short_folder, unmount
from daemons.program import need, start


def arguments(root: Path, run: Path) -> list[str]:
    """What makes podman keep everything in these folders, and run containers on a machine with hybrid cgroups."""
    return [
        "--root", str(root), "--runroot", str(run), "--cgroup-manager", "cgroupfs", "--runtime", "runc",
        "--events-backend", "none",
    ]  # fmt: skip


@contextmanager
def podman(folder: Path) -> Iterator[EngineDaemon]:
    """A running `podman system service`."""
    need("podman")
    if os.geteuid() != 0:
        pytest.skip("this Podman needs root")
    with short_folder() as short:
        path = short / "podman.sock"
        program = start(
            "podman", *arguments(folder / "root", short / "run"),
            "system", "service", "--time", "0", f"unix://{path}", folder=folder,
        )  # fmt: skip
        it = EngineDaemon(path, program)
        try:
            _await_socket(it)
            it.require_loading(short)
            yield it
        finally:
            if program.is_running:
                it.clean()
            program.end()
            unmount(folder, short)


def wrapper(folder: Path, root: Path, run: Path) -> Path:
    """A program `podman` in `folder` that uses another store than the user's."""
    real = need("podman")
    program = folder / "podman"
    program.write_text(f'#!/bin/sh\nexec {real} {" ".join(arguments(root, run))} "$@"\n')
    program.chmod(0o755)
    return program


def _await_socket(it: EngineDaemon) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            it.ask("GET", "/_ping")
            return
        except OSError:
            if not it.program.is_running or time.monotonic() > end:
                said = it.program.log.read_text(errors="replace")[-400:]
                it.program.end()
                pytest.skip(f"podman does not start here: {said}")
            time.sleep(0.02)
