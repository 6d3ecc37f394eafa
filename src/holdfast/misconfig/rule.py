"""The room's rules: data in `rules/<pack>.toml`, an array `[[rule]]` whose members are those of `model.finding.Rule`.

A rule may carry more than that: `expected`, what the setting should be; and what the tests need. The packs are read
when a finding is made or the rules are asked for, and not before.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from holdfast.model.finding import Rule

_FOLDER = Path(__file__).parent / "rules"
_OF_IMAGES = ("image", "system", "server")


@lru_cache(maxsize=32)
def read(pack: str) -> tuple[Mapping[str, Any], ...]:
    """The tables of one pack as they are written."""
    import tomllib

    return tuple(tomllib.loads((_FOLDER / f"{pack}.toml").read_text("utf-8"))["rule"])


@lru_cache(maxsize=32)
def load(pack: str) -> Mapping[str, Rule]:
    """The rules of one pack by their ids, in the order of the file.

    ValueError where the pack is not what it should be: a fault of ours, which the tests of the room find.
    """
    rules = msgspec.convert(read(pack), tuple[Rule, ...])
    by_id = {rule.id: rule for rule in rules}
    if len(by_id) != len(rules):
        raise ValueError(f"rules/{pack}.toml names a rule twice")
    return MappingProxyType(by_id)


def find(rule_id: str) -> Rule:
    """A rule of the image half by its id; KeyError where there is none. The packs are read as far as needed."""
    for pack in _OF_IMAGES:
        if rule := load(pack).get(rule_id):
            return rule
    raise KeyError(rule_id)


@lru_cache(maxsize=512)
def expected(rule_id: str) -> str:
    """What the setting of a rule should be, or an empty string."""
    for pack in _OF_IMAGES:
        for table in read(pack):
            if table["id"] == rule_id:
                return str(table.get("expected", ""))
    return ""


def packs() -> tuple[str, ...]:
    """The names of all packs, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def rules() -> tuple[Rule, ...]:
    """Every rule of the room, pack after pack."""
    return tuple(rule for pack in packs() for rule in load(pack).values())
