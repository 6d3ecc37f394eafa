"""Conditions in CEL (the Common Expression Language, github.com/google/cel-spec), compiled and evaluated within bounds.

celpy is imported here, which takes a fifth of a second: import this module where there is an expression to read.
It is used rather than the Rust binding (`cel`) because every step of it is Python, so that steps can be counted and a
long chain of operators is an error with a line; the binding ends the process on one, and copies what it filters.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

import celpy
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError, Evaluator
from msgspec import Struct

from holdfast.model.errors import InputError, LimitError

MAX_DEPTH = 40
MAX_NESTED = 3
MAX_STEPS = 2_000_000
"""Nodes of the expression's tree that all checks of one verdict may visit together: some fifteen seconds."""

# What it would say beside the error that it raises belongs into no terminal.
logging.getLogger("celpy").addHandler(logging.NullHandler())

_LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|//[^\n]*")
_MARK = re.compile(r"(\.\s*(?:all|exists|exists_one|map|filter)\s*)?([(\[{])|[)\]}]")
_ACTIVATION = re.compile(r" \(in activation .*", re.DOTALL)
_LONGEST_MESSAGE = 200


MAX_SIZE = 200_000
"""How long any text or list may become on the way."""


class Steps:
    """What is left of a budget, shared by the expressions that are evaluated for one verdict."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.most = most
        self.left = most

    def take(self) -> None:
        """One step; LimitError where none is left."""
        self.left -= 1
        if self.left < 0:
            raise LimitError(f"more than {self.most:,} steps", remedy="ask less of every single finding or package")


class Condition(Struct, frozen=True):
    """An expression that was understood. `where` is its file and line."""

    tree: Any
    environment: Any
    where: str

    def holds(self, variables: Mapping[str, Any], steps: Steps) -> bool:
        """Whether it is true of the variables (as `values` gives them); InputError where that cannot be told."""
        try:
            runner = _Runner(self.tree, celpy.InterpretedRunner(self.environment, self.tree).new_activation(), steps)
            result = runner.evaluate(dict(variables))
        except CELEvalError as error:
            raise InputError(_said(error), where=_place(self.where, error.line or 1)) from error
        except LimitError as error:
            raise LimitError(error.what, where=self.where, remedy=error.remedy) from error
        except RecursionError as error:
            raise LimitError("nested too deep", where=self.where) from error
        except Exception as error:  # a library's own slip must not end a verdict
            raise InputError(f"cannot be evaluated: {str(error)[:_LONGEST_MESSAGE]}", where=self.where) from error
        if not isinstance(result, BoolType | bool):
            raise InputError(f"is no condition: its value is {type(result).__name__}", where=self.where)
        return bool(result)


def compiled(expression: str, where: str) -> Condition:
    """The expression that stands at `where` (`file:line`); InputError with line and column where it is not CEL."""
    _bound(expression, where)
    environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
    try:
        return Condition(environment.compile(expression), environment, where)
    except CELParseError as error:
        line, column = max(error.line or 1, 1), max(error.column or 1, 1)
        shown = dict(enumerate(expression.split("\n"), 1)).get(line, "").strip()[:80]
        told = f"not CEL: {shown!a} is not understood at column {column}" if shown else "not CEL: it ends too early"
        raise InputError(told, where=_place(where, line)) from error
    except (RecursionError, ValueError, IndexError) as error:
        raise InputError(f"not CEL: {str(error)[:_LONGEST_MESSAGE]}", where=where) from error


def values(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as CEL's own."""
    return {name: json_to_cel(value) for name, value in variables.items()}


def _bound(expression: str, where: str) -> None:
    """Brackets and loops within loops are counted before anything is parsed."""
    open_marks: list[bool] = []
    for found in _MARK.finditer(_LITERAL.sub("''", expression)):
        if found[2]:
            open_marks.append(bool(found[1]))
        elif open_marks:
            open_marks.pop()
        if len(open_marks) > MAX_DEPTH:
            raise LimitError(f"brackets nested deeper than {MAX_DEPTH}", where=where)
        if sum(open_marks) > MAX_NESTED:
            raise LimitError(f"more than {MAX_NESTED} of all, exists, map and filter within each other", where=where)


class _Runner(Evaluator):
    """Counts every node that is visited, also in the bodies of loops."""

    def __init__(self, ast: Any, activation: Any, steps: Steps) -> None:
        super().__init__(ast, activation)
        self._steps = steps

    def sub_evaluator(self, ast: Any) -> "_Runner":
        return _Runner(ast, self.activation, self._steps)

    def _visit_tree(self, tree: Any) -> Any:
        self._steps.take()
        value = super()._visit_tree(tree)
        if isinstance(value, str | bytes | list | dict) and len(value) > MAX_SIZE:
            raise LimitError(f"a value of more than {MAX_SIZE:,} items or characters", remedy="add less together")
        return value


def _said(error: CELEvalError) -> str:
    text = _ACTIVATION.sub("", str(error.args[0]) if error.args else "an error")
    return f"cannot be evaluated: {text[:_LONGEST_MESSAGE]}"


def _place(where: str, line: int) -> str:
    """File and line of a line of the expression: of several, as the first one's file and line and the number."""
    return where if line <= 1 else f"{where} (line {line} of the expression)"
