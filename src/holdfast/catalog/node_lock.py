"""npm's package-lock.json, versions 1 to 3, and npm-shrinkwrap.json, which is the same under another name."""

from collections.abc import Iterator

from holdfast.catalog.declared import declared, json_object, lock_cataloger, mapping, once, text
from holdfast.catalog.document import corrupt
from holdfast.model.found import Found
from holdfast.model.package import Package

_INSIDE = "node_modules/"
# Versions that are the address of something outside the registry: nothing is published under such a version.
_ELSEWHERE = ("file:", "link:", "git", "http:", "https:", "github:", "workspace:")


def parse(_path: str, data: bytes) -> Found:
    """The packages of one lock file. Its `packages` (versions 2 and 3) say more than its `dependencies` (1 and 2)."""
    lock = json_object(data)
    if "packages" in lock:
        packages = once(_from_packages(lock))
    else:
        packages = once(_from_dependencies(lock))
    listed = mapping(lock.get("packages")) or mapping(lock.get("dependencies"))
    is_foreign = not packages and not listed and not {"lockfileVersion", "name"} & lock.keys()
    return Found(packages, problems=corrupt("node-lock", ["not a lock file of npm"] if is_foreign else []))


def _from_packages(lock: dict[str, object]) -> Iterator[Package]:
    for place, value in mapping(lock.get("packages")).items():
        entry = mapping(value)
        _, inside, folder = place.rpartition(_INSIDE)
        # Without node_modules it is the application or one of its workspaces; a link leads to one.
        if inside and not entry.get("link"):
            yield from _package(text(entry.get("name")) or folder, text(entry.get("version")), entry)


def _from_dependencies(lock: dict[str, object]) -> Iterator[Package]:
    waiting = [mapping(lock.get("dependencies"))]
    while waiting:
        for name, value in waiting.pop().items():
            entry = mapping(value)
            version = text(entry.get("version"))
            if version.startswith("npm:"):  # An alias: `npm:real-name@1.2.3`.
                name, _, version = version.removeprefix("npm:").rpartition("@")
            yield from _package(name, version, entry)
            waiting.append(mapping(entry.get("dependencies")))


def _package(name: str, version: str, entry: object) -> Iterator[Package]:
    if name and version and not version.startswith(_ELSEWHERE):
        yield declared("npm", name, version, development=mapping(entry).get("dev") is True)


NODE_LOCK = lock_cataloger("node-lock", 2, ("**/package-lock.json", "**/npm-shrinkwrap.json"), parse)
