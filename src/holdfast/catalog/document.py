"""Catalogers of files that are small enough to be held: a pure parser, the paths it is for, and its budget."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.fs.tree import File
from holdfast.model.errors import HoldfastError, LimitError
from holdfast.model.found import Found
from holdfast.model.package import Package
from holdfast.model.status import Problem

Parse = Callable[[str, bytes], Found]

MAX_BYTES = 64 << 20
MAX_PACKAGES = 200_000
MAX_TEXT = 1_000
_LINE = re.compile(r"[^\r\n]+")


class DocumentCataloger(Struct, frozen=True):
    """A Cataloger made of `parse(path, content)`, which may raise InputError where nothing of the file can be used.

    Files beyond `limit` bytes, packages beyond MAX_PACKAGES, and names or versions longer than MAX_TEXT characters
    become Problems.
    """

    name: str
    version: int
    patterns: tuple[str, ...]
    parse: Parse
    limit: int = MAX_BYTES
    magic: tuple[bytes, ...] = ()

    def read(self, file: File) -> Found:
        """What the file shows, within the budget."""
        try:
            return within_budget(self.name, self.parse(file.entry.path, file.read(self.limit)))
        except LimitError as error:
            return Found(problems=(Problem.of(f"catalog.{self.name}.too-large", error),))
        except HoldfastError as error:
            return Found(problems=(Problem.of(f"catalog.{self.name}.corrupt", error),))


def within_budget(name: str, found: Found) -> Found:
    """The same result without the packages that no report could carry, and the problems that say so."""
    packages = tuple(package for package in found.packages[:MAX_PACKAGES] if _is_sane(package))
    dropped = len(found.packages) - len(packages)
    if not dropped:
        return found
    message = f"packages left out: more than {MAX_PACKAGES:,}, or with a name or version over {MAX_TEXT:,} characters"
    problem = Problem(f"catalog.{name}.too-large", message, count=dropped)
    return replace(found, packages=packages, problems=(*found.problems, problem))


def lines(text: str) -> Iterator[str]:
    """The lines that are not empty, one at a time: all at once, short ones take twenty times the document's memory."""
    return (match[0] for match in _LINE.finditer(text))


def paragraphs(data: bytes, separator: re.Pattern[bytes]) -> Iterator[bytes]:
    """What stands between the separators, one piece at a time."""
    start = 0
    for match in separator.finditer(data):
        yield data[start : match.start()]
        start = match.end()
    yield data[start:]


def bounded(data: bytes, most: int) -> bytes:
    """The JSON or TOML document as it is; LimitError where its commas and brackets make more than `most` values.

    A decoded value takes up to a hundred times the memory of the two bytes it is written in.
    """
    if sum(data.count(mark) for mark in (b",", b"{", b"[")) > most:
        raise LimitError(f"more than {most:,} values")
    return data


def corrupt(name: str, reasons: Iterable[str]) -> tuple[Problem, ...]:
    """One problem for each kind of damage met while the rest of a file was read."""
    counts = Counter(reasons)
    return tuple(Problem(f"catalog.{name}.corrupt", reason, count=count) for reason, count in sorted(counts.items()))


def _is_sane(package: Package) -> bool:
    texts = (package.name, package.version, package.source_name, package.source_version, package.architecture)
    return all(len(text) <= MAX_TEXT for text in texts)
