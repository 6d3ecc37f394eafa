"""Shell commands as far as their words go: what runs, with which words, and what is piped into what."""

from collections.abc import Iterator

from msgspec import Struct

MAX_LENGTH = 65_536
_MAX_WORDS = 4_096
_ENDS = frozenset((";", "&", "|", "\n", "(", ")"))
_BEFORE = frozenset(("then", "do", "else", "if", "while", "!", "{", "exec", "command", "time", "nice", "env"))


class Command(Struct, frozen=True, gc=False):
    """One simple command. `piped` is true where its input comes from the command before it."""

    words: tuple[str, ...]
    piped: bool = False

    @property
    def name(self) -> str:
        """The program, without its folder."""
        return self.words[0].rpartition("/")[2]


def commands(text: str) -> list[Command]:
    """The simple commands of a line in their order: without assignments before them, without `set -x` and the like.

    Quotes are taken off, nothing is expanded, and what is within a substitution is read as commands too. The first
    MAX_LENGTH characters are looked at.
    """
    found: list[Command] = []
    words: list[str] = []
    piped = False
    for word in _words(text[:MAX_LENGTH]):
        if word is not None and len(words) < _MAX_WORDS and word[0] == "w":
            words.append(word[1:])
            continue
        if command := _command(words, piped=piped):
            found.append(command)
        piped = word == "e|"
        words = []
    return found


def _command(words: list[str], *, piped: bool) -> Command | None:
    start = 0
    while start < len(words) and (words[start] in _BEFORE or _is_assignment(words[start])):
        start += 1
    return Command(tuple(words[start:]), piped) if start < len(words) and words[start] else None


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _words(text: str) -> Iterator[str | None]:
    """Words as `w…`, ends of commands as `e` and the character, None at the end of all."""
    word: list[str] = []
    started = False
    quote = ""
    at, end = 0, len(text)
    while at < end:
        character = text[at]
        at += 1
        if quote:
            if character == quote:
                quote = ""
            elif character == "\\" and quote == '"' and at < end:
                word.append(text[at])
                at += 1
            else:
                word.append(character)
        elif character == "\\" and at < end:
            if text[at] != "\n":
                word.append(text[at])
                started = True
            at += 1
        elif character in "\"'":
            quote, started = character, True
        elif character in _ENDS or character in " \t\r`":
            if started or word:
                yield "w" + "".join(word)
                word, started = [], False
            if character in _ENDS:
                doubled = text[at : at + 1] == character and character in "&|"
                yield "e" + (character if not doubled else ";")
                at += doubled
            elif character == "`":
                yield "e("
        elif character == "#" and not word and not started:
            newline = text.find("\n", at)
            at = end if newline < 0 else newline
        else:
            word.append(character)
    if started or word:
        yield "w" + "".join(word)
    yield None
