"""Tar archives: the oracle is tarfile, except where Go's archive/tar, which runtimes unpack with, says otherwise."""

import io
import tarfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs.tar_bytes import END, chunks, codes, contents, header, octal, padded, pax, walk
from holdfast.fs.budget import TreeBudget
from holdfast.fs.tar import TarTree
from holdfast.model.errors import LimitError
from holdfast.model.file import FileType
from world import Thing, device, directory, fifo, file, hard_link, layer, symlink

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


# Against tarfile.

names = st.lists(
    st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=120).filter(
        lambda part: part not in (".", "..")
    ),
    min_size=1,
    max_size=4,
).map("/".join)
things = st.one_of(
    st.binary(max_size=2000).map(file),
    st.builds(directory, st.sampled_from([0o755, 0o1777])),
    names.map(symlink),
    names.map(hard_link),
    st.just(device()),
    st.just(fifo()),
    st.builds(file, st.just(b"x"), st.just(0o4755), st.integers(0, 1 << 21), st.integers(0, 1 << 21)),
    st.builds(file, st.just(b"x"), st.just(0o644), st.integers(1 << 22, 1 << 31)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(names, things), max_size=12), st.sampled_from(FORMATS), st.sampled_from([512, 1000, 1 << 20]))
def test_reads_what_tarfile_wrote_as_tarfile_reads_it(files: list[tuple[str, Thing]], form: int, chunk: int) -> None:
    try:
        data = layer(files, format=form)
    except ValueError:  # ustar has no room for some names and numbers
        return
    tree = TarTree(chunks(data, chunk))
    ours = [(one.entry, b"".join(one.chunks())) for one in tree.walk()]
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        theirs = [(member, _content(archive, member)) for member in archive]
    assert tree.problems == []
    assert [entry.path for entry, _ in ours] == [member.name.lstrip("/") for member, _ in theirs]
    assert [content for _, content in ours] == [content for _, content in theirs]
    assert [(e.mode, e.uid, e.gid) for e, _ in ours] == [(m.mode, m.uid, m.gid) for m, _ in theirs]
    assert [e.link for e, _ in ours] == [m.linkname for m, _ in theirs]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    reader = archive.extractfile(member) if member.isreg() else None
    return reader.read() if reader else b""


@pytest.mark.parametrize("form", FORMATS)
def test_tells_types_apart(form: int) -> None:
    data = layer(
        {"f": "x", "d": directory(), "l": symlink("f"), "h": hard_link("f"), "c": device(), "p": fifo()}, format=form
    )
    entries, problems = walk(data)
    assert [one.type.value for one in entries] == ["file", "directory", "symlink", "hard-link", "device", "fifo"]
    assert problems == []


def test_reads_v7_headers_where_a_trailing_slash_makes_a_directory() -> None:
    data = (
        header(b"old/", b"\0", magic=bytes(8)) + header(b"old/file", b"\0", octal(3), magic=bytes(8)) + padded(b"abc")
    )
    entries, _ = walk(data + END)
    assert [(one.path, one.type) for one in entries] == [("old", FileType.DIRECTORY), ("old/file", FileType.FILE)]


def test_joins_the_prefix_of_ustar_and_star_and_of_go_before_1_8() -> None:
    ustar = header(b"name", prefix=b"a/b")
    star = header(b"name", prefix=b"c" * 131 + b"00000000000 00000000000 ", tail=b"tar\0")
    go = header(b"name", magic=b"ustar  \0", prefix=b"go/old")
    gnu = header(b"name", magic=b"ustar  \0", prefix=b"00000000001\00000000000002\0")
    entries, _ = walk(ustar + star + go + gnu + END)
    assert [one.path for one in entries] == ["a/b/name", "c" * 131 + "/name", "go/old/name", "name"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (octal(5), 5),
        (b"          5 ", 5),
        (b"5\0\0\0", 5),
        (b"\x80" + bytes(10) + b"\5", 5),
        (b"", 0),
        (b"\x80" + bytes(6) + b"\0\0\1\0\0", 65536),
    ],
)
def test_understands_sizes_in_octal_and_base_256(field: bytes, value: int) -> None:
    entries, problems = walk(header(size=field) + padded(bytes(value)) + header(b"after") + END)
    assert [(one.path, one.size) for one in entries] == [("name", value), ("after", 0)]
    assert problems == []


def test_takes_signed_checksums_of_old_archives() -> None:
    block = bytearray(header(b"caf\xe9"))
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + b" " * 8 + block[156:])
    block[148:156] = b"%06o\0 " % signed
    entries, problems = walk(bytes(block) + END)
    assert [one.path for one in entries] == ["caf\udce9"]
    assert problems == []


# Where archive/tar decides.


def test_global_pax_headers_change_nothing_and_drop_what_came_before_them() -> None:
    data = pax({"path": "evil", "size": "9"}, b"g") + header(b"first") + pax({"path": "lost"}) + pax({"a": "b"}, b"g")
    assert [one.path for one in walk(data + header(b"second") + END)[0]] == ["first", "second"]


def test_a_gnu_long_name_beats_a_pax_path() -> None:
    data = pax({"path": "from-pax"}) + header(b"L", b"L", octal(9)) + padded(b"from-gnu\0") + header() + END
    assert [one.path for one in walk(data)[0]] == ["from-gnu"]


def test_an_empty_pax_value_keeps_what_the_header_says() -> None:
    assert [one.path for one in walk(pax({"path": "", "mtime": "1.5"}) + header(b"kept") + END)[0]] == ["kept"]


def test_a_pax_size_decides_where_the_next_header_is() -> None:
    data = pax({"size": "600", "uid": "70000"}) + header(size=octal(0)) + padded(b"x" * 600) + header(b"after") + END
    assert [(one.path, one.size, one.uid) for one in walk(data)[0]] == [("name", 600, 70000), ("after", 0, 0)]


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6"])
def test_links_directories_and_devices_have_no_content_whatever_their_size_says(kind: bytes) -> None:
    entries, problems = walk(header(kind=kind, size=octal(4096), link=b"x") + header(b"after") + END)
    assert [(one.path, one.size) for one in entries] == [("name", 0), ("after", 0)]
    assert problems == []


@pytest.mark.parametrize("end", [b"", bytes(512), END, END + b"garbage behind the end" * 50])
def test_an_end_marker_may_be_missing_short_or_followed_by_anything(end: bytes) -> None:
    entries, problems = walk(layer({"a": "1"}).rstrip(b"\0").ljust(1024, b"\0") + end)
    assert ([one.path for one in entries], problems) == (["a"], [])


def test_duplicates_are_all_walked() -> None:
    assert contents(layer([("a", "1"), ("b", ""), ("a", "22")])) == {"a": b"22", "b": b""}
    assert [one.path for one in walk(layer([("a", "1"), ("a", "22")]))[0]] == ["a", "a"]


# Paths.


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"/etc/passwd", "etc/passwd"),
        (b"./etc/passwd", "etc/passwd"),
        (b".//etc///passwd", "etc/passwd"),
        (b"a/./b/../c", "a/c"),
        (b"a/.hidden", "a/.hidden"),
        (b"..data/x", "..data/x"),
        (b"caf\xe9\xff", "caf\udce9\udcff"),
        (b"cut\0here", "cut"),
        (b"dir/", "dir"),
    ],
)
def test_paths_become_relative_to_the_root(name: bytes, path: str) -> None:
    entries, problems = walk(header(name) + END)
    assert ([one.path for one in entries], problems) == ([path], [])


@pytest.mark.parametrize("name", [b"./", b"/", b"."])
def test_the_root_itself_is_not_walked(name: bytes) -> None:
    assert walk(header(name, b"5") + END) == ([], [])


def test_a_path_that_would_leave_the_root_ends_there_and_is_told_once() -> None:
    data = (
        header(b"../../etc/cron.d/evil")
        + header(b"a/../../caf\xe9")
        + header(b"l", b"1", link=b"../../etc/shadow")
        + END
    )
    entries, problems = walk(data)
    assert [(one.path, one.link) for one in entries] == [
        ("etc/cron.d/evil", ""),
        ("caf\udce9", ""),
        ("l", "etc/shadow"),
    ]
    assert [(one.code, one.count) for one in problems] == [("layer.path-outside", 3)]


def test_a_symlink_is_kept_as_written() -> None:
    assert walk(layer({"l": symlink("../../../etc//passwd")}))[0][0].link == "../../../etc//passwd"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_path_of_10_000_characters_is_left_out_and_the_rest_is_read(form: int) -> None:
    entries, problems = walk(layer({"a/" * 5000: "secret", "b": "x"}, format=form))
    assert [one.path for one in entries] == ["b"]
    assert codes(problems) == ["layer.path-too-long"]


# Damage.


def test_a_nul_in_a_pax_path_is_refused() -> None:
    entries, problems = walk(header(b"before") + pax({"path": b"a\0b"}) + header() + END)
    assert ([one.path for one in entries], codes(problems)) == (["before"], ["layer.bad-header"])


@pytest.mark.parametrize(
    "record",
    [b"6 ab\n", b"99 a=b\n", b"-1 a=b\n", b"x a=b\n", b"6 =bc\n", b"7 a=bc", b"\xff\xfe", b"9" * 6000 + b" a=b\n"],
)
def test_malformed_pax_records_end_the_walk(record: bytes) -> None:
    entries, problems = walk(header(b"x", b"x", octal(len(record))) + padded(record) + header() + END)
    assert (entries, codes(problems)) == ([], ["layer.bad-header"])


@pytest.mark.parametrize("size", ["-1", "+", "1e3", "٣", "9" * 30, "9" * 5000])
def test_malformed_pax_sizes_end_the_walk(size: str) -> None:
    assert codes(walk(pax({"size": size}) + header() + END)[1]) == ["layer.bad-header"]


@pytest.mark.parametrize(
    "field", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"00000000008\0", b"0x10\0", b"1_0\0", b"+1\0"]
)
def test_sizes_that_are_negative_or_no_number_end_the_walk(field: bytes) -> None:
    entries, problems = walk(header(b"before") + header(size=field) + END)
    assert ([one.path for one in entries], codes(problems)) == (["before"], ["layer.bad-header"])


@pytest.mark.parametrize("size", [10_000, 1 << 40, (1 << 63) - 1])
def test_a_size_beyond_the_end_is_a_truncated_archive(size: int) -> None:
    data = header(size=b"\x80" + size.to_bytes(11, "big")) + padded(b"short")
    tree = TarTree([data])
    assert [(one.entry.size, b"".join(one.chunks())) for one in tree.walk()] == [(size, padded(b"short"))]
    assert codes(tree.problems) == ["layer.truncated"]


def test_a_read_of_a_lying_size_takes_no_more_memory_than_the_limit() -> None:
    data = header(size=b"\x80" + (1 << 62).to_bytes(11, "big")) + padded(b"short")
    for one in TarTree([data]).walk():
        with pytest.raises(LimitError):
            one.read(1 << 20)


@pytest.mark.parametrize("at", [100, 600, 2300])
def test_a_cut_keeps_what_came_before_and_says_so_once(at: int) -> None:
    entries, problems = walk(layer({"a": "x" * 100, "b": "y" * 1000})[:at])
    assert codes(problems) == ["layer.truncated"]
    assert [one.path for one in entries] == ["a", "b"][: (at >= 512) + (at >= 2048)]


def test_only_padding_may_be_missing() -> None:
    assert walk(layer({"a": "x" * 100})[:612])[1] == []


def test_a_flipped_bit_in_a_header_ends_the_walk() -> None:
    data = bytearray(layer({"a": "1", "b": "2", "c": "3"}))
    data[1024 + 5] ^= 4
    entries, problems = walk(bytes(data))
    assert ([one.path for one in entries], codes(problems)) == (["a"], ["layer.bad-header"])


def test_a_lone_block_of_zeros_in_the_middle_is_refused() -> None:
    entries, problems = walk(header(b"a") + bytes(512) + header(b"b") + END)
    assert ([one.path for one in entries], codes(problems)) == (["a"], ["layer.bad-header"])


def test_an_extended_header_larger_than_its_budget_is_not_read() -> None:
    entries, problems = walk(header(b"L", b"L", octal(2 << 20)) + bytes(2 << 20) + header() + END)
    assert (entries, codes(problems)) == ([], ["layer.bad-header"])


def test_entries_are_counted_and_so_are_headers_that_make_none() -> None:
    many = header() * 20
    assert [len(walk(many + END, budget=TreeBudget(entries=limit))[0]) for limit in (10, 20)] == [10, 20]
    assert codes(walk(many + END, budget=TreeBudget(entries=10))[1]) == ["layer.too-many-entries"]
    assert walk(many + END, budget=TreeBudget(entries=20))[1] == []
    assert codes(walk(pax({"a": "b"}) * 20, budget=TreeBudget(entries=10))[1]) == ["layer.too-many-entries"]


def test_a_path_with_more_parts_than_any_real_one_is_left_out_and_counted() -> None:
    deep = "a/" * 300 + "f"
    data = pax({"path": deep}) + header() + pax({"path": "b/" * 255 + "f"}) + header() + pax({"path": deep}) + header()
    entries, problems = walk(data + END)
    assert [one.path for one in entries] == ["b/" * 255 + "f"]
    assert [(one.code, one.count) for one in problems] == [("layer.path-too-deep", 2)]


def test_all_paths_together_have_a_budget_and_so_have_the_directories_they_imply() -> None:
    budget = TreeBudget(all_path_bytes=10_000)
    flat = b"".join(header(b"%04d" % number + b"x" * 90) for number in range(200))
    deep = b"".join(header(b"%02d/" % number + b"x/" * 40 + b"f") for number in range(20))
    beside = b"".join(header(b"x/" * 20 + b"%02d" % number) for number in range(100))
    for bomb, limit in ((flat, 110), (deep, 5)):
        entries, problems = walk(bomb + END, budget=budget)
        assert (0 < len(entries) < limit, codes(problems)) == (True, ["layer.too-many-paths"])
    entries, problems = walk(beside + END, budget=budget)
    assert (len(entries), problems) == (100, [])


def test_the_records_of_all_pax_headers_together_have_a_budget() -> None:
    data = (pax({f"k{number}": "" for number in range(10)}) + header()) * 5 + END
    assert codes(walk(data, budget=TreeBudget(pax_records=50))[1]) == []
    entries, problems = walk(data, budget=TreeBudget(pax_records=49))
    assert (len(entries), codes(problems)) == (4, ["layer.bad-header"])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 2000))
def test_arbitrary_bytes_give_entries_and_problems_and_nothing_else(data: bytes, chunk: int) -> None:
    _read_all(data, chunk)


SAMPLE = layer({"a": "x" * 600, "l" * 150: "y", "s": symlink("t" * 150), "é": "z"}, format=tarfile.GNU_FORMAT)[
    :-10240
] + layer({"b": "x" * 600, "p" * 300: "y", "ü": file("z", uid=1 << 30)})


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(SAMPLE)),
    st.sampled_from([100, 512, 1 << 20]),
)
def test_mutated_and_cut_archives_give_entries_and_problems_and_nothing_else(
    changes: list[tuple[int, int]], end: int, chunk: int
) -> None:
    data = bytearray(SAMPLE)
    for at, value in changes:
        data[at] = value
        start = at - at % 512
        if at - start < 500:  # a right checksum lets the change through to the parser
            block = data[start : start + 512]
            block[148:156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    _read_all(bytes(data[:end]), chunk)


def _read_all(data: bytes, chunk: int) -> None:
    tree = TarTree(chunks(data, chunk), TreeBudget(hole_bytes=1 << 20))
    total = 0
    for one in tree.walk():
        path = one.entry.path
        assert path == path.strip("/")
        assert not {"", ".", ".."} & set(path.split("/"))
        one.head()
        total += sum(map(len, one.chunks()))
    assert total <= len(data) + (1 << 20)
    assert msgspec.json.encode(tree.problems)
