"""How complete a result is, and what stood in the way."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from holdfast.model.errors import HoldfastError


class Status(StrEnum):
    """Whether a scan saw all it was asked to see."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class Gravity(StrEnum):
    """What a problem does to the result: `note` nothing, `partial` something is missing, `failed` nothing is there."""

    NOTE = "note"
    PARTIAL = "partial"
    FAILED = "failed"


class Problem(Struct, frozen=True, omit_defaults=True):
    """Something unread, unsupported, out of date, dropped or damaged, said rather than swallowed.

    `code` is stable and reads `<room>.<what>` (`layer.truncated`, `database.missing`); `where` names the file,
    layer or feed; `remedy` what to do about it; `count` how often the same thing happened.
    """

    code: str
    message: str
    gravity: Gravity = Gravity.PARTIAL
    where: str = ""
    remedy: str = ""
    count: int = 1

    @classmethod
    def of(cls, code: str, error: HoldfastError, *, gravity: Gravity = Gravity.PARTIAL, where: str = "") -> "Problem":
        """The problem that an error becomes where the scan goes on without the part that failed."""
        return cls(code, error.what, gravity, error.where or where, error.remedy)


def status_of(problems: Iterable[Problem]) -> Status:
    """The status that a list of problems leaves: the gravest one decides."""
    gravities = {problem.gravity for problem in problems}
    if Gravity.FAILED in gravities:
        return Status.FAILED
    return Status.PARTIAL if Gravity.PARTIAL in gravities else Status.COMPLETE
