"""An export's bytes, arbitrary and mutated, and a history that does not say which line made a layer."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Image, Layer
from holdfast.model.errors import SourceError
from holdfast.oci.budget import ImageBudget
from holdfast.runtime.docker.document import HistoryItem, history_of
from holdfast.runtime.image import ExportedImage
from world import digest, docker_files, layer, spec

IMAGE = spec([layer({"a": "1"}), layer({"b": "2" * 2000})], compression=["none", "gzip"])
WHOLE = layer(docker_files([IMAGE]))
BUDGET = ImageBudget(inflated_bytes=1 << 20, image_factor=2, document_bytes=1 << 16)


def exported(data: bytes, size: int = 300) -> ExportedImage:
    def export() -> Iterator[bytes]:
        yield from (data[at : at + size] for at in range(0, len(data), size))

    layers = tuple(Layer(diff_id) for diff_id in IMAGE.diff_ids())
    image = Image("docker:app:1", config_digest=digest(IMAGE.config_bytes()), layers=layers)
    return ExportedImage(image, export, 1000, BUDGET, [])  # type: ignore[arg-type]


def diff_ids(source: ExportedImage) -> set[str]:
    found = set()
    for stream in source.arrivals():
        for _ in stream.chunks():
            pass
        if not stream.problems and not stream.integrity:
            found.add(stream.diff_id)
    return found


def test_the_whole_export_has_every_layer() -> None:
    source = exported(WHOLE)
    assert diff_ids(source) == set(IMAGE.diff_ids())
    assert (source.problems, source.integrity) == ([], [])


@given(
    at=st.integers(0, len(WHOLE) - 1), change=st.binary(min_size=1, max_size=12), cut=st.integers(0, len(WHOLE)),
    size=st.sampled_from([1, 511, 4096, 1 << 20]),
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_export_gives_layers_problems_or_a_source_error(at: int, change: bytes, cut: int, size: int) -> None:
    data = (WHOLE[:at] + change + WHOLE[at + len(change) :])[: max(cut, at)]
    source = exported(data, max(size, len(data) // 200))
    try:
        known = diff_ids(source)
    except SourceError:
        return
    for index, promised in enumerate(IMAGE.diff_ids()):
        with source.open_layer(index) as stream:
            for _ in stream.chunks():
                pass
            # What is read again is the same, or says that it is not.
            assert stream.verified == (promised in known) or stream.problems or stream.integrity


@given(data=st.binary(max_size=3000))
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_are_no_export(data: bytes) -> None:
    source = exported(data)
    try:
        diff_ids(source)
    except SourceError:
        return
    assert source.problems


# Lines as (created by, size), the oldest first, and which of them made no layer.
@pytest.mark.parametrize(
    ("lines", "layers", "empty"),
    [
        ([("ADD / in /", 9), ("CMD bash", 0), ("COPY a /", 3)], 2, [False, True, False]),
        ([("/bin/sh -c #(nop) ADD file:1 in /", 9), ('/bin/sh -c #(nop)  CMD ["sh"]', 0)], 1, [False, True]),
        ([("ADD", 9), ("WORKDIR /app", 0), ("COPY", 1)], 3, [False, False, False]),
        ([("ADD", 9), ("WORKDIR /app", 0), ("COPY", 1)], 2, [False, True, False]),
        ([("ADD", 9), ("RUN true", 0), ("ENV A=b", 0)], 2, [False, False, True]),
        # Nothing tells which of the two it was: more lines than layers are left, which is said elsewhere.
        ([("ADD", 9), ("WORKDIR /a", 0), ("WORKDIR /b", 0)], 2, [False, False, False]),
        ([], 3, []),
    ],
)
def test_which_lines_of_a_history_made_a_layer(lines: list[tuple[str, int]], layers: int, empty: list[bool]) -> None:
    items = [HistoryItem(created=1767323045, created_by=line, size=size) for line, size in reversed(lines)]
    history = history_of(items, layers)
    assert [line.created_by for line in history] == [line for line, _ in lines]
    assert [line.empty for line in history] == empty


@pytest.mark.parametrize("seconds", [None, -62135596800, 0, 1 << 62])
def test_a_line_without_a_real_date_has_none(seconds: int | None) -> None:
    assert history_of([HistoryItem(created=seconds)], 1)[0].created == ""
