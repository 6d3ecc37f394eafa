"""What other scanners' ignore files accept, as waivers; what of them has no meaning here is said.

Formats, as their readers take them: `.trivyignore` and `.trivyignore.yaml` (aquasecurity/trivy, pkg/result/ignore.go),
`.grype.yaml` (anchore/grype, grype/match/ignore.go).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from holdfast.model.errors import InputError, LimitError
from holdfast.model.finding import Kind
from holdfast.model.policy import VersionRange, Waiver
from holdfast.model.status import Gravity, Problem
from holdfast.policy.glob import MAX_PATTERN
from holdfast.policy.node import Node, shown
from holdfast.policy.parse import MAX_BYTES
from holdfast.policy.yaml import read_yaml

_MOST = 10_000
_LONGEST = 400
_EXPIRY = "exp:"
# Trivy's own rules for configuration and secrets: theirs have other names here.
_FOREIGN = re.compile(r"(?:AVD-|DS-?[0-9]|KSV-?[0-9]|KCV-?[0-9])")
_KINDS = {
    "vulnerabilities": (Kind.VULNERABILITY, Kind.MALWARE),
    "misconfigurations": (Kind.CONFIGURATION,),
    "secrets": (Kind.SECRET,),
}
_FIX_STATES = {
    "fixed": ("fixed",),
    "not-fixed": ("affected", "deferred", "end-of-life", "under-investigation"),
    "wont-fix": ("will-not-fix",),
    "unknown": ("affected", "under-investigation"),
}
# Syft's package types, https://github.com/anchore/syft/blob/main/syft/pkg/type.go, as purl types.
_TYPES = {
    "deb": "deb", "rpm": "rpm", "apk": "apk", "python": "pypi", "npm": "npm", "gem": "gem", "go-module": "golang",
    "java-archive": "maven", "rust-crate": "cargo", "php-composer": "composer", "dotnet": "nuget", "hex": "hex",
    "conan": "conan", "dart-pub": "pub", "pod": "cocoapods", "swift": "swift",
}  # fmt: skip
# Names are regular expressions there: what is only letters and `.*` means the same as a glob.
_PLAIN_NAME = re.compile(r"\^?((?:[A-Za-z0-9_@/+~:.-]|\\[.+/-]|\.\*)+)\$?")


class Ignored(Struct, frozen=True):
    """The waivers that a file amounts to, and what of it is not applied."""

    waivers: tuple[Waiver, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_ignore(data: bytes, name: str) -> Ignored:
    """The waivers of `.trivyignore`, `.trivyignore.yaml` or `.grype.yaml`, by the file's name; InputError, LimitError.

    Their owner is the file's name in brackets, and they need no expiry.
    """
    if len(data) > MAX_BYTES:
        raise LimitError(f"over {MAX_BYTES >> 20} MiB", where=name)
    last = name.rpartition("/")[2].lower()
    if "grype" in last:
        found = list(_grype(read_yaml(data, name), name))
    elif last.endswith((".yaml", ".yml")):
        found = list(_trivy_yaml(read_yaml(data, name), name))
    else:
        found = list(_trivy_lines(data, name))
    if len(found) > _MOST:
        raise LimitError(f"more than {_MOST:,} entries", where=name)
    return Ignored(
        tuple(one for one in found if isinstance(one, Waiver)), tuple(one for one in found if isinstance(one, Problem))
    )


def _trivy_lines(data: bytes, name: str) -> Iterator[Waiver | Problem]:
    """One id a line, then perhaps `exp:2026-12-31`; lines that begin with # say nothing."""
    for number, line in enumerate(data.decode("utf-8-sig", errors="replace").split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{name}:{number}"
        if len(words[0]) > MAX_PATTERN:
            yield _unapplied(where, "an id without an end")
            continue
        end = next((word.removeprefix(_EXPIRY) for word in words[1:] if word.startswith(_EXPIRY)), "")
        try:
            expires = _last_day(end) if end else ""
        except ValueError:
            yield _unapplied(where, f"{shown(end)} is no date: the line is not applied")
            continue
        yield from _trivy(words[0], where, name, expires=expires)


def _trivy_yaml(root: Node, name: str) -> Iterator[Waiver | Problem]:
    for section, node in _entries(root).items():
        if section not in _KINDS:
            yield _unapplied(node.where, f"the section {shown(section)} is not applied")
            continue
        for item in node.value if isinstance(node.value, list) else ():
            yield from _trivy_item(_entries(item), item.where, name, _KINDS[section])


def _trivy_item(item: Mapping[str, Node], where: str, name: str, kinds: tuple[Kind, ...]) -> Iterator[Waiver | Problem]:
    unknown = sorted(set(item) - {"id", "paths", "purls", "expired_at", "statement"})
    rule = _text(item, "id")
    if not rule or unknown:
        why = f"{shown(unknown[0])} is not known here" if unknown else "it has no id"
        yield _unapplied(where, f"{why}: the entry is not applied")
        return
    try:
        expires = _last_day(_text(item, "expired_at")[:10]) if "expired_at" in item else ""
        paths, purls = _texts(item, "paths"), _texts(item, "purls")
    except ValueError as error:
        yield _unapplied(where, f"{error}: the entry is not applied")
        return
    for path in paths or ("",):
        for purl in purls or ("",):
            fields = {"expires": expires, "kinds": kinds, "path": path, "package": purl}
            yield from _trivy(rule, where, name, reason=_text(item, "statement"), **fields)


def _trivy(rule: str, where: str, name: str, reason: str = "", **fields: Any) -> Iterator[Waiver | Problem]:
    if _FOREIGN.match(rule):
        yield _unapplied(where, f"{shown(rule)} is a rule of another tool: name the rule that Holdfast finds it by")
        return
    yield _waiver(where, name, reason, rule=rule, exact=True, **fields)


def _grype(root: Node, name: str) -> Iterator[Waiver | Problem]:
    table = _entries(root)
    if others := sorted(set(table) - {"ignore"}):
        yield _unapplied(root.where, f"settings of the other tool are not applied: {', '.join(others[:8])}"[:_LONGEST])
    node = table.get("ignore")
    for item in node.value if node and isinstance(node.value, list) else ():
        try:
            fields = dict(_grype_fields(_entries(item)))
        except ValueError as error:
            yield _unapplied(item.where, f"{error}: the rule is not applied")
            continue
        reason = str(fields.pop("reason", ""))
        if set(fields) - {"exact"}:
            yield _waiver(item.where, name, reason, kinds=_KINDS["vulnerabilities"], **fields)
        else:
            yield _unapplied(item.where, "a rule without a condition means nothing")


def _grype_fields(item: Mapping[str, Node]) -> Iterator[tuple[str, Any]]:
    """A waiver's fields; ValueError where a condition is unknown, since without it the rule would mean more."""
    for key in item:
        value = _text(item, key)
        match key:
            case "vulnerability":
                yield from (("rule", value), ("exact", True))
            case "reason":
                yield "reason", value
            case "fix-state" if value in _FIX_STATES:
                yield "fix_states", _FIX_STATES[value]
            case "package":
                yield from _grype_package(_entries(item[key]))
            case "include-aliases":
                continue  # aliases always count here
            case _:
                raise ValueError(f"the condition {shown(key)} {shown(value)} is not known here")


def _grype_package(item: Mapping[str, Node]) -> Iterator[tuple[str, Any]]:
    for key in item:
        value = _text(item, key)
        match key:
            case "name":
                found = _PLAIN_NAME.fullmatch(value)
                if not found or len(value) > MAX_PATTERN:
                    raise ValueError(f"the package's name {shown(value)} is a regular expression")
                yield "package", re.sub(r"\\(.)", r"\1", found[1].replace(".*", "*"))
            case "version" if isinstance(item[key].value, float):
                raise ValueError(f"the version {value} is a number there, so that 1.10 would be 1.1: put it in quotes")
            case "version":
                yield "versions", (VersionRange("=", value),)
            case "type" if value in _TYPES:
                yield "type", _TYPES[value]
            case "location":
                yield "path", value
            case _:
                raise ValueError(f"the package's {shown(key)} {shown(value)} is not known here")


def _waiver(where: str, name: str, reason: str, **fields: Any) -> Waiver:
    last = name.rpartition("/")[2]
    told = " ".join(reason.split())[:_LONGEST] or f"listed in {last}"
    return Waiver(reason=told, owner=f"({last})", origin=last, where=where, **fields)


def _last_day(text: str) -> str:
    """The last day on which an entry holds there: the day before the one that it names."""
    if len(text) != len("2026-12-31"):
        raise ValueError(f"{shown(text)} is no date")
    try:
        return (date.fromisoformat(text) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(text)} is no date") from None


def _entries(node: Node) -> Mapping[str, Node]:
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise InputError("not a table", where=node.where)
    return node.value


def _text(item: Mapping[str, Node], key: str) -> str:
    value = item[key].value if key in item else ""
    if isinstance(value, bool | dict | list | None):
        return ""
    return str(value)[: MAX_PATTERN + 1]


def _texts(item: Mapping[str, Node], key: str) -> tuple[str, ...]:
    value = item[key].value if key in item else []
    if not isinstance(value, list) or not all(isinstance(one.value, str) for one in value):
        raise ValueError(f"{key} is no list of texts")
    if len(value) > 200:
        raise ValueError(f"{key} has more than 200 entries")
    return tuple(str(one.value)[:MAX_PATTERN] for one in value)


def _unapplied(where: str, what: str) -> Problem:
    return Problem("ignore.unapplied", what, Gravity.NOTE, where)
