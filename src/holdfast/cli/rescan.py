"""`holdfast rescan`: stored inventories held against today's advisories, without touching an image."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from holdfast import __version__
from holdfast.cli.environment import settings, width
from holdfast.cli.failure import CLEAN, FOUND, INCOMPLETE
from holdfast.cli.progress import Meter
from holdfast.cli.stored import SEVERITIES, line_of, opened, show, show_json, table
from holdfast.model.advisory import FixState
from holdfast.model.errors import NotFound
from holdfast.model.finding import Finding, Severity, VulnerabilityEvidence
from holdfast.model.report import Report, Statistics
from holdfast.model.status import Gravity, Problem, Status, status_of
from holdfast.report.text import Lines, counted, paragraph, printable
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.advisory.archive import Opened
    from holdfast.scan.options import Checked
    from holdfast.store.sql import SqlStore
    from holdfast.store.store import Saved, StoredScan

# What a scan said of its advisories, and not of the target: another matching says it anew.
_OF_ADVISORIES = ("archive.", "database.", "distribution.", "ecosystem.", "feed.", "packages.", "version.", "filter.")
_HOST = "dir:/"


class Rescanned(Struct, frozen=True):
    """A target matched again: its report now, and what that changed. Where nothing was stored `problem` says why."""

    target: str
    platform: str
    report: Report | None = None
    saved: "Saved | None" = None
    problem: str = ""


@click.command(name="rescan")
@click.argument("targets", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Tell all vulnerabilities, not only those that are new.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), metavar="SEVERITY", help="Exit 1 for one told this severe.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", help="Output format.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    targets: tuple[str, ...], everything: bool, fail_on: str | None, offline: bool, form: str, quiet: bool
) -> None:
    """Match the stored packages of TARGETS (all, if none is named) with the advisories that there are now.

    Nothing is pulled or opened. Secrets, malware and configuration stay as the last scan found them.
    """
    chosen = settings(offline=offline)
    with opened() as store, Meter(quiet=quiet) as meter:
        chosen_scans = _chosen(store, targets)
        known: Opened = {}
        done = []
        for number, scans in enumerate(chosen_scans):
            meter("targets", number, len(chosen_scans))
            done.append(_rescan(store, scans, chosen, meter, known))
    told = [(one, _told(one, everything=everything)) for one in done]
    if form == "json":
        show_json({"schema": "holdfast.rescan/1", "targets": [_document(one, findings) for one, findings in told]})
    else:
        for one, findings in told:
            show(_lines(one, findings, width()))
    sys.exit(_exit_code(told, fail_on))


def _chosen(store: "SqlStore", targets: Sequence[str]) -> "list[list[StoredScan]]":
    """The scans of each target and platform, newest first. NotFound."""
    found: dict[tuple[str, str], list[StoredScan]] = {}
    for target in targets or dict.fromkeys(one.target for one in store.targets()):
        scans = store.scans(target)
        if not scans:
            raise NotFound("no scan of this target is stored", where=target, remedy="`holdfast scan TARGET` stores one")
        by_platform: dict[tuple[str, str], list[StoredScan]] = {}
        for scan in scans:
            by_platform.setdefault((scan.target, scan.platform), []).append(scan)
        found |= by_platform
    if not found:
        raise NotFound("no scan is stored", remedy="`holdfast scan TARGET` stores one")
    return list(found.values())


def _rescan(
    store: "SqlStore", scans: "Sequence[StoredScan]", chosen: Settings, meter: Meter, known: "Opened"
) -> Rescanned:
    from holdfast.cli.check import AdvisoryCheck
    from holdfast.store.store import Origin

    target, platform = scans[0].target, scans[0].platform
    scan, report = _with_packages(store, scans)
    if report is None:
        return Rescanned(target, platform, problem="no report is kept that lists its packages")
    sources = store.sources(scan.id)
    check = AdvisoryCheck(chosen, meter, host=target == _HOST, opened=known)
    now = matched_again(report, check(report.packages, report.distribution, sources))
    if _knows_less(now, report):
        # It would stand as the newest report, and look as if nearly everything was gone.
        return Rescanned(target, platform, now, problem="not matched: the advisories are not at hand")
    return Rescanned(target, platform, now, store.save(now, sources, Origin.RESCAN))


def _knows_less(now: Report, before: Report) -> bool:
    """Whether there are no advisories but the starter pack now, and were some before."""
    had = before.database is not None and not before.database.starter
    return had and (now.database is None or now.database.starter)


def _with_packages(store: "SqlStore", scans: "Sequence[StoredScan]") -> "tuple[StoredScan, Report | None]":
    """The newest scan that looked for packages and could read its target, with its report."""
    for scan in scans:
        if scan.has_report and scan.status is not Status.FAILED:
            report = store.report(scan.id)
            if report is not None and (not report.engines or "packages" in report.engines):
                return scan, report
    return scans[0], None


def matched_again(report: Report, checked: "Checked") -> Report:
    """The report with other advisories: what was found in other ways, and what could not be read, stays."""
    layers = {layer.diff_id: layer for layer in report.layers}
    kept = tuple(one for one in report.findings if not isinstance(one.evidence, VulnerabilityEvidence))
    found = []
    for finding in checked.findings:
        layer = layers.get(finding.location.diff_id)
        if layer is not None:
            place = replace(finding.location, layer=layer.digest, created_by=layer.created_by)
            finding = replace(finding, location=place)
        found.append(finding)
    stays = (one for one in report.problems if not one.code.startswith(_OF_ADVISORIES))
    problems = tuple(dict.fromkeys((*stays, *checked.problems)))
    return replace(
        report,
        findings=(*kept, *found),
        problems=problems,
        status=status_of(problems),
        checked=checked.checked,
        not_checked=checked.not_checked,
        database=checked.database,
        engines=tuple(dict.fromkeys((*report.engines, "vulnerabilities"))) if report.engines else (),
        tool=f"holdfast {__version__}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        statistics=Statistics(),
    )


def _told(one: Rescanned, *, everything: bool) -> tuple[Finding, ...]:
    """The vulnerabilities that are new, or all of them: each fingerprint once, gravest first."""
    if one.report is None or one.saved is None:
        return ()
    news = {*one.saved.new, *one.saved.returned}
    found = {
        finding.fingerprint: finding
        for finding in one.report.findings
        if isinstance(finding.evidence, VulnerabilityEvidence) and finding.fix.state is not FixState.NOT_AFFECTED
    }
    chosen = (finding for name, finding in found.items() if everything or name in news)
    return tuple(sorted(chosen, key=lambda finding: (-finding.severity.rank, finding.rule, finding.subject.name)))


def _lines(one: Rescanned, findings: Sequence[Finding], room: int) -> Lines:
    place = f"{one.target} ({one.platform})" if one.platform else one.target
    if one.saved is None:
        yield [(printable(place), "heading"), (f"  {one.problem}", "warn")]
    else:
        gone = f", {len(one.saved.gone):,} gone" if one.saved.gone else ""
        news = len(one.saved.new) + len(one.saved.returned)
        words = f"{news:,} new" if news else "nothing new"
        yield [(printable(place), "heading"), (f"  {words}{gone}", "bad" if news else "")]
    yield from table(map(line_of, findings), None, room)
    problems = one.report.problems if one.report else ()
    grave = [problem for problem in problems if problem.gravity is not Gravity.NOTE]
    for problem in grave[:3]:
        yield from paragraph("  ! ", _words(problem), room, "warn")
    if len(grave) > 3:
        yield [(f"  ! and {counted(len(grave) - 3, 'more problem')}", "warn")]


def _words(problem: Problem) -> str:
    where = f": {problem.where}" if problem.where and problem.where not in problem.message else ""
    return f"{problem.message}{where}" + (f" → {problem.remedy}" if problem.remedy else "")


def _document(one: Rescanned, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "target": one.target,
        "platform": one.platform,
        "scan": one.saved.id if one.saved else "",
        "status": one.report.status if one.report else Status.FAILED,
        "problems": one.report.problems if one.report else (),
        "new": one.saved.new if one.saved else (),
        "returned": one.saved.returned if one.saved else (),
        "gone": one.saved.gone if one.saved else (),
        "findings": [{"fingerprint": finding.fingerprint, "finding": finding} for finding in findings],
    }


def _exit_code(told: Sequence[tuple[Rescanned, Sequence[Finding]]], fail_on: str | None) -> int:
    if any(one.report is None or one.report.status is not Status.COMPLETE for one, _ in told):
        return INCOMPLETE
    rank = Severity(fail_on).rank if fail_on else None
    if rank is not None and any(finding.severity.rank >= rank for _, findings in told for finding in findings):
        return FOUND
    return CLEAN
