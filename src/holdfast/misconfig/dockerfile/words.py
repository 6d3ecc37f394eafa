"""How BuildKit takes the arguments of an instruction apart.

Source of facts: moby/buildkit, frontend/dockerfile/parser (line_parsers.go, split_command.go).
"""

import json

SPACES = " \t\v\f\r\n"


class SyntaxFault(Exception):
    """Arguments that BuildKit refuses. The text says what is wrong and repeats no argument: it may be a secret."""


def split_words(text: str, escape: str) -> list[str]:
    """Words as ENV, LABEL and ARG have them: spaces inside quotes stay, quotes and escapes are kept."""
    words: list[str] = []
    word: list[str] = []
    quote, at, size = "", 0, len(text)
    while at < size:
        char = text[at]
        at += 1
        if not quote and char in SPACES:
            if word:
                words.append("".join(word))
                word.clear()
            continue
        if char == escape and quote != "'":
            if at < size:
                word += (char, text[at])
            at += 1
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        word.append(char)
    if word:
        words.append("".join(word))
    return words


def split_flags(text: str) -> tuple[list[tuple[str, str]], int]:
    """The flags that arguments begin with, as names and values, and where the rest begins.

    A value may stand behind a space (`--from a`), as BuildKit's parser reads it; `--` ends the flags.
    """
    flags: list[tuple[str, str]] = []
    at, size = 0, len(text)
    while True:
        while at < size and text[at] in SPACES:
            at += 1
        if not text.startswith("--", at):
            return flags, at
        word, end = _flag(text, at)
        if word == "--":
            return flags, end
        at = end
        name, given, value = word[2:].partition("=")
        if not given and name not in _SWITCHES:
            while at < size and text[at] in SPACES:
                at += 1
            if at < size:
                value, at = _flag(text, at)
        flags.append((name.lower(), value))


_SWITCHES = ("link", "keep-git-dir", "parents", "unpack")


def _flag(text: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    quote, size = "", len(text)
    while at < size:
        char = text[at]
        if not quote and char in SPACES:
            break
        at += 1
        if char == "\\":
            out += text[at : at + 1]
            at += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            out.append(char)
    return "".join(out), min(at, size)


def json_words(text: str) -> tuple[str, ...] | None:
    """The members of a JSON array of strings (the exec form); None where the text is no JSON array.

    SyntaxFault for an array with anything but strings in it.
    """
    text = text.strip(SPACES)
    if not text.startswith("[") or not text.endswith("]"):
        return None
    try:
        # Digits beyond 4300 make int() raise ValueError; nesting beyond the interpreter's depth RecursionError.
        members = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(member, str) for member in members):
        raise SyntaxFault("the array of an exec form may hold strings only")
    return tuple(member.encode("utf-8", "replace").decode() for member in members)


def name_values(text: str, escape: str, keyword: str) -> list[tuple[str, str]]:
    """Names and values of ENV or LABEL: `a=b c=d`, or the old form `a b` with one pair a line."""
    words = split_words(text, escape)
    if not words:
        raise SyntaxFault(f"{keyword} needs a name and a value")
    if "=" not in words[0]:
        name, *rest = text.split(None, 1)
        if not rest:
            raise SyntaxFault(f"{keyword} needs a value behind the name")
        return [(name, rest[0])]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise SyntaxFault(f"{keyword} has a word without `=` behind a pair with one")
        if not name:
            raise SyntaxFault(f"{keyword} has a pair without a name")
        pairs.append((name, value))
    return pairs
