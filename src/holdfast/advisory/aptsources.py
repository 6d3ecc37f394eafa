"""Where apt fetches from: sources.list(5), in its one-line form and as deb822 `.sources` files."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

_LIMIT = 1 << 20
_ENTRIES = 1000
_LINE = re.compile(rb"\s*deb\s+(?:\[([^\]\n]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)\s*(?:#.*)?")
_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)")


class AptSource(Struct, frozen=True):
    """One archive that binary packages are fetched from: its base address, suites, components and keyring files."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: tuple[str, ...] = ()


def parse(files: Mapping[str, bytes]) -> list[AptSource]:
    """The sources of binary packages in these files (path → content), in order of path, each one once.

    The name's ending decides the form. Only http and https addresses: removable media, mirror lists and local folders
    lead nowhere from here. What cannot be understood is left out, as are disabled stanzas, those without suites,
    and flat repositories.
    """
    found: dict[AptSource, None] = {}
    for path in sorted(files):
        read = _deb822 if path.endswith(".sources") else _one_line
        for source in read(files[path][:_LIMIT]):
            complete = source.suites and source.components and source.uri.startswith(("http://", "https://"))
            if complete and len(found) < _ENTRIES:
                found[source] = None
    return list(found)


def _one_line(content: bytes) -> Iterator[AptSource]:
    for line in content.splitlines():
        if match := _LINE.fullmatch(line):
            options, uri, suite, components = match.groups()
            keyrings = tuple(
                keyring
                for option in _words(options or b"")
                if option.lower().startswith("signed-by=")
                for keyring in option.partition("=")[2].split(",")
            )
            yield AptSource(_text(uri).rstrip("/"), (_text(suite),), _words(components), _files(keyrings))


def _deb822(content: bytes) -> Iterator[AptSource]:
    for stanza in _stanzas(content):
        if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes").strip().lower() == "no":
            continue
        for uri in stanza.get("uris", "").split():
            yield AptSource(
                uri.rstrip("/"),
                tuple(stanza.get("suites", "").split()),
                tuple(stanza.get("components", "").split()),
                _files(stanza.get("signed-by", "").split()),
            )


def _stanzas(content: bytes) -> Iterator[dict[str, str]]:
    """Paragraphs of deb822(5): field names in lower case, continuation lines joined by spaces, comments left out."""
    stanza: dict[str, str] = {}
    name = ""
    for line in (*content.splitlines(), b""):
        if line.startswith(b"#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, name = {}, ""
        elif line[:1] in b" \t":
            if name:
                stanza[name] += " " + _text(line).strip()
        elif match := _FIELD.fullmatch(line):
            name = match[1].decode().lower()
            stanza[name] = _text(match[2]).strip()
        else:
            name = ""


def _files(keyrings: "tuple[str, ...] | list[str]") -> tuple[str, ...]:
    # A key may also stand in the stanza itself, or be named by its fingerprint.
    return tuple(keyring for keyring in keyrings if keyring.startswith("/"))


def _words(text: bytes) -> tuple[str, ...]:
    return tuple(_text(text).split())


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
