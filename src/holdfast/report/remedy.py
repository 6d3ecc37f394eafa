"""What to upgrade to be rid of most: for each package, the smallest version that every known fix is contained in."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.report.rows import Row, is_exploited, risk_of
from holdfast.version import ordering_for

Newest = Callable[[str, Iterable[str]], str]
"""The newest of some versions by the ordering of a purl type."""


class Upgrade(Struct, frozen=True):
    """One thing to do: move a package from the versions installed to one, and be rid of `count` vulnerabilities.

    `exploited` says how many of those are known to be exploited; `weight` orders upgrades.
    """

    type: str
    name: str
    side: Side
    installed: tuple[str, ...]
    version: str
    count: int
    exploited: int
    weight: int


def upgrades(rows: Iterable[Row], newest: Newest) -> tuple[Upgrade, ...]:
    """All upgrades that would help, the most useful first: known exploited ones before all, then by summed risk.

    What serves development only is left out. Every upgrade is independent of the others, so that the first n of them
    are the best n.
    """
    groups: dict[tuple[str, str, Side], list[Row]] = {}
    for row in rows:
        if row.fixable and row.apart != "development":
            groups.setdefault((row.type, row.name, row.side), []).append(row)
    found = (_upgrade(group, newest) for group in groups.values())
    return tuple(sorted(found, key=lambda item: (-bool(item.exploited), -item.weight, -item.count, item.name)))


def _upgrade(group: list[Row], newest: Newest) -> Upgrade:
    fixes = [finding for row in group for finding in row.fixable]
    return Upgrade(
        group[0].type,
        group[0].name,
        group[0].side,
        tuple(dict.fromkeys(row.version for row in group)),
        newest(group[0].type, dict.fromkeys(finding.fix.version for finding in fixes)),
        len(fixes),
        sum(is_exploited(finding) for finding in fixes),
        sum(1 + risk_of(finding) for finding in fixes),
    )


def newest_version(kind: str, versions: Iterable[str]) -> str:
    """The newest by the ordering of purl type `kind`."""
    return max(versions, key=ordering_for(kind).key)
