"""No pattern of the pack backtracks without end, whatever stands in a candidate's neighbourhood.

Each is searched in bait made from itself, as long as its neighbourhood can be. There is no clock in this test: one
that takes all ways there are would not come to an end.
"""

import re

import pytest

from holdfast.secret.confirm import MARGIN
from holdfast.secret.derive import width_of
from holdfast.secret.pack import rule_files
from holdfast.secret.rule import BEFORE, SecretRule, load_rules
from secret.bait import baits

SHIPPED = load_rules(rule_files())


def test_bait_is_bait() -> None:
    assert any(re.fullmatch(rb"a{18,}\0", bait) for bait in baits("(?:a+)+b", 20))
    assert any(re.fullmatch(rb"x=(?:ba){6,}!", bait) for bait in baits("x=(?:ba){2,}c", 16))


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_no_bait_holds_a_rule(rule: SecretRule) -> None:
    size = BEFORE + min(rule.reach, width_of(rule.pattern) + MARGIN)
    for pattern in (rule.pattern, rule.near):
        compiled = re.compile(pattern.encode())
        for bait in baits(pattern, size) if pattern else ():
            compiled.search(bait[:size])
