"""Reading the layers of an image: from the cache where the stored bytes are the ones it knows, else in threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct
from msgspec.structs import replace

from holdfast.catalog.cataloger import Cataloger
from holdfast.catalog.select import Selector
from holdfast.fs.tar import TarTree
from holdfast.model.status import Problem
from holdfast.oci.image import ImageSource
from holdfast.oci.layer import Mismatch
from holdfast.scan.cache import LayerCache
from holdfast.scan.record import FileFound, LayerRecord
from holdfast.scan.walk import read_again, walk

_MOST_THREADS = 8  # each may hold a zstd window of 128 MiB

Progress = Callable[[int, int], None]


class LayerRead(Struct, frozen=True):
    """One layer's record, with what is true of this copy of it only."""

    record: LayerRecord
    integrity: tuple[Mismatch, ...] = ()
    problems: tuple[Problem, ...] = ()
    cached: bool = False


def read_layers(
    source: ImageSource, selector: Selector, cache: LayerCache, on_progress: Progress | None = None
) -> list[LayerRead]:
    """All layers, lowest first. A layer that cannot be read leaves an empty record and a problem."""
    layers = source.image.layers
    finished = 0

    def read(index: int) -> LayerRead:
        nonlocal finished
        result = _read_layer(source, index, selector, cache)
        finished += 1
        if on_progress:
            on_progress(finished, len(layers))
        return result

    # The largest first, so that no core idles at the end while one big layer is still being read.
    order = sorted(range(len(layers)), key=lambda index: -layers[index].size)
    with ThreadPoolExecutor(max_workers=max(1, min(os.cpu_count() or 1, len(layers), _MOST_THREADS))) as pool:
        results = dict(zip(order, pool.map(read, order), strict=True))
    return [results[index] for index in range(len(layers))]


def follow(
    source: ImageSource, read: LayerRead, index: int, wanted: dict[str, tuple[Cataloger, ...]], cache: LayerCache
) -> LayerRead:
    """The same layer with the files that links lead to; read once more only for those not already kept."""
    kept = {(item.path, item.cataloger) for item in read.record.aliased}
    missing = {
        path: rest
        for path, catalogers in wanted.items()
        if (rest := tuple(one for one in catalogers if (path, one.name) not in kept))
    }
    if not missing:
        return read
    more: tuple[FileFound, ...] = ()
    with source.open_layer(index) as stream:
        more = read_again(TarTree(stream.chunks()), missing)
        stream.drain()
    if stream.problems or stream.integrity or stream.diff_id != read.record.diff_id:
        # It read well a moment ago: whatever happened to it since, nothing of this is kept.
        return replace(read, problems=(*read.problems, *stream.problems))
    record = replace(read.record, aliased=(*read.record.aliased, *more))
    if not read.integrity and not read.problems:
        cache.put(record)
    return replace(read, record=record)


def _read_layer(source: ImageSource, index: int, selector: Selector, cache: LayerCache) -> LayerRead:
    layer = source.image.layers[index]
    identity = source.identity(index)
    record = cache.get(layer.diff_id)
    if record is not None and (not layer.digest or record.stored == layer.size):
        if cache.is_verified(layer.diff_id, layer.digest, identity):
            return LayerRead(record, cached=True)
        if layer.digest and record.digest == layer.digest and source.stored_digest(index) == layer.digest:
            cache.mark_verified(layer.diff_id, layer.digest, identity)
            return LayerRead(record, cached=True)
    with source.open_layer(index) as stream:
        walked = walk(TarTree(stream.chunks()), selector)
        stream.drain()
    # Where the stream itself broke off, that the archive in it ends too early is no news.
    record = LayerRecord(
        digest=stream.digest,
        diff_id=stream.diff_id,
        stored=stream.stored,
        inflated=stream.inflated,
        entries=walked.entries,
        changes=walked.changes,
        found=walked.found,
        problems=() if stream.problems else walked.problems,
    )
    # Only what was read whole and proved true may answer for this layer in another scan.
    if stream.verified and not stream.problems and not walked.problems and not _failed(walked.found):
        cache.put(record)
        cache.mark_verified(layer.diff_id, layer.digest, identity)
    return LayerRead(record, tuple(stream.integrity), tuple(stream.problems))


def _failed(found: tuple[FileFound, ...]) -> bool:
    """Whether a cataloger failed for a reason that may be this machine's, of the moment: nothing to remember."""
    return any(problem.code.endswith(".failed") for item in found for problem in item.found.problems)
