"""Debian's PostgreSQL as it really runs: in a scratch folder, on a unix socket there and on no network.

    with postgresql() as server:
        open_store(server.database(), tmp_path)        # a new, empty database
        server.end()                                   # it goes away

It refuses to run as root: there it becomes the user `postgres`, or `nobody`.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from daemons.program import Program, need, start

_VERSIONS = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
_OWNER = "holdfast"
# What is lost with the machine is no loss to a test.
_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "listen_addresses=", "-c", "max_connections=40")


@dataclass
class Server:
    """A running server; `folder` holds its socket."""

    folder: Path
    program: Program
    _numbers: Iterator[int]
    _bin: Path

    def database(self) -> str:
        """The address of a new database."""
        name = f"store_{next(self._numbers)}"
        command = [str(self._bin / "createdb"), "-h", str(self.folder), "-U", _OWNER, name]
        subprocess.run(command, check=True, capture_output=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        return f"postgresql://{_OWNER}@/{name}?host={self.folder}"

    def end(self) -> None:
        """Let it go without waiting for its clients (a fast shutdown)."""
        if self.program.is_running:
            self.program.process.send_signal(signal.SIGINT)
        self.program.end()


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server with nothing in it; the test is skipped, with the reason, where there can be none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = _programs()
    prefix, user = _unprivileged()
    # Its user has to reach it, which pytest's own folders do not let it; and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        made = subprocess.run(
            [*prefix, str(programs / "initdb"), "-D", str(folder / "data"), "-U", _OWNER, "-A", "trust", "-N",
             "--no-instructions", "-E", "UTF8"],
            capture_output=True, text=True, cwd=folder, env=environment,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        command = [*prefix, str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *_QUICK]
        program = start(command[0], *command[1:], folder=folder, environment=environment)
        server = Server(folder, program, count(1), programs)
        try:
            program.wait_for("ready to accept connections")
            yield server
        finally:
            server.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The newest server's programs."""
    found = sorted(_VERSIONS.glob("*/bin/postgres"), key=lambda path: path.parts[-3].zfill(4))
    if not found:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent


def _unprivileged() -> tuple[list[str], pwd.struct_passwd | None]:
    """What to put before a command so that it does not run as root, and the user it runs as then."""
    if os.geteuid() != 0:
        return [], None
    for name in _USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return [need("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user
    pytest.skip("PostgreSQL does not run as root, and there is no other user to be")
