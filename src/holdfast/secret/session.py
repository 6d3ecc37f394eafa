"""One thread's search through the files of one layer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from holdfast.model.file import Window
from holdfast.model.status import Problem
from holdfast.secret.hit import SecretHit
from holdfast.secret.match import Match, Surroundings, Work, distinct
from holdfast.secret.redact import redacted
from holdfast.secret.search import Search, Secrets
from holdfast.secret.wrapping import utf16

if TYPE_CHECKING:
    from holdfast.secret.engine import SecretEngine

_HEAD = 4096
_EDGE = 256  # bytes at a window's edge where a match may be cut: the window that overlaps has it whole


class _Large:
    """What is remembered of a large file between its windows."""

    def __init__(self, window: Window) -> None:
        self.name = window.path, window.inside
        self.binary = False
        self.lines = 0  # before the window that is looked at
        self.end = 0
        self.told: set[tuple[str, str, int]] = set()


class Session:
    """Looks for secrets in the windows of one layer's files, in their order; for one thread.

    `problems` is what could not be looked at within the bounds of work, so far.
    """

    def __init__(self, engine: "SecretEngine") -> None:
        self._engine = engine
        self._search = Search(engine)
        self._large: _Large | None = None
        self.problems: list[Problem] = []

    def __repr__(self) -> str:
        return "Session()"

    def asks(self, path: str, head: bytes) -> bool:
        """Whether a file has to be examined though no expression is found in it: for its name, or as UTF-16."""
        return bool(self._engine.placed(path)) or ((0 in head[:64] or head[:1] >= b"\xfe") and utf16(head) is not None)

    def examine(self, window: Window) -> tuple[SecretHit, ...]:
        """The secrets in a window that were not in the one before it."""
        data, encoding = window.data, ""
        if not data:
            return ()
        if (0 in data[:64] or data[0] >= 0xFE) and (text := utf16(data)):
            data, encoding = text, "utf-16"
        large = self._continued(window) if len(window.data) != window.size else None
        found = self._search.scan(data)
        placed = self._engine.placed(window.inside or window.path)
        if not found and not placed:
            hits: tuple[SecretHit, ...] = ()
        else:
            hits = self._hits(window, data, encoding, list(found), placed, large)
        if large:
            large.lines += window.data.count(b"\n")
            large.end = window.offset + len(window.data)
        return hits

    def secrets(self, data: bytes) -> list[tuple[SecretHit, bytes]]:
        """The secrets in a text that stands in no file, each as it stands there: whole, not to be kept."""
        from holdfast.secret.context import nature_of

        surroundings = Surroundings(nature_of(""), binary=False)
        secrets = self._search.confirm(data, list(self._search.scan(data)), frozenset(), surroundings, Work())
        return [(self.hit(match, 0, encoding), data[start:end]) for start, end, match, encoding in _spans(secrets, "")]

    def hit(self, match: Match, line: int, encoding: str = "", inside: str = "") -> SecretHit:
        """What may be kept and shown of a match."""
        rule = match.rule.rule.id
        key_id = self._engine.identify(rule, match.secret, match.groups)
        return SecretHit(
            rule, redacted(match.secret), key_id, len(match.secret), line, match.confidence, encoding,
            match.checks, inside, match.note,
        )  # fmt: skip

    def _hits(
        self, window: Window, data: bytes, encoding: str, found: list[tuple[int, int]], placed: frozenset[int],
        large: _Large | None,
    ) -> tuple[SecretHit, ...]:  # fmt: skip
        from holdfast.secret.context import nature_of

        binary = large.binary if large else not encoding and 0 in data[:_HEAD]
        surroundings, work = (
            Surroundings(nature_of(f"{window.path}/{window.inside}" if window.inside else window.path), binary),
            Work(),
        )
        if self._search.flooded:
            self._say("secret.too-many-candidates", "too much in it looks like a secret: not all was looked at", window)
        secrets = self._search.confirm(data, found, placed, surroundings, work)
        if work.left_out:
            self._say("secret.too-much-work", "too much in it looks like a secret: not all was confirmed", window)
        spans = list(_spans(secrets, encoding))
        if large:
            low, high = _EDGE if window.offset else 0, len(data)
            if window.offset + len(window.data) < window.size:
                high -= _EDGE
            spans = [span for span in spans if low <= span[0] and span[1] <= high]
        hits = self._lined(data, spans, large.lines if large else 0, window.inside)
        if large is None:
            return tuple(hits)
        names = [(hit.rule, hit.key_id, hit.line) for hit in hits]
        new = [hit for hit, name in zip(hits, names, strict=True) if name not in large.told]
        large.told.update(names)
        return tuple(new)

    def _lined(
        self, data: bytes, spans: Iterable[tuple[int, int, Match, str]], lines: int, inside: str
    ) -> list[SecretHit]:
        """Hits with the lines that they begin in, counted once through the data."""
        hits, line, place = [], lines + 1, 0
        for start, _, match, encoding in sorted(spans, key=lambda span: span[0]):
            line += data.count(b"\n", place, start)
            place = start
            hits.append(self.hit(match, line, encoding, inside))
        return hits

    def _continued(self, window: Window) -> _Large:
        """What is known of the file that this window is a part of."""
        large = self._large
        if large is None or large.name != (window.path, window.inside) or not window.offset:
            large = self._large = _Large(window)
            large.binary = 0 in window.data[:_HEAD]
        elif window.offset < large.end:
            large.lines -= window.data.count(b"\n", 0, large.end - window.offset)
        return large

    def _say(self, code: str, message: str, window: Window) -> None:
        """A problem once, with how often, however many files it happens in."""
        for place, problem in enumerate(self.problems):
            if problem.code == code:
                self.problems[place] = msgspec.structs.replace(problem, count=problem.count + 1)
                return
        where = f"{window.path}!/{window.inside}" if window.inside else window.path
        self.problems.append(Problem(code, message, where=where, remedy="look at this file yourself"))


def _spans(secrets: Secrets, encoding: str) -> Iterable[tuple[int, int, Match, str]]:
    """Where each secret stands, the better one where two overlap; those in base64 where their run begins."""
    for match in distinct(secrets.plain):
        yield match.start, match.end, match, encoding
    for run, match in secrets.wrapped:
        yield run.start, run.end, match, "base64"
