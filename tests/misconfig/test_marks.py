"""What an entry's own bits say, and capabilities as the kernel stores them."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.misconfig import marks
from holdfast.misconfig.capability import NAMES, decode
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Trait
from misconfig.scenes import folder, program


def _v2(*bits: int, flags: int = 1, revision: int = 2, rest: bytes = b"") -> bytes:
    mask = sum(1 << bit for bit in bits)
    return struct.pack("<5I", revision << 24 | flags, mask & 0xFFFFFFFF, 0, mask >> 32, 0) + rest


def test_capabilities_are_named_in_each_revision() -> None:
    assert decode(struct.pack("<3I", 0x01000000, 1 << 13 | 1 << 10, 0)) == ("net_bind_service", "net_raw")
    assert decode(_v2(21, 39)) == ("sys_admin", "bpf")
    assert decode(_v2(0, revision=3, rest=struct.pack("<I", 100000))) == ("chown",)
    assert decode(_v2(63)) == ("cap 63",)
    assert NAMES[40] == "checkpoint_restore"


@pytest.mark.parametrize("raw", [b"", b"\1", _v2(1)[:-1], _v2(1) + b"x", _v2(1, revision=4), _v2()])
def test_a_value_that_says_nothing_names_nothing(raw: bytes) -> None:
    assert decode(raw) == ()


@given(st.binary(max_size=40))
@settings(max_examples=200)
def test_any_value_is_decoded_without_a_fault(raw: bytes) -> None:
    assert len(decode(raw)) <= 64


@pytest.mark.parametrize(
    "entry",
    [
        program("usr/bin/ls"),
        folder("usr"),
        folder("tmp", 0o1777),
        folder("var/mail", 0o2775),
        Entry("lib", FileType.SYMLINK, 0, 0o777, link="usr/lib"),
        Entry("run/pipe", FileType.FIFO, 0, 0o666),
        Entry("usr/bin/noexec", FileType.FILE, 1, 0o4644),
        Entry("srv/a/b/c/d.txt", FileType.FILE, 1, 0o644, 1000, 1000),
        Entry("root/.ssh/id_ed25519.pub", FileType.FILE, 1, 0o644),
        Entry("root/.ssh/known_hosts", FileType.FILE, 1, 0o644),
        folder("root/.ssh", 0o700),
    ],
    ids=lambda entry: entry.path,
)
def test_most_entries_have_no_traits(entry: Entry) -> None:
    assert marks(entry) == ()


@pytest.mark.parametrize(
    ("entry", "traits"),
    [
        (program("a", 0o4755), [Trait("setuid", "4755 0:0")]),
        (program("a", 0o2755, gid=42), [Trait("setuid", "2755 0:42")]),
        (Entry("a", FileType.HARD_LINK, 0, 0o4755, link="b"), [Trait("setuid", "4755 0:0")]),
        (program("a", 0o666), [Trait("world-writable", "file 666")]),
        (folder("a", 0o777), [Trait("world-writable", "directory 777")]),
        (program("a", capabilities=_v2(13)), [Trait("capabilities", "net_raw")]),
        (Entry("srv/n", FileType.DEVICE, 0, 0o660), [Trait("device", "660 0:0")]),
        (program("etc/shadow", 0o644), [Trait("world-readable", "644 0:0")]),
        (program("home/a/.ssh/id_rsa", 0o644), [Trait("world-readable", "644 0:0")]),
        (folder("srv", 0o755, 1000, 1001), [Trait("owned", "755 1000:1001")]),
        (program("srv/run", 0o700, 1000, 1000), [Trait("owned", "700 1000:1000")]),
    ],
)
def test_the_others_tell_what_they_give_away(entry: Entry, traits: list[Trait]) -> None:
    assert list(marks(entry)) == traits


@given(
    st.builds(
        Entry, st.text(max_size=30), st.sampled_from(FileType), st.integers(0, 1 << 60), st.integers(0, 0o7777777),
        st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.text(max_size=10), st.binary(max_size=30),
    )
)  # fmt: skip
@settings(max_examples=200)
def test_any_entry_has_traits_without_a_fault(entry: Entry) -> None:
    assert all(trait.name for trait in marks(entry))
