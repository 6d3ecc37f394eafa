"""A policy from one TOML or YAML file: every mistake is named with its file and line, and with what is allowed."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from holdfast.model.errors import InputError, LimitError
from holdfast.model.finding import Confidence, Kind, Severity
from holdfast.model.policy import Check, Demands, KindRules, Policy, TargetDemands, Threshold, Waiver
from holdfast.model.verdict import Decision
from holdfast.policy.demand import DEMANDS
from holdfast.policy.glob import MAX_PATTERN, is_everything
from holdfast.policy.node import Node, shown

MAX_BYTES = 1 << 20
MOST_CHECKS = 50
MOST_TARGETS = 200
MOST_WAIVERS = 5_000
BUILTIN = ("developer", "balanced", "strict")
"""The policies that come with Holdfast, from the mildest to the strictest."""

_KINDS = tuple(kind.value for kind in Kind)
_DEMANDS = ("incomplete", *_KINDS, *DEMANDS)
_TOP = ("name", "description", *_DEMANDS, "target", "check", "waiver")
_WAIVER = ("rule", "fingerprint", "package", "path", "target", "reason", "owner", "expires")
_FINGERPRINT = 32
T = TypeVar("T")


def parse(data: bytes, name: str) -> Policy:
    """The policy in the bytes of the file `name`, whose end says how it is written: .toml, .yaml, .yml or .json.

    InputError with file and line where something is wrong, LimitError past a budget.
    """
    root = read(data, name)
    table = root.table(_TOP, "a policy")
    return Policy(
        name=_given(table, "name", lambda node: node.text("name")) or Path(name).stem or "policy",
        description=_given(table, "description", lambda node: node.text("description", empty=True)) or "",
        demands=_demands(table),
        targets=tuple(_targets(table)),
        checks=tuple(_checks(table)),
        waivers=tuple(_waivers(table)),
        source=name,
    )


def builtin(name: str) -> Policy:
    """One of the policies of BUILTIN; InputError where there is none of that name."""
    if name not in BUILTIN:
        raise InputError(f"no built-in policy is called {shown(name)}", remedy=f"there are {', '.join(BUILTIN)}")
    path = Path(__file__).parent / "builtin" / f"{name}.toml"
    return parse(path.read_bytes(), path.name)


def read(data: bytes, name: str) -> Node:
    """The content of a TOML or YAML file as nodes with lines; JSON is read as the YAML that it is."""
    if len(data) > MAX_BYTES:
        raise LimitError(f"over {MAX_BYTES >> 20} MiB", where=name, remedy="a policy is written by people")
    if name.endswith(".toml"):
        from holdfast.policy.toml import read_toml

        return read_toml(data, name)
    if name.endswith((".yaml", ".yml", ".json")):
        from holdfast.policy.yaml import read_yaml

        return read_yaml(data, name)
    raise InputError("neither TOML nor YAML by its name", where=name, remedy="call it something.toml or something.yaml")


def _given(table: Mapping[str, Node], key: str, use: Callable[[Node], T]) -> T | None:
    node = table.get(key)
    return None if node is None else use(node)


def _demands(table: Mapping[str, Node]) -> Demands:
    said: dict[str, Any] = {}
    if "incomplete" in table:
        said["incomplete"] = _not_allow(table["incomplete"], "incomplete")
    for kind in _KINDS:
        if kind in table:
            said |= _kind(table[kind], kind)
    for name, (field, read_one) in DEMANDS.items():
        if name in table:
            said[field] = read_one(table[name])
    return Demands(**said)


def _not_allow(node: Node, called: str) -> Decision:
    decision = node.choice(called, Decision)
    if decision is Decision.ALLOW:
        raise node.error(f"{called} cannot be 'allow'", "it is one of warn, deny")
    return decision


def _kind(node: Node, kind: str) -> dict[str, Any]:
    """The thresholds of one kind, and what only vulnerabilities and secrets have beside them."""
    extra = {"vulnerability": ("known_exploited", "epss", "grace_days"), "secret": ("alive",)}.get(kind, ())
    table = node.table(("deny", "warn", "confidence", "fixable_only", *extra), kind)
    shared = {key: table[key] for key in ("confidence", "fixable_only") if key in table}
    said: dict[str, Any] = {
        kind: KindRules(
            _given(table, "deny", lambda one: _threshold(one, f"{kind}.deny", shared)),
            _given(table, "warn", lambda one: _threshold(one, f"{kind}.warn", shared)),
        )
    }
    from holdfast.policy.demand import alive, epss, grace_days, known_exploited

    readers = {"known_exploited": known_exploited, "epss": epss, "grace_days": grace_days, "alive": alive}
    return said | {key: readers[key](table[key]) for key in extra if key in table}


def _threshold(node: Node, called: str, shared: Mapping[str, Node]) -> Threshold:
    """`"high"`, or `{ severity = "high", confidence = "medium", fixable_only = true }`; `shared` where it is silent."""
    if isinstance(node.value, dict):
        table = {**shared, **node.table(("severity", "confidence", "fixable_only"), called)}
        if "severity" not in table:
            raise node.error(f"{called} has no severity", f"it is one of {', '.join(Severity)}")
        severity = table["severity"].choice(f"{called}.severity", Severity)
    else:
        table, severity = dict(shared), node.choice(called, Severity)
    return Threshold(
        severity,
        _given(table, "confidence", lambda one: one.choice("confidence", Confidence)) or Confidence.LOW,
        bool(_given(table, "fixable_only", lambda one: one.flag("fixable_only"))),
    )


def _listed(table: Mapping[str, Node], key: str, most: int) -> Iterable[Node]:
    if key not in table:
        return ()
    node = table[key]
    items = node.items(f"[[{key}]]") if isinstance(node.value, list) else [node]
    if len(items) > most:
        raise LimitError(f"more than {most:,} of [[{key}]]", where=node.where)
    return items


def _targets(table: Mapping[str, Node]) -> Iterable[TargetDemands]:
    for node in _listed(table, "target", MOST_TARGETS):
        said = node.table(("match", *_DEMANDS), "a [[target]]")
        if "match" not in said:
            raise node.error("a [[target]] has no match", 'say which targets: match = "registry.example/prod/*"')
        yield TargetDemands(pattern(said["match"], "match"), _demands(said))


def _checks(table: Mapping[str, Node]) -> Iterable[Check]:
    names: set[str] = set()
    for node in _listed(table, "check", MOST_CHECKS):
        said = node.table(("name", "expression", "message", "decision", "on_error"), "a [[check]]")
        for key in ("name", "expression"):
            if key not in said:
                raise node.error(f"a [[check]] has no {key}")
        check = Check(
            name=said["name"].text("name"),
            expression=said["expression"].text("expression"),
            message=_given(said, "message", lambda one: one.text("message")) or "",
            decision=_given(said, "decision", lambda one: _not_allow(one, "decision")) or Decision.DENY,
            on_error=_given(said, "on_error", lambda one: _not_allow(one, "on_error")) or Decision.WARN,
            line=said["expression"].line,
        )
        if check.name in names:
            raise said["name"].error(f"a second [[check]] is called {shown(check.name)}")
        names.add(check.name)
        from holdfast.policy.expression import compiled

        compiled(check.expression, said["expression"].where)
        yield check


def _waivers(table: Mapping[str, Node]) -> Iterable[Waiver]:
    for node in _listed(table, "waiver", MOST_WAIVERS):
        said = node.table(_WAIVER, "a [[waiver]]")
        for key in ("reason", "owner", "expires"):
            if key not in said:
                raise node.error(f"a [[waiver]] has no {key}", "say why, who answers for it, and until when")
        fields: dict[str, Any] = {
            key: pattern(said[key], key) for key in ("rule", "package", "path", "target") if key in said
        }
        if "fingerprint" in said:
            fields["fingerprint"] = _fingerprint(said["fingerprint"])
        scope = [value for key, value in fields.items() if not is_everything(value)]
        if not scope or set(fields) == {"target"}:
            raise node.error("a [[waiver]] for everything", "name a rule, fingerprint, package or path")
        yield Waiver(
            reason=said["reason"].text("reason"), owner=said["owner"].text("owner"),
            expires=said["expires"].day("expires"), where=node.where, **fields,
        )  # fmt: skip


def _fingerprint(node: Node) -> str:
    text = node.text("fingerprint").lower()
    if len(text) != _FINGERPRINT or set(text) - set("0123456789abcdef"):
        raise node.error("fingerprint is not one", f"it has {_FINGERPRINT} hex digits")
    return text


def pattern(node: Node, called: str) -> str:
    """A pattern short enough to be held against names."""
    text = node.text(called)
    if len(text) > MAX_PATTERN:
        raise node.error(f"{called} is longer than {MAX_PATTERN} characters")
    return text
