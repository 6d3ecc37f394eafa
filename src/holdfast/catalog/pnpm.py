"""pnpm-lock.yaml, lock file versions 5 to 9."""

import re
from collections.abc import Iterator, Mapping

from holdfast.catalog.declared import declared, lock_cataloger, mapping, once, reachable, text
from holdfast.catalog.document import MAX_TEXT, corrupt
from holdfast.catalog.yaml import parse_mapping
from holdfast.model.errors import InputError
from holdfast.model.found import Found
from holdfast.model.package import Package

# 5: /@scope/name/1.2.3_peer@1 · 6: /@scope/name@1.2.3(peer@1) · 9: @scope/name@1.2.3 (peers only in `snapshots`)
_KEY = re.compile(r"(?:[^/@]+\.[^/@]+(?=/))?/?((?:@[^/@]+/)?[^/@]+)[/@](\d[^/()_]*)(?:[_(].*)?$")
_KINDS = ("dependencies", "optionalDependencies", "devDependencies")


def parse(_path: str, data: bytes) -> Found:
    """The packages of one lock file; versions before 9 mark those for development, 9 leaves it to be worked out."""
    lock = parse_mapping(data.decode("utf-8", "replace"))
    if "lockfileVersion" not in lock:
        raise InputError("not a lock file of pnpm")
    reasons: list[str] = []
    return Found(once(_packages(lock, reasons)), problems=corrupt("pnpm", reasons))


def _packages(lock: Mapping[str, object], reasons: list[str]) -> Iterator[Package]:
    for_running = _running(lock) if "snapshots" in lock else None
    for key, value in mapping(lock.get("packages")).items():
        entry = mapping(value)
        if len(key) > MAX_TEXT:  # The pattern takes time with the square of the length.
            reasons.append(f"an entry with a key over {MAX_TEXT:,} characters")
            continue
        if key.startswith(("file:", "link:", "/file:")) or "/tar.gz/" in key or "://" in key or "@file:" in key:
            continue
        match = _KEY.match(key)
        name, version = (match[1], match[2]) if match else ("", "")
        name, version = text(entry.get("name")) or name, text(entry.get("version")) or version
        if not name or not version:
            reasons.append("an entry without a name or version")
            continue
        development = entry.get("dev") == "true" if for_running is None else key not in for_running
        yield declared("npm", name, version, development=development)


def _running(lock: Mapping[str, object]) -> set[str]:
    """The keys (without peers) of the packages that something other than development leads to, in version 9."""
    roots = [
        f"{name}@{version}"
        for importer in mapping(lock.get("importers")).values()
        for kind in _KINDS[:2]
        for name, version in _versions(mapping(importer).get(kind))
    ]
    edges = {
        key: [f"{name}@{version}" for kind in _KINDS[:2] for name, version in _versions(mapping(snapshot).get(kind))]
        for key, snapshot in mapping(lock.get("snapshots")).items()
    }
    # An alias has the whole key of another package for its version: `alias@real-name@1.2.3`.
    for key in {target for targets in (roots, *edges.values()) for target in targets} - edges.keys():
        edges[key] = [key.partition("@")[2] if not key.startswith("@") else key[1:].partition("@")[2]]
    return {key.partition("(")[0] for key in reachable(roots, edges)}


def _versions(value: object) -> Iterator[tuple[str, str]]:
    """`name: 1.2.3`, or `name: {specifier: …, version: 1.2.3}` in importers."""
    for name, said in mapping(value).items():
        yield name, text(said) or text(mapping(said).get("version"))


PNPM = lock_cataloger("pnpm", 2, ("**/pnpm-lock.yaml",), parse)
