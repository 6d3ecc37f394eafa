"""What is packed inside files: everything of a good archive, a Problem for everything else, and always an end."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.fs.archive import ARCHIVE_BUDGET, ArchiveBudget, Member, _Opening, is_archive, members
from holdfast.model.status import Problem
from world import file, layer, symlink

SMALL = ArchiveBudget(
    depth=3, members=50, member_bytes=10_000, inflated_bytes=100_000, ratio=100, spared_bytes=50_000, problems=5
)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.compress,
}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def look(data: bytes, name: str = "x", budget: ArchiveBudget = ARCHIVE_BUDGET) -> tuple[dict[str, bytes], list[str]]:
    """The members by path, and the codes of the problems."""
    found = list(members(data, name, budget))
    inside = {one.path: one.data for one in found if isinstance(one, Member)}
    return inside, [one.code for one in found if isinstance(one, Problem)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_zip(method: int) -> None:
    data = zipped({"a.txt": b"hello", "d/": b"", "d/b": bytes(5000)}, method)
    assert is_archive(data[:512])
    assert look(data) == ({"a.txt": b"hello", "d/b": bytes(5000)}, [])


def test_tar() -> None:
    data = layer({"a": "hello", "d/b": file(b"x" * 999), "link": symlink("a")})
    assert is_archive(data[:512])
    assert look(data) == ({"a": b"hello", "d/b": b"x" * 999}, [])


@pytest.mark.parametrize("kind", COMPRESS)
def test_compressed(kind: str) -> None:
    data = COMPRESS[kind](b"hello " * 100)
    assert is_archive(data[:512])
    assert look(data, f"usr/share/doc/notes.{kind}") == ({"notes": b"hello " * 100}, [])
    packed = COMPRESS[kind](layer({"a": "hello"}))
    assert look(packed, f"x.tar.{kind}") == ({"a": b"hello"}, [])


def test_several_streams_are_one_content() -> None:
    assert look(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(10), "n.gz")[0] == {"n": b"one two"}
    assert look(bz2.compress(b"one ") + bz2.compress(b"two"), "n.bz2")[0] == {"n": b"one two"}


def test_nested_to_a_depth() -> None:
    jar = zipped({"a.class": b"a"})
    war = zipped({"lib/b.jar": jar})
    inside, problems = look(gzip.compress(layer({"c.war": file(war)})))
    assert inside == {"c.war": war, "c.war!/lib/b.jar": jar, "c.war!/lib/b.jar!/a.class": b"a"}
    assert problems == []
    inside, problems = look(zipped({"one": zipped({"two": war})}))
    assert "one!/two!/lib/b.jar" in inside
    assert problems == ["archive.too-deep"]


@pytest.mark.parametrize("head", [b"", b"P", b"PK", b"BZh is a word", b"\x1f\x8b", b"\x7fELF", b"a" * 512, bytes(512)])
def test_what_is_no_archive(head: bytes) -> None:
    assert not is_archive(head)


def test_an_encrypted_member_is_said() -> None:
    data = bytearray(zipped({"a": b"secret", "b": b"plain"}))
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    assert look(bytes(data)) == ({"b": b"plain"}, ["archive.encrypted"])


def test_wrong_sizes_and_checksums_are_said() -> None:
    data = bytearray(zipped({"a": b"hello" * 10}))
    at = data.index(b"PK\x01\x02")
    shorter = bytes(data[: at + 24]) + struct.pack("<I", 20) + bytes(data[at + 28 :])
    assert look(shorter) == ({"a": (b"hello" * 10)[:21]}, ["archive.damaged"])
    other = bytes(data[: at + 16]) + b"\0\0\0\0" + bytes(data[at + 20 :])
    assert look(other) == ({"a": b"hello" * 10}, ["archive.damaged"])


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2"])
def test_what_is_cut_is_given_as_far_as_it_goes(kind: str) -> None:
    packed = COMPRESS[kind](bytes(range(256)) * 4000)
    inside, problems = look(packed[: len(packed) // 2], f"x.{kind}")
    assert problems == ["archive.damaged"]
    assert all(data == (bytes(range(256)) * 4000)[: len(data)] for data in inside.values())


# Bombs.


def test_a_bomb_ends() -> None:
    inside, problems = look(gzip.compress(bytes(1_000_000)), budget=SMALL)
    assert problems == ["archive.member-too-large"] or problems == ["archive.too-large"]
    assert sum(map(len, inside.values())) <= SMALL.member_bytes
    inside, problems = look(zipped({str(number): bytes(9_000) for number in range(40)}), budget=SMALL)
    assert problems == ["archive.too-large"]
    assert sum(map(len, inside.values())) <= SMALL.inflated_bytes


def test_more_members_than_any_real_archive_has() -> None:
    assert look(zipped({str(number): b"" for number in range(51)}), budget=SMALL)[1] == ["archive.too-large"]
    assert look(layer({str(number): b"x" for number in range(52)}), budget=SMALL)[1]


def test_members_that_share_their_bytes() -> None:
    content = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = content.compress(bytes(9_000)) + content.flush()
    local = b"PK\x03\x04" + struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, 0, zlib.crc32(bytes(9_000)), len(packed), 9_000, 1, 0
    )
    body = local + b"a" + packed
    central = b"".join(
        b"PK\x01\x02"
        + struct.pack(
            "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, zlib.crc32(bytes(9_000)), len(packed), 9_000, 1, 0, 0, 0, 0, 0, 0
        )
        + name
        for name in (b"a", b"b", b"c")
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 3, 3, len(central), len(body), 0)
    inside, problems = look(body + central + end)
    assert list(inside.values()) == [bytes(9_000)]
    assert problems == ["archive.damaged", "archive.damaged"]


def test_an_archive_that_contains_itself() -> None:
    # No budget could tell a quine from a deep nest, but the bytes can: what is met again inside itself is not opened.
    data = zipped({"self.zip": b"x"})
    opening = _Opening(len(data), "q.zip", ARCHIVE_BUDGET)
    found = list(opening.open(data, "self.zip", (data,)))
    assert [one.code for one in found if isinstance(one, Problem)] == ["archive.contains-itself"]
    nest = b"end"
    for _ in range(40):
        nest = gzip.compress(nest)
    inside, problems = look(nest, "n.gz")
    assert len(inside) == ARCHIVE_BUDGET.depth
    assert problems == ["archive.too-deep"]


def test_many_tiny_streams_are_bounded() -> None:
    data = gzip.compress(b"") * 20_000
    assert look(data, "x.gz")[1] == ["archive.damaged"]


def test_problems_are_bounded() -> None:
    data = bytearray(zipped({str(number): b"x" for number in range(40)}))
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    assert look(bytes(data), budget=SMALL)[1] == ["archive.encrypted"] * SMALL.problems


# Hostile bytes.

GOOD = [
    zipped({"a": b"hello" * 50, "b.zip": zipped({"c": b"x"})}),
    zipped({"a": b"hello" * 50}, zipfile.ZIP_BZIP2),
    layer({"a": "hello", "b.gz": file(gzip.compress(b"x"))}),
    *(compress(layer({"a": "hello"})) for compress in COMPRESS.values()),
    *(compress(b"plain" * 100) for compress in COMPRESS.values()),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=6),
    st.integers(0, 4000),
)
def test_changed_archives_are_bounded(good: bytes, changes: list[tuple[int, bytes]], length: int) -> None:
    data = bytearray(good)
    for at, value in changes:
        data[at % len(data) : at % len(data) + len(value)] = value
    found = list(members(bytes(data[: length or len(data)]), "x", SMALL))
    assert sum(len(one.data) for one in found if isinstance(one, Member)) <= 2 * SMALL.inflated_bytes
    assert len(found) <= 2 * SMALL.members + SMALL.problems


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh91AY&SY", b"\x28\xb5\x2f\xfd", b""]),
    st.binary(max_size=500),
)
def test_any_bytes(start: bytes, rest: bytes) -> None:
    is_archive((start + rest)[:512])
    list(members(start + rest, "x", SMALL))


def test_members_are_as_tarfile_and_zipfile_give_them() -> None:
    files = {f"d{number % 3}/f{number}": bytes([number]) * number for number in range(1, 60)}
    assert look(zipped(files))[0] == files
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert look(buffer.getvalue())[0] == files
