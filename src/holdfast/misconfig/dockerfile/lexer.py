"""Tokens of a shell script: operators, and words with what stands in them.

Grammar: POSIX Shell Command Language, "Token Recognition" and "Quoting"; with bash's `$'…'`, `<(…)`, `&>` and `<<<`.
"""

import re
from collections.abc import Iterator

from msgspec import Struct


class Word(Struct, frozen=True):
    """A word without its quotes. `bare` are the names of variables that stand in it outside of quotes, `variables` all.

    `quoted` says that some of it stood in quotes; `substitutes` that it holds a `$(…)` or backticks.
    """

    text: str
    quoted: bool = False
    variables: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    substitutes: bool = False


class Token(Struct, frozen=True):
    """An operator, or a word (then `operator` is empty) with the scripts that its substitutions hold."""

    offset: int
    operator: str = ""
    word: Word = Word("")
    scripts: tuple[str, ...] = ()


REDIRECTS = ("&>>", "<<<", "&>", ">&", "<&", ">>", ">|", "<>", "<", ">")
# The longest first: the first that fits is taken.
_OPERATORS = re.compile(r"&>>|<<<|<<-?|&&|\|\||;;&?|\|&|&>|>&|<&|>>|>\||<>|[|&;()<>\n]")
_PLAIN = re.compile(r"[^ \t\r\n'\"\\$`|&;()<>]+")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{#?([A-Za-z_][A-Za-z0-9_]*))")
_DIGITS = re.compile(r"[0-9]+")


class Lexer:
    """Reads the tokens of one script; `fault` says what was not closed."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.fault = ""
        self._heredocs: list[tuple[str, bool]] = []

    def tokens(self) -> Iterator[Token]:
        """All tokens in order. Here-documents are passed over."""
        text, size = self.text, len(self.text)
        while self.at < size:
            char = text[self.at]
            if char in " \t\r":
                self.at += 1
            elif char == "#":
                end = text.find("\n", self.at)
                self.at = size if end < 0 else end
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif char in "<>" and text.startswith("(", self.at + 1):
                yield self._word()
            elif char in "|&;()<>\n":
                yield from self._operator()
            else:
                token = self._word()
                # `2>file`: the descriptor is no word.
                if not (text[self.at : self.at + 1] in ("<", ">") and _DIGITS.fullmatch(token.word.text)):
                    yield token

    def _operator(self) -> Iterator[Token]:
        found = _OPERATORS.match(self.text, self.at)
        operator = found[0] if found else self.text[self.at]
        start, self.at = self.at, self.at + len(operator)
        if operator in ("<<", "<<-"):
            while self.text[self.at : self.at + 1] in (" ", "\t"):
                self.at += 1
            self._heredocs.append((self._word().word.text, operator == "<<-"))
            return
        if operator == "\n" and self._heredocs:
            self._skip_heredocs()
        yield Token(start, ";;" if operator == ";;&" else operator)

    def _skip_heredocs(self) -> None:
        for name, chomp in self._heredocs:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                if (line.lstrip("\t") if chomp else line) == name:
                    break
        self._heredocs.clear()

    def _word(self) -> Token:
        start, text, size = self.at, self.text, len(self.text)
        out: list[str] = []
        scripts: list[str] = []
        names: list[tuple[str, bool]] = []
        quoted = False
        while self.at < size:
            if plain := _PLAIN.match(text, self.at):
                out.append(plain[0])
                self.at = plain.end()
                continue
            char = text[self.at]
            if char == "'":
                out.append(self._single(self.at + 1))
                quoted = True
            elif char == '"':
                out.append(self._double(scripts, names))
                quoted = True
            elif char == "\\":
                if text.startswith("\n", self.at + 1):
                    self.at += 2
                    continue
                out.append(text[self.at + 1 : self.at + 2])
                self.at += 2
                quoted = True
            elif char == "$" and text.startswith("'", self.at + 1):
                out.append(self._single(self.at + 2))
                quoted = True
            elif char in "$`":
                out.append(self._substitution(scripts, names, quoted=False))
            elif char in "<>" and self.at == start and text.startswith("(", self.at + 1):
                out.append(self._parenthesis(self.at + 1, scripts))
            else:
                break
        if self.at == start:  # a character that begins nothing
            self.at += 1
        word = Word(
            "".join(out),
            quoted,
            tuple(name for name, _ in names),
            tuple(name for name, inside in names if not inside),
            bool(scripts),
        )
        return Token(start, "", word, tuple(scripts))

    def _single(self, start: int) -> str:
        end = self.text.find("'", start)
        if end < 0:
            self.fault = self.fault or "a single quote is not closed"
            end = len(self.text)
        self.at = end + 1
        return self.text[start:end]

    def _double(self, scripts: list[str], names: list[tuple[str, bool]]) -> str:
        self.at += 1
        out: list[str] = []
        text, size = self.text, len(self.text)
        while self.at < size:
            char = text[self.at]
            if char == '"':
                self.at += 1
                return "".join(out)
            if char in "$`":
                out.append(self._substitution(scripts, names, quoted=True))
                continue
            if char == "\\" and text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                self.at += 1
                char = text[self.at] if text[self.at] != "\n" else ""
            out.append(char)
            self.at += 1
        self.fault = self.fault or "a double quote is not closed"
        return "".join(out)

    def _substitution(self, scripts: list[str], names: list[tuple[str, bool]], *, quoted: bool) -> str:
        text, start = self.text, self.at
        if text[start] == "`":
            end = start + 1
            while end < len(text) and text[end] != "`":
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                self.fault = self.fault or "a backtick is not closed"
            scripts.append(text[start + 1 : end].replace("\\`", "`"))
            self.at = min(end + 1, len(text))
        elif text.startswith("$((", start) and (end := text.find("))", start)) >= 0:
            self.at = end + 2
        elif text.startswith("$(", start):
            return self._parenthesis(start + 1, scripts)
        else:
            if found := _VARIABLE.match(text, start):
                names.append((found[1] or found[2], quoted))
            self.at = found.end() if found else start + 1
            if text.startswith("${", start):
                self.at = self._closing(start + 2, "{", "}")
        return text[start : self.at]

    def _parenthesis(self, start: int, scripts: list[str]) -> str:
        first = self.at
        self.at = self._closing(start + 1, "(", ")")
        scripts.append(self.text[start + 1 : max(start + 1, self.at - 1)])
        return self.text[first : self.at]

    def _closing(self, at: int, opens: str, closes: str) -> int:
        """Behind the bracket that closes the one before `at`."""
        text, depth, quote = self.text, 1, ""
        while at < len(text):
            char = text[at]
            at += 1
            if char == "\\" and quote != "'":
                at += 1
            elif quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == opens:
                depth += 1
            elif char == closes:
                depth -= 1
                if not depth:
                    return at
        self.fault = self.fault or "a bracket is not closed"
        return len(text)
