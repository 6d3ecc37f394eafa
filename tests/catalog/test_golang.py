"""Go's build information in binaries."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.samples import MODULES, elf, go_program, listed, modules, old_go_program, read
from holdfast.catalog.golang import GOLANG, MAX_HELD, packages_of
from holdfast.fs.memory import MemoryFile
from holdfast.model.file import Entry, FileType
from holdfast.model.status import Gravity

EXPECTED = [
    ("stdlib", "1.21.5"),
    ("example.com/shop", ""),
    ("github.com/x/y", "v1.2.3"),
    ("github.com/new/z", "v1.1.0"),
]


class Pieces(MemoryFile):
    """A file that is only to be had piece by piece."""

    def __init__(self, content: bytes, size: int, claimed: int = MAX_HELD + 1) -> None:
        super().__init__(Entry("usr/bin/x", FileType.FILE, claimed, 0o755), content)
        self.content, self.size = content, size

    def read(self, limit: int) -> bytes:
        raise AssertionError("held in memory")

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), self.size):
            yield self.content[start : start + self.size]


def test_a_program_names_its_modules_replacements_and_the_standard_library() -> None:
    assert listed(read(GOLANG, "usr/bin/x", go_program(text=MODULES), 0o755)) == EXPECTED


@pytest.mark.parametrize(("order", "wide"), [("<", True), (">", True), ("<", False), (">", False)])
def test_before_go_1_18_pointers_are_followed_in_either_byte_order_and_width(order: str, wide: bool) -> None:
    program = old_go_program("go1.21.5", MODULES, order=order, wide=wide)
    assert listed(read(GOLANG, "usr/bin/x", program, 0o755)) == EXPECTED


@given(size=st.integers(1, 700), padding=st.integers(0, 300))
def test_the_information_may_lie_across_pieces_and_the_file_is_never_held(size: int, padding: int) -> None:
    assert listed(GOLANG.read(Pieces(go_program(text=MODULES, padding=padding), size))) == EXPECTED


def test_a_large_old_program_is_a_problem() -> None:
    found = GOLANG.read(Pieces(old_go_program("go1.16", MODULES), 4096))
    assert [problem.code for problem in found.problems] == ["catalog.golang.too-large"]


@pytest.mark.parametrize(
    ("toolchain", "version"),
    [
        ("go1.21.5", "1.21.5"),
        ("go1.22rc1", "1.22rc1"),
        ("go1.20", "1.20"),
        ("go1.20.4 X:boringcrypto", "1.20.4"),
        ("go1.24.4 (Red Hat 1.24.4-1.el9)", "1.24.4"),
        ("go1.21.3-bigcorp", "1.21.3"),
        ("devel go1.22-abcdef Thu Jan 1", ""),
        ("devel +abc", ""),
    ],
)
def test_the_toolchain_is_the_version_of_the_standard_library(toolchain: str, version: str) -> None:
    (package,) = packages_of(toolchain, "")
    assert (package.name, package.version) == ("stdlib", version)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mod a.org/b v1.2.3+dirty", ("a.org/b", "v1.2.3+dirty")),
        ("mod a.org/b v0.0.0-20240101000000-abcdefabcdef", ("a.org/b", "")),
        ("dep a.org/b v0.0.0-20240101000000-abcdefabcdef", ("a.org/b", "v0.0.0-20240101000000-abcdefabcdef")),
        ("dep a.org/b v1.0.0\n=> ./b (devel)", ("a.org/b", "")),
        ("path a.org/b/cmd/c", ("a.org/b/cmd/c", "")),
    ],
)
def test_a_version_that_was_never_published_is_left_empty(line: str, expected: tuple[str, str]) -> None:
    package = packages_of("go1.21.5", modules(*line.split("\n")).decode())[1]
    assert (package.name, package.version) == expected


def test_a_program_that_reads_build_information_itself_is_not_misled() -> None:
    decoy = (
        b"\xff Go buildinf: not it, only the constant that it looks for" + b"\xff Go buildinf:\x08\x02 text text text"
    )
    program = elf() + decoy + go_program(text=MODULES)
    assert listed(read(GOLANG, "usr/bin/x", program, 0o755)) == EXPECTED


def test_libraries_and_objects_are_not_looked_through() -> None:
    information = go_program(text=MODULES)[1024:]
    assert read(GOLANG, "usr/lib/x.so", elf(type=3) + information).packages == ()
    assert read(GOLANG, "usr/lib/x.ko", elf(type=1) + information, 0o755).packages == ()
    assert read(GOLANG, "usr/lib/x.so", elf(type=3, interpreter=True) + information).packages != ()
    assert read(GOLANG, "usr/lib/plugin.so", elf(type=3) + information, 0o755).packages != ()


def test_a_go_program_without_build_information_is_noted_and_another_program_is_not() -> None:
    found = read(GOLANG, "usr/bin/x", elf(), 0o755)
    assert [(problem.code, problem.gravity) for problem in found.problems] == [
        ("catalog.golang.no-build-information", Gravity.NOTE)
    ]
    assert read(GOLANG, "usr/bin/y", elf(note=False), 0o755).problems == ()
