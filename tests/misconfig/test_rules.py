"""Every rule says what it means, and has scenes that break it and scenes that do not."""

import pkgutil
from pathlib import Path

import pytest

import holdfast.misconfig.image
import holdfast.misconfig.server
import holdfast.misconfig.system
from holdfast.misconfig import READERS, Scene, rules
from holdfast.misconfig.assess import CHECKS
from holdfast.misconfig.rule import expected, find, load, packs
from holdfast.model.finding import Severity
from misconfig.examples import examples
from misconfig.scenes import rules_of

EXAMPLES = examples()
OURS = [rule for pack in ("image", "system", "server") for rule in load(pack).values()]


@pytest.mark.parametrize(("rule", "broken", "sound"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_a_rule_is_found_where_it_is_broken_and_nowhere_else(rule: str, broken: Scene, sound: Scene) -> None:
    assert rule in rules_of(broken)
    assert rule not in rules_of(sound)


def test_every_rule_has_an_example() -> None:
    assert {rule.id for rule in OURS} == {example[0] for example in EXAMPLES}


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_every_rule_says_what_it_means(rule) -> None:  # type: ignore[no-untyped-def]
    assert rule.title
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.severity is not Severity.UNKNOWN
    assert rule.controls
    assert expected(rule.id)
    assert all(reference.startswith("https://") for reference in rule.references)


def test_the_room_knows_all_its_rules() -> None:
    assert {rule.id for rule in OURS} <= {rule.id for rule in rules()}
    assert {"image", "server", "system"} <= set(packs())
    with pytest.raises(KeyError):
        find("image.nothing-of-the-kind")


@pytest.mark.parametrize("room", [holdfast.misconfig.system, holdfast.misconfig.server], ids=["system", "server"])
def test_every_file_of_readers_is_in_the_list(room) -> None:  # type: ignore[no-untyped-def]
    for module in pkgutil.iter_modules(room.__path__, room.__name__ + "."):
        loaded = __import__(module.name, fromlist=["READERS"])
        assert set(loaded.READERS) <= set(READERS), module.name


def test_every_file_of_checks_is_in_the_list() -> None:
    without = {"instruction"}
    for module in pkgutil.iter_modules(holdfast.misconfig.image.__path__):
        if module.name not in without:
            loaded = __import__(f"holdfast.misconfig.image.{module.name}", fromlist=["CHECKS"])
            assert set(loaded.CHECKS) <= set(CHECKS), module.name


def test_readers_have_names_of_their_own_and_no_pattern_that_every_file_is_tried_for() -> None:
    from misconfig.scenes import SELECTOR

    assert len({reader.name for reader in READERS}) == len(READERS)
    assert SELECTOR.by_path("usr/lib/x86_64-linux-gnu/libc.so.6") == ()
    assert not SELECTOR._anywhere


def test_the_documentation_has_every_rule_with_its_severity() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    for rule in OURS:
        assert f"| `{rule.id}` | {rule.severity} | {rule.title} |" in page
