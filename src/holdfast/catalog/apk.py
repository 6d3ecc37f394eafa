"""Alpine packages: apk's database of what is installed, with the files of each."""

from collections.abc import Iterator

from holdfast.catalog.cataloger import Claim, Found
from holdfast.catalog.document import DocumentCataloger, corrupt
from holdfast.model.package import Package

_SINGLE = frozenset(b"PVAoLm")


def parse(_path: str, data: bytes) -> Found:
    """Packages and the files they own, of records as apk-v2(5) has them: `P:` name, `V:` version, `o:` origin …"""
    packages, claims, reasons = [], [], []
    for record in data.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line for line in record.split(b"\n") if line]
        if not lines:
            continue
        if not all(line[1:2] == b":" for line in lines):
            reasons.append("lines that are no field")
        fields = {line[0]: line[2:].decode("utf-8", "replace") for line in lines if line[0] in _SINGLE}
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
        if paths := b"\n".join(_files(lines)):
            claims.append(Claim(name, paths))
    return Found(tuple(packages), claims=tuple(claims), problems=corrupt("apk", reasons))


def _files(lines: list[bytes]) -> Iterator[bytes]:
    """The absolute paths of a record's files: `F:` a folder, then `R:` each file in it."""
    folder = b"/"
    for line in lines:
        if line.startswith(b"F:"):
            folder = b"/" + line[2:] + b"/" if line[2:] else b"/"
        elif line.startswith(b"R:"):
            yield folder + line[2:]


APK = DocumentCataloger("apk", 1, ("lib/apk/db/installed", "usr/lib/apk/db/installed"), parse)
