"""What a policy decides of a target, and why."""

from enum import StrEnum

from msgspec import Struct

from holdfast.model.status import Problem

SCHEMA = "holdfast.verdict/1"


class Decision(StrEnum):
    """Whether a target may be built or run: the gravest of all reasons decides."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """0 for allow, 1 for warn, 2 for deny."""
        return _RANKS[self]


_RANKS = {decision: rank for rank, decision in enumerate(Decision)}


class Reason(Struct, frozen=True, omit_defaults=True):
    """One thing that the policy objects to.

    `rule` is the rule behind it: of the policy (`policy.vulnerability`, `check.<name>`), or the findings' own.
    `findings` are fingerprints, the first of them at most; `count` says how many there are (0: it is about the target
    itself). `how_to_pass` are steps for people; `waiver` is TOML to paste into the policy where a person accepts it.
    """

    rule: str
    decision: Decision
    message: str
    findings: tuple[str, ...] = ()
    count: int = 0
    how_to_pass: tuple[str, ...] = ()
    waiver: str = ""
    where: str = ""


class SetAside(Struct, frozen=True, omit_defaults=True):
    """A finding, or a demand of the policy, that did not count.

    `by` is `waiver` or `vex`; `reason` what its author wrote, `owner` who answers for it, `expires` the last day on
    which it holds (YYYY-MM-DD; empty: no end), `where` the file and line.
    """

    rule: str
    by: str
    reason: str
    subject: str = ""
    fingerprint: str = ""
    owner: str = ""
    expires: str = ""
    where: str = ""


class Verdict(Struct, frozen=True):
    """A decision with everything behind it.

    `because` is ordered: what denies before what warns. `set_aside` is the first of what did not count, of
    `set_aside_count`. `warnings` are about the policy itself: waivers that expired or matched nothing, what of an
    ignore file is not applied. They do not change the decision.
    """

    decision: Decision
    because: tuple[Reason, ...]
    policy: str
    schema: str = SCHEMA
    target: str = ""
    digest: str = ""
    day: str = ""
    set_aside: tuple[SetAside, ...] = ()
    set_aside_count: int = 0
    warnings: tuple[Problem, ...] = ()
