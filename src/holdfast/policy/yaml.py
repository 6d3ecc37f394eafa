"""YAML with the line of every value, from events: what is not needed for settings is not there.

Scalars are read as YAML 1.2's core schema does (`yes` and `12:30` are text), so that both formats mean the same.
"""

import re
from typing import TYPE_CHECKING, Any

from holdfast.model.errors import InputError, LimitError
from holdfast.policy.node import Content, Node, Scalar, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 16
MAX_VALUES = 50_000
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_REAL = re.compile(r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def read_yaml(data: bytes, file: str) -> Node:
    """The one document in the bytes; InputError with file and line, LimitError past a budget.

    Aliases count as often as they are used, so that a bomb of them ends at MAX_VALUES.
    """
    import yaml

    try:
        text = data.decode("utf-8-sig")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        reader = _Reader(yaml.parse(text, Loader=loader), file)
        return reader.document()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8", where=f"{file}:{line}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InputError(f"not YAML: {(error.problem or 'damaged')[:200]}", where=file + place) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"not YAML: {str(error)[:200]}", where=file) from error


class _Reader:
    """Builds nodes from events. `weights` are the values that an anchor stands for."""

    def __init__(self, events: "Iterator[Any]", file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._values = 0

    def document(self) -> Node:
        import yaml

        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                root = self._node(next(self._events), 0)
                next(self._events)  # the document's end
                following = next(self._events)
                if isinstance(following, yaml.DocumentStartEvent):
                    raise self._error(following, "a second document begins here")
                return root
        return Node({}, 1, self._file)

    def _node(self, event: Any, depth: int) -> Node:
        import yaml

        if depth > MAX_DEPTH:
            raise LimitError(f"nested deeper than {MAX_DEPTH}", where=self._where(event))
        self._values += 1
        before = self._values
        anchor = getattr(event, "anchor", None)
        node: Node
        if isinstance(event, yaml.AliasEvent):
            node = self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            node = self._made(event, _scalar(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._made(event, self._list(depth))
        else:
            node = self._made(event, self._table(depth))
        if self._values > MAX_VALUES:
            raise LimitError(f"more than {MAX_VALUES:,} values", where=self._where(event))
        if anchor and not isinstance(event, yaml.AliasEvent):
            self._anchors[anchor] = node, self._values - before + 1
        return node

    def _list(self, depth: int) -> list[Node]:
        import yaml

        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _table(self, depth: int) -> dict[str, Node]:
        import yaml

        table: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key that is no plain text")
            key = event.value
            if key in table:
                raise self._error(event, f"{shown(key)} stands here twice")
            value = self._node(next(self._events), depth + 1)
            table[key] = self._made(event, value.value)
        return table

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise self._error(event, f"nothing is called &{shown(event.anchor)[1:-1]}")
        node, weight = self._anchors[event.anchor]
        self._values += weight
        return node

    def _made(self, event: Any, value: Content) -> Node:
        return Node(value, event.start_mark.line + 1, self._file)

    def _where(self, event: Any) -> str:
        return f"{self._file}:{event.start_mark.line + 1}"

    def _error(self, event: Any, what: str) -> InputError:
        return InputError(what, where=self._where(event))


def _scalar(event: Any) -> Scalar:
    text: str = event.value
    if event.style or (event.tag and event.tag != "!"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text
