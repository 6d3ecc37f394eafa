"""What is installed: the records of all layers put together into packages and a distribution."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast.catalog.assemble import assemble
from holdfast.fs.directory import DirectoryTree
from holdfast.fs.overlay import Overlay
from holdfast.fs.reader import Reader
from holdfast.fs.select import Selector
from holdfast.misconfig.scene import Placed
from holdfast.model.artifact import Image, Side
from holdfast.model.found import Found
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Problem
from holdfast.oci.source import Source
from holdfast.scan.attribute import Alias, Files, links_to_follow
from holdfast.scan.cache import LayerCache
from holdfast.scan.engines import Engines
from holdfast.scan.layers import LayerRead, follow
from holdfast.scan.record import LayerRecord
from holdfast.scan.walk import read_again, walk


class Inventory(Struct, frozen=True):
    """The packages of a target, its distribution, and the apt source files by path (for the archive's advisories)."""

    packages: tuple[Package, ...]
    distribution: Distribution | None
    apt_sources: dict[str, bytes]
    problems: tuple[Problem, ...]
    traits: tuple[Placed, ...] = ()


def of_image(
    source: Source, image: Image, reads: Sequence[LayerRead], overlay: Overlay, selector: Selector, cache: LayerCache
) -> tuple[Inventory, list[LayerRead]]:
    """The inventory of an image whose layers were read; a layer is read again only where a link demands it."""
    reads = list(reads)
    aliases = list(dict.fromkeys(links_to_follow(overlay, selector)))
    for index, paths in _wanted(aliases).items():
        reads[index] = follow(source, reads[index], index, paths, cache)
    places = [(layer.diff_id, layer.side) for layer in image.layers]
    problems = [
        replace(problem, where=problem.where or f"layer {index + 1} ({(layer.digest or layer.diff_id)[:19]})")
        for index, (layer, read) in enumerate(zip(image.layers, reads, strict=True))
        for problem in (*read.problems, *read.record.problems)
    ]
    return _inventory([read.record for read in reads], overlay, aliases, places, problems), reads


def of_directory(path: Path, engines: Engines) -> tuple[Inventory, LayerRecord, Overlay]:
    """The inventory of a root file system on disk: one layer without a digest."""
    walked = walk(DirectoryTree(path), engines)
    record = LayerRecord("", "", 0, 0, walked.entries, walked.changes, walked.found, contents=walked.contents)
    overlay = Overlay([record.changes])
    aliases = list(dict.fromkeys(links_to_follow(overlay, engines.selector)))
    if aliases:
        record = replace(record, aliased=read_again(DirectoryTree(path), _wanted(aliases)[0]))
    return _inventory([record], overlay, aliases, [("", Side.UNKNOWN)], list(walked.problems)), record, overlay


def _wanted(aliases: Iterable[Alias]) -> dict[int, dict[str, tuple[Reader, ...]]]:
    """What to read of which layer; several links may lead to one file, each for readers of its own."""
    wanted: dict[int, dict[str, tuple[Reader, ...]]] = {}
    for target, index, readers in aliases:
        paths = wanted.setdefault(index, {})
        paths[target] = tuple(dict.fromkeys((*paths.get(target, ()), *readers)))
    return wanted


def _inventory(
    records: Sequence[LayerRecord],
    overlay: Overlay,
    aliases: Iterable[Alias],
    places: Sequence[tuple[str, Side]],
    problems: list[Problem],
) -> Inventory:
    pieces: list[tuple[str, str, Side, Found]] = []
    candidates: list[tuple[int, str, Distribution]] = []
    apt_sources: dict[str, bytes] = {}
    traits: list[Placed] = []
    files = Files(records)
    for index, item in files.visible(overlay, aliases):
        found = item.found
        problems += [replace(problem, where=problem.where or item.path) for problem in found.problems]
        if found.repositories:
            apt_sources[item.path] = found.repositories
        if found.distribution:
            candidates.append((found.rank, item.path, found.distribution))
        traits += [Placed(item.path, trait, *places[index]) for trait in found.traits]
        pieces += [(item.path, *places[layer], part) for layer, part in files.brought_by(item, index, overlay)]
    problems += overlay.problems
    distribution = min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None
    packages = assemble(pieces, distribution, overlay.resolve)
    return Inventory(packages, distribution, apt_sources, tuple(problems), tuple(traits))
