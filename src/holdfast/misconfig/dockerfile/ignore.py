"""Comments that set findings aside: `# holdfast: ignore=dockerfile.x reason` and `# hadolint ignore=DL3008`."""

import re
from collections.abc import Iterable

from msgspec import Struct

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.hadolint import RULES_BY_ID
from holdfast.misconfig.dockerfile.syntax import Dockerfile, Instruction

_IGNORE = re.compile(
    r"(holdfast|hadolint)(?::[ \t]{0,8}|[ \t]{1,8})(global[ \t]{1,8})?ignore[ \t]{0,8}=[ \t]{0,8}(\S.{0,2000})"
)
_ID = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,80}")


class Ignores(Struct, frozen=True):
    """Which rules are set aside: for the whole file, and by the lines of the instructions that comments are for."""

    everywhere: frozenset[str]
    lines: dict[int, set[str]]

    def __contains__(self, breach: Breach) -> bool:
        return breach.rule in self.everywhere or breach.rule in self.lines.get(breach.line, ())


def read_ignores(file: Dockerfile) -> Ignores:
    """What the comments of a Dockerfile set aside. A comment is for the instruction right below it, or around it."""
    everywhere: set[str] = set()
    lines: dict[int, set[str]] = {}
    for instruction in file.instructions:
        everywhere |= _rules((text for _, text in instruction.comments), whole=True)
        if rules := _rules(_near(instruction), whole=False):
            for line in range(instruction.line, instruction.last + 1):
                lines.setdefault(line, set()).update(rules)
    everywhere |= _rules((text for _, text in file.comments), whole=True)
    return Ignores(frozenset(everywhere), lines)


def _near(instruction: Instruction) -> list[str]:
    near: list[str] = []
    for line, text in instruction.comments:
        if not text and line < instruction.line:
            near.clear()
        near.append(text)
    return near


def _rules(comments: Iterable[str], *, whole: bool) -> set[str]:
    rules: set[str] = set()
    for comment in comments:
        found = _IGNORE.match(comment)
        if not found or bool(found[2]) != whole:
            continue
        # Ids are parted by commas; after the first word that is followed by none, the reason begins.
        for part in found[3].split(","):
            name = _ID.match(part.strip())
            if name:
                rule = name[0].removeprefix("dockerfile.")
                rules.add(RULES_BY_ID.get(rule, rule))
            if name is None or part.strip() != name[0]:
                break
    return rules
