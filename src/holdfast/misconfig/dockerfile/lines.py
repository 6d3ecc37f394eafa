"""From bytes to logical lines: directives, comments, continued lines, heredocs.

Source of facts: moby/buildkit, frontend/dockerfile/parser/parser.go and directives.go.
"""

import itertools
import re
from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.dockerfile.budget import DockerfileBudget
from holdfast.misconfig.dockerfile.syntax import Heredoc
from holdfast.misconfig.dockerfile.words import split_words

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(\S.*)")
_DIRECTIVES = ("syntax", "escape", "check")
_HEREDOC = re.compile(r"[0-9]{0,9}<<(-?)([^<]*)")
_WORDS = 1000  # of an instruction that are looked at for heredocs
_TAKES_HEREDOCS = ("RUN", "COPY", "ADD")


class LogicalLine(Struct, frozen=True):
    """An instruction's text with continued lines joined, its lines, and where each physical line begins in it."""

    text: str
    line: int
    last: int
    starts: tuple[tuple[int, int], ...]
    comments: tuple[tuple[int, str], ...]
    heredocs: tuple[Heredoc, ...]


class LineReader:
    """Reads the logical lines of a Dockerfile; `faults` are (line, what) of what is wrong with them."""

    def __init__(self, data: bytes, budget: DockerfileBudget) -> None:
        self.directives: dict[str, str] = {}
        self.escape = "\\"
        self.faults: list[tuple[int, str]] = []
        self.cut = False
        text = data[: budget.data].decode("utf-8", "replace").removeprefix("\ufeff")
        self._lines = [line.removesuffix("\r") for line in text.split("\n", budget.lines)]
        if len(data) > budget.data or len(self._lines) > budget.lines:
            self.cut = True
            del self._lines[budget.lines :]
        self._at = 0
        self.comments: list[tuple[int, str]] = []
        self._read_directives()

    def _read_directives(self) -> None:
        start = 1 if self._lines[0].startswith("#!") else 0
        for number, line in enumerate(self._lines[start:], start + 1):
            found = _DIRECTIVE.fullmatch(line.lstrip())
            name = found[1].lower() if found else ""
            if not found or name not in _DIRECTIVES:
                return
            if name in self.directives:
                self.faults.append((number, f"the directive {name} stands there twice"))
                return
            self.directives[name] = found[2].rstrip()
            if name == "escape":
                if self.directives[name] in ("\\", "`"):
                    self.escape = self.directives[name]
                else:
                    self.faults.append((number, "the escape directive takes a backslash or a backtick"))

    def __iter__(self) -> Iterator[LogicalLine]:
        while self._at < len(self._lines):
            line = self._lines[self._at].strip(" \t\v\f\r")
            self._at += 1
            if line.startswith("#"):
                self.comments.append((self._at, line[1:].strip()))
            elif line:
                yield self._logical(self._lines[self._at - 1].lstrip())
            elif self.comments:
                # A comment belongs to the instruction right below it, and a blank line parts the two.
                self.comments.append((self._at, ""))

    def _logical(self, text: str) -> LogicalLine:
        first = self._at
        text, continued = self._continued(text)
        parts, starts, size = [text], [(0, first)], len(text)
        comments, self.comments = self.comments, []
        while continued and self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            bare = line.strip()
            if bare.startswith("#"):
                comments.append((self._at, bare[1:].strip()))
                continue
            if not bare:
                continue
            line, continued = self._continued(line)
            starts.append((size, self._at))
            parts.append(line)
            size += len(line)
        text = "".join(parts)
        heredocs = self._heredocs(text, first)
        return LogicalLine(text, first, self._at, tuple(starts), tuple(comments), heredocs)

    def _continued(self, line: str) -> tuple[str, bool]:
        bare = line.rstrip(" \t")
        # An escape that is itself escaped continues nothing.
        if bare.endswith(self.escape) and not bare.endswith(self.escape * 2):
            return bare[:-1], True
        return line, False

    def _heredocs(self, text: str, first: int) -> tuple[Heredoc, ...]:
        if "<<" not in text:
            return ()
        keyword, _, rest = text.partition(" ")
        if keyword.upper() == "ONBUILD":
            keyword, _, rest = rest.strip().partition(" ")
        if keyword.upper() not in _TAKES_HEREDOCS or rest.lstrip().startswith("["):
            return ()
        found = []
        for word in itertools.islice(split_words(rest, self.escape), _WORDS):
            marker = _HEREDOC.fullmatch(word)
            name = marker[2].replace('"', "").replace("'", "").replace("\\", "") if marker else ""
            if marker and name and not any(char in "()|;&>" for char in name):
                found.append(self._heredoc(name, first, chomp=bool(marker[1]), expand=name == marker[2]))
        return tuple(found)

    def _heredoc(self, name: str, first: int, *, chomp: bool, expand: bool) -> Heredoc:
        start = self._at
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if (line.lstrip("\t") if chomp else line) == name:
                content = self._lines[start : self._at - 1]
                break
        else:
            content = self._lines[start:]
            self.faults.append((first, "a heredoc is not closed: its delimiter stands on no line of its own"))
        if chomp:
            content = [line.lstrip("\t") for line in content]
        return Heredoc(name, "\n".join(content) + "\n" if content else "", start + 1, chomp, expand)
