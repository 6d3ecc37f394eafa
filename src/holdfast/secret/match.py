"""Secrets in the making: candidates, what is confirmed of them, and how much work that may be."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.finding import Confidence

if TYPE_CHECKING:
    from holdfast.secret.confirm import Compiled
    from holdfast.secret.context import Nature

MOST_SEARCHED = 32 << 20


class Candidate(NamedTuple):
    """A place where a rule's expression ends, and how many bytes before it a match of the rule may begin."""

    end: int
    before: int


class Match(NamedTuple):
    """A secret in some data, from `start` to `end`; `breadth` bytes in all told that it is one."""

    rule: "Compiled"
    start: int
    end: int
    secret: bytes
    confidence: Confidence
    checks: tuple[str, ...]
    note: str = ""
    breadth: int = 0
    groups: dict[str, bytes] = {}  # noqa: RUF012

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """Which of two matches in one place is told of: the higher one."""
        rule = self.rule.rule
        return not rule.generic, _CONFIDENCES[self.confidence], self.breadth, rule.severity.rank


_CONFIDENCES = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


class Work:
    """What may still be searched, in bytes, and what had to be left out."""

    def __init__(self, most: int = MOST_SEARCHED) -> None:
        self.left = most
        self.searched = 0
        self.left_out = 0

    def take(self, size: int) -> bool:
        """Whether so many bytes may be searched still; if not, that is counted."""
        if size > self.left:
            self.left_out += 1
            return False
        self.left -= size
        self.searched += size
        return True


class Surroundings(NamedTuple):
    """What holds for a whole window: what its path says of the file, and whether it is no text."""

    nature: "Nature"
    binary: bool


def distinct(matches: Sequence[Match]) -> list[Match]:
    """The matches without those that overlap a better one, in the order of their places."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda one: (one.start, one.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
        elif match.rank > kept[-1].rank:
            kept[-1] = match
    return kept
