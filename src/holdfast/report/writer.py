"""What a writer is: it puts one report into one format."""

import io
import re
from typing import Any, BinaryIO, Protocol, TextIO

import msgspec

from holdfast.model.report import Report

_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")  # U+0080 to U+009F in UTF-8


class Writer(Protocol):
    """Writes reports in one format. It keeps no state: the same report gives the same bytes.

    `name` is what `--format` takes; `suffix` what a file of that format ends with, dot included.
    """

    @property
    def name(self) -> str:
        """The format's name, unique among the writers."""

    @property
    def suffix(self) -> str:
        """The end of a file's name, such as `.json`."""

    def write(self, report: Report, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The report onto a stream, UTF-8 where it takes bytes. Formats for machines ignore `width` and `colour`."""


def emit(data: bytes, output: TextIO | BinaryIO) -> None:
    """Write UTF-8 bytes to a stream of either sort."""
    if isinstance(output, io.TextIOBase):
        output.write(data.decode())
    else:
        output.write(data)  # type: ignore[arg-type]  # a BinaryIO, which the test above cannot tell mypy


def encode(document: Any) -> bytes:
    r"""Indented JSON of a document, in the order of its keys, with a newline at its end.

    Names in images need not be UTF-8. Their odd bytes arrive as surrogate escapes, and leave as `\xNN` in the string.
    """
    try:
        data = msgspec.json.encode(document)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_speakable(msgspec.to_builtins(document)))
    # A terminal may obey U+009B as it obeys ESC [: such controls leave as escapes.
    data = _CONTROLS.sub(lambda found: b"\\u00%02x" % found[0][1], data)
    return msgspec.json.format(data, indent=2) + b"\n"


def speakable(text: str) -> str:
    r"""The text with what UTF-8 cannot carry written as `\xNN` (a byte) or `\uNNNN` (a lone surrogate)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_escape(character) for character in text)
    return text


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else character


def _speakable(value: Any) -> Any:
    if isinstance(value, str):
        return speakable(value)
    if isinstance(value, dict):
        return {speakable(key): _speakable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_speakable(item) for item in value]
    return value
