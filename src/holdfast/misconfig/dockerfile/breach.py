"""What a check says: which rule is broken, where, by what, and the line to write instead."""

from msgspec import Struct

from holdfast.model.finding import Confidence, Severity


class Breach(Struct, frozen=True):
    """A rule that is broken, before it becomes a finding.

    `rule` is the id without `dockerfile.`; `stage` the label of the stage (empty: the file as a whole); `what` names
    the cause within it, never with a line number, so that triage survives an edit further up. `fix` is the very line to
    write, where one can be said. `count` says how many of the same there are. No word of it may hold a secret but
    `secret`: the thing itself, so that it can be blotted out of all that is said; it is in no finding and no repr.
    """

    rule: str
    line: int
    stage: str
    what: str
    found: str
    expected: str = ""
    fix: str = ""
    confidence: Confidence = Confidence.HIGH
    severity: Severity | None = None
    count: int = 1
    secret: str = ""

    def __repr__(self) -> str:
        return f"Breach({self.rule!r}, {self.line}, {self.stage!r}, {self.what!r})"
