"""Variables in Dockerfile arguments: `$x`, `${x:-d}`, `${x:+w}`, `${x:?m}`, `${x#p}`, `${x%p}`, `${x/p/r}`.

Source of facts: moby/buildkit, frontend/dockerfile/shell/lex.go, and the reference's "Environment replacement".
"""

from collections.abc import Mapping

from msgspec import Struct

from holdfast.misconfig.dockerfile.budget import DOCKERFILE_BUDGET, DockerfileBudget
from holdfast.misconfig.dockerfile.words import SPACES, SyntaxFault


class Expansion(Struct, frozen=True):
    """What a text becomes: whole, split at unquoted spaces, and the names that had no value (those stay as written)."""

    text: str
    words: tuple[str, ...]
    unresolved: frozenset[str]


class TooLarge(Exception):
    """A value grew beyond its budget, or a pattern asked for too many comparisons."""


def expand(
    text: str, values: Mapping[str, str | None], escape: str = "\\", budget: DockerfileBudget = DOCKERFILE_BUDGET
) -> Expansion:
    """The text with variables and quotes worked out.

    A name whose value is None, or that is not there, is unresolved: `$x` stays as it stands, `${x:-d}` becomes d.
    SyntaxFault where BuildKit would refuse the text, TooLarge beyond the budget.
    """
    reader = _Reader(text, values, escape, budget)
    whole = reader.until("", raw=False, depth=0)
    return Expansion(whole, reader.split(), frozenset(reader.unresolved))


class _Reader:
    def __init__(self, text: str, values: Mapping[str, str | None], escape: str, budget: DockerfileBudget) -> None:
        self.text, self.values, self.escape, self.budget = text, values, escape, budget
        self.at = 0
        self.unresolved: set[str] = set()
        self.pieces: list[tuple[str, bool]] = []  # of the outermost level: text, and whether spaces in it split
        self.size = 0

    def split(self) -> tuple[str, ...]:
        words: list[str] = []
        word: list[str] = []
        open_word = False
        for piece, splits in self.pieces:
            if not splits:
                word.append(piece)
                open_word = True
                continue
            for char in piece:
                if char not in SPACES:
                    word.append(char)
                    open_word = True
                elif open_word:
                    words.append("".join(word))
                    word.clear()
                    open_word = False
        if open_word:
            words.append("".join(word))
        return tuple(part for part in words if part)

    def until(self, stop: str, *, raw: bool, depth: int) -> str:
        """Everything up to the unquoted character `stop` (empty: the end). `raw` keeps escapes, for patterns."""
        if depth > self.budget.depth:
            raise TooLarge
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if stop and char == stop:
                self.at += 1
                return "".join(out)
            splits = True
            if char == "'":
                piece, splits = self._single(), False
            elif char == '"':
                piece, splits = self._double(depth), False
            elif char == "$":
                piece = self._dollar(depth)
            elif char == self.escape:
                self.at += 2
                piece, splits = self.text[self.at - 2 if raw else self.at - 1 : self.at], False
            else:
                end = self.at + 1
                while end < len(self.text) and self.text[end] not in ("'", '"', "$", self.escape, stop):
                    end += 1
                piece, self.at = self.text[self.at : end], end
            self._count(piece)
            out.append(piece)
            if not depth:
                self.pieces.append((piece, splits))
        if stop:
            raise SyntaxFault(f"the end comes before the closing {stop}")
        return "".join(out)

    def _count(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > self.budget.value:
            raise TooLarge

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise SyntaxFault("a single quote is not closed")
        piece, self.at = self.text[self.at + 1 : end], end + 1
        return piece

    def _double(self, depth: int) -> str:
        self.at += 1
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(out)
            if char == "$":
                out.append(self._dollar(depth))
                continue
            if char == self.escape and self.text[self.at + 1 : self.at + 2] in ('"', "$", self.escape):
                self.at += 1
                char = self.text[self.at]
            out.append(char)
            self.at += 1
        raise SyntaxFault("a double quote is not closed")

    def _dollar(self, depth: int) -> str:
        start = self.at
        self.at += 1
        if self.text[self.at : self.at + 1] != "{":
            name = self._name()
            return self._value(name, start) if name else "$"
        self.at += 1
        name = self._name()
        if not name:
            raise SyntaxFault("a substitution without a name")
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == "}":
            return self._value(name, start)
        if char == "/":
            return self._replaced(name, start, depth)
        null = char == ":"
        if null:
            char = self.text[self.at : self.at + 1]
            self.at += 1
        if char not in ("+", "-", "?", "#", "%") or not char:
            raise SyntaxFault("a substitution that is not known")
        word = self.until("}", raw=char in "#%", depth=depth + 1)
        return self._modified(name, char, word, start, null=null)

    def _modified(self, name: str, modifier: str, word: str, start: int, *, null: bool) -> str:
        value = self.values.get(name)
        missing = value is None or (null and not value)
        if modifier == "-":
            return word if missing else value or ""
        if modifier == "+":
            return "" if missing else word
        if value is None or (modifier == "?" and missing):
            self.unresolved.add(name)
            return self.text[start : self.at]
        if modifier == "?":
            return value
        greedy = word[:1] == modifier
        return _trim(word[greedy:], value, greedy=greedy, suffix=modifier == "%", limit=self.budget.value * 2)

    def _replaced(self, name: str, start: int, depth: int) -> str:
        every = self.text[self.at : self.at + 1] == "/"
        self.at += every
        pattern = self.until("/", raw=True, depth=depth + 1)
        replacement = self.until("}", raw=True, depth=depth + 1)
        value = self.values.get(name)
        if value is None:
            self.unresolved.add(name)
            return self.text[start : self.at]
        return _replace(pattern, replacement, value, every=every, limit=self.budget.value * 2)

    def _value(self, name: str, start: int) -> str:
        value = self.values.get(name)
        if value is None:
            self.unresolved.add(name)
            return self.text[start : self.at]
        return value

    def _name(self) -> str:
        start = self.at
        if self.text[start : start + 1] in tuple("@*#?-$!0"):
            self.at += 1
        elif self.text[start : start + 1] in tuple("123456789"):
            while self.text[self.at : self.at + 1] in tuple("0123456789"):
                self.at += 1
        else:
            while self.at < len(self.text) and (self.text[self.at].isalnum() or self.text[self.at] == "_"):
                self.at += 1
        return self.text[start : self.at]


def _pattern(pattern: str) -> list[str]:
    """A glob as a list: `*` and `?` for themselves, every other character (escaped ones too) behind a backslash."""
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            out.append("\\" + pattern[at])
        else:
            out.append(char if char in "*?" else "\\" + char)
        at += 1
    return out


def _ends(pattern: list[str], value: str, start: int, work: list[int]) -> set[int]:
    """Where matches of the pattern that begin at `start` can end. Set of positions, so that no input backtracks."""
    here = {start}
    for part in pattern:
        work[0] -= len(here) + 1
        if part == "*":
            work[0] -= len(value)
            here = set(range(min(here), len(value) + 1))
        elif part == "?":
            here = {at + 1 for at in here if at < len(value)}
        else:
            here = {at + 1 for at in here if value[at : at + 1] == part[1]}
        if work[0] < 0:
            raise TooLarge
        if not here:
            break
    return here


def _trim(pattern: str, value: str, *, greedy: bool, suffix: bool, limit: int) -> str:
    parts = _pattern(pattern)
    text = value[::-1] if suffix else value
    ends = _ends(parts[::-1] if suffix else parts, text, 0, [limit])
    if not ends:
        return value
    rest = text[max(ends) if greedy else min(ends) :]
    return rest[::-1] if suffix else rest


def _replace(pattern: str, replacement: str, value: str, *, every: bool, limit: int) -> str:
    parts, work = _pattern(pattern), [limit]
    if not parts:
        return value
    out: list[str] = []
    at = 0
    while at < len(value):
        ends = _ends(parts, value, at, work)
        if ends:
            out.append(replacement)
            end = max(ends)
            if end == at:
                out.append(value[at])
                end += 1
            at = end
            if not every:
                break
        else:
            out.append(value[at])
            at += 1
    return "".join(out) + value[at:]
