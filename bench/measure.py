"""Whole processes, measured from outside by the operating system's own accounting."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One run: seconds of wall and processor time, peak resident mebibytes, exit code."""

    wall: float
    cpu: float
    memory: float
    code: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, output: Path | None = None) -> Sample:
    """Run a command to its end; its output goes to a file or nowhere. Bytecode is kept, as an installer keeps it."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with (output or Path(os.devnull)).open("wb") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=sink, stderr=subprocess.DEVNULL, env={**inherited, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


def median(samples: Sequence[Sample]) -> Sample:
    """The median of each figure on its own."""
    return Sample(
        statistics.median(sample.wall for sample in samples),
        statistics.median(sample.cpu for sample in samples),
        statistics.median(sample.memory for sample in samples),
        samples[-1].code,
    )


def row(name: str, sample: Sample, reference: Sample | None = None) -> str:
    """One line of a table for people; with the ratio of wall times where there is a reference."""
    ratio = f"  {sample.wall / reference.wall:6.2f} ×" if reference else ""
    return f"{name:34s} {sample.wall:7.3f} s wall {sample.cpu:7.3f} s cpu {sample.memory:7.0f} MB{ratio}"
