"""Binary packages (deb(5)): an ar archive that holds a tar, of which only the changelog is wanted."""

import re
import zlib
from collections.abc import Iterable, Iterator

from holdfast.fs.budget import TreeBudget
from holdfast.fs.tar import TarTree
from holdfast.model.errors import InputError, LimitError, NotFound
from holdfast.model.file import FileType

_MAGIC = b"!<arch>\n"
_HEADER = 60
_MEMBERS = 32
_INFLATED = 2 << 30
_ENTRIES = 500_000
_CHUNK = 1 << 18
_CHANGELOG = 32 << 20
# A native package has only `changelog.gz`; in others that name is the upstream authors' own.
_NAMES = re.compile(r"usr/share/doc/[^/]+/(changelog\.Debian(?:\.gz)?|changelog(?:\.gz)?)")


def changelog(deb: bytes) -> bytes:
    """The Debian changelog that a .deb carries, unpacked; the tar is read no further than that.

    Raises NotFound where there is none (its folder is a link to another package's), InputError or LimitError where
    the file is damaged or hostile.
    """
    name, data = _data(deb)
    tree = TarTree(_inflate(name, data), TreeBudget(entries=_ENTRIES))
    native: bytes | None = None
    for file in tree.walk():
        match = _NAMES.fullmatch(file.entry.path)
        if match is None or file.entry.type is not FileType.FILE or file.entry.size > _CHANGELOG:
            continue
        content = file.read(_CHANGELOG)
        if match[1].endswith(".gz"):
            content = _gunzip(content)
        if match[1].startswith("changelog.Debian"):
            return content
        native = content
    if native is not None:
        return native
    if tree.problems:
        raise InputError(f"damaged: {tree.problems[0].message}", where=name)
    raise NotFound("the package holds no Debian changelog")


def _data(deb: bytes) -> tuple[str, memoryview]:
    """The name and content of the member that holds the files."""
    for name, content in members(deb):
        if name.startswith("data.tar"):
            return name, content
    raise InputError("not a Debian package: there is no data.tar in it")


def members(archive: bytes) -> Iterator[tuple[str, memoryview]]:
    """The members of a common-format ar archive. Raises InputError where one is damaged or cut short."""
    if not archive.startswith(_MAGIC):
        raise InputError("not an ar archive")
    view = memoryview(archive)
    at = len(_MAGIC)
    for _ in range(_MEMBERS):
        header = archive[at : at + _HEADER]
        if not header:
            return
        size = header[48:58].rstrip(b" ")
        if len(header) < _HEADER or header[58:] != b"`\n" or not re.fullmatch(rb"[0-9]{1,10}", size):
            raise InputError("a damaged member in an ar archive")
        at += _HEADER
        end = at + int(size)
        if end > len(archive):
            raise InputError("an ar archive that is cut short")
        yield header[:16].decode("ascii", "replace").rstrip(" ").removesuffix("/"), view[at:end]
        at = end + (end & 1)


def _inflate(name: str, data: memoryview) -> Iterator[bytes]:
    """The tar in pieces. What is damaged ends early; a bomb ends at 2 GiB."""
    total = 0
    try:
        for piece in _pieces(name, data):
            total += len(piece)
            if total > _INFLATED:
                return
            yield piece
    except _damage():
        return


def _pieces(name: str, data: memoryview) -> Iterable[bytes]:
    if name == "data.tar":
        return (bytes(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK))
    if name == "data.tar.xz":
        return _xz(data)
    if name == "data.tar.gz":
        return _gz(data)
    if name == "data.tar.zst":
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=1 << 27).read_to_iter(data, write_size=_CHUNK)
    raise InputError(f"packed in a way that is not known here: {name!r}")


def _damage() -> tuple[type[Exception], ...]:
    from lzma import LZMAError

    from zstandard import ZstdError

    return (LZMAError, ZstdError, zlib.error, EOFError, MemoryError)


def _xz(data: memoryview) -> Iterator[bytes]:
    from lzma import FORMAT_XZ, LZMADecompressor

    inflater = LZMADecompressor(FORMAT_XZ, memlimit=256 << 20)
    piece = inflater.decompress(data, _CHUNK)
    while piece or not (inflater.eof or inflater.needs_input):
        yield piece
        piece = b"" if inflater.eof else inflater.decompress(b"", _CHUNK)


def _gz(data: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(31)
    piece = inflater.decompress(data, _CHUNK)
    while piece or inflater.unconsumed_tail:
        yield piece
        piece = inflater.decompress(inflater.unconsumed_tail, _CHUNK)


def _gunzip(content: bytes) -> bytes:
    inflater = zlib.decompressobj(31)
    try:
        plain = inflater.decompress(content, _CHANGELOG)
    except zlib.error as error:
        raise InputError(f"a changelog that cannot be unpacked: {error}") from error
    if inflater.unconsumed_tail:
        raise LimitError(f"a changelog of more than {_CHANGELOG:,} bytes")
    return plain
