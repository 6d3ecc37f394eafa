"""What is packed inside a file: the members of archives, and of archives in them, to a bounded depth and cost.

zip (APPNOTE.TXT 6.3.10; jar, war, whl, apk), tar, gzip, xz, bzip2, zstd, and tar in each of those. The inflating is the
libraries'; here are the bounds. Damage, bombs and quines become Problems, never exceptions.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from holdfast.fs.budget import MIB, TreeBudget
from holdfast.fs.inflate import (
    CENTRAL,
    ENCRYPTED,
    METHODS,
    Damaged,
    checksum,
    compression_of,
    directory,
    inflated_name,
    packed_bytes,
    pieces,
    zip_method,
)
from holdfast.fs.path import raw, shown
from holdfast.fs.tar import TarTree
from holdfast.model.errors import LimitError
from holdfast.model.file import FileType
from holdfast.model.status import Gravity, Problem

JOINT = "!/"
"""What joins the paths of archives in archives."""


class ArchiveBudget(Struct, frozen=True):
    """The bounds of one file and all that is packed inside it.

    - `depth`: archives in archives; a jar in a war in a tar is three. A quine has no end.
    - `members`: of all archives together; the largest jars hold some 60,000 classes.
    - `member_bytes`: of one member inflated; what is longer is given cut short, with a Problem.
    - `inflated_bytes`: of all members together, those given more than once counted each time: it bounds the time too.
    - `ratio`: inflated by packed bytes, from `spared_bytes` on; text packs 10:1, a bomb 1000:1.
    - `problems`: told of one file, the rest is left out.
    """

    depth: int = 3
    members: int = 100_000
    member_bytes: int = 64 * MIB
    inflated_bytes: int = 512 * MIB
    ratio: int = 100
    spared_bytes: int = 16 * MIB
    problems: int = 20


ARCHIVE_BUDGET = ArchiveBudget()


class Member(Struct, frozen=True):
    """A file inside: `path` from the outermost archive on, joined by `!/`; `data` its content."""

    path: str
    data: bytes


_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_STREAMS = frozenset((b"\x1f\x8b", b"\xfd7", b"BZ", b"\x28\xb5"))
BLOCK = 512
ZIP_END = b"PK\x05\x06"
"""What every zip ends with, before its comment (APPNOTE.TXT, end of central directory record)."""
_ZIP_END_BYTES = 22


def is_archive(head: bytes) -> bool:
    """Whether something may be packed inside a file that begins with these bytes (the first 512 tell all)."""
    first = head[:2]
    if first == b"PK":
        return head[:4] in _ZIPS
    if first in _STREAMS:
        return compression_of(head) != ""
    return head[257:262] == b"ustar"


def has_zip_end(data: bytes) -> bool:
    """Whether a zip stands behind something else: a program that unpacks itself, a Python application."""
    at = data.rfind(ZIP_END, -(_ZIP_END_BYTES + 0xFFFF))
    comment = int.from_bytes(data[at + _ZIP_END_BYTES - 2 : at + _ZIP_END_BYTES], "little")
    return 0 < at <= len(data) - _ZIP_END_BYTES and at + _ZIP_END_BYTES + comment == len(data)


def members(data: bytes, name: str, budget: ArchiveBudget = ARCHIVE_BUDGET) -> Iterator[Member | Problem]:
    """The files packed inside `data`, and what of it could not be read; `name` says where in problems.

    A member that is itself a zip or compressed file is given as it stands, and what is inside it after it.
    """
    opening = _Opening(len(data), name, budget)
    yield from opening.open(data, "", ())


class _Exhausted(Exception):
    """Nothing more may be inflated on behalf of this file."""


class _Opening:
    """One file being opened, with what is left of its budget."""

    def __init__(self, size: int, name: str, budget: ArchiveBudget) -> None:
        self._budget, self._name, self._size = budget, name, size
        self._members, self._inflated, self._problems = budget.members, 0, 0

    def open(self, data: bytes, path: str, above: tuple[bytes, ...]) -> Iterator[Member | Problem]:
        """All members of one archive; `above` are the archives it lies in."""
        if len(above) >= self._budget.depth:
            yield from self._problem("archive.too-deep", "archives in archives beyond the depth looked at", path)
            return
        if data in above:
            yield from self._problem("archive.contains-itself", "an archive that contains itself", path, Gravity.NOTE)
            return
        try:
            if data[:2] == b"PK" or (not is_archive(data[:BLOCK]) and has_zip_end(data)):
                yield from self._zip(data, path, (*above, data))
            elif compression := compression_of(data[:16]):
                yield from self._stream(data, path, compression, (*above, data))
            else:
                yield from self._tar((data,), path, (*above, data))
        except Damaged as error:
            yield from self._problem("archive.damaged", str(error), path, Gravity.NOTE)
        except _Exhausted as error:
            if above:
                raise
            yield from self._problem("archive.too-large", str(error), path)

    def _give(self, path: str, data: bytes, above: tuple[bytes, ...]) -> Iterator[Member | Problem]:
        """A member, and what is inside it."""
        yield Member(path, data)
        if is_archive(data[:BLOCK]):
            yield from self.open(data, path, above)

    def _zip(self, data: bytes, path: str, above: tuple[bytes, ...]) -> Iterator[Member | Problem]:
        if data.count(CENTRAL) > self._members:  # an upper bound, before the directory is read into objects
            raise _Exhausted(f"more than {self._budget.members:,} members")
        taken = 0
        for info in directory(data):
            self._member()
            if info.is_dir():
                continue
            inner = _joined(path, shown(info.filename.encode("utf-8", "surrogateescape")))
            if info.flag_bits & ENCRYPTED:
                yield from self._problem("archive.encrypted", "a member is encrypted", inner, Gravity.NOTE)
                continue
            try:
                packed, end = packed_bytes(data, info)
                if info.header_offset < taken:
                    raise Damaged("members overlap, as they do in a bomb")
                taken = end
                method = zip_method(info.compress_type)
                limit = min(info.file_size + 1, self._budget.member_bytes)
                content = b"".join(self._pieces(pieces(packed, method), limit))
            except Damaged as error:
                yield from self._problem("archive.damaged", str(error), inner, Gravity.NOTE)
                continue
            if len(content) == self._budget.member_bytes and info.file_size > len(content):
                yield self._cut(inner)
            elif len(content) != info.file_size or checksum(content) != info.CRC:
                message = "a member is not what the directory says: its length or checksum differs"
                yield from self._problem("archive.damaged", message, inner, Gravity.NOTE)
            yield from self._give(inner, content, above)

    def _stream(self, data: bytes, path: str, kind: str, above: tuple[bytes, ...]) -> Iterator[Member | Problem]:
        self._member()
        source = _Careful(self._pieces(pieces(memoryview(data), METHODS[kind], several=True)))
        head: list[bytes] = []
        length = 0
        for piece in source:
            head.append(piece)
            length += len(piece)
            if length >= BLOCK:
                break
        start = b"".join(head)
        if start[257:262] == b"ustar":
            yield from self._tar(chain((start,), source), path, above)  # never held as one
        elif start:
            limit = self._budget.member_bytes
            content = b"".join(chain((start,), _until(source, limit + 1 - length)))
            inner = _joined(path, inflated_name(path or self._name, kind))
            if len(content) > limit:
                content = content[:limit]
                yield self._cut(inner)
            yield from self._give(inner, content, above)
        if source.damage:
            yield from self._problem("archive.damaged", source.damage, path, Gravity.NOTE)

    def _tar(self, chunks: Iterable[bytes], path: str, above: tuple[bytes, ...]) -> Iterator[Member | Problem]:
        tree = TarTree(chunks, TreeBudget(entries=max(self._members, 1), hole_bytes=self._budget.spared_bytes), path)
        for file in tree.walk():
            self._member()
            if file.entry.type is not FileType.FILE or not file.entry.size:
                continue
            inner = _joined(path, shown(raw(file.entry.path)))
            try:
                content = file.read(self._budget.member_bytes)
            except LimitError:
                # The holes of a sparse file hold nothing, and what cannot be packed in so little is not there.
                most = self._budget.spared_bytes + self._budget.ratio * self._size
                empty = file.is_sparse or file.entry.size > most
                yield self._cut(inner, Gravity.NOTE if empty else Gravity.PARTIAL)
                content = b"".join(_until(map(bytes, file.chunks()), self._budget.member_bytes))
            self._pay(len(content))
            yield from self._give(inner, content, above)
        for problem in tree.problems:
            yield from self._problem("archive.damaged", problem.message, path, Gravity.NOTE)

    def _pieces(self, source: Iterable[bytes], limit: int = -1) -> Iterator[bytes]:
        """The same, paid for, and at most `limit` bytes."""
        for piece in source:
            self._pay(len(piece))
            if 0 <= limit <= len(piece):
                yield piece[:limit]
                return
            limit -= len(piece) if limit > 0 else 0
            yield piece

    def _pay(self, count: int) -> None:
        self._inflated += count
        if self._inflated > self._budget.inflated_bytes:
            raise _Exhausted(f"more than {self._budget.inflated_bytes >> 20} MiB are packed inside")
        if self._inflated > self._budget.spared_bytes + self._budget.ratio * self._size:
            raise _Exhausted(f"inflates to more than {self._budget.ratio} times its size, as a bomb does")

    def _member(self) -> None:
        self._members -= 1
        if self._members < 0:
            raise _Exhausted(f"more than {self._budget.members:,} members")

    def _cut(self, where: str, gravity: Gravity = Gravity.PARTIAL) -> Problem:
        message = f"a member is looked at for its first {self._budget.member_bytes >> 20} MiB only"
        return Problem("archive.member-too-large", message, gravity, where=f"{self._name}{JOINT}{where}")

    def _problem(self, code: str, message: str, path: str, gravity: Gravity = Gravity.PARTIAL) -> Iterator[Problem]:
        self._problems += 1
        if self._problems <= self._budget.problems:
            yield Problem(code, message, gravity, f"{self._name}{JOINT}{path}" if path else self._name)


class _Careful:
    """Pieces up to where they are damaged; `damage` then says how."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self.damage = ""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._source)
        except Damaged as error:
            self.damage = str(error)
            raise StopIteration from error


def _until(source: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Pieces until there are at least `limit` bytes."""
    for piece in source if limit > 0 else ():
        yield piece
        limit -= len(piece)
        if limit <= 0:
            return


def _joined(path: str, name: str) -> str:
    return f"{path}{JOINT}{name}" if path else name
