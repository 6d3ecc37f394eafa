"""Which layer brought each package, and what is visible at all once the layers lie upon each other."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from holdfast.catalog.cataloger import Cataloger, Found
from holdfast.catalog.select import Selector
from holdfast.fs.overlay import Overlay
from holdfast.model.package import Package
from holdfast.scan.record import FileFound, LayerRecord

_Key = tuple[str, str, str, str]


def links_to_follow(overlay: Overlay, selector: Selector) -> Iterator[tuple[str, int, tuple[Cataloger, ...]]]:
    """Files that no cataloger reads by their name, to which a link at a place that one does leads: with their layer.

    A database may also lie behind a link of one of its parent folders: well-known paths are resolved as well.
    """
    fixed = [pattern for cataloger in selector.catalogers for pattern in cataloger.patterns if "*" not in pattern]
    for link in dict.fromkeys((*overlay.links(), *fixed)):
        catalogers = selector.by_path(link)
        target = overlay.resolve(link) if catalogers else None
        if target is None:
            continue
        target = overlay.hard_link(target) or target
        named = selector.by_path(target)
        wanted = tuple(cataloger for cataloger in catalogers if cataloger not in named)
        layer = overlay.top(target)
        if target != link and wanted and layer is not None:
            yield target, layer, wanted


def visible(
    records: Sequence[LayerRecord], overlay: Overlay, aliases: Iterable[tuple[str, int]]
) -> Iterator[tuple[int, FileFound]]:
    """What the catalogers found in files that the finished image still shows, each with the layer of that version."""
    for index, record in enumerate(records):
        # A layer may hold one path twice; the later entry is the one that is unpacked.
        last = {(item.path, item.cataloger): item for item in record.found}
        for item in last.values():
            if overlay.top(item.path) == index:
                yield index, item
    for target, index in dict.fromkeys(aliases):
        for item in records[index].aliased:
            if item.path == target:
                yield index, item


def brought_by(
    item: FileFound, index: int, records: Sequence[LayerRecord], overlay: Overlay
) -> Iterator[tuple[int, Found]]:
    """The packages of one file, grouped by the layer in which each first stood there without a break since."""
    history = [layer for layer in overlay.history(item.path) if layer < index]
    remaining = {_key(package): package for package in item.found.packages}
    since = dict.fromkeys(remaining, index)
    held = set(remaining)
    for layer in reversed(history):
        earlier = {
            _key(package)
            for other in records[layer].found
            if other.path == item.path and other.cataloger == item.cataloger
            for package in other.found.packages
        }
        held &= earlier
        if not held:
            break
        since.update(dict.fromkeys(held, layer))
    for layer in sorted(set(since.values())):
        packages = tuple(package for key, package in remaining.items() if since[key] == layer)
        yield layer, Found(packages=packages)
    rest = replace(item.found, packages=())
    if rest != Found():
        yield index, rest


def _key(package: Package) -> _Key:
    return (package.type, package.name, package.version, package.architecture)
