"""Go programs: the modules and the toolchain that the linker wrote into every binary (Go's debug/buildinfo).

Any executable may be one, so that every executable is looked through; only the few bytes around the build information
are kept. Before Go 1.18 it was two pointers into the program's memory: such a binary is held while they are followed.
"""

import re
import struct
from collections.abc import Iterator

from holdfast.catalog.document import within_budget
from holdfast.fs.tree import File
from holdfast.model.found import Found
from holdfast.model.package import Package
from holdfast.model.status import Gravity, Problem

_ELF = b"\x7fELF"
_MAGIC = b"\xff Go buildinf:"
_HEADER = 32
# The note that the linker puts first: name size 4, its type 4 and "Go" (cmd/link, ELF_NOTE_GO_NAME).
_NOTE = re.compile(rb"(?:\x04\0\0\0Go|\0\0\0\x04Go)\0\0")
_RELEASE = re.compile(r"go(\d+(?:\.\d+)*(?:(?:alpha|beta|rc)\d+)?)")
_DYNAMIC, _RELOCATABLE, _CORE = 3, 1, 4
_INTERPRETER, _LOADED = 3, 1

MAX_HELD = 64 << 20
MAX_INFORMATION = 8 << 20
MAX_CANDIDATES = 64
MAX_SEGMENTS = 128


class _Unfollowed(Exception):
    """The build information is pointers, and the file is not held."""


class _Unfinished(Exception):
    """The rest of the build information is in the next chunk."""


class GolangCataloger:
    """Reads the build information of ELF binaries: the main module, its dependencies, and the standard library."""

    name = "golang"
    version = 2
    patterns: tuple[str, ...] = ()
    magic = (_ELF,)

    def read(self, file: File) -> Found:
        """The modules of a Go program; nothing for what is no program or not of Go."""
        head = file.head()
        if not _may_run(head, file.entry.mode):
            return Found()
        is_go = _NOTE.search(head) is not None
        held = file.read(MAX_HELD) if is_go and file.entry.size <= MAX_HELD else b""
        try:
            information = _search(iter((held,)) if held else file.chunks(), held)
        except _Unfollowed:
            return _problem(
                "too-large", f"built by Go before 1.18 and over {MAX_HELD >> 20} MiB: its modules are unread"
            )
        if information is None:
            message = "a Go program without build information: its modules are not known"
            return _problem("no-build-information", message, Gravity.NOTE) if is_go else Found()
        return within_budget(self.name, Found(packages_of(*information)))


def packages_of(toolchain: str, modules: str) -> tuple[Package, ...]:
    """The packages that build information names, from the toolchain's version and runtime/debug.BuildInfo as text.

    A version that is no release (`(devel)`, a main module's `v0.0.0-…`, a replacement by a folder) is left empty:
    nothing was published under it, and nothing is to be compared with it.
    """
    release = _RELEASE.match(toolchain)
    found: list[tuple[str, str]] = [("stdlib", release[1] if release else "")]
    for line in modules.split("\n"):
        kind, _, rest = line.partition("\t")
        name, version = (*rest.split("\t"), "", "")[:2]
        if kind == "path" and "\nmod\t" not in modules and name not in ("", "command-line-arguments"):
            found.append((name, ""))  # Built outside of any module.
        elif kind == "mod" and name:
            found.append((name, "" if version.startswith("v0.0.0-") else version))
        elif kind == "dep" and name:
            found.append((name, version))
        elif kind == "=>" and len(found) > 1:
            original = found.pop()[0]
            found.append((original, "") if name.startswith((".", "/")) else (name, version))
    released = ((name, "" if version == "(devel)" else version) for name, version in found)
    return tuple(Package(name=name, version=version, type="golang") for name, version in dict.fromkeys(released))


def _may_run(head: bytes, mode: int) -> bool:
    """Whether this is a program: not an object file, a core dump, or a library that nobody may execute."""
    program = _Program.of(head)
    if program is None or program.type in (_RELOCATABLE, _CORE):
        return False
    is_library = program.type == _DYNAMIC and all(kind != _INTERPRETER for kind, *_ in program.segments)
    return not is_library or bool(mode & 0o111)


def _search(chunks: Iterator[bytes | memoryview], held: bytes) -> tuple[str, str] | None:
    """The toolchain's version and the module text, from the first candidate that holds them."""
    window, start, candidates = b"", 0, 0
    for chunk in chunks:
        window = window[start:] + chunk
        start = 0
        while (at := window.find(_MAGIC, start)) >= 0 and candidates < MAX_CANDIDATES:
            try:
                information = _inline(window, at) or _pointed(window, at, held)
            except _Unfinished:
                start = at
                break
            if information:
                return information
            candidates += 1
            start = at + len(_MAGIC)
        else:
            start = max(start, len(window) - len(_MAGIC) + 1)
    return None


def _inline(window: bytes, at: int) -> tuple[str, str] | None:
    """Since Go 1.18: flag 2, and after the header two strings, each with its length before it as a varint."""
    header = window[at + len(_MAGIC) : at + _HEADER]
    if len(header) < _HEADER - len(_MAGIC):
        raise _Unfinished
    # The same bytes are a constant of every program that reads build information: there, text follows.
    if header[0] > 8 or header[1] not in (2, 3) or any(header[2:]):
        return None
    texts, place = [], at + _HEADER
    for _ in range(2):
        length, place = _varint(window, place)
        if length > MAX_INFORMATION:
            return None
        if place + length > len(window):
            raise _Unfinished
        texts.append(window[place : place + length])
        place += length
    return _checked(*texts)


def _varint(window: bytes, place: int) -> tuple[int, int]:
    """An unsigned LEB128 number and the place behind it."""
    value = 0
    for index, byte in enumerate(window[place : place + 5]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80 or index == 4:
            return value, place + index + 1
    raise _Unfinished


def _pointed(window: bytes, at: int, held: bytes) -> tuple[str, str] | None:
    """Before Go 1.18: the size of a pointer, the byte order, and the addresses of two Go strings (address, length)."""
    size, flags = window[at + 14 : at + 15], window[at + 15 : at + 16]
    if size not in (b"\x04", b"\x08") or flags not in (b"\0", b"\1"):
        return None
    program = _Program.of(held)
    if program is None:
        raise _Unfollowed
    form = (">" if flags == b"\1" else "<") + ("QQ" if size == b"\x08" else "II")
    texts = []
    for address in struct.unpack_from(form, window, at + 16):
        start, length = 0, 0
        if header := program.memory(held, address, struct.calcsize(form)):
            start, length = struct.unpack(form, header)
        texts.append(program.memory(held, start, length) if length <= MAX_INFORMATION else b"")
    return _checked(*texts)


def _checked(toolchain: bytes, modules: bytes) -> tuple[str, str] | None:
    """Both texts, if the first one is a toolchain's version; the second stands between two 16-byte marks."""
    if not toolchain.startswith((b"go", b"devel")):
        return None
    modules = modules[16:-16] if len(modules) > 32 and modules[-17:-16] == b"\n" else b""
    return toolchain.decode("utf-8", "replace"), modules.decode("utf-8", "replace")


class _Program:
    """An ELF file's type and segments, each as (kind, offset in the file, address, length in the file)."""

    def __init__(self, type: int, segments: list[tuple[int, int, int, int]]) -> None:
        self.type = type
        self.segments = segments

    @classmethod
    def of(cls, data: bytes) -> "_Program | None":
        """The program headers, as far as `data` holds them; None where this is no ELF file."""
        if data[:4] != _ELF or len(data) < 64 or data[4] not in (1, 2) or data[5] not in (1, 2):
            return None
        order, is_wide = "<>"[data[5] - 1], data[4] == 2
        (kind,) = struct.unpack_from(order + "H", data, 16)
        (table,) = struct.unpack_from(order + ("Q" if is_wide else "I"), data, 32 if is_wide else 28)
        size, count = struct.unpack_from(order + "HH", data, 54 if is_wide else 42)
        segments = []
        form = struct.Struct(order + ("IIQQQQ" if is_wide else "IIIIIII"))
        if count and size < form.size:
            return None  # No system loads such a program.
        for index in range(min(count, MAX_SEGMENTS)):
            place = table + index * size
            if place + form.size > len(data):
                break
            fields = form.unpack_from(data, place)
            offset, address = (fields[2], fields[3]) if is_wide else (fields[1], fields[2])
            segments.append((fields[0], offset, address, fields[5] if is_wide else fields[4]))
        return cls(kind, segments)

    def memory(self, data: bytes, address: int, length: int) -> bytes:
        """What stands at an address of the loaded program, empty where nothing from the file does."""
        for kind, offset, start, size in self.segments:
            if kind == _LOADED and start <= address and address + length <= start + size:
                content = data[offset + address - start : offset + address - start + length]
                return content if len(content) == length else b""
        return b""


def _problem(what: str, message: str, gravity: Gravity = Gravity.PARTIAL) -> Found:
    return Found(problems=(Problem(f"catalog.golang.{what}", message, gravity),))


GOLANG = GolangCataloger()
