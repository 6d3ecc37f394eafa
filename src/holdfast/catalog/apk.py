"""Alpine packages: apk's database of what is installed, with the files of each."""

import re
from collections.abc import Iterable, Iterator

from holdfast.catalog.document import MAX_PACKAGES, DocumentCataloger, corrupt, paragraphs
from holdfast.model.found import Claim, Found
from holdfast.model.package import Package

MAX_PATHS = 64 << 20
_LINE = re.compile(rb"[^\n]+")
_BLANK = re.compile(rb"\n\n")
_SINGLE = frozenset(b"PVAoLm")


def parse(_path: str, data: bytes) -> Found:
    """Packages and the files they own, of records as apk-v2(5) has them: `P:` name, `V:` version, `o:` origin …"""
    packages, claims, reasons = [], [], []
    room = MAX_PATHS
    for record in paragraphs(data.replace(b"\r\n", b"\n"), _BLANK):
        if not record.strip(b"\n"):
            continue
        if not all(line[1:2] == b":" for line in _lines(record)):
            reasons.append("lines that are no field")
        fields = {line[0]: line[2:].decode("utf-8", "replace") for line in _lines(record) if line[0] in _SINGLE}
        name, version = fields.get(ord("P"), ""), fields.get(ord("V"), "")
        if not name or not version:
            reasons.append("a record without the name or version of a package")
            continue
        origin, licence = fields.get(ord("o"), ""), fields.get(ord("L"), "")
        packages.append(
            Package(
                name=name,
                version=version,
                type="apk",
                architecture=fields.get(ord("A"), ""),
                source_name=origin if origin != name else "",
                licenses=(licence,) if licence else (),
                vendor=fields.get(ord("m"), "")[:200],
            )
        )
        paths = bytearray()
        for path in _files(_lines(record)):
            if len(paths) + len(path) >= room:
                reasons.append(f"the paths of all files are over {MAX_PATHS >> 20} MiB: some were left out")
                break
            paths += path + b"\n"
        room -= len(paths)
        if paths:
            claims.append(Claim(name, bytes(paths[:-1])))
        if len(packages) > MAX_PACKAGES:
            break
    return Found(tuple(packages), claims=tuple(claims), problems=corrupt("apk", reasons))


def _lines(record: bytes) -> Iterator[bytes]:
    return (match[0] for match in _LINE.finditer(record))


def _files(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The absolute paths of a record's files: `F:` a folder, then `R:` each file in it."""
    folder = b"/"
    for line in lines:
        if line.startswith(b"F:"):
            folder = b"/" + line[2:] + b"/" if line[2:] else b"/"
        elif line.startswith(b"R:"):
            yield folder + line[2:]


APK = DocumentCataloger("apk", 2, ("lib/apk/db/installed", "usr/lib/apk/db/installed"), parse, limit=32 << 20)
