"""The secret pass: MB/s beside plain `re` and Kingfisher (the wheel kingfisher-secret-scanner) on the same bytes.

    python -m bench.secrets FOLDER [FOLDER …] [--megabytes N] [--runs N] [--differences]

Files are read before anything is measured. Runs alternate, figures are medians, all of them in one thread. Plain `re`
searches every pattern of the pack in every file, on a part of the bytes (`--plain-megabytes`): it is that slow.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from holdfast.model.file import Window
from holdfast.secret import SecretEngine

Found = dict[str, set[tuple[str, int]]]
"""By path: what was found, by its rule's name and line."""


def main() -> None:
    options = _arguments()
    windows = list(_read(options.folders, options.megabytes << 20))
    few = _first(windows, options.plain_megabytes << 20)
    packs = Path(tempfile.gettempdir(), "holdfast-bench", "packs")
    engine = SecretEngine.load(packs, bytes(32))
    size = sum(window.size for window in windows)
    print(f"{len(windows):,} files, {size / 1e6:.0f} MB; {len(engine.pack.rules)} rules of ours")
    _start_up(packs)
    passes: list[tuple[str, Callable[[], Found], int]] = [
        ("holdfast", lambda: _holdfast(engine, windows), size),
        ("plain re, the same patterns", _plain(engine, few), sum(window.size for window in few)),
    ]
    if (kingfisher := _kingfisher(windows)) is not None:
        passes.insert(1, ("kingfisher", kingfisher, size))
    times: dict[str, list[float]] = {name: [] for name, _, _ in passes}
    found: dict[str, Found] = {}
    for run in range(options.runs):
        for name, search, _ in passes:
            if run and name.startswith("plain"):
                continue
            started = time.perf_counter()
            found[name] = search()
            times[name].append(time.perf_counter() - started)
    for name, _, searched in passes:
        seconds = statistics.median(times[name])
        count = sum(map(len, found[name].values()))
        print(f"{name:30s} {seconds:8.3f} s {searched / seconds / 1e6:10,.1f} MB/s {count:7,d} found")
    if options.differences and kingfisher is not None:
        _differences(found["holdfast"], found["kingfisher"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--megabytes", type=int, default=250)
    parser.add_argument("--plain-megabytes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--differences", action="store_true", help="what only one of them finds")
    return parser.parse_args()


def _read(folders: Sequence[Path], most: int) -> Iterator[Window]:
    left = most
    for folder in folders:
        for root, directories, names in os.walk(folder):
            directories.sort()
            for name in sorted(names):
                path = Path(root, name)
                if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= 16 << 20:
                    continue
                data = path.read_bytes()
                yield Window(str(path).lstrip("/"), data, len(data))
                left -= len(data)
                if left <= 0:
                    return


def _first(windows: Sequence[Window], most: int) -> list[Window]:
    """Files of all the folders, evenly taken, up to so many bytes."""
    step = max(1, sum(window.size for window in windows) // most)
    return list(windows[::step])


def _start_up(packs: Path) -> None:
    started = time.perf_counter()
    SecretEngine.load(packs, bytes(32)).session()
    print(f"loading the pack: {1000 * (time.perf_counter() - started):.1f} ms")


def _holdfast(engine: SecretEngine, windows: Sequence[Window]) -> Found:
    session = engine.session()
    found: Found = {}
    for window in windows:
        if hits := session.examine(window):
            found[window.path] = {(hit.rule, hit.line) for hit in hits}
    return found


def _plain(engine: SecretEngine, windows: Sequence[Window]) -> Callable[[], Found]:
    patterns = [(rule.id, re.compile(rule.pattern.encode())) for rule in engine.pack.rules if not rule.paths]

    def search() -> Found:
        found: Found = {}
        for window in windows:
            for name, pattern in patterns:
                for match in pattern.finditer(window.data):
                    line = window.data.count(b"\n", 0, match.start()) + 1
                    found.setdefault(window.path, set()).add((name, line))
        return found

    return search


def _kingfisher(windows: Sequence[Window]) -> Callable[[], Found] | None:
    try:
        import kingfisher_sdk
    except ImportError:
        print("kingfisher-secret-scanner is not installed: not compared", file=sys.stderr)
        return None
    scanner: Any = kingfisher_sdk.Scanner()

    def search() -> Found:
        found: Found = {}
        for window in windows:
            for one in scanner.scan(window.data):
                if one.visible:
                    found.setdefault(window.path, set()).add((one.rule_id, one.location["line"]))
        return found

    return search


def _differences(ours: Found, theirs: Found) -> None:
    """What one finds in a line in which the other finds nothing: by rule, with the first places."""
    for title, one, other in (("only kingfisher", theirs, ours), ("only holdfast", ours, theirs)):
        lines = {path: {line for _, line in found} for path, found in other.items()}
        only = [
            (rule, f"{path}:{line}")
            for path, found in one.items()
            for rule, line in sorted(found)
            if line not in lines.get(path, ())
        ]
        print(f"\n{title}: {len(only)}")
        for rule, count in Counter(rule for rule, _ in only).most_common():
            places = [place for name, place in only if name == rule][:4]
            print(f"  {count:5d} {rule:50s} {', '.join(places)}")


if __name__ == "__main__":
    main()
