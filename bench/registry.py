"""A registry of 200 images that share five bases: images a minute, bytes pulled, and the second pass.

    python -m bench.registry [--shared DIR] [--images N] [--runs N] [--work DIR]

Needs root, a Debian mirror, docker-registry and skopeo. Everything is on loopback; what was pulled is what the
registry's own access log says it sent. Runs alternate, figures are medians. skopeo copies the same images beside it,
one after the other, into one OCI layout (so that it too fetches a shared base once).
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.fleet import build, unique_bytes
from bench.measure import run
from holdfast.cli.archives import host_mirror

HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
_SENT = re.compile(r'"GET [^"]*" 20[06] (\d+) ')


def main() -> None:
    options = _arguments()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    fleet = work / "fleet"
    names = build(fleet, options.images, *host_mirror())
    data = _database(work, options.shared)
    with _registry(work) as (host, log):
        _push(host, fleet, names)
        unique = unique_bytes(fleet)
        print(f"{len(names)} images, {unique / 1e6:.0f} MB in distinct blobs")
        taken: dict[str, list[tuple[float, int]]] = {}
        for turn in range(options.runs):
            for workers in (1, 2) if turn % 2 else (2, 1):
                cache = work / f"cache-{turn}-{workers}"
                command = [HOLDFAST, "scan-registry", host, "--workers", str(workers), "-q", "--fresh", "-f", "json"]
                environment = {"HOLDFAST_CACHE": str(cache), "HOLDFAST_DATA": str(data), "HOLDFAST_OFFLINE": ""}
                for name in (f"{workers} workers, cold", f"{workers} workers, second pass"):
                    taken.setdefault(name, []).append(_timed(command, environment, log, work / "survey.json"))
                shutil.rmtree(cache)
            taken.setdefault("skopeo copy", []).append(_skopeo(host, names, work, log))
        for name, runs in taken.items():
            seconds, sent = median(one for one, _ in runs), median(bytes_ for _, bytes_ in runs)
            pace = 60 * len(names) / seconds
            print(
                f"{name:24s} {seconds:7.1f} s  {pace:7.0f} images a minute  {sent / unique:6.3f} × the distinct bytes"
            )
        for workers in (1, 2):
            cold, again = (
                median(one for one, _ in taken[f"{workers} workers, {what}"]) for what in ("cold", "second pass")
            )
            print(f"{workers} workers: second pass ÷ first {again / cold:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, help="a folder of feeds to build the database from")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-bench-registry")
    return parser.parse_args()


def _database(work: Path, shared: Path | None) -> Path:
    data = work / "data"
    if shared and not (data / "advisories.db").exists():
        run([HOLDFAST, "db", "update", "--from", str(shared)], {"HOLDFAST_DATA": str(data)})
    return data


@contextmanager
def _registry(work: Path) -> Iterator[tuple[str, Path]]:
    """A docker-registry on loopback; its host, and the file that its access log goes to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config, log = work / "registry.yml", work / "access.log"
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: false}}\n"
        f"storage: {{filesystem: {{rootdirectory: {work / 'registry'}}}}}\nhttp: {{addr: '{host}'}}\n"
    )
    with log.open("wb") as sink:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=sink, stderr=subprocess.STDOUT)
        try:
            time.sleep(1)
            yield host, log
        finally:
            process.terminate()
            process.wait()


def _push(host: str, fleet: Path, names: list[str]) -> None:
    for name in names:
        target = f"docker://{host}/{name}:1"
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{fleet}:{name}", target], check=True)


def _timed(command: list[str], environment: dict[str, str], log: Path, output: Path) -> tuple[float, int]:
    """Seconds, and the bytes of content that the registry sent meanwhile."""
    before = _sent(log)
    sample = run(command, environment, output)
    if sample.code not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit {sample.code}")
    return sample.wall, _sent(log) - before


def _sent(log: Path) -> int:
    return sum(int(size) for size in _SENT.findall(log.read_text(errors="replace")))


def _skopeo(host: str, names: list[str], work: Path, log: Path) -> tuple[float, int]:
    copy = work / "skopeo"
    shutil.rmtree(copy, ignore_errors=True)
    before, began = _sent(log), time.perf_counter()
    for name in names:
        source = f"docker://{host}/{name}:1"
        command = ["skopeo", "copy", "-q", "--src-tls-verify=false", source, f"oci:{copy}:{name}"]
        subprocess.run(command, check=True, env=os.environ)
    return time.perf_counter() - began, _sent(log) - before


if __name__ == "__main__":
    main()
