"""The room's order: every file of checks is in the tuple, and every rule is said by one of them."""

from pathlib import Path

from holdfast.misconfig.dockerfile import checks
from holdfast.misconfig.rule import load

_FOLDER = Path(checks.__file__).parent


def test_every_file_of_checks_is_in_the_tuple() -> None:
    files = {path.stem for path in _FOLDER.glob("*.py")} - {"__init__"}
    assert {check.__module__.rsplit(".", 1)[-1] for check in checks.CHECKS} == files


def test_every_rule_is_said_by_a_check() -> None:
    source = "".join(path.read_text() for path in _FOLDER.glob("*.py"))
    made = {f"{family}-{what}" for family in ("yum", "dnf", "zypper", "apt") for what in ("cache-kept", "without-yes")}
    for rule in load("dockerfile"):
        name = rule.removeprefix("dockerfile.")
        assert f'"{name}"' in source or name in made
