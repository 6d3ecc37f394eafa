"""The advisory database: building it, its size, look-ups a second, and an SBOM of 10,000 packages.

python -m bench.advisories --shared DIR [--runs N]
"""

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import median, row, run
from holdfast.advisory.database import Database
from holdfast.advisory.places import database_path
from holdfast.settings import Settings

HOLDFAST = str(Path(sys.executable).with_name("holdfast"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="a folder of feeds to build the database from")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        builds = []
        for number in range(3):
            data = Path(scratch, f"data-{number}")
            builds.append(run([HOLDFAST, "db", "update", "--from", str(options.shared)], _places(scratch, data)))
        print(row("build", median(builds)))
        path = database_path(Settings(cache=Path(scratch), data=data))
        names = _names(path)
        print(f"size {path.stat().st_size / 1e6:.1f} MB, {len(names):,} (ecosystem, name) keys")
        _look_up(path, names)
        for label, old in (("a tenth out of date", 0.1), ("all out of date", 1.0)):
            bill = Path(scratch, "bom.json")
            bill.write_text(json.dumps(_bill(names, old)))
            _match(bill, _places(scratch, data), label, options.runs)


def _match(bill: Path, places: dict[str, str], label: str, runs: int) -> None:
    """The whole command, and the same without the look-up, so that the difference is the matching."""
    command = [HOLDFAST, "scan", f"sbom:{bill}", "--offline", "-q", "-f", "json"]
    pairs = [(run(command, places), run([*command, "--only", "packages"], places)) for _ in range(runs)]
    print(row(f"SBOM of 10,000, {label}", median([pair[0] for pair in pairs])))
    print(row("  read and written only", median([pair[1] for pair in pairs])))


def _places(scratch: str, data: Path) -> dict[str, str]:
    return {"HOLDFAST_DATA": str(data), "HOLDFAST_CACHE": str(Path(scratch, "cache"))}


def _names(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        query = "SELECT ecosystem.name, package.name FROM package JOIN ecosystem ON ecosystem.id = package.ecosystem"
        return sorted(connection.execute(query))


def _look_up(path: Path, names: list[tuple[str, str]]) -> None:
    chosen = random.Random(1).choices(names, k=20_000)
    rates = []
    with Database.open(path) as database:
        for _ in range(5):
            started = time.perf_counter()
            rows = sum(len(database.lookup(*name)) for name in chosen)
            rates.append(len(chosen) / (time.perf_counter() - started))
    print(f"{statistics.median(rates):,.0f} look-ups a second, one name at a time, {rows / len(chosen):.1f} rows each")


def _bill(names: list[tuple[str, str]], old: float) -> dict[str, object]:
    """Ten thousand packages, all of them names that have advisories, and a share `old` of them of an early version."""
    generator = random.Random(2)
    kinds = {"PyPI": "pypi", "npm": "npm", "crates.io": "cargo", "RubyGems": "gem"}
    known = [(kinds[ecosystem], name) for ecosystem, name in names if ecosystem in kinds]
    debian = [("deb/debian", name) for ecosystem, name in names if ecosystem == "Debian:12"]
    chosen = generator.choices(known, k=5_000) + generator.choices(debian, k=5_000)
    components = [
        {
            "type": "library", "name": name, "version": version, "bom-ref": f"{number}",
            "purl": f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
            + ("?arch=amd64&distro=debian-12" if kind.startswith("deb") else ""),
        }
        for number, (kind, name) in enumerate(chosen)
        for early in (generator.random() < old,)
        for version in (f"{generator.randint(0, 9) + 900 * (not early)}.{generator.randint(0, 30)}.0",)
    ]  # fmt: skip
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}


if __name__ == "__main__":
    main()
