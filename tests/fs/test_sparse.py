"""Sparse files: GNU tar itself writes them in all four formats, and the content has to come back whole."""

import shutil
import subprocess
from pathlib import Path

import pytest

from fs.tar_bytes import END, codes, contents, header, octal, padded, pax, walk
from holdfast.fs.budget import TreeBudget
from holdfast.fs.tar import TarTree
from holdfast.fs.tree import HEAD

GNU_TAR = shutil.which("tar")


@pytest.mark.skipif(not GNU_TAR, reason="GNU tar is not here")
@pytest.mark.parametrize(
    "options", [["--format=gnu"], *(["--format=pax", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0"))]
)
@pytest.mark.parametrize("segments", [1, 3, 40])
def test_what_gnu_tar_makes_of_a_sparse_file_comes_back_whole(
    tmp_path: Path, options: list[str], segments: int
) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as target:
        for number in range(segments):
            target.seek(number * 200_000 + 1000 * (number % 3))
            target.write(b"segment %d " % number * 50)
        target.truncate(segments * 200_000 + 12_345)
    (tmp_path / "after").write_bytes(b"after")
    made = subprocess.run(
        [str(GNU_TAR), "-C", str(tmp_path), "-cSf", "-", *options, "sparse", "after"], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"this tar does not: {made.stderr.decode()[:80]}")
    assert contents(made.stdout, 10_000) == {"sparse": path.read_bytes(), "after": b"after"}
    heads = {one.entry.path: one.head() for one in TarTree([made.stdout]).walk()}
    assert heads["sparse"] == path.read_bytes()[:HEAD]
    entries, problems = walk(made.stdout)
    assert (next((one.path, one.size) for one in entries), problems) == (("sparse", path.stat().st_size), [])


def sparse_1_0(map_text: bytes, size: int, data: bytes = b"") -> bytes:
    records: dict[str, str | bytes] = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "real",
        "GNU.sparse.realsize": str(size),
    }
    body = padded(map_text) + data
    return pax(records) + header(b"GNUSparseFile.1/real", size=octal(len(body))) + padded(body) + header(b"after") + END


def test_a_map_in_front_of_the_data_is_not_content() -> None:
    assert contents(sparse_1_0(b"1\n10\n3\n", 20, b"abc")) == {"real": bytes(10) + b"abc" + bytes(7), "after": b""}


@pytest.mark.parametrize(
    ("map_text", "size"),
    [
        (b"1\n10\n30\n", 20),  # past the end
        (b"2\n10\n5\n8\n2\n", 20),  # overlapping
        (b"1\n-1\n3\n", 20),
        (b"-1\n", 20),
        (b"9999999999\n", 20),
        (b"x\n", 20),
        (b"", 20),
        (b"1\n10\n3\n", -1),
    ],
)
def test_a_map_that_contradicts_itself_ends_the_walk(map_text: bytes, size: int) -> None:
    assert codes(walk(sparse_1_0(map_text, size, b"abc"))[1]) == ["layer.bad-header"]


@pytest.mark.parametrize("map_text", ["1", "1,2,3", "1,x", "5,5,1,1"])
def test_a_pax_map_that_contradicts_itself_ends_the_walk(map_text: str) -> None:
    records: dict[str, str | bytes] = {
        "GNU.sparse.size": "10",
        "GNU.sparse.numblocks": str((map_text.count(",") + 1) // 2),
        "GNU.sparse.map": map_text,
    }
    assert codes(walk(pax(records) + header() + END)[1]) == ["layer.bad-header"]


def test_an_old_map_outside_the_gnu_format_is_refused() -> None:
    assert codes(walk(header(kind=b"S") + END)[1]) == ["layer.bad-header"]


def test_holes_have_a_budget_since_exbibytes_of_them_fit_in_a_header() -> None:
    data = sparse_1_0(b"1\n%d\n3\n" % (1 << 60), (1 << 60) + 3, b"abc")
    tree = TarTree([data], TreeBudget(hole_bytes=1 << 20))
    assert [(one.entry.path, sum(map(len, one.chunks()))) for one in tree.walk()] == [("real", 1 << 20), ("after", 0)]
    assert codes(tree.problems) == ["layer.sparse-too-large"]


def test_the_segments_of_all_sparse_files_together_have_a_budget_since_empty_ones_cost_nothing() -> None:
    records: dict[str, str | bytes] = {
        "GNU.sparse.size": "10",
        "GNU.sparse.numblocks": "50",
        "GNU.sparse.map": ",".join(["0"] * 100),
    }
    data = (pax(records) + header()) * 3 + END
    assert walk(data, budget=TreeBudget(sparse_segments=150))[1] == []
    entries, problems = walk(data, budget=TreeBudget(sparse_segments=149))
    assert (len(entries), codes(problems)) == (2, ["layer.bad-header"])
