"""What a policy file holds, each value with its line, however the file is written."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar, Union

from msgspec import Struct

from holdfast.model.errors import InputError

Scalar = str | int | float | bool | None
Content = Union[Scalar, "dict[str, Node]", "list[Node]"]
E_ = TypeVar("E_", bound=StrEnum)

MAX_TEXT = 4_000


class Node(Struct):
    """One value and the line where it begins; in a mapping, the line of its key. Dates are text, as ISO 8601."""

    value: Content
    line: int
    file: str

    def error(self, what: str, remedy: str = "") -> InputError:
        """What is wrong here, with file and line."""
        return InputError(what, where=f"{self.file}:{self.line}", remedy=remedy)

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    def table(self, allowed: Iterable[str], called: str) -> Mapping[str, "Node"]:
        """The mapping, whose keys are all among the allowed ones."""
        if not isinstance(self.value, dict):
            raise self.error(f"{called} is {self._kind()}, and has to be a table")
        names = tuple(allowed)
        for key, node in self.value.items():
            if key not in names:
                raise node.error(f"{called} has no {shown(key)}", f"there are {', '.join(names)}")
        return self.value

    def items(self, called: str) -> "list[Node]":
        """The list."""
        if not isinstance(self.value, list):
            raise self.error(f"{called} is {self._kind()}, and has to be a list")
        return self.value

    def text(self, called: str, *, numbers: bool = False, empty: bool = False) -> str:
        """The text, which is not empty unless that is allowed; with `numbers` a whole number counts as its digits."""
        value = self.value
        if numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if abs(value) < 1 << 63 else ""
        if not isinstance(value, str):
            raise self.error(f"{called} is {self._kind()}, and has to be text")
        if len(value) > MAX_TEXT:
            raise self.error(f"{called} is longer than {MAX_TEXT:,} characters")
        if not empty and not value.strip():
            raise self.error(f"{called} is empty")
        return value

    def texts(self, called: str, *, numbers: bool = False) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        if isinstance(self.value, list):
            return tuple(item.text(f"an entry of {called}", numbers=numbers) for item in self.value)
        return (self.text(called, numbers=numbers),)

    def flag(self, called: str) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"{called} is {self._kind()}, and has to be true or false")
        return self.value

    def number(self, called: str, least: float, most: float, *, whole: bool) -> float:
        """A number within bounds."""
        value = self.value
        good = isinstance(value, int) if whole else isinstance(value, int | float)
        if isinstance(value, bool) or not isinstance(value, int | float) or not good or not least <= value <= most:
            kind = "a whole number" if whole else "a number"
            raise self.error(f"{called} is not {kind} from {least:g} to {most:g}")
        return value

    def choice(self, called: str, words: type[E_]) -> E_:
        """One of the words of an enumeration."""
        try:
            return words(self.value)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            listed = ", ".join(words)
            given = shown(self.value) if isinstance(self.value, str) else self._kind()
            raise self.error(f"{called} cannot be {given}", f"it is one of {listed}") from None

    def day(self, called: str) -> str:
        """A date as YYYY-MM-DD."""
        text = self.value if isinstance(self.value, str) else ""
        try:
            if len(text) != len("2026-12-31"):
                raise ValueError
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise self.error(f"{called} is not a date", "write it like 2026-12-31") from None

    def _kind(self) -> str:
        match self.value:
            case dict():
                return "a table"
            case list():
                return "a list"
            case bool():
                return "true" if self.value else "false"
            case int() | float():
                return "a number"
            case None:
                return "nothing"
        return "text"


def shown(text: object) -> str:
    """A text of the file for a message: short, quoted, printable."""
    return ascii(str(text)[:60])
