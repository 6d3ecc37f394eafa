"""What the licences of a package lead to: SPDX expressions read as choices (OR) and sums (AND).

Source: the SPDX specification 2.3, annex D. What is no such expression is taken as one licence's name.
"""

import re

from holdfast.model.package import Package
from holdfast.model.policy import Licences
from holdfast.model.verdict import Decision
from holdfast.policy.glob import matches

_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")
_LONGEST = 2_000
_OPERATORS = ("AND", "OR")


def judge_licences(package: Package, demands: Licences) -> tuple[Decision, str]:
    """The gravest that any of the package's licences leads to, and that licence."""
    worst, name = Decision.ALLOW, ""
    for licence in package.licenses:
        decision = _judge(licence, demands)
        if decision.rank > worst.rank:
            worst, name = decision, licence
    if not package.licenses and demands.unknown is not Decision.ALLOW:
        return demands.unknown, "none stated"
    return worst, name


def _judge(licence: str, demands: Licences) -> Decision:
    if len(licence) > _LONGEST:
        return _single(licence[:_LONGEST], demands)
    decision = _expression(_TOKEN.findall(licence), demands)
    return _single(licence, demands) if decision is None else decision


def _expression(tokens: list[str], demands: Licences) -> Decision | None:
    """The value of an expression, by two stacks; None where it is none."""
    results: list[Decision] = []
    operators: list[str] = []
    expects_operand = True
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if expects_operand and token == "(":  # noqa: S105
            operators.append(token)
        elif expects_operand and token not in (")", *_OPERATORS, "WITH"):
            name = token
            if tokens[place : place + 1] == ["WITH"]:
                name = " ".join((token, *tokens[place : place + 2]))
                place += 2
            results.append(_single(name, demands))
            expects_operand = False
        elif not expects_operand and token in _OPERATORS:
            while operators and operators[-1] != "(" and (operators[-1] == "AND" or token == "OR"):  # noqa: S105
                _apply(operators.pop(), results)
            operators.append(token)
            expects_operand = True
        elif not expects_operand and token == ")" and "(" in operators:  # noqa: S105
            while operators[-1] != "(":
                _apply(operators.pop(), results)
            operators.pop()
        else:
            return None
    if expects_operand or "(" in operators:
        return None
    while operators:
        _apply(operators.pop(), results)
    return results[0]


def _apply(operator: str, results: list[Decision]) -> None:
    right, left = results.pop(), results.pop()
    results.append(max(left, right, key=_rank) if operator == "AND" else min(left, right, key=_rank))


def _single(name: str, demands: Licences) -> Decision:
    lowered = name.lower()
    for decision, patterns in ((Decision.DENY, demands.deny), (Decision.WARN, demands.warn)):
        if any(matches(pattern.lower(), lowered) for pattern in patterns):
            return decision
    return Decision.ALLOW


def _rank(decision: Decision) -> int:
    return decision.rank
