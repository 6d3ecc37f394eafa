"""The changelog inside a .deb, however it is packed, and whatever was done to it."""

import gzip
import lzma
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from advisory.debian_archive import ar, deb, stanza, tar
from holdfast.advisory.debfile import changelog, members
from holdfast.model.errors import InputError, LimitError, NotFound

TEXT = stanza("2.5.0-1+deb12u3", "Fix CVE-2026-0001.").encode()
DOC = "usr/share/doc/expat/"
GOOD = deb("expat", "1", TEXT.decode(), pad=4096).content


def packed(files: dict[str, bytes | str], suffix: str = "") -> bytes:
    """A .deb whose data is packed in one of the ways that dpkg knows."""
    data = tar(files)
    forms: dict[str, Callable[[bytes], bytes]] = {
        "": bytes,
        ".gz": gzip.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.compress,
    }
    return ar({"debian-binary": b"2.0\n", "control.tar": b"", "data.tar" + suffix: forms[suffix](data)})


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_however_it_is_packed(suffix: str) -> None:
    assert changelog(packed({DOC + "changelog.Debian.gz": gzip.compress(TEXT)}, suffix)) == TEXT


def test_debians_own_comes_before_upstreams() -> None:
    files: dict[str, bytes | str] = {
        DOC + "changelog.gz": gzip.compress(b"upstream"),
        DOC + "changelog.Debian": TEXT,
    }
    assert changelog(packed(files)) == TEXT


def test_a_native_package_has_only_one() -> None:
    assert changelog(packed({DOC + "changelog.gz": gzip.compress(TEXT)})) == TEXT


def test_none_where_the_folder_is_a_link() -> None:
    with pytest.raises(NotFound):
        changelog(deb("libexpat1", "1", None).content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"!<arch>\n",
        b"garbage",
        GOOD[: len(GOOD) // 2],
        ar({"debian-binary": b"2.0\n"}),
        ar({"data.tar.lzma": b""}),
        ar({"data.tar.xz": b"garbage"}),
        ar({"data.tar.zst": b"\x28\xb5\x2f\xfd"}),
        packed({DOC + "changelog.Debian.gz": b"not gzip"}),
    ],
)
def test_what_is_damaged(content: bytes) -> None:
    with pytest.raises((InputError, NotFound)):
        changelog(content)


def test_a_bomb_of_a_changelog() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed_zeros = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(40)) + bomb.flush()
    with pytest.raises(LimitError):
        changelog(packed({DOC + "changelog.Debian.gz": packed_zeros}))


def test_members_of_an_archive() -> None:
    assert [(name, bytes(content)) for name, content in members(ar({"odd/": b"abc", "even": b"ab"}))] == [
        ("odd", b"abc"),
        ("even", b"ab"),
    ]


@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 255))
@settings(max_examples=200)
def test_any_bytes_give_a_changelog_or_a_declared_error(noise: bytes, at: int, byte: int) -> None:
    flipped = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    for content in (noise, b"!<arch>\n" + noise, GOOD[:at] + noise, flipped, ar({"data.tar": noise})):
        try:
            changelog(content)
        except (InputError, NotFound, LimitError):
            continue
