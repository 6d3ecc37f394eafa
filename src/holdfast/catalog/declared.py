"""Lock files: what a copied application says it will run with, where nothing shows that it was installed."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from holdfast.catalog.document import MAX_PACKAGES, DocumentCataloger, Parse, bounded
from holdfast.model.errors import InputError
from holdfast.model.found import Found
from holdfast.model.package import Origin, Package

T = TypeVar("T")

MAX_LOCK = 16 << 20
MAX_VALUES = 1_000_000

# Lock files below these belong to somebody else's build, tests or documentation.
_FOREIGN = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|vendor|testdata|test|tests|__tests__|fixtures?|examples?"
    r"|usr/share/doc|usr/share/nodejs|usr/lib/ruby|usr/local/go|usr/lib/go[^/]*|go/pkg/mod|\.cache|\.git)/"
)


def lock_cataloger(
    name: str, version: int, patterns: tuple[str, ...], parse: Parse, limit: int = MAX_LOCK
) -> DocumentCataloger:
    """A cataloger of lock files that does not look at those which are not the application's own."""

    def parse_own(path: str, data: bytes) -> Found:
        return Found() if is_foreign(path) else parse(path, data)

    return DocumentCataloger(name, version, patterns, parse_own, limit)


def is_foreign(path: str) -> bool:
    """Whether a lock file at this path belongs to something else than an application of the image."""
    return _FOREIGN.search(path) is not None


def declared(type: str, name: str, version: str, *, development: bool = False) -> Package:
    """A package that a lock file names."""
    return Package(name=name, version=version, type=type, origin=Origin.DECLARED, development=development)


def once(packages: Iterable[Package]) -> tuple[Package, ...]:
    """Each name and version once; for development only if every mention of it is.

    No more are taken than show that there are too many (document.within_budget says it).
    """
    merged: dict[tuple[str, str], Package] = {}
    for package in packages:
        key = (package.name, package.version)
        if key not in merged or not package.development:
            merged[key] = package
        if len(merged) > MAX_PACKAGES:
            break
    return tuple(merged.values())


def json_object(data: bytes) -> dict[str, object]:
    """A JSON document that is an object; InputError where it is not, LimitError beyond MAX_VALUES."""
    document = guarded(lambda: msgspec.json.decode(bounded(data, MAX_VALUES).removeprefix(b"\xef\xbb\xbf")))
    if not isinstance(document, dict):
        raise InputError("not a JSON object")
    return document


def guarded(read: Callable[[], T]) -> T:
    """What `read` makes of a foreign document; its refusals (damaged, too deep, a number too long) as InputError."""
    try:
        return read()
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise InputError(f"cannot be read: {str(error)[:200]}") from error


def mapping(value: object) -> Mapping[str, object]:
    """The value where it is an object (JSON) or a table (TOML), else an empty one: foreign documents hold anything."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """The value where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The value where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def reachable(roots: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that the roots lead to, themselves included."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(edges.get(node, ()))
    return seen
