"""What a registry wants, as `WWW-Authenticate` says it (RFC 9110 §11.6.1), in the forms that are really sent."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

_MOST_CHARACTERS = 64 << 10
_MOST_CHALLENGES = 32
_MOST_PARAMETERS = 64
_GAP = re.compile(r"[\s,]*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_TOKEN68 = re.compile(r"[ \t]+([A-Za-z0-9\-._~+/]+=*)[ \t]*(?:,|\Z)")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)', re.DOTALL)
_UNQUOTED = re.compile(r"[^\s,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Challenge(Struct, frozen=True):
    """One scheme by which to authenticate, and its parameters; schemes and names are in lower case.

    A `scope` that is given several times is one, with spaces between; of another parameter the first counts.
    """

    scheme: str
    parameters: dict[str, str] = {}

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that a token has to have, where it says so."""
        return tuple(self.parameters.get("scope", "").split())


def parse(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """The challenges of all `WWW-Authenticate` headers of an answer. What makes no sense is passed over."""
    found: list[Challenge] = []
    left = _MOST_CHARACTERS
    for header in headers:
        for name, value in _parts(header[:left]):
            if value is None:
                if len(found) == _MOST_CHALLENGES:
                    return tuple(found)
                found.append(Challenge(name, {}))
            elif found:
                _add(found[-1].parameters, name, value)
        left -= len(header)
        if left <= 0:
            break
    return tuple(found)


def _add(parameters: dict[str, str], name: str, value: str) -> None:
    if name == "scope" and name in parameters:
        parameters[name] += f" {value}"
    elif len(parameters) < _MOST_PARAMETERS:
        parameters.setdefault(name, value)


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """The schemes (without a value) and parameters of one header, in order, in lower case."""
    at = 0
    while at < len(text):
        at = _end(_GAP, text, at)
        name = _TOKEN.match(text, at)
        if name is None:
            at += 1
            continue
        at = name.end()
        equals = _EQUALS.match(text, at)
        if equals is None:
            yield name[0].lower(), None
            credentials = _TOKEN68.match(text, at)  # `Negotiate dG9rZW4=`: of no use to us
            at = credentials.end() if credentials and not _begins_scheme(credentials[1]) else at
        else:
            value, at = _value(text, equals.end())
            yield name[0].lower(), value


def _value(text: str, at: int) -> tuple[str, int]:
    """A parameter's value from a place on, and where it ends; an open quotation ends with the header."""
    if quoted := _QUOTED.match(text, at):
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end() + 1
    bare = _UNQUOTED.match(text, at)
    return (bare[0], bare.end()) if bare else ("", at)


def _begins_scheme(word: str) -> bool:
    """Whether a word behind a scheme is rather the next one: a comma was forgotten."""
    return word.lower() in ("basic", "bearer")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
