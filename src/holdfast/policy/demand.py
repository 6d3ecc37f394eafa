"""Reading the single demands of a policy: each from its own table, list or short form."""

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.model.artifact import AttachmentKind
from holdfast.model.finding import Confidence
from holdfast.model.policy import (
    Age,
    Bases,
    DeniedPackage,
    Exploited,
    Licences,
    Likely,
    Pinned,
    Registries,
    RequiredAttachments,
    RequiredLabel,
    RequiredUser,
    RuleOverride,
)
from holdfast.model.verdict import Decision
from holdfast.policy.glob import MAX_PATTERN
from holdfast.policy.node import Node, shown
from holdfast.policy.package import parse_ranges

_MOST = 5_000
_PINNED = ("image", "base")


def known_exploited(node: Node) -> Exploited:
    """`"deny"`, or `{ decision = "deny", fixable_only = true }`."""
    table = _table(node, "known_exploited", "decision", "decision", "fixable_only")
    return Exploited(_decision(table, "decision", Decision.DENY), _flag(table, "fixable_only"))


def epss(node: Node) -> Likely:
    """A percentile from 0 to 1, or `{ percentile = 0.95, decision = "deny", fixable_only = true }`."""
    table = _table(node, "epss", "percentile", "percentile", "decision", "fixable_only")
    percentile = _required(node, table, "epss", "percentile").number("percentile", 0, 1, whole=False)
    return Likely(percentile, _decision(table, "decision", Decision.DENY), _flag(table, "fixable_only"))


def grace_days(node: Node) -> int:
    """Days, 0 to 365."""
    return int(node.number("grace_days", 0, 365, whole=True))


def alive(node: Node) -> Decision:
    """What a secret leads to that its issuer accepts."""
    return node.choice("alive", Decision)


def _rules(node: Node) -> tuple[RuleOverride, ...]:
    return tuple(_rule(item) for item in _entries(node, "rule"))


def _rule(node: Node) -> RuleOverride:
    table = node.table(("match", "decision", "confidence"), "a [[rule]]")
    return RuleOverride(
        _pattern(_required(node, table, "a [[rule]]", "match"), "match"),
        _required(node, table, "a [[rule]]", "decision").choice("decision", Decision),
        table["confidence"].choice("confidence", Confidence) if "confidence" in table else Confidence.LOW,
    )


def _bases(node: Node) -> Bases:
    table = _table(node, "base", "allow", "allow", "decision", "unknown", "unscanned", "denied")
    return Bases(
        _patterns(table["allow"], "base.allow") if "allow" in table else (),
        _decision(table, "decision", Decision.DENY),
        _decision(table, "unknown", Decision.WARN),
        _decision(table, "unscanned", Decision.ALLOW),
        _decision(table, "denied", Decision.DENY),
    )


def _registries(node: Node) -> Registries:
    table = _table(node, "registry", "allow", "allow", "decision")
    patterns = _patterns(_required(node, table, "registry", "allow"), "registry.allow")
    return Registries(patterns, _decision(table, "decision", Decision.DENY))


def _packages(node: Node) -> tuple[DeniedPackage, ...]:
    return tuple(_package(item) for item in _entries(node, "package"))


def _package(node: Node) -> DeniedPackage:
    table = _table(node, "a [[package]]", "match", "match", "versions", "decision", "reason")
    ranges = table.get("versions")
    try:
        versions = parse_ranges(ranges.text("versions")) if ranges else ()
    except ValueError as error:
        raise (ranges or node).error(f"versions: {error}", "write them like >= 1.2, < 2") from None
    return DeniedPackage(
        _pattern(_required(node, table, "a [[package]]", "match"), "match"),
        versions,
        _decision(table, "decision", Decision.DENY),
        table["reason"].text("reason") if "reason" in table else "",
        node.where,
    )


def _licences(node: Node) -> Licences:
    table = node.table(("deny", "warn", "unknown"), "licence")
    lists = {key: _patterns(table[key], f"licence.{key}") for key in ("deny", "warn") if key in table}
    return Licences(**lists, unknown=_decision(table, "unknown", Decision.ALLOW))


def _labels(node: Node) -> tuple[RequiredLabel, ...]:
    return tuple(_label(item) for item in _entries(node, "label"))


def _label(node: Node) -> RequiredLabel:
    table = _table(node, "a [[label]]", "name", "name", "pattern", "decision")
    return RequiredLabel(
        _required(node, table, "a [[label]]", "name").text("name"),
        _pattern(table["pattern"], "pattern") if "pattern" in table else "",
        _decision(table, "decision", Decision.DENY),
    )


def _user(node: Node) -> RequiredUser:
    table = _table(node, "user", "allow", "allow", "decision")
    users = _required(node, table, "user", "allow").texts("user.allow", numbers=True)
    return RequiredUser(users, _decision(table, "decision", Decision.DENY))


def _attachments(node: Node) -> RequiredAttachments:
    table = _table(node, "attachments", "require", "require", "decision")
    words = tuple(kind.value for kind in AttachmentKind if kind is not AttachmentKind.OTHER)
    return RequiredAttachments(_words(node, table, "attachments", words), _decision(table, "decision", Decision.DENY))


def _pinned(node: Node) -> Pinned:
    table = _table(node, "pinned", "require", "require", "decision")
    return Pinned(_words(node, table, "pinned", _PINNED), _decision(table, "decision", Decision.DENY))


def _age(node: Node) -> Age:
    table = _table(node, "age", "days", "days", "decision")
    days = _required(node, table, "age", "days").number("age.days", 0, 36_500, whole=True)
    return Age(int(days), _decision(table, "decision", Decision.DENY))


DEMANDS: dict[str, tuple[str, Callable[[Node], Any]]] = {
    "rule": ("rules", _rules),
    "base": ("base", _bases),
    "registry": ("registry", _registries),
    "package": ("packages", _packages),
    "licence": ("licence", _licences),
    "label": ("labels", _labels),
    "user": ("user", _user),
    "attachments": ("attachments", _attachments),
    "pinned": ("pinned", _pinned),
    "age": ("age", _age),
}
"""By its name in the file: the field of model.policy.Demands that it fills, and how it is read."""


def _table(node: Node, called: str, short: str, *allowed: str) -> Mapping[str, Node]:
    """The table, or the short form: a value alone stands for the entry `short`."""
    return node.table(allowed, called) if isinstance(node.value, dict) else {short: node}


def _required(node: Node, table: Mapping[str, Node], called: str, key: str) -> Node:
    if key not in table:
        raise node.error(f"{called} has no {key}")
    return table[key]


def _entries(node: Node, called: str) -> list[Node]:
    items = node.items(f"[[{called}]]") if isinstance(node.value, list) else [node]
    if len(items) > _MOST:
        raise node.error(f"more than {_MOST:,} of [[{called}]]")
    return items


def _decision(table: Mapping[str, Node], key: str, otherwise: Decision) -> Decision:
    return table[key].choice(key, Decision) if key in table else otherwise


def _flag(table: Mapping[str, Node], key: str) -> bool:
    return key in table and table[key].flag(key)


def _words(node: Node, table: Mapping[str, Node], called: str, words: tuple[str, ...]) -> tuple[str, ...]:
    entry = _required(node, table, called, "require")
    given = entry.texts(f"{called}.require")
    for word in given:
        if word not in words:
            raise entry.error(f"{called} cannot require {shown(word)}", f"there are {', '.join(words)}")
    return given


def _patterns(node: Node, called: str) -> tuple[str, ...]:
    items = node.value if isinstance(node.value, list) else [node]
    if len(items) > _MOST:
        raise node.error(f"more than {_MOST:,} entries of {called}")
    return tuple(_pattern(item, f"an entry of {called}") for item in items)


def _pattern(node: Node, called: str) -> str:
    text = node.text(called)
    if len(text) > MAX_PATTERN:
        raise node.error(f"{called} is longer than {MAX_PATTERN} characters")
    return text
