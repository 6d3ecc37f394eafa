"""Node.js packages that are installed: the package.json of each, where npm and its relatives put it."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from holdfast.catalog.document import DocumentCataloger
from holdfast.model.errors import InputError
from holdfast.model.found import Found
from holdfast.model.package import Package

_INSTALLED = re.compile(r"(?:^|/)(?:node_modules|usr/share/nodejs)/(?:@[^/]+/)?[^/@.][^/]*(?=/)")
# A package's own tests bring trees of made-up packages along.
_MADE_UP = re.compile(r"/(?:test|tests|__tests__|fixture|fixtures|__fixtures__|testdata|example|examples)/")
_MAX_LICENSE_TEXT = 120


class _Manifest(Struct):
    """What is read of a package.json; every field may hold anything."""

    name: Any = None
    version: Any = None
    license: Any = None
    licenses: Any = None


_DECODER = msgspec.json.Decoder(_Manifest)


def parse(path: str, data: bytes) -> Found:
    """The package in whose folder this package.json stands, if it was installed rather than shipped as test data."""
    first = _INSTALLED.search(path)
    if first and _MADE_UP.search(_INSTALLED.sub("", path[first.start() :])):
        return Found()
    try:
        manifest = _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not JSON: {error}") from error
    name, version = manifest.name, manifest.version
    if not (isinstance(name, str) and isinstance(version, str) and name.strip() and version.strip()):
        return Found()  # A folder's marker such as {"type": "module"}: no package of its own.
    licenses = _licenses(manifest.license) or _licenses(manifest.licenses)
    return Found((Package(name=name.strip(), version=version.strip().lstrip("v="), type="npm", licenses=licenses),))


def _licenses(value: object) -> tuple[str, ...]:
    """The licence field in its three historical forms: an expression, `{"type": …}`, or a list of either."""
    texts: list[str] = []
    for item in value[:20] if isinstance(value, list) else [value]:
        text = item.get("type") if isinstance(item, dict) else item
        if isinstance(text, str) and 0 < len(text.strip()) <= _MAX_LICENSE_TEXT:
            texts.append(text.strip())
    return tuple(dict.fromkeys(texts))


NODE = DocumentCataloger(
    "node",
    1,
    (
        "**/node_modules/*/package.json",
        "**/node_modules/@*/*/package.json",
        "usr/share/nodejs/*/package.json",
        "usr/share/nodejs/@*/*/package.json",
    ),
    parse,
    limit=4 << 20,
)
