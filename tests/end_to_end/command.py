"""The command as a person runs it: a process of its own, with places of its own."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packs import with_packs

HOLDFAST = Path(sys.executable).with_name("holdfast")


@dataclass(frozen=True)
class Outcome:
    """What a run of the command left: exit code, both outputs, peak resident mebibytes of the process."""

    code: int
    out: str
    err: str
    memory: float

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def problems(self) -> set[str]:
        return {problem["code"] for problem in self.report["problems"]}


def _finished(process: "subprocess.Popen[bytes] | subprocess.Popen[str]", timeout: float) -> float:
    """Wait for a process; the most resident mebibytes it was seen to have.

    The kernel's figure at the end would not do: it begins with what this process had when it forked.
    """
    end, most = time.monotonic() + timeout, 0.0
    while process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            raise subprocess.TimeoutExpired(process.args, timeout)
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            most = max(most, int(found[1]) / 1024) if found else most
        time.sleep(0.005)
    return most


class Holdfast:
    """Runs `holdfast` with an empty cache and data folder below `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data, self.cache = with_packs(home / "data"), home / "cache"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "HOLDFAST_DATA": str(self.data),
            "HOLDFAST_CACHE": str(self.cache), "LANG": "C.UTF-8",
        }  # fmt: skip

    path = HOLDFAST

    def __call__(
        self, *arguments: object, timeout: float = 120, prefix: Sequence[str] = (), bare: bool = False
    ) -> Outcome:
        """Run it to its end. `prefix` stands before the command; `bare` leaves the command itself out."""
        command = [*prefix, *([] if bare else [str(HOLDFAST)]), *map(str, arguments)]
        with (
            (self.home / "out").open("w+") as out,
            (self.home / "err").open("w+") as err,
            subprocess.Popen(command, stdout=out, stderr=err, env=self.environment, cwd=self.home) as process,
        ):
            memory = _finished(process, timeout)
            out.seek(0)
            err.seek(0)
            outcome = Outcome(process.returncode, out.read(), err.read(), memory)
        assert "Traceback" not in outcome.err, outcome.err
        return outcome

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """The command in the background, for those who want to end it early."""
        return subprocess.Popen(
            [str(HOLDFAST), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self.environment, cwd=self.home,
        )  # fmt: skip
