"""The content of every file, looked at once by all who look into it: secrets and malware, archives inside included."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from holdfast.fs.archive import has_zip_end, is_archive
from holdfast.fs.tree import File
from holdfast.malware.hit import MalwareHit
from holdfast.model.file import Entry, Window
from holdfast.model.status import Gravity, Problem
from holdfast.secret.hit import SecretHit

if TYPE_CHECKING:
    from holdfast.fs.archive import Member
    from holdfast.scan.sieve import Strainer

WINDOW_BYTES = 16 << 20
OVERLAP_BYTES = 64 << 10
ARCHIVE_BYTES = 64 << 20  # a larger one is looked at as bytes only
_HEAD = 512
_SECRETS, _MALWARE, _ARCHIVES = range(3)  # as the sieve numbers them
_DOCUMENTATION = ("usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/")
_MOST_CONTENTS = 50_000  # files of a layer with something in them


class Content(Struct, frozen=True, array_like=True):
    """What was found in the content of one file of a layer."""

    path: str
    secrets: tuple[SecretHit, ...] = ()
    malware: tuple[MalwareHit, ...] = ()


class SecretSession(Protocol):
    """Looks for secrets in the windows of one layer's files, in their order; for one thread."""

    problems: list[Problem]

    def asks(self, path: str, head: bytes) -> bool:
        """Whether a file has to be examined though the sieve holds nothing of it back."""

    def examine(self, window: Window) -> tuple[SecretHit, ...]:
        """The secrets in a window that were not in the one before it."""


class MalwareSession(Protocol):
    """Looks for malware in the windows of one layer's files, in their order; for one thread."""

    problems: list[Problem]

    def asks(self, path: str, head: bytes) -> bool:
        """Whether a file has to be examined though the sieve holds nothing of it back."""

    def examine(self, window: Window, *, quiet: bool = False) -> tuple[MalwareHit, ...]:
        """What a window is believed to be; `quiet`: the sieve holds nothing of it back."""


class Examination:
    """Both engines at work on one layer; either may be missing. `contents` is what they found, file by file."""

    def __init__(
        self, secrets: SecretSession | None, malware: MalwareSession | None, strainer: "Strainer | None" = None
    ) -> None:
        self._secrets, self._malware, self._strainer = secrets, malware, strainer
        self._sessions = tuple(session for session in (secrets, malware) if session)
        self._found: dict[str, Content] = {}
        self._problems: list[Problem] = []
        self._left_out = self._pages = 0

    @property
    def contents(self) -> tuple[Content, ...]:
        """What was found so far."""
        return tuple(self._found.values())

    @property
    def problems(self) -> list[Problem]:
        """What could not be looked at so far."""
        problems = list(self._problems)
        for session in (self._secrets, self._malware):
            problems += session.problems if session else ()
        if self._pages:
            message = "compressed pages of documentation were not opened"
            problems.append(Problem("content.documentation", message, Gravity.NOTE, count=self._pages))
        if self._left_out:
            message = f"more than {_MOST_CONTENTS:,} files with findings: the rest is only counted"
            problems.append(Problem("content.too-many", message, count=self._left_out))
        return problems

    def passes(self, file: File) -> bool:
        """Whether a file may be left in the stream: all of it flowed through the sieve, and nobody asks for it."""
        span = getattr(file, "span", None) if self._strainer else None
        if span is None or not span[1]:
            return False
        entry, start = file.entry, span[0]
        if any(self._told(engine, entry, start) for engine in (_SECRETS, _MALWARE, _ARCHIVES)):
            return False
        head = file.head()
        if is_archive(head):
            self._pages += _is_documentation(entry.path)
            return _is_documentation(entry.path)
        return not any(session.asks(entry.path, head) for session in self._sessions)

    def whole(self, entry: Entry, data: bytes, start: int = -1) -> None:
        """Look at a file whose whole content is at hand, and into it where it is an archive.

        `start` is where it began in the stream that flowed through the sieve, -1 where it did not.
        """
        window, head = Window(entry.path, data, len(data), entry.mode), data[:_HEAD]
        if self._secrets and (self._told(_SECRETS, entry, start) or self._secrets.asks(entry.path, head)):
            self._note(window, self._secrets.examine(window), ())
        if self._malware:
            quiet = not self._told(_MALWARE, entry, start)
            if not quiet or self._malware.asks(entry.path, head):
                self._note(window, (), self._malware.examine(window, quiet=quiet))
        if is_archive(head) or has_zip_end(data):
            if _is_documentation(entry.path):
                self._pages += 1
            else:
                self._open(entry, data)

    def _told(self, engine: int, entry: Entry, start: int) -> bool:
        """Whether the sieve holds something of the file back, or was not asked."""
        return start < 0 or self._strainer is None or self._strainer.touched(engine, start, entry.size)

    def pieces(self, entry: Entry, chunks: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        """The pieces of a large file, passed on as they come and looked at on the way in windows that overlap."""
        held: list[bytes | memoryview] = []
        length = offset = 0
        for piece in chunks:
            held.append(bytes(piece))
            length += len(piece)
            yield piece
            if length >= WINDOW_BYTES:
                data = b"".join(held)
                self._look(Window(entry.path, data, entry.size, entry.mode, offset))
                held = [data[-OVERLAP_BYTES:]]
                offset += length - OVERLAP_BYTES
                length = OVERLAP_BYTES
        if length > OVERLAP_BYTES or not offset:
            self._look(Window(entry.path, b"".join(held), entry.size, entry.mode, offset))

    def _look(self, window: Window) -> None:
        secrets = self._secrets.examine(window) if self._secrets else ()
        malware = self._malware.examine(window) if self._malware else ()
        self._note(window, secrets, malware)

    def _note(self, window: Window, secrets: tuple[SecretHit, ...], malware: tuple[MalwareHit, ...]) -> None:
        if not secrets and not malware:
            return
        before = self._found.get(window.path)
        if before is None and len(self._found) >= _MOST_CONTENTS:
            self._left_out += 1
            return
        before = before or Content(window.path)
        self._found[window.path] = Content(window.path, (*before.secrets, *secrets), (*before.malware, *malware))

    def _open(self, entry: Entry, data: bytes) -> None:
        from holdfast.fs.archive import ARCHIVE_BUDGET, members

        for member in members(data, entry.path, ARCHIVE_BUDGET):
            if isinstance(member, Problem):
                self._problems.append(member)
            else:
                self._look(_window(entry, member))
        if content := self._found.get(entry.path):
            self._found[entry.path] = _without_repetition(content)

    def too_large(self, entry: Entry) -> None:
        """Say that an archive is too large to be opened."""
        message = f"an archive of more than {ARCHIVE_BYTES >> 20} MiB: what is packed inside it was not looked at"
        self._problems.append(Problem("content.large-archive", message, where=entry.path))


def _without_repetition(content: Content) -> Content:
    """What stands in an archive that packs without compressing is found in it and in its member: the member tells."""
    secrets = {(hit.rule, hit.key_id) for hit in content.secrets if hit.inside}
    malware = {hit.rule for hit in content.malware if hit.inside}
    return Content(
        content.path,
        tuple(hit for hit in content.secrets if hit.inside or (hit.rule, hit.key_id) not in secrets),
        tuple(hit for hit in content.malware if hit.inside or hit.rule not in malware),
    )


def _is_documentation(path: str) -> bool:
    """Whether it is a page of documentation that its package brings packed: read by people, and run by nobody."""
    return path.startswith(_DOCUMENTATION) and path.endswith(".gz") and not path.endswith((".tar.gz", ".tgz"))


def _window(entry: Entry, member: "Member") -> Window:
    return Window(entry.path, member.data, len(member.data), entry.mode, inside=member.path)


class Watched:
    """A large file whose content others look at while a reader takes what it wants of it."""

    def __init__(self, file: File, examination: Examination) -> None:
        self.entry = file.entry
        self._file = file
        self._pieces = examination.pieces(file.entry, file.chunks())

    def head(self) -> bytes:
        """The first bytes, without consuming anything."""
        return self._file.head()

    def read(self, limit: int) -> bytes:
        """All of the content; LimitError where it is longer than `limit` bytes, and then it is not consumed."""
        if self.entry.size > limit:
            return self._file.read(limit)
        return b"".join(self._pieces)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The content piece by piece, from where the last reader left off."""
        return self._pieces

    def finish(self) -> None:
        """Take what nobody wanted."""
        for _ in self._pieces:
            pass
