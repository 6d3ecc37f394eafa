"""The layers of an engine's export: known by the diff IDs they turn out to have, in whatever order they come."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from holdfast.model.artifact import Image, Layer
from holdfast.model.errors import SourceError
from holdfast.model.status import Problem
from holdfast.oci.integrity import Mismatch
from holdfast.oci.layer import LayerStream
from holdfast.scan.cache import LayerCache
from holdfast.scan.engines import Engines, open_engines
from holdfast.scan.layers import LayerRead, read_layers
from holdfast.scan.options import Wanted
from holdfast.settings import Settings
from world import digest, layer

ONE, TWO, OTHER = layer({"a": "1"}), layer({"b": "2"}), layer({"c": "3"})


class Exports:
    """An engine that promises some layers and sends some; it `breaks` off in the last, or `told` which they are.

    It counts how often it was asked, and how many layers were read.
    """

    pulled = False

    def __init__(self, promised: list[bytes], sent: list[bytes], *, breaks: bool = False, told: bool = False) -> None:
        self.image = Image("docker:app", layers=tuple(Layer(digest(one)) for one in promised))
        self.problems: list[Problem] = []
        self.integrity: list[Mismatch] = []
        self.asked, self.opened = 0, 0
        self._sent, self._breaks, self._told = sent, breaks, told

    def arrivals(self) -> Iterator[LayerStream]:
        self.asked += 1
        for data in self._sent:
            yield LayerStream(
                Layer(digest(data) if self._told else ""), partial(self._chunks, data), stored_bytes=len(data)
            )
        if self._breaks:
            raise SourceError("the engine went away")

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        self.opened += 1
        yield data
        if self._breaks and data is self._sent[-1]:
            raise SourceError("the engine went away")

    def open_layer(self, index: int) -> LayerStream:
        raise NotImplementedError

    def identity(self, index: int) -> str:
        return ""

    def stored_digest(self, index: int) -> str:
        return ""

    def close(self) -> None: ...

    def __enter__(self) -> "Exports":
        return self

    def __exit__(self, *_: object) -> None: ...


def _engines(folder: Path) -> Engines:
    return open_engines(Settings(cache=folder, data=folder), Wanted(frozenset({"packages"})))[0]


def read(source: Exports, folder: Path) -> list[LayerRead]:
    return read_layers(source, _engines(folder), LayerCache(folder, _engines(folder).fingerprint))


def codes(reads: list[LayerRead]) -> list[list[str]]:
    return [[problem.code for problem in one.problems] for one in reads]


@pytest.mark.parametrize(
    "sent", [[ONE, TWO], [TWO, ONE], [OTHER, TWO, ONE]], ids=["in order", "reversed", "and another"]
)
def test_layers_in_any_order(tmp_path: Path, sent: list[bytes]) -> None:
    reads = read(Exports([ONE, TWO], sent), tmp_path)
    assert [one.record.diff_id for one in reads] == [digest(ONE), digest(TWO)]
    assert not any(one.integrity or one.problems or one.record.problems for one in reads)


def test_one_that_stands_in_the_image_twice_comes_once(tmp_path: Path) -> None:
    reads = read(Exports([ONE, TWO, TWO], [TWO, ONE]), tmp_path)
    assert [one.record.diff_id for one in reads] == [digest(ONE), digest(TWO), digest(TWO)]


def test_nothing_is_exported_where_every_layer_is_known(tmp_path: Path) -> None:
    read(Exports([ONE, TWO], [ONE, TWO]), tmp_path)
    again = Exports([TWO, ONE], [])
    assert [one.cached for one in read(again, tmp_path)] == [True, True]
    assert again.asked == 0


def test_a_known_layer_is_passed_over_where_its_name_tells(tmp_path: Path) -> None:
    read(Exports([ONE], [ONE]), tmp_path)
    source = Exports([ONE, TWO], [ONE, TWO], told=True)
    assert [one.cached for one in read(source, tmp_path)] == [True, False]
    assert source.opened == 1


def test_another_layer_than_promised_is_a_broken_promise(tmp_path: Path) -> None:
    reads = read(Exports([ONE, TWO], [ONE, OTHER]), tmp_path)
    assert reads[1].integrity == (Mismatch("diff ID", digest(TWO), digest(OTHER)),)
    assert codes(reads) == [[], ["layer.missing"]]


def test_a_layer_that_does_not_come(tmp_path: Path) -> None:
    reads = read(Exports([ONE, TWO], [ONE]), tmp_path)
    assert (reads[1].integrity, codes(reads)) == ((), [[], ["layer.missing"]])


def test_an_export_that_is_cut_accuses_nobody(tmp_path: Path) -> None:
    reads = read(Exports([ONE, TWO], [ONE, TWO[:700]], breaks=True), tmp_path)
    assert not any(one.integrity for one in reads)
    assert codes(reads)[1][0] == "layer.missing"
    assert "layer.unreadable" in codes(reads)[1]
    assert not LayerCache(tmp_path, _engines(tmp_path).fingerprint).get(digest(TWO))


def test_an_image_without_layers_is_said_to_have_none(tmp_path: Path) -> None:
    source = Exports([], [ONE])
    assert read(source, tmp_path) == []
    assert [problem.code for problem in source.problems] == ["image.no-layers"]
