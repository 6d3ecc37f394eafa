"""Packages indices: which .deb files there are of a source package."""

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisory.debian_archive import deb
from holdfast.advisory import debindex
from holdfast.model.errors import HoldfastError, InputError

SHARED = Path(__file__).parents[2].parent / "shared" / "feeds" / "debian-live"
EXPAT = deb("expat", "2.5.0-1+b1", "", source_version="2.5.0-1")
LIBEXPAT = deb("libexpat1", "2.5.0-1", "", source="expat")
TEXT = "\n".join((EXPAT.paragraph, LIBEXPAT.paragraph)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [("Packages", TEXT), ("Packages.gz", gzip.compress(TEXT)), ("Packages.xz", lzma.compress(TEXT))],
)
def test_packages_by_their_source(name: str, content: bytes) -> None:
    index = debindex.build(debindex.read(content, name))
    assert [(one.name, one.version, one.path) for one in index["expat"]] == [
        ("expat", "2.5.0-1", EXPAT.path),  # the source's version, not the rebuilt binary's
        ("libexpat1", "2.5.0-1", LIBEXPAT.path),
    ]
    assert index["openssl"] == []


def test_kept_and_read_again(tmp_path: Path) -> None:
    index = debindex.build(debindex.read(TEXT, "Packages"))
    (tmp_path / "index").write_bytes(debindex.dump(index))
    again = debindex.load(tmp_path / "index")
    assert again is not None
    assert again["expat"] == index["expat"]


@pytest.mark.parametrize("content", [b"", b"garbage", b"(\xb5/\xfd"])
def test_a_damaged_copy_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    assert debindex.load(tmp_path / "index") is None
    assert debindex.load(tmp_path / "absent") is None


def test_a_flipped_bit_never_changes_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "index"
    index = debindex.build(debindex.read(TEXT, "Packages"))
    kept = debindex.dump(index)
    absent = 0
    for at in range(len(kept)):
        for bit in range(8):
            file.write_bytes(kept[:at] + bytes([kept[at] ^ 1 << bit]) + kept[at + 1 :])
            again = debindex.load(file)
            absent += again is None
            # Some bits of a zstd frame mean nothing.
            assert again is None or (len(again), again["expat"]) == (len(index), index["expat"]), f"byte {at}"
    assert absent > 7 * len(kept)


def test_a_copy_without_a_checksum_or_of_enormous_size_is_none(tmp_path: Path) -> None:
    file = tmp_path / "index"
    kept = debindex.dump(debindex.build(debindex.read(TEXT, "Packages")))
    file.write_bytes(kept[:4] + bytes([kept[4] & ~0x04]) + kept[5:-4])
    assert debindex.load(file) is None
    # A header (RFC 8878 §3.1.1) of one segment with a checksum, that claims 2⁴⁰ bytes.
    file.write_bytes(b"\x28\xb5\x2f\xfd\xe4" + (1 << 40).to_bytes(8, "little") + kept[8:])
    assert debindex.load(file) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Filename", "../../etc/passwd"), ("Filename", "/etc/passwd"), ("Filename", ""), ("Size", "-1"),
        ("Size", "²"), ("Size", "9" * 5000), ("SHA256", "0"), ("Version", ""), ("Package", ""),
    ],
)  # fmt: skip
def test_a_damaged_paragraph_is_left_out(field: str, value: str) -> None:
    lines = LIBEXPAT.paragraph.replace("Source: expat\n", "").splitlines()
    damaged = "\n".join(f"{field}: {value}" if line.startswith(field + ":") else line for line in lines)
    text = f"{damaged}\n\n{EXPAT.paragraph}".encode()
    assert [one.name for _, one in debindex.read(text, "Packages")] == ["expat"]


@pytest.mark.parametrize("name", ["Packages.xz", "Packages.gz"])
@pytest.mark.parametrize("content", [b"", b"garbage", lzma.compress(TEXT)[:-8], gzip.compress(TEXT)[:-12]])
def test_a_file_that_cannot_be_unpacked(name: str, content: bytes) -> None:
    with pytest.raises(InputError):
        list(debindex.read(content, name))


_LINES = st.sampled_from([*TEXT.decode().splitlines(keepends=True), "\n", "Source: (\n", "Size: 1"])


@given(st.binary(max_size=200) | st.lists(_LINES).map(lambda lines: "".join(lines).encode()))
@settings(max_examples=200)
def test_any_bytes_give_packages_or_a_declared_error(content: bytes) -> None:
    for name in ("Packages", "Packages.xz", "Packages.gz"):
        try:
            for source, one in debindex.read(content, name):
                assert source
                assert ".." not in one.path.split("/")
        except HoldfastError:
            continue


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared advisory data is not here")
def test_a_real_index() -> None:
    file = SHARED / "bookworm-security" / "binary-amd64" / "Packages.xz"
    index = debindex.build(debindex.read(file.read_bytes(), file.name))
    assert {one.version for one in index["openssl"]} == {"3.0.22-1~deb12u2"}
    assert len(index) == 391
