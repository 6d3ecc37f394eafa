"""A moment after which nobody waits any longer."""

import math
import time

from holdfast.model.errors import LimitError


class Deadline:
    """A moment on the monotonic clock. It is handed down, so that a whole piece of work shares one budget of time."""

    __slots__ = ("_end",)

    def __init__(self, end: float = math.inf) -> None:
        self._end = end

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> "Deadline":
        """This deadline, or the one `seconds` from now where that is earlier."""
        return Deadline(min(self._end, time.monotonic() + seconds))

    @property
    def remaining(self) -> float:
        """The seconds left, never below zero; infinite where there is no limit."""
        return max(0.0, self._end - time.monotonic())

    def check(self, where: str = "") -> None:
        """LimitError once the moment has passed."""
        if not self.remaining:
            raise LimitError("the time for this ran out", where=where, remedy="try again, or allow more time")
