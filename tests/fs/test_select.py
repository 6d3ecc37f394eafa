"""From a path or a file's first bytes to the catalogers that read it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog import CATALOGERS
from holdfast.catalog.document import DocumentCataloger
from holdfast.fs.select import Selector, compile_glob
from holdfast.model.found import Found


def reader(name: str, *patterns: str, version: int = 1, magic: tuple[bytes, ...] = ()) -> DocumentCataloger:
    return DocumentCataloger(name, version, patterns, lambda path, data: Found(), magic=magic)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("etc/os-release", "etc/os-release", True),
        ("etc/os-release", "srv/etc/os-release", False),
        ("**/go.mod", "go.mod", True),
        ("**/go.mod", "a/b/go.mod", True),
        ("**/go.mod", "a/xgo.mod", False),
        ("**/*.dist-info/METADATA", "a/b/x-1.dist-info/METADATA", True),
        ("a/*/b", "a/x/b", True),
        ("a/*/b", "a/x/y/b", False),
        ("var/lib/dpkg/status.d/*", "var/lib/dpkg/status.d/base", True),
        ("var/lib/dpkg/status.d/*", "var/lib/dpkg/status.d/a/b", False),
        ("**/requirements*.txt", "srv/requirements-dev.txt", True),
        ("**/a+b", "a+b", True),
        ("**/x\n", "y/x\n", True),
    ],
)
def test_globs_are_over_the_whole_path(pattern: str, path: str, matches: bool) -> None:
    one = reader("one", pattern)
    assert bool(compile_glob(pattern).fullmatch(path)) is matches
    assert Selector([one]).by_path(path) == ((one,) if matches else ())


PARTS = ["etc", "node_modules", "a", "x.egg-info", "status.d", "package.json", "requirements.txt", ".", "..", "@s"]


@given(st.lists(st.sampled_from(PARTS), max_size=7))
def test_the_short_cut_agrees_with_trying_every_pattern(parts: list[str]) -> None:
    path = "/".join(parts)
    slow = [one for one in CATALOGERS if any(compile_glob(pattern).fullmatch(path) for pattern in one.patterns)]
    assert sorted(one.name for one in Selector(CATALOGERS).by_path(path)) == sorted(one.name for one in slow)


def test_several_catalogers_may_read_one_file_each_once() -> None:
    first, second = reader("first", "**/a", "x/*"), reader("second", "**/*")
    assert Selector([first, second]).by_path("x/a") == (first, second)


def test_magic_selects_by_first_bytes() -> None:
    elf, other = reader("elf", magic=(b"\x7fELF",)), reader("other", magic=(b"MZ", b"\x7fELF\x02"))
    selector = Selector([elf, other])
    assert selector.by_head(b"\x7fELF\x01") == (elf,)
    assert selector.by_head(b"\x7fELF\x02") == (elf, other)
    assert selector.by_head(b"#!/bin/sh") == ()
    assert Selector([]).by_head(b"x") == ()


def test_the_fingerprint_is_short_stable_and_follows_what_is_read() -> None:
    one, two = reader("one", "a"), reader("two", "b")
    fingerprint = Selector([one, two]).fingerprint
    assert re.fullmatch("[0-9a-f]{16}", fingerprint)
    assert Selector([two, one]).fingerprint == fingerprint
    changed = [reader("one", "a", version=2), reader("one", "c"), reader("uno", "a"), reader("one", "a", magic=(b"x",))]
    assert len({fingerprint, *(Selector([other, two]).fingerprint for other in changed)}) == 5


@pytest.mark.parametrize("path", ["", "/", "a/" * 5000 + "package.json", "\udcff/package.json", "a\0b"])
def test_strange_paths_are_only_paths(path: str) -> None:
    assert isinstance(Selector(CATALOGERS).by_path(path), tuple)
