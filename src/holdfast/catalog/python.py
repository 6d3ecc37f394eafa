"""Python distributions that are installed: the metadata that pip and its relatives leave beside the code."""

import re

from holdfast.catalog.document import DocumentCataloger
from holdfast.model.errors import InputError
from holdfast.model.found import Found
from holdfast.model.package import Package

_FIELD = re.compile(r"^(Name|Version|License-Expression|License|Classifier)[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)
_UNSAID = {"", "unknown", "none", "see license file", "license"}
_MAX_LICENSE_TEXT = 120


def normalised(name: str) -> str:
    """A project's one name among its spellings, as the index and its advisories use it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def parse(_path: str, data: bytes) -> Found:
    """The distribution that one METADATA or PKG-INFO describes (core metadata specification): headers, then a text."""
    head = re.split(rb"\r?\n\r?\n", data.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0]
    fields: dict[str, list[str]] = {}
    for key, value in _FIELD.findall(head.decode("utf-8", "replace").replace("\r\n", "\n")):
        fields.setdefault(key.lower(), []).append(value.strip())
    name, version = fields.get("name", [""])[0], fields.get("version", [""])[0]
    if not _NAME.fullmatch(name) or not version:
        raise InputError("metadata without the name or version of a distribution")
    return Found((Package(name=normalised(name), version=version, type="pypi", licenses=_licenses(fields)),))


def _licenses(fields: dict[str, list[str]]) -> tuple[str, ...]:
    """The SPDX expression; else classifiers, which are more uniform than the free text; else that, if it is short."""
    if expression := fields.get("license-expression", [""])[0]:
        return (expression,)
    trove = [value for value in fields.get("classifier", []) if value.startswith("License ::")]
    named = {value.rpartition("::")[2].strip() for value in trove} - {"OSI Approved", ""}
    if named:
        return tuple(sorted(named))
    text = fields.get("license", [""])[0]
    return (text,) if text.lower() not in _UNSAID and len(text) <= _MAX_LICENSE_TEXT else ()


PYTHON = DocumentCataloger(
    "python", 1, ("**/*.dist-info/METADATA", "**/*.egg-info/PKG-INFO", "**/*.egg-info"), parse, limit=16 << 20
)
