"""A tar archive as a tree, read forward only from the chunks it arrives in."""

from collections.abc import Generator, Iterable, Iterator
from os.path import commonpath

from msgspec import Struct

from holdfast.fs import sparse
from holdfast.fs.budget import TREE_BUDGET, TreeBudget
from holdfast.fs.chunks import Buffer, ChunkReader
from holdfast.fs.path import normal, shown, text
from holdfast.fs.tar_header import (
    BLOCK,
    ZERO_BLOCK,
    BadHeader,
    Header,
    Numbers,
    decimal,
    is_gnu,
    parse,
    pax_records,
)
from holdfast.fs.tree import HEAD
from holdfast.model.errors import LimitError
from holdfast.model.file import Entry, FileType
from holdfast.model.status import Problem

_TYPES = {
    0: FileType.FILE,
    ord("0"): FileType.FILE,
    ord("1"): FileType.HARD_LINK,
    ord("2"): FileType.SYMLINK,
    ord("3"): FileType.DEVICE,
    ord("4"): FileType.DEVICE,
    ord("5"): FileType.DIRECTORY,
    ord("6"): FileType.FIFO,
    ord("7"): FileType.FILE,
    ord("S"): FileType.FILE,
}
_GLOBAL, _EXTENDED, _LONG_NAME, _LONG_LINK, _SPARSE = b"gxLKS"
_EXTENSIONS = frozenset((_GLOBAL, _EXTENDED, _LONG_NAME, _LONG_LINK))
_WITH_CONTENT = frozenset((FileType.FILE, FileType.OTHER))
_ZEROS = bytes(1 << 18)


class _Extensions(Struct):
    """What PAX and GNU headers said of the entry that follows them."""

    records: dict[bytes, bytes] = {}
    name: bytes = b""
    link: bytes = b""


class TarFile:
    """An entry of a TarTree; its content comes out of the stream, once."""

    __slots__ = ("_segments", "_tree", "entry")

    def __init__(self, tree: "TarTree", entry: Entry, segments: list[sparse.Segment] | None) -> None:
        self.entry = entry
        self._tree = tree
        self._segments = segments

    @property
    def span(self) -> tuple[int, bool] | None:
        """Where in the stream its content begins, and whether all of that has arrived; None for a sparse file."""
        return None if self._segments is not None else self._tree.span(self)

    @property
    def is_sparse(self) -> bool:
        """Whether the content has holes that are not stored in the archive."""
        return self._segments is not None

    def head(self) -> bytes:
        """The first bytes, at most HEAD of them, without consuming anything."""
        size = min(self.entry.size, HEAD)
        if not size:
            return b""
        physical = self._tree.peek(self, size)
        if self._segments is None:
            return physical
        head, at = bytearray(size), 0
        for offset, length in self._segments:
            piece = physical[at : at + min(length, max(size - offset, 0))]
            head[offset : offset + len(piece)] = piece
            at += length
        return bytes(head[:size])

    def read(self, limit: int) -> bytes:
        """All of the content; LimitError where it is longer than `limit` bytes."""
        if self.entry.size > limit:
            raise LimitError(f"longer than {limit} bytes", where=self.entry.path)
        return self._tree.take(self) if self._segments is None else b"".join(self.chunks())

    def chunks(self) -> Iterator[Buffer]:
        """The content piece by piece; shorter than `entry.size` only where the archive is cut or over budget."""
        if self._segments is None:
            yield from self._tree.pieces(self, self.entry.size)
            return
        at = 0
        for offset, length in self._segments:
            if not (yield from self._tree.zeros(offset - at)):
                return  # what follows would stand in the wrong place
            yield from self._tree.pieces(self, length)
            at = offset + length
        yield from self._tree.zeros(self.entry.size - at)


class TarTree:
    """A tar archive (v7, ustar, GNU, PAX) as a tree, walked once while its chunks arrive.

    Entries come as archive/tar gives them to container runtimes: global PAX headers change nothing, duplicates are
    all walked (the last one counts), a `..` is resolved inside the root. A header that archive/tar refuses ends the
    walk with a Problem, since no runtime gets further either; what came before stays. `where` names the archive in
    problems. The root's own entry is not walked.
    """

    def __init__(self, chunks: Iterable[bytes], budget: TreeBudget = TREE_BUDGET, where: str = "") -> None:
        self.problems: list[Problem] = []
        self._reader = ChunkReader(chunks)
        self._budget = budget
        self._where = where
        self._current: TarFile | None = None
        self._left = 0  # bytes of the current entry's content that nobody has taken
        self._padding = 0
        self._hole_bytes = budget.hole_bytes
        self._all_path_bytes = budget.all_path_bytes
        self._segments = budget.sparse_segments
        self._pax_records = budget.pax_records
        self._parent = ""  # of the last entry
        self._numbers = Numbers()
        self._capabilities = b""  # of the entry that is being read
        self._counted: dict[str, tuple[int, str]] = {}

    @property
    def offset(self) -> int:
        """Where in the archive the current entry's content begins, until it is read."""
        return self._reader.offset

    def walk(self) -> Iterator[TarFile]:
        """Every entry in the order of the archive."""
        try:
            yield from self._walk()
        except BadHeader as error:
            self._problem("layer.bad-header", f"{error}, at byte {max(self._reader.offset - BLOCK, 0)}")
        finally:
            self._current = None
            self._report_counted()

    def _walk(self) -> Iterator[TarFile]:
        extensions: _Extensions | None = None
        take, numbers = self._reader.take, self._numbers
        for _ in range(self._budget.entries):
            if (self._left or self._padding) and not self._finish_entry():
                return
            block = take(BLOCK)
            if len(block) < BLOCK or block == ZERO_BLOCK:
                return self._end(block, extensions)
            header = parse(block, numbers)
            if header.kind in _EXTENSIONS:
                extensions = self._extend(header, extensions)
                continue
            segments = None
            if extensions is not None or header.kind == _SPARSE:
                header, segments = self._merge(header, block, extensions or _Extensions())
                extensions = None
            elif header.size < 0:
                raise BadHeader("an entry has a negative size")
            entry = self._entry(header, segments)
            if entry is not None:
                if not self._pay(entry):
                    limit = self._budget.all_path_bytes
                    return self._problem("layer.too-many-paths", f"paths of more than {limit} bytes: no more is read")
                self._current = file = TarFile(self, entry, segments)
                yield file
        if take(BLOCK).strip(b"\0"):
            self._problem("layer.too-many-entries", f"more than {self._budget.entries} entries: the rest is not read")

    def _entry(self, header: Header, segments: list[sparse.Segment] | None) -> Entry | None:
        """The entry that a header describes, None for one to pass over; what is left of its content is now known."""
        kind, name, link, size, mode, uid, gid = header
        type_ = _TYPES.get(kind, FileType.OTHER)
        if kind == 0 and name.endswith(b"/"):
            type_ = FileType.DIRECTORY
        if type_ not in _WITH_CONTENT:
            if segments is not None:
                raise BadHeader("a sparse map belongs to something that has no content")
            size = 0
        elif segments is None:
            self._left, self._padding = size, -size % BLOCK
        if len(name) > self._budget.path_bytes or len(link) > self._budget.path_bytes:
            self._count("layer.path-too-long", name)
            return None
        path, outside = normal(text(name))
        target = ""
        if link and type_ is FileType.SYMLINK:
            target = text(link)
        elif type_ is FileType.HARD_LINK:
            target, link_outside = normal(text(link))
            outside = outside or link_outside
        if outside:
            self._count("layer.path-outside", name)
        if path.count("/") >= self._budget.depth:
            self._count("layer.path-too-deep", name)
            return None
        capabilities, self._capabilities = self._capabilities, b""
        return Entry(path, type_, size, mode & 0o7777, uid, gid, target, capabilities) if path else None

    def _pay(self, entry: Entry) -> bool:
        """Take an entry's path from the budget, and the directories above it that are not the last entry's too."""
        path = entry.path
        self._all_path_bytes -= len(path) + len(entry.link)
        parent = path.rpartition("/")[0]
        if parent != self._parent:
            shared = len(commonpath((parent, self._parent)))
            self._all_path_bytes -= len(parent) * (parent.count("/", shared) + 1)
            self._parent = parent
        return self._all_path_bytes >= 0

    def _extend(self, header: Header, before: _Extensions | None) -> _Extensions | None:
        """What the next entry has to know of this `x`, `g`, `L` or `K` header."""
        self._left, self._padding = header.size, -header.size % BLOCK
        if not 0 <= header.size <= self._budget.extension_bytes:
            raise BadHeader(f"an extended header of {header.size} bytes")
        data = self._reader.take(header.size)
        self._left -= len(data)
        if self._left:
            return before
        if header.kind in (_GLOBAL, _EXTENDED):
            self._pax_records -= data.count(b"\n")  # each ends with one
            if self._pax_records < 0:
                raise BadHeader("too many records in PAX headers")
        if header.kind == _GLOBAL:
            pax_records(data)  # archive/tar refuses a malformed one, and applies none; what came before it is lost
            return None
        extensions = before or _Extensions()
        if header.kind == _EXTENDED:
            extensions.records = pax_records(data)
        elif header.kind == _LONG_NAME:
            extensions.name = data.partition(b"\0")[0]
        else:
            extensions.link = data.partition(b"\0")[0]
        return extensions

    def _merge(
        self, header: Header, block: bytes, extensions: _Extensions
    ) -> tuple[Header, list[sparse.Segment] | None]:
        """The header with what its extensions change, and its sparse map; the reader stands behind the map."""
        records = extensions.records
        name = extensions.name or records.get(b"path") or header.name
        link = extensions.link or records.get(b"linkpath") or header.link
        size, uid, gid = (
            decimal(value) if (value := records.get(key)) else old
            for key, old in ((b"size", header.size), (b"uid", header.uid), (b"gid", header.gid))
        )
        merged = Header(header.kind, name, link, size, header.mode, uid, gid)
        self._capabilities = records.get(b"SCHILY.xattr.security.capability", b"")
        if size < 0:
            raise BadHeader("an entry has a negative size")
        version = sparse.pax_version(records)
        if header.kind == _SPARSE or version:
            return self._sparse(merged, block, records, version)
        return merged, None

    def _sparse(
        self, header: Header, block: bytes, records: dict[bytes, bytes], version: tuple[int, int] | None
    ) -> tuple[Header, list[sparse.Segment]]:
        stored = header.size
        self._left, self._padding = stored, -stored % BLOCK
        limit = self._budget.extension_bytes
        name = records.get(b"GNU.sparse.name") or header.name
        if header.kind == _SPARSE:
            if not is_gnu(block):
                raise BadHeader("an old sparse file whose format is not GNU")
            segments, size = sparse.old_map(block, lambda: self._reader.take(BLOCK), limit)
            name = header.name
        else:
            size = decimal(records.get(b"GNU.sparse.size") or records.get(b"GNU.sparse.realsize") or b"%d" % stored)
            if version == (1, 0):
                segments, used = sparse.data_map(lambda: self._reader.take(min(BLOCK, self._left)), min(limit, stored))
                self._left -= used
            else:
                segments = sparse.pax_map(records)
        self._segments -= len(segments)
        if self._segments < 0:
            raise BadHeader("too many segments in sparse files")
        sparse.check(segments, size)
        return header._replace(name=name, size=size), segments

    def _finish_entry(self) -> bool:
        """Pass over what is left of the current entry; False, with a problem, where the stream ends in it."""
        wanted = self._left + self._padding
        skipped = self._reader.skip(wanted)
        missing = self._left - skipped
        self._left = self._padding = 0
        if skipped < wanted and missing > 0:
            self._truncated(f"inside an entry, {missing} bytes short")
        return skipped == wanted

    def _end(self, block: bytes, extensions: _Extensions | None) -> None:
        """The archive ends, rightly with two blocks of zeros; archive/tar also takes one, or none."""
        if 0 < len(block) < BLOCK:
            self._truncated("inside a header")
        elif block and (second := self._reader.take(BLOCK)) and second != ZERO_BLOCK:
            if len(second) < BLOCK:
                self._truncated("inside its end marker")
            else:
                raise BadHeader("a block of zeros in the middle of the archive")
        elif extensions is not None:
            self._truncated("after an extended header")

    # What TarFile reads through.

    def peek(self, file: TarFile, count: int) -> bytes:
        """Up to `count` bytes of the current entry's stored content, without moving on."""
        self._must_be_current(file)
        return self._reader.peek(min(count, self._left))

    def pieces(self, file: TarFile, count: int) -> Iterator[Buffer]:
        """The next `count` bytes of the current entry's stored content, fewer where there are no more."""
        self._must_be_current(file)
        for piece in self._reader.pieces(min(count, self._left)):
            self._left -= len(piece)
            yield piece
            self._must_be_current(file)

    def span(self, file: TarFile) -> tuple[int, bool]:
        """See TarFile.span."""
        self._must_be_current(file)
        return self._reader.offset, self._left <= self._reader.arrived

    def take(self, file: TarFile) -> bytes:
        """All that is left of the current entry's stored content, fewer where there are no more."""
        self._must_be_current(file)
        data = self._reader.take(self._left)
        self._left -= len(data)
        return data

    def zeros(self, count: int) -> Generator[bytes, None, bool]:
        """The zeros of a hole; False where the budget for them does not last."""
        enough = count <= self._hole_bytes
        if not enough:
            self._count("layer.sparse-too-large", b"")
        left = min(count, self._hole_bytes)
        self._hole_bytes -= left
        while left > 0:
            yield _ZEROS[:left]
            left -= len(_ZEROS)
        return enough

    def _must_be_current(self, file: TarFile) -> None:
        if file is not self._current:
            raise RuntimeError("the content of an entry can be had only until the walk goes on")

    # Problems.

    def _problem(self, code: str, message: str) -> None:
        self.problems.append(Problem(code, message, where=self._where))

    def _truncated(self, place: str) -> None:
        self._problem("layer.truncated", f"the archive ends {place}")

    def _count(self, code: str, name: bytes) -> None:
        count, first = self._counted.get(code, (0, shown(name[:80])))
        self._counted[code] = count + 1, first

    def _report_counted(self) -> None:
        for code, (count, first) in self._counted.items():
            self.problems.append(Problem(code, _MESSAGES[code].format(first), where=self._where, count=count))
        self._counted.clear()


_MESSAGES = {
    "layer.path-too-long": "a path is longer than Linux allows, and is left out: {}…",
    "layer.path-too-deep": "a path has more parts than any real one, and is left out: {}…",
    "layer.path-outside": "a path leads out of the root, and is taken to end there: {}",
    "layer.sparse-too-large": "the holes of sparse files are longer than their budget, and are cut short",
}
