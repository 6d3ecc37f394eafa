"""Which layer brought each package, and what is visible at all once the layers lie upon each other."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from holdfast.fs.overlay import Overlay
from holdfast.fs.reader import Reader
from holdfast.fs.select import Selector
from holdfast.model.found import Found
from holdfast.model.package import Package
from holdfast.scan.record import FileFound, LayerRecord

_Key = tuple[str, str, str, str]

Alias = tuple[str, int, tuple[Reader, ...]]
"""A file that a link leads to: its path, the layer of its visible version, and the readers that the link is for."""


def links_to_follow(overlay: Overlay, selector: Selector) -> Iterator[Alias]:
    """Files that no reader reads by their name, to which a link at a place that one does leads: with their layer.

    A database may also lie behind a link of one of its parent folders: well-known paths are resolved as well.
    """
    fixed = [pattern for reader in selector.readers for pattern in reader.patterns if "*" not in pattern]
    for link in dict.fromkeys((*overlay.links(), *fixed)):
        readers = selector.by_path(link)
        target = overlay.resolve(link) if readers else None
        if target is None:
            continue
        target = overlay.hard_link(target) or target
        named = selector.by_path(target)
        wanted = tuple(reader for reader in readers if reader not in named)
        layer = overlay.top(target)
        if target != link and wanted and layer is not None:
            yield target, layer, wanted


class Files:
    """What was found in each layer, by file and reader; of a file that a layer holds twice, in the later one."""

    def __init__(self, records: Sequence[LayerRecord]) -> None:
        self.found = [_by_file(record.found) for record in records]
        self._aliased = [_by_file(record.aliased) for record in records]

    def visible(self, overlay: Overlay, aliases: Iterable[Alias]) -> Iterator[tuple[int, FileFound]]:
        """What the finished image still shows, each with the layer of that version.

        Of what links lead to, only what this image's own links ask for: a layer's record is shared by many images.
        """
        for index, found in enumerate(self.found):
            for item in found.values():
                if overlay.top(item.path) == index:
                    yield index, item
        for target, index, readers in aliases:
            for reader in readers:
                if aliased := self._aliased[index].get((target, reader.name)):
                    yield index, aliased

    def brought_by(self, item: FileFound, index: int, overlay: Overlay) -> Iterator[tuple[int, Found]]:
        """The packages of one file, grouped by the layer in which each first stood there without a break since."""
        remaining = {_key(package): package for package in item.found.packages}
        since = dict.fromkeys(remaining, index)
        held = set(remaining)
        for layer in reversed([layer for layer in overlay.history(item.path) if layer < index]):
            earlier = self.found[layer].get((item.path, item.reader))
            held &= {_key(package) for package in earlier.found.packages} if earlier else set()
            if not held:
                break
            since.update(dict.fromkeys(held, layer))
        for layer in sorted(set(since.values())):
            packages = tuple(package for key, package in remaining.items() if since[key] == layer)
            yield layer, Found(packages=packages)
        rest = replace(item.found, packages=())
        if rest != Found():
            yield index, rest


def _by_file(items: Iterable[FileFound]) -> dict[tuple[str, str], FileFound]:
    return {(item.path, item.reader): item for item in items}


def _key(package: Package) -> _Key:
    return (package.type, package.name, package.version, package.architecture)
