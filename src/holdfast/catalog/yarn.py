"""yarn.lock, as Yarn 1 writes it and as Yarn 2 and later do (a small subset of YAML)."""

import re
from collections.abc import Iterator

from holdfast.catalog.declared import declared, lock_cataloger, once
from holdfast.catalog.document import corrupt, lines
from holdfast.model.found import Found
from holdfast.model.package import Package

_VERSION = re.compile(r'^  version:? "?([^"\s]+)"?\s*$')
_FIELDS = ("  version", "  resolution")
_RESOLUTION = re.compile(r'^  resolution: "?([^"\s]+)"?\s*$')
# Descriptors and resolutions are `<name>@<range>`; where a protocol leads outside the registry, nothing is published.
_LOCAL = ("workspace:", "link:", "portal:", "file:", "exec:", "git", "http:", "https:", "ssh:", ".", "/")


def parse(_path: str, data: bytes) -> Found:
    """One package for each block: a line of descriptors, then indented fields."""
    reasons: list[str] = []
    packages = once(_packages(data.decode("utf-8", "replace"), reasons))
    return Found(packages, problems=corrupt("yarn", reasons))


def _packages(text: str, reasons: list[str]) -> Iterator[Package]:
    for head, fields in _blocks(lines(text)):
        if head == "__metadata:":
            continue
        version = next((match[1] for line in fields if (match := _VERSION.match(line))), "")
        resolution = next((match[1] for line in fields if (match := _RESOLUTION.match(line))), "")
        name, wanted = _split(resolution or head.rstrip(":").partition(",")[0].strip().strip('"'))
        if not name or not version:
            reasons.append("a block without a name or version")
        elif package := _package(name, wanted, version):
            yield package


def _blocks(text: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    """The first line of each block, with those of its fields that matter."""
    head, fields = "", list[str]()
    for line in text:
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] not in " \t":
            if head:
                yield head, fields
            head, fields = line, []
        elif line.startswith(_FIELDS):
            fields.append(line)
    if head:
        yield head, fields


def _split(descriptor: str) -> tuple[str, str]:
    """`@scope/name@npm:^1` → (`@scope/name`, `npm:^1`): the first @ that does not begin the scope."""
    at = descriptor.find("@", 1)
    return (descriptor, "") if at < 0 else (descriptor[:at], descriptor[at + 1 :])


def _package(name: str, wanted: str, version: str) -> Package | None:
    if wanted.startswith("npm:"):
        alias, at, _ = wanted.removeprefix("npm:").rpartition("@")
        name = alias if at and alias else name  # `alias@npm:real-name@^1`.
    elif wanted.startswith(_LOCAL):
        return None
    return declared("npm", name, version)


YARN = lock_cataloger("yarn", 2, ("**/yarn.lock",), parse)
