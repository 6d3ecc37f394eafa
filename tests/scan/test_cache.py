"""Who reads a layer, of several who want to; and what is swept."""

import os
import threading
import time
from pathlib import Path

import pytest

from holdfast.fs.overlay import Changes
from holdfast.scan import cache as cache_module
from holdfast.scan.cache import LayerCache
from holdfast.scan.record import LayerRecord
from report.reports import digest

ONE = digest("one")


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path, "engines")


def record(of: str) -> LayerRecord:
    return LayerRecord(digest("stored"), of, 1, 1, 0, Changes())


def held(cache: LayerCache, until: threading.Event) -> threading.Thread:
    """Another scan that has claimed a layer, as long as it is told to."""
    has = threading.Event()

    def hold() -> None:
        with cache.claim(ONE):
            has.set()
            until.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    has.wait(10)
    return thread


def test_nobody_is_waited_for_where_nobody_is(cache: LayerCache) -> None:
    for _ in range(2):
        with cache.claim(ONE) as waited:
            assert not waited


def test_a_layer_is_waited_for_while_its_reader_lives(cache: LayerCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_BEAT_SECONDS", 0.02)
    monkeypatch.setattr(cache_module, "STALE_SECONDS", 0.3)
    until = threading.Event()
    other = held(cache, until)
    threading.Timer(1.0, until.set).start()
    with cache.claim(ONE) as waited:
        assert waited
        assert until.is_set(), "more than STALE_SECONDS have gone by, and it was waited for all the same"
    other.join()


def test_a_reader_that_was_stopped_is_not_waited_for(cache: LayerCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "STALE_SECONDS", 0.1)  # long before the next sign of life
    until = threading.Event()
    other = held(cache, until)
    with cache.claim(ONE) as waited:
        assert waited
        assert not until.is_set()
    until.set()
    other.join()


def test_what_older_engines_read_is_forgotten_when_it_is_old(tmp_path: Path) -> None:
    LayerCache(tmp_path, "older").put(record(ONE))
    LayerCache(tmp_path, "old").put(record(ONE))
    (older,) = (tmp_path / "layers").glob("older-*")
    long_ago = time.time() - 100 * 86400
    os.utime(older, (long_ago, long_ago))
    LayerCache(tmp_path, "engines").put(record(ONE))
    assert not older.exists()
    assert LayerCache(tmp_path, "old").get(ONE) == LayerCache(tmp_path, "engines").get(ONE) == record(ONE)
