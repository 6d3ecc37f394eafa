"""Which licence strings are SPDX ids, which SPDX expressions, and which only names."""

import re
from enum import StrEnum
from functools import cache
from pathlib import Path

_TOKEN = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+:-]+)")
_REFERENCE = re.compile(r"(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")
_EXCEPTION = re.compile(r"[A-Za-z0-9.]+(-[A-Za-z0-9.]+)+")
_LONGEST = 2000


class Form(StrEnum):
    """How CycloneDX carries a licence: the name of its field."""

    ID = "id"
    EXPRESSION = "expression"
    NAME = "name"


def form_of(licence: str) -> Form:
    """What a licence string is, by the SPDX specification, annex D, and the licence list beside this file."""
    if licence in spdx_ids():
        return Form.ID
    return Form.EXPRESSION if len(licence) <= _LONGEST and _is_expression(licence) else Form.NAME


@cache
def spdx_ids() -> frozenset[str]:
    """The ids of the SPDX licence list."""
    return frozenset(Path(__file__).with_name("spdx-ids.txt").read_text().split())


def _is_expression(text: str) -> bool:
    """Whether operands and operators take turns and the parentheses match; a WITH takes any exception's name."""
    depth, expected, position = 0, "operand", 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return False
        word, position = found[1], found.end()
        match expected, word:
            case "operand", "(":
                depth += 1
            case "operator", ")" if depth:
                depth -= 1
            case "operator", "AND" | "OR":
                expected = "operand"
            case "operator", "WITH":
                expected = "exception"
            case "operand", _ if _is_operand(word):
                expected = "operator"
            case "exception", _ if _EXCEPTION.fullmatch(word):
                expected = "operator"
            case _:
                return False
    return expected == "operator" and depth == 0


def _is_operand(word: str) -> bool:
    return word.removesuffix("+") in spdx_ids() or bool(_REFERENCE.fullmatch(word))
