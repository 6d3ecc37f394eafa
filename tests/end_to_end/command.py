"""The command as a person runs it: a process of its own, with places of its own."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


class Holdfast:
    """Runs `holdfast` with an empty cache and data folder below `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data, self.cache = home / "data", home / "cache"
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
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            out.seek(0)
            err.seek(0)
            outcome = Outcome(process.returncode, out.read(), err.read(), usage.ru_maxrss / 1024)
        assert "Traceback" not in outcome.err, outcome.err
        return outcome

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """The command in the background, for those who want to end it early."""
        return subprocess.Popen(
            [str(HOLDFAST), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self.environment, cwd=self.home,
        )  # fmt: skip
