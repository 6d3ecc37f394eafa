"""What to do: at most ten things for an image, the most urgent first, whatever kinds they are of."""

from collections.abc import Sequence

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Finding, Kind, SecretEvidence, Severity
from holdfast.model.report import Report
from holdfast.report.columns import place_words
from holdfast.report.malware import malware_name
from holdfast.report.remedy import Newest, Upgrade, newest_version, upgrades
from holdfast.report.rows import Row, is_about_a_package
from holdfast.report.text import Lines, Span, columns, counted, cut, cut_front, one_line, pad, paragraph, printable
from holdfast.report.words import advice_of, by_rule, in_order, is_alive, of_kind, place_of, times, title_of

THINGS_TO_DO = 10
"""More than this nobody does."""

SIDES = {Side.BASE: "in the base image", Side.APPLICATION: "in the application", Side.UNKNOWN: ""}
"""Where something has to move."""

# Of the ten lines so many are kept for a kind, though more urgent ones could fill them all.
_KEPT = {"secrets": 2, "settings": 1, "upgrades": 2}


Group = tuple[Finding, list[Finding]]
"""The findings of one rule, behind the worst of them."""


class Plan(Struct, frozen=True):
    """All that could be done: what to remove, secrets by rule, settings by rule, upgrades; each most urgent first."""

    removals: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    secrets: tuple[Group, ...] = ()
    settings: tuple[Group, ...] = ()
    upgrades: tuple[Upgrade, ...] = ()

    def shares(self) -> tuple[int, int, int, int]:
        """How many removals, secrets, settings and upgrades are among the ten."""
        counts = {
            "removals": len(self.removals) + len(self.files),
            "secrets": len(self.secrets),
            "settings": len(self.settings),
            "upgrades": len(self.upgrades),
        }
        left, taken = THINGS_TO_DO, []
        for position, (name, count) in enumerate(counts.items()):
            kept = sum(min(counts[later], _KEPT[later]) for later in list(counts)[position + 1 :] if later != name)
            taken.append(min(count, left - kept))
            left -= taken[-1]
        return taken[0], taken[1], taken[2], taken[3]


class Thing(Struct, frozen=True):
    """One thing to do, for formats without columns: `remove`, `replace`, `change` or `upgrade`, what, and how."""

    verb: str
    what: str
    how: str


def plan_of(report: Report, found: Sequence[Row], harmful: Sequence[Row], newest: Newest = newest_version) -> Plan:
    """What could be done about a report, whose vulnerabilities and malicious packages are given as rows."""
    files = [one for one in of_kind(report, Kind.MALWARE) if not is_about_a_package(one)]
    return Plan(
        tuple(dict.fromkeys(map(malware_name, harmful))),
        files_to_remove(files),
        secrets_to_replace(of_kind(report, Kind.SECRET)),
        settings_to_change(of_kind(report, Kind.CONFIGURATION)),
        upgrades(found, newest),
    )


def things(plan: Plan) -> tuple[tuple[Thing, ...], int]:
    """The ten most urgent things of a plan, and how many more there are. Nothing in them is escaped."""
    removing, replacing, changing, upgrading = plan.shares()
    names = [*plan.removals, *plan.files]
    chosen = [Thing("remove", name, "It was made to do harm.") for name in names[:removing]]
    for verb, groups in (("replace", plan.secrets[:replacing]), ("change", plan.settings[:changing])):
        chosen += [_thing(verb, worst, members) for worst, members in groups]
    for upgrade in plan.upgrades[:upgrading]:
        gone = f"{counted(upgrade.count, 'vulnerability', 'vulnerabilities')} gone"
        exploited = f", {upgrade.exploited:,} exploited" if upgrade.exploited else ""
        place = f", {SIDES[upgrade.side]}" if SIDES[upgrade.side] else ""
        how = f"{', '.join(upgrade.installed[:5])} → {upgrade.version} ({gone}{exploited}{place})"
        chosen.append(Thing("upgrade", upgrade.name, how))
    total = len(names) + len(plan.secrets) + len(plan.settings) + len(plan.upgrades)
    return tuple(chosen), total - len(chosen)


def _thing(verb: str, worst: Finding, members: list[Finding]) -> Thing:
    many = sum(map(times, members)) - 1
    where = place_of(worst) or ("" if verb == "change" else worst.subject.name)
    place = f"in {where}" + (f" and {counted(many, 'more place')}" if many else "") if where else ""
    return Thing(verb, title_of(worst), f"{place}. {advice_of(worst)}".removeprefix(". ").strip())


def secrets_to_replace(found: Sequence[Finding]) -> tuple[Group, ...]:
    """One thing to do for each rule: a secret that was in an image is lost, so that it is replaced, not only removed.

    Those of low confidence or severity, and those that their issuer calls dead, are left to the list.
    """
    sure = [one for one in found if _is_to_replace(one)]
    return tuple(by_rule(sure))


def settings_to_change(found: Sequence[Finding]) -> tuple[Group, ...]:
    """One thing to do for each rule of high severity or more that is broken."""
    grave = [one for one in found if one.severity.rank >= Severity.HIGH.rank and one.confidence is not Confidence.LOW]
    return tuple(by_rule(grave))


def files_to_remove(found: Sequence[Finding]) -> tuple[str, ...]:
    """The malicious files that we are sure enough of, once each."""
    sure = (one for one in in_order(found) if one.confidence is not Confidence.LOW)
    return tuple(dict.fromkeys(place_of(one) or one.subject.name for one in sure))


def to_do(report: Report, plan: Plan, total: int, width: int) -> Lines:
    """The heading with what is gone afterwards (of `total` vulnerabilities), then the numbered lines."""
    shares = plan.shares()
    removing, replacing, changing, upgrading = shares
    if not any(shares):
        return
    yield []
    yield _promise(plan, shares, total)
    names = [*plan.removals, *(cut_front(printable(name[-4000:]), width - 14) for name in plan.files)]
    number = 0
    for words, style in (
        *((f"remove {name}", "bad") for name in names[:removing]),
        *((_replace(*group, width), "bad") for group in plan.secrets[:replacing]),
        *((_change(*group, width), "") for group in plan.settings[:changing]),
    ):
        number += 1
        yield [(f"  {number:>2}. ", "dim"), (words, style)]
    yield from _more(len(names) - removing, "thing", "to remove: see above", "bad")
    yield from _more(len(plan.secrets) - replacing, "kind", "of secrets to replace: see above", "bad")
    yield from _more(len(plan.settings) - changing, "setting", "to change: see below", "dim")
    if upgrading:
        yield from _upgrades(report, plan.upgrades[:upgrading], plan.upgrades[upgrading:], number, width)


def _more(number: int, noun: str, words: str, style: str) -> Lines:
    if number > 0:
        yield [(f"      and {counted(number, f'more {noun}')} {words}", style)]


def _replace(worst: Finding, members: list[Finding], width: int) -> str:
    title = cut(_in_a_sentence(one_line(title_of(worst)[:200])), width // 2)
    places = [place_of(worst)[-4000:] or worst.subject.name[:4000], *[""] * (sum(map(times, members)) - 1)]
    return f"replace {title}: {place_words(places, width - columns(title) - 16)}"


def _in_a_sentence(title: str) -> str:
    """The title behind a verb: an article loses its capital."""
    word, _, rest = title.partition(" ")
    return f"{word.lower()} {rest}" if word in ("A", "An", "The") else title


def _change(worst: Finding, members: list[Finding], width: int) -> str:
    title = cut(one_line(title_of(worst)[:200]), width - 6 if not place_of(worst) else width * 3 // 5)
    if not place_of(worst):
        return title
    places = [place_of(worst)[-4000:], *[""] * (sum(map(times, members)) - 1)]
    return f"{title}: {place_words(places, width - columns(title) - 8)}"


def _is_to_replace(finding: Finding) -> bool:
    if is_alive(finding):
        return True
    if finding.confidence is Confidence.LOW or finding.severity.rank < Severity.MEDIUM.rank:
        return False
    return not (isinstance(finding.evidence, SecretEvidence) and finding.evidence.alive == "no")


def _promise(plan: Plan, shares: tuple[int, int, int, int], total: int) -> list[Span]:
    """The heading: how many things there are to do here, and how many vulnerabilities are gone after them."""
    _, replacing, changing, upgrading = shares
    brief = sum(map(bool, shares)) > 2
    parts: list[str] = []
    if plan.removals or plan.files:
        what = [counted(len(plan.removals), "package")] if plan.removals else []
        what += [counted(len(plan.files), "file")] if plan.files else []
        parts.append(f"remove {len(plan.removals) + len(plan.files):,}" if brief else f"remove {' and '.join(what)}")
    if replacing:
        many = sum(len(members) for _, members in plan.secrets)
        parts.append(f"replace {many:,}" if brief else f"replace {counted(many, 'secret')}")
    if changing:
        parts.append(f"change {changing}" if brief else f"change {counted(changing, 'setting')}")
    spans: list[Span] = [("WHAT TO DO", "heading")]
    if parts:
        urgent = bool(plan.removals or plan.files or replacing)
        then = ", then" if upgrading and len(parts) == 1 else "," if upgrading else ""
        spans.append((f"  {', '.join(parts)}{then}", "bad" if urgent else ""))
    if upgrading:
        gone = sum(upgrade.count for upgrade in plan.upgrades[:upgrading])
        spans.append((f"{' ' if parts else '  '}{counted(upgrading, 'upgrade')}: ", ""))
        spans.append((f"{gone:,} of {total:,} gone", "good"))
    return spans


def _upgrades(report: Report, chosen: Sequence[Upgrade], rest: Sequence[Upgrade], number: int, width: int) -> Lines:
    """The upgrades, numbered on from `number`, those of the side with the most urgent one first."""
    names, installed, versions = _upgrade_widths(chosen, width)
    for side in dict.fromkeys(upgrade.side for upgrade in chosen):
        if words := side_words(report, side):
            yield from paragraph("  ", words, width, "dim")
        for upgrade in chosen:
            if upgrade.side is not side:
                continue
            number += 1
            yield [
                (f"  {number:>2}. ", "dim"),
                (pad(printable(upgrade.name), names), "strong"),
                (f"  {pad(_installed(upgrade), installed)}", ""),
                (" → ", "dim"),
                (pad(printable(upgrade.version), versions), "good"),
                (f"  {upgrade.count:>3,} gone", ""),
                (f", {upgrade.exploited:,} exploited" if upgrade.exploited else "", "exploited"),
            ]
    if rest:
        more = sum(upgrade.count for upgrade in rest)
        yield [(f"      and {counted(len(rest), 'more upgrade')}, with {more:,}: see below", "dim")]


def side_words(report: Report, side: Side) -> str:
    """Who has to move: the base image with its name, or the application."""
    if side is not Side.BASE:
        return SIDES[side]
    name = f" ({printable(report.base.name)})" if report.base.name else ""
    return f"{SIDES[side]}{name}: move to a newer one, or upgrade in your build"


def _installed(upgrade: Upgrade) -> str:
    return printable(", ".join(upgrade.installed))


def _upgrade_widths(plan: Sequence[Upgrade], width: int) -> tuple[int, int, int]:
    """Columns for the names, the versions installed and the versions to move to."""
    room = width - 34
    version = min(max(columns(printable(upgrade.version)) for upgrade in plan), room // 2)
    name = min(max(columns(printable(upgrade.name)) for upgrade in plan), (room - version) * 3 // 5)
    installed = min(max(columns(_installed(upgrade)) for upgrade in plan), room - version - name)
    return name, installed, version
