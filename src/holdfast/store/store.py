"""What a store is: the scans that were kept, the findings followed through them, and what people decided of those."""

from enum import StrEnum
from typing import Protocol, Self

from msgspec import Struct

from holdfast.model.finding import Finding, Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Problem, Status

KEPT_REPORTS = 30
"""How many whole reports of one target are kept; of older scans the numbers and the findings' history stay."""


class Origin(StrEnum):
    """How a report came to be: the target was looked at, or its stored inventory was matched again."""

    SCAN = "scan"
    RESCAN = "rescan"


class State(StrEnum):
    """Where a finding stands: there; there and accepted by somebody until it expires; or not there any more."""

    OPEN = "open"
    ACCEPTED = "accepted"
    GONE = "gone"


class What(StrEnum):
    """What happened to a finding, besides being found."""

    GONE = "gone"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    REOPENED = "reopened"


class StoredScan(Struct, frozen=True):
    """One scan as it is remembered. Times are ISO 8601 in UTC.

    `target` is what stays the same from scan to scan (store.identity), `name` what was typed. `database` is the newest
    date of its advisories; `counts` are findings by kind and severity; `new` and `gone` how many came and went with it.
    `has_report` says whether the report itself is still there.
    """

    id: str
    target: str
    platform: str
    name: str
    kind: str
    digest: str
    created: str
    tool: str
    status: Status
    origin: Origin
    database: str
    packages: int
    counts: dict[Kind, dict[Severity, int]]
    new: int = 0
    gone: int = 0
    has_report: bool = True


class Triage(Struct, frozen=True):
    """What somebody decided: why, who answers for it, and the last day (YYYY-MM-DD, UTC) that it holds, if any."""

    reason: str
    owner: str
    expires: str = ""
    at: str = ""


class Event(Struct, frozen=True):
    """Something that happened to a finding: when, what, in which scan (if in one), and the words given with it."""

    at: str
    what: What
    scan: str = ""
    reason: str = ""
    owner: str = ""
    expires: str = ""


class Tracked(Struct, frozen=True):
    """One finding of one target through all scans.

    `gone_since` is the first scan that looked for it and did not see it; empty while it is there. `triage` is what was
    decided last, whether that holds still or has expired: `state` knows.
    """

    fingerprint: str
    target: str
    platform: str
    rule: str
    kind: Kind
    severity: Severity
    name: str
    version: str
    path: str
    title: str
    count: int
    risk: int
    first_seen: str
    last_seen: str
    state: State
    gone_since: str = ""
    triage: Triage | None = None


class Detail(Struct, frozen=True):
    """All that is known of a tracked finding: itself as it was last seen, and what happened to it, oldest first."""

    tracked: Tracked
    finding: Finding
    history: tuple[Event, ...] = ()


class Accepted(Struct, frozen=True):
    """A finding that somebody accepted, while that holds: for a policy to turn into a waiver."""

    target: str
    fingerprint: str
    rule: str
    kind: Kind
    reason: str
    owner: str
    expires: str = ""


class Saved(Struct, frozen=True):
    """What a report changed: fingerprints that are new, that came back, and that went. `id` is the scan's."""

    id: str
    target: str
    new: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class StoredTarget(Struct, frozen=True):
    """A target with at least one scan: how many there are, and when the last one was."""

    target: str
    platform: str
    scans: int
    last: str


class Selection(Struct, frozen=True):
    """Which findings to list: of one target (as typed), of some kinds and severities, in one state (None: all).

    `since` is the earliest time (ISO 8601) at which they were first seen.
    """

    target: str = ""
    kinds: tuple[Kind, ...] = ()
    severities: tuple[Severity, ...] = ()
    state: State | None = State.OPEN
    since: str = ""


class Store(Protocol):
    """Remembers scans and what became of their findings. A context manager; every method raises StoreError.

    A `target` is what a person types; scans are found by it as store.identity says. `problems` are what was wrong with
    scans that waited to be stored.
    """

    problems: tuple[Problem, ...]

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def save(
        self,
        report: Report,
        sources: dict[str, bytes],
        origin: Origin = Origin.SCAN,
    ) -> Saved:
        """Keep a report and the apt source files of its target."""

    def targets(self) -> tuple[StoredTarget, ...]:
        """All targets by name."""

    def scans(self, target: str, *, limit: int = 1000) -> tuple[StoredScan, ...]:
        """The scans of a target, newest first; none where it is unknown."""

    def scan(self, prefix: str) -> StoredScan | None:
        """The one scan whose id begins so; None where there is none, InputError where there are several."""

    def report(self, scan: str) -> Report | None:
        """The report of a scan by its whole id; None where it is not kept (any more)."""

    def sources(self, scan: str) -> dict[str, bytes]:
        """The apt source files that were found with it, by path; none where it is not kept."""

    def findings(self, selection: Selection) -> tuple[Tracked, ...]:
        """The findings selected, gravest first."""

    def detail(self, prefix: str, target: str = "") -> tuple[Detail, ...]:
        """The finding whose fingerprint begins so, once for each target that has it. InputError, NotFound."""

    def accept(self, prefix: str, triage: Triage, target: str = "") -> tuple[Tracked, ...]:
        """Accept a finding wherever it is, or in one target. InputError without reason and owner; NotFound."""

    def reopen(self, prefix: str, reason: str = "", target: str = "") -> tuple[Tracked, ...]:
        """Take back that it was accepted. InputError where it was not; NotFound."""

    def accepted(self, target: str) -> tuple[Accepted, ...]:
        """What is accepted of a target now: neither expired, nor of what is gone. None where it is unknown."""


def holds(triage: Triage | None, today: str) -> bool:
    """Whether a decision holds on a day (YYYY-MM-DD): its last day is one of those."""
    return triage is not None and (not triage.expires or triage.expires >= today)
