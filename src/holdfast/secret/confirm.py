"""From a candidate to a secret: the rule's own pattern, its surroundings and its checks, within counted work."""

import re
from collections.abc import Iterable

from holdfast.model.finding import Confidence
from holdfast.secret import context
from holdfast.secret.checks import CHECKS
from holdfast.secret.match import Candidate, Match, Surroundings, Work
from holdfast.secret.rule import SecretRule

NEAR = 256
MARGIN = 64  # what look-aheads may look at behind the longest match
MOST_A_RULE = 2_000  # secrets of one rule in one window
MOST_IN_VAIN = 2 << 20  # bytes that one rule searches in one window and finds nothing: `re` is slowest there
LONGEST_SECRET = 64 << 10


class Compiled:
    """A rule whose expressions are compiled, which happens when its first candidate is found."""

    def __init__(self, rule: SecretRule, width: int) -> None:
        self.rule = rule
        self._pattern = re.compile(rule.pattern.encode())
        self._near = re.compile(rule.near.encode()) if rule.near else None
        self._group: int | str = "secret" if "secret" in self._pattern.groupindex else 0
        self._ahead = min(rule.reach, width + MARGIN)
        self._width = width

    def matches(
        self, data: bytes, candidates: Iterable[Candidate], surroundings: Surroundings, work: Work
    ) -> list[Match]:
        """The secrets at the candidates, which come in the order of their ends."""
        found: list[Match] = []
        done = vain = 0
        for end, before in candidates:
            if end <= done:
                continue
            low = max(done, end - before, 0)
            high = min(len(data), end + self._ahead)
            if len(found) >= MOST_A_RULE or vain > MOST_IN_VAIN:
                work.left_out += 1
                continue
            if not work.take(high - low):
                continue
            match = self._pattern.search(data, low, high)
            if match is None or match.start() >= end:
                vain += high - low
                continue
            done = match.end()
            if (secret := self._confirmed(data, match, surroundings)) is not None:
                found.append(secret)
        return found

    def _confirmed(self, data: bytes, match: re.Match[bytes], surroundings: Surroundings) -> Match | None:
        rule = self.rule
        secret = match[self._group]
        if not secret or len(secret) > LONGEST_SECRET or context.is_placeholder(secret):
            return None
        start, end = match.span(self._group)
        if rule.generic and (context.is_digest(data, start) or context.is_minified(data, start, end)):
            return None
        if self._near is not None and not self._stands_near(data, match.start(), match.end()):
            return None
        words: list[str] = []
        for check in rule.requires:
            verdict = _asked(check, secret)
            if not verdict[0]:
                return None
            words.append(verdict[1])
        confidence, note = rule.confidence, ""
        for check in rule.checks:
            holds, said = _asked(check, secret)
            if holds:
                words.append(said)
            elif rule.on_failure == "drop":
                return None
            else:
                confidence, note = Confidence.LOW, "malformed"
        judged, why = context.judged(surroundings.nature, confidence, generic=rule.generic)
        if judged is None:
            return None
        if rule.paths and judged is not Confidence.LOW and context.is_commented(data, start):
            judged, why = Confidence.LOW, "in a comment"
        said_words = tuple(dict.fromkeys(word for word in words if word))
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        return Match(self, start, end, secret, judged, said_words, note or why, match.end() - match.start(), groups)

    def _stands_near(self, data: bytes, start: int, end: int) -> bool:
        """Whether the telling word stands before or behind the match: not in the secret itself."""
        assert self._near is not None
        low, high = max(0, start - NEAR), min(len(data), end + NEAR)
        return bool(self._near.search(data, low, end)) or bool(self._near.search(data, start, high))


def _asked(check: str, secret: bytes) -> tuple[bool, str]:
    name, _, argument = check.partition(":")
    return CHECKS[name](secret, argument)
