"""How far this version serves the countermeasures of a framework: said with evidence, or said to be missing."""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

from holdfast.advisory.rules import RULES
from holdfast.model.finding import Rule

NIST_800_190 = "nist-800-190"


class State(StrEnum):
    """How much of what a countermeasure asks for is checked: all of its parts, some, or none."""

    SERVED = "served"
    PARTIAL = "partial"
    NOT_COVERED = "not covered"


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a countermeasure asks for: it is served where one of `rules` exists, by `front`."""

    what: str
    front: str = ""
    rules: tuple[str, ...] = ()


class Countermeasure(Struct, frozen=True, forbid_unknown_fields=True):
    """A countermeasure of a framework and the risk that it answers; ids and title are the document's."""

    id: str
    risk_id: str
    group: str
    title: str
    risk: str
    parts: tuple[Part, ...]


class Framework(Struct, frozen=True, forbid_unknown_fields=True):
    """A document with countermeasures, and where it can be read."""

    id: str
    title: str
    published: str
    reference: str
    countermeasures: tuple[Countermeasure, ...]


class Coverage(Struct, frozen=True):
    """What this version does about one countermeasure.

    `served` and `missing` are its parts; `rules` the ids of the rules that serve it, those that name it in their
    controls included; `reason` says in one sentence why the state is what it is.
    """

    id: str
    risk_id: str
    group: str
    title: str
    state: State
    reason: str
    rules: tuple[str, ...] = ()
    served: tuple[Part, ...] = ()
    missing: tuple[Part, ...] = ()


def coverage(*rules: Rule, framework: str = NIST_800_190) -> tuple[Coverage, ...]:
    """Every countermeasure of the framework, in its order, held against the rules of all rooms."""
    known = {rule.id: rule for rule in (*RULES, *rules)}
    return tuple(
        _coverage(countermeasure, known, f"{framework}:{countermeasure.id}")
        for countermeasure in load(framework).countermeasures
    )


def load(framework: str) -> Framework:
    """A framework from its file beside this module."""
    path = Path(__file__).with_name("frameworks") / f"{framework}.toml"
    values: dict[str, Any] = tomllib.loads(path.read_text())
    return convert(values, Framework)


def _coverage(countermeasure: Countermeasure, known: dict[str, Rule], control: str) -> Coverage:
    served = tuple(part for part in countermeasure.parts if any(rule in known for rule in part.rules))
    missing = tuple(part for part in countermeasure.parts if part not in served)
    by_part = [rule for part in served for rule in part.rules if rule in known]
    claiming = [rule.id for rule in known.values() if control in rule.controls]
    rules = tuple(dict.fromkeys((*by_part, *claiming)))
    state = _state(rules, missing)
    return Coverage(
        countermeasure.id,
        countermeasure.risk_id,
        countermeasure.group,
        countermeasure.title,
        state,
        _reason(state, served, missing),
        rules,
        served,
        missing,
    )


def _state(rules: Iterable[str], missing: tuple[Part, ...]) -> State:
    if not rules:
        return State.NOT_COVERED
    return State.PARTIAL if missing else State.SERVED


def _reason(state: State, served: tuple[Part, ...], missing: tuple[Part, ...]) -> str:
    if state is State.NOT_COVERED:
        return "Nothing in this version checks it."
    if not served:
        return "Some rules serve it, but none of its parts as a whole."
    fronts = ", ".join(dict.fromkeys(part.front for part in served))
    if state is State.SERVED:
        return f"Every part is checked, by {fronts}."
    return f"{len(served)} of {len(served) + len(missing)} parts are checked, by {fronts}."
