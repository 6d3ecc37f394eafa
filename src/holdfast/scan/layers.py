"""Reading the layers of an image: from the cache where the stored bytes are the ones it knows, else in threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct
from msgspec.structs import replace

from holdfast.fs.overlay import Changes
from holdfast.fs.reader import Reader
from holdfast.fs.tar import TarTree
from holdfast.model.artifact import Layer
from holdfast.model.errors import SourceError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.integrity import Mismatch
from holdfast.oci.layer import LayerStream
from holdfast.oci.source import Source, Streamed
from holdfast.scan.cache import LayerCache
from holdfast.scan.engines import Engines
from holdfast.scan.record import FileFound, LayerRecord
from holdfast.scan.walk import read_again, walk

_PULLING_THREADS = 4  # which wait for the network more than they work
_MOST_THREADS = 8  # each may hold a zstd window of 128 MiB

Progress = Callable[[int, int], None]


class LayerRead(Struct, frozen=True):
    """One layer's record, with what is true of this copy of it only."""

    record: LayerRecord
    integrity: tuple[Mismatch, ...] = ()
    problems: tuple[Problem, ...] = ()
    cached: bool = False


def read_layers(
    source: Source, engines: Engines, cache: LayerCache, on_progress: Progress | None = None
) -> list[LayerRead]:
    """All layers, lowest first. A layer that cannot be read leaves an empty record and a problem."""
    if isinstance(source, Streamed):
        return _read_arrivals(source, engines, cache, on_progress)
    layers = source.image.layers
    finished = 0

    def read(index: int) -> LayerRead:
        nonlocal finished
        result = _read_layer(source, index, engines, cache)
        finished += 1
        if on_progress:
            on_progress(finished, len(layers))
        return result

    # The largest first, so that no core idles at the end while one big layer is still being read.
    order = sorted(range(len(layers)), key=lambda index: -layers[index].size)
    threads = max(os.cpu_count() or 1, _PULLING_THREADS if source.pulled else 1)
    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(layers), _MOST_THREADS))) as pool:
        results = dict(zip(order, pool.map(read, order), strict=True))
    return [results[index] for index in range(len(layers))]


def _read_arrivals(
    source: Streamed, engines: Engines, cache: LayerCache, on_progress: Progress | None
) -> list[LayerRead]:
    """The layers of an engine's export. They are known by the diff IDs they turn out to have; if the cache knows all
    that the engine promises, nothing is exported.
    """
    promised = [layer.diff_id for layer in source.image.layers]
    if not promised:
        message = "the engine tells of no layers: nothing was read"
        source.problems.append(Problem("image.no-layers", message, where=source.image.reference))
    reads = {
        diff_id: LayerRead(record, cached=True) for diff_id in promised if (record := cache.get(diff_id)) is not None
    }
    unexpected: list[str] = []
    broken: list[Problem] = []
    try:
        for stream in () if len(reads) == len(set(promised)) else source.arrivals():
            with stream:
                if stream.layer.diff_id in reads:
                    continue
                read = _walked(stream, stream.layer, "", engines, cache)
            diff_id, problems = read.record.diff_id, (*read.problems, *read.record.problems)
            if diff_id in promised:
                reads[diff_id] = read
                if not problems:
                    cache.put(read.record)
            elif problems:
                broken += problems  # what did not come to its end has no diff ID to be known by
            else:
                unexpected.append(diff_id)
            if on_progress:
                on_progress(len(reads), len(promised))
    except SourceError as error:
        broken.append(Problem.of("layer.unreadable", error))
    return [reads.get(diff_id) or _absent(diff_id, unexpected, broken) for diff_id in promised]


def _absent(diff_id: str, unexpected: list[str], broken: list[Problem]) -> LayerRead:
    """A layer that was promised and did not come; another one that came instead is a broken promise."""
    problems = (Problem("layer.missing", "the engine did not send it", where=diff_id), *broken)
    instead = (Mismatch("diff ID", diff_id, unexpected.pop(0)),) if unexpected else ()
    broken.clear()  # told once
    return LayerRead(LayerRecord("", diff_id, 0, 0, 0, Changes()), instead, problems)


def follow(
    source: Source, read: LayerRead, index: int, wanted: dict[str, tuple[Reader, ...]], cache: LayerCache
) -> LayerRead:
    """The same layer with the files that links lead to; read once more only for those not already kept."""
    kept = {(item.path, item.reader) for item in read.record.aliased}
    missing = {
        path: rest
        for path, readers in wanted.items()
        if (rest := tuple(one for one in readers if (path, one.name) not in kept))
    }
    if not missing:
        return read
    more, stream = _read_more(source, index, missing)
    if source.pulled and stream.integrity:
        more, stream = _read_more(source, index, missing)
    if stream.problems or stream.integrity or stream.diff_id != read.record.diff_id:
        # It read well a moment ago: whatever happened to it since, nothing of this is kept, and it is said.
        changed = () if stream.problems or stream.integrity else (_changed(stream),)
        integrity = tuple(dict.fromkeys((*read.integrity, *stream.integrity)))
        return replace(read, integrity=integrity, problems=(*read.problems, *stream.problems, *changed))
    record = replace(read.record, aliased=(*read.record.aliased, *more))
    if not read.integrity and not read.problems:
        cache.put(record)
    return replace(read, record=record)


def _read_more(
    source: Source, index: int, wanted: dict[str, tuple[Reader, ...]]
) -> tuple[tuple[FileFound, ...], LayerStream]:
    """Single files of a layer, and its stream when it has been read to its end."""
    with source.open_layer(index) as stream:
        found = read_again(TarTree(stream.chunks()), wanted)
        stream.drain()
    return found, stream


def _changed(stream: LayerStream) -> Problem:
    """Nobody promised anything of this layer, and it is another one now than a moment ago."""
    return Problem("layer.changed", "changed while it was read", where=stream.layer.digest or stream.layer.diff_id)


def _read_layer(source: Source, index: int, engines: Engines, cache: LayerCache) -> LayerRead:
    known = _known(source, index, cache)
    if known is not None:
        return known
    # Another scan may be reading the very same layer of another image: its record then serves for both.
    if not source.image.layers[index].diff_id:
        return _read_anew(source, index, engines, cache)
    with cache.claim(source.image.layers[index].diff_id) as waited:
        known = _known(source, index, cache) if waited else None
        return known or _read_anew(source, index, engines, cache)


def _known(source: Source, index: int, cache: LayerCache) -> LayerRead | None:
    """A layer's record from before, where it holds for the bytes that the source has now."""
    layer = source.image.layers[index]
    identity = source.identity(index)
    record = cache.get(layer.diff_id)
    if record is not None and (not layer.digest or record.stored == layer.size):
        if cache.is_verified(layer.diff_id, layer.digest, identity):
            return LayerRead(record, cached=True)
        if layer.digest and record.digest == layer.digest and source.stored_digest(index) == layer.digest:
            cache.mark_verified(layer.diff_id, layer.digest, identity)
            return LayerRead(record, cached=True)
    return None


def _read_anew(source: Source, index: int, engines: Engines, cache: LayerCache) -> LayerRead:
    read = _read_once(source, index, engines, cache)
    if source.pulled and read.integrity:
        # It may have been damaged on its way only: it is fetched once more before anybody is accused.
        read = _read_once(source, index, engines, cache)
    if source.pulled and (read.integrity or read.record.digest != source.image.layers[index].digest):
        nothing = LayerRecord(read.record.digest, read.record.diff_id, read.record.stored, 0, 0, Changes())
        return replace(read, record=nothing)
    return read


def _read_once(source: Source, index: int, engines: Engines, cache: LayerCache) -> LayerRead:
    with source.open_layer(index) as stream:
        return _walked(stream, source.image.layers[index], source.identity(index), engines, cache)


def _walked(stream: LayerStream, layer: Layer, identity: str, engines: Engines, cache: LayerCache) -> LayerRead:
    """A layer's stream read to its end. `layer` is what was promised of it."""
    strainer = engines.strainer()
    chunks = strainer.chunks(stream.chunks()) if strainer else stream.chunks()
    walked = walk(TarTree(chunks), engines, strainer)
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
        contents=walked.contents,
    )
    # Only what was read whole and proved true may answer for this layer in another scan.
    damaged = any(problem.gravity is not Gravity.NOTE for problem in walked.problems)
    if stream.verified and not stream.problems and not damaged and not _failed(walked.found):
        cache.put(record)
        cache.mark_verified(layer.diff_id, layer.digest, identity)
    return LayerRead(record, tuple(stream.integrity), tuple(stream.problems))


def _failed(found: tuple[FileFound, ...]) -> bool:
    """Whether a reader failed for a reason that may be this machine's, of the moment: nothing to remember."""
    return any(problem.code.endswith(".failed") for item in found for problem in item.found.problems)
