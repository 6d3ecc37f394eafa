"""A survey for people: what to do first, then an image a line, those of the highest risk first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, TextIO

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Side
from holdfast.model.finding import Severity
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.survey import SharedUpgrade, Survey, Surveyed
from holdfast.report.preface import advisories_told, problems_told
from holdfast.report.text import (
    Lines,
    Span,
    columns,
    counted,
    cut_front,
    listed,
    pad,
    paint,
    paragraph,
    printable,
)
from holdfast.report.writer import emit

_THINGS_TO_DO = 10
_MOST_IMAGES = 500
_MOST_FAILED = 20
_MOST_CONTAINERS = 4
_LETTERS = {Severity.CRITICAL: "C", Severity.HIGH: "H", Severity.MEDIUM: "M"}
_SIDES = {Side.BASE: "base", Side.APPLICATION: "app", Side.UNKNOWN: ""}
_TITLES = {"registry": "all images of the registry", "list": "the images of a list", "running": "what runs here"}


class SurveyTableWriter(Struct, frozen=True):
    """A survey for people, readable at 80 columns; no name of an image reaches the terminal raw."""

    name: str = "table"

    def write(self, survey: Survey, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The survey as text, in at most `width` columns (60 at least), with ANSI colours where asked for."""
        width = max(width, 60)
        lines = (paint(spans, width, colour=colour) for spans in _lines(survey, width))
        emit("".join(f"{line}\n" for line in lines).encode(), output)


def _lines(survey: Survey, width: int) -> Lines:
    read = [image for image in survey.images if image.status is not Status.FAILED]
    failed = [image for image in survey.images if image.status is Status.FAILED]
    yield [(printable(survey.target), "heading"), (f"  {_TITLES.get(survey.kind, survey.kind)}", "")]
    yield [(" · ".join(_facts(survey)), "")]
    shell = Report(Target(survey.target, survey.kind), survey.status, survey.tool)
    yield from advisories_told(replace(shell, created=survey.created, database=survey.database), width)
    yield from _status(survey, failed, width)
    yield from _counts(survey, read)
    yield from _to_do(survey.upgrades, width)
    yield from _images(survey, read, width)
    yield from _failed(survey, failed, width)
    notes = [problem for problem in _told(survey) if problem.gravity is Gravity.NOTE]
    if notes:
        yield []
        yield [("NOTES", "heading")]
        yield from problems_told(notes, width)


def _told(survey: Survey) -> Iterator[Problem]:
    """The problems, with names as they stand in the other lines."""
    for problem in survey.problems:
        yield replace(problem, where=problem.where.replace(f"{survey.target}/", ""))


def _facts(survey: Survey) -> Iterator[str]:
    statistics = survey.statistics
    names = f" under {statistics.names:,} names" if statistics.names > len(survey.images) else ""
    if survey.kind == "running":
        names = f" in {counted(statistics.names, 'container')}" if statistics.names else ""
    yield counted(len(survey.images), "image") + names
    if statistics.resumed:
        yield f"{statistics.resumed:,} of them from the run that was interrupted"
    yield f"{statistics.seconds:,.0f} s"


def _status(survey: Survey, failed: Sequence[Surveyed], width: int) -> Lines:
    grave = [problem for problem in _told(survey) if problem.gravity is not Gravity.NOTE]
    if survey.status is not Status.COMPLETE:
        partial = sum(image.status is Status.PARTIAL for image in survey.images)
        parts = [f"{len(failed):,} could not be read"] if failed else []
        parts += [f"{partial:,} only in part (marked ~)"] if partial else []
        words = f"of {counted(len(survey.images), 'image')} {' and '.join(parts)}" if parts else "not all was looked at"
        yield []
        style = "bad" if survey.status is Status.FAILED else "warn"
        yield from paragraph(f"{str(survey.status).upper()}  ", words, width, style)
    # What an image failed by stands with the image.
    reasons = {image.error for image in failed}
    yield from problems_told([problem for problem in grave if problem.message not in reasons], width)


def _counts(survey: Survey, read: Sequence[Surveyed]) -> Lines:
    yield []
    if not survey.images:
        yield [("IMAGES", "heading"), (f"  {_nothing(survey)}", "")]
        return
    bad = [image for image in read if image.counts]
    spans: list[Span] = [("VULNERABILITIES", "heading")]
    if not read:
        yield [*spans, ("  nothing was checked", "warn")]
        return
    if survey.database is None:
        yield [*spans, (f"  not checked: only the packages were listed of {counted(len(read), 'image')}", "warn")]
        return
    if not bad:
        unsure = any(image.status is not Status.COMPLETE for image in read)
        words = "none found in what could be checked" if unsure else "none known"
        yield [*spans, (f"  {words} of {counted(len(read), 'image')}", "warn" if unsure else "good")]
        return
    yield [*spans, (f"  in {len(bad):,} of {counted(len(read), 'image')}", "strong")]
    worst = Counter(max(image.counts, key=lambda severity: severity.rank) for image in bad)
    ordered = sorted(worst.items(), key=lambda item: -item[0].rank)
    spans = [("  worst: ", "")]
    for number, (severity, images) in enumerate(ordered):
        spans += [(" · " if number else "", "dim"), (f"{severity} in {images:,}", severity.value)]
    yield spans
    for count, words in (
        (sum(image.known_exploited > 0 for image in read), "known to be exploited"),
        (sum(image.malware > 0 for image in read), "malware"),
        (sum(image.secrets > 0 for image in read), "secrets"),
        (sum(image.tampered > 0 for image in read), "not what was promised: tampered or damaged"),
    ):
        if count:
            yield [(f"  {words}: in {counted(count, 'image')}", "exploited" if words.startswith("known") else "bad")]


def _nothing(survey: Survey) -> str:
    if survey.status is not Status.COMPLETE:
        return "none was found"
    return "no container runs here" if survey.kind == "running" else "there is none"


def _to_do(upgrades: Sequence[SharedUpgrade], width: int) -> Lines:
    """The ten upgrades that help most, over all images."""
    chosen = upgrades[:_THINGS_TO_DO]
    if not chosen:
        return
    yield []
    yield [("WHAT TO DO", "heading"), (f"  {counted(len(chosen), 'upgrade')} that help most", "")]
    images = max(len(f"{upgrade.images:,}") for upgrade in chosen)
    gone = max(len(_gone(upgrade)) for upgrade in chosen)
    side = max(len(_SIDES[upgrade.side]) for upgrade in chosen)
    room = width - images - gone - side - 22
    version = min(max(columns(printable(upgrade.version)) for upgrade in chosen), room // 2)
    installed = max(columns(_installed(upgrade)) for upgrade in chosen)
    name = max(columns(printable(upgrade.package)) for upgrade in chosen)
    name = min(name, max((room - version) // 2, room - version - installed))
    installed = min(installed, room - version - name)
    for number, upgrade in enumerate(chosen, 1):
        yield [
            (f" {number:>2}. ", "dim"),
            (pad(printable(upgrade.package), name), "strong"),
            (f" {pad(_installed(upgrade), installed)}", ""),
            (" → ", "dim"),
            (pad(printable(upgrade.version), version), "good"),
            (f"  {upgrade.images:>{images},} {'image ' if upgrade.images == 1 else 'images'}", ""),
            (f"  {_gone(upgrade):<{gone}}", "exploited" if upgrade.known_exploited else ""),
            (f"  {_SIDES[upgrade.side]}", "dim"),
        ]
    if more := len(upgrades) - len(chosen):
        yield [(f"     and {counted(more, 'more upgrade')}: in the JSON format", "dim")]


def _gone(upgrade: SharedUpgrade) -> str:
    exploited = " KEV" if upgrade.known_exploited else ""
    return f"{upgrade.vulnerabilities:,} gone{exploited}"


def _installed(upgrade: SharedUpgrade) -> str:
    more = f" +{len(upgrade.installed) - 1}" if len(upgrade.installed) > 1 else ""
    return printable(upgrade.installed[0] if upgrade.installed else "") + more


def _images(survey: Survey, read: Sequence[Surveyed], width: int) -> Lines:
    if not read:
        return
    yield []
    yield [("IMAGES", "heading"), ("  by risk", ""), (_legend(read), "dim")]
    wide = max(3, *(len(f"{count:,}") for image in read for count in (*image.counts.values(), image.fixable)), 3) + 1
    letters = "".join(letter.rjust(wide) for letter in _LETTERS.values())
    yield [(f"  RISK{letters}{'FIX'.rjust(wide + 1)}  KEV  IMAGE", "dim")]
    for image in read[:_MOST_IMAGES]:
        yield _image(survey, image, wide, width)
        if image.containers:
            words = listed([printable(container) for container in image.containers], _MOST_CONTAINERS)
            yield from paragraph(f"{' ' * (3 * wide + 16)}in ", words, width, "dim")
    if len(read) > _MOST_IMAGES:
        more = len(read) - _MOST_IMAGES
        yield [(f"  and {counted(more, 'more image')} of lower risk: in the JSON format", "dim")]


def _legend(read: Sequence[Surveyed]) -> str:
    marks = "  ~ read in part" if any(image.status is Status.PARTIAL for image in read) else ""
    return marks + ("  +N other names" if any(image.names for image in read) else "")


def _image(survey: Survey, image: Surveyed, wide: int, width: int) -> list[Span]:
    worst = max(image.counts, key=lambda severity: severity.rank, default=Severity.UNKNOWN)
    spans: list[Span] = [
        ("~" if image.status is Status.PARTIAL else " ", "warn"),
        (f"{image.risk:>5}", worst.value if image.counts else ""),
    ]
    spans += [_count(image.counts.get(severity, 0), wide, severity.value) for severity in _LETTERS]
    spans.append(_count(image.fixable, wide + 1, "good"))
    spans.append(_count(image.known_exploited, 5, "exploited"))
    others = len(image.names) + image.more_names
    marks = (f" +{others:,}" if others else "") + (" MALWARE" if image.malware else "")
    marks += " SECRETS" if image.secrets else ""
    marks += " TAMPERED" if image.tampered else ""
    used = sum(len(text) for text, _ in spans) + 2
    spans.append((f"  {cut_front(_short(survey, image.name), width - used - len(marks))}", ""))
    spans.append((marks, "bad" if image.malware or image.secrets or image.tampered else "dim"))
    return spans


def _count(number: int, width: int, style: str) -> Span:
    return (f"{number:,}" if number else "·").rjust(width), style if number else "dim"


def _short(survey: Survey, name: str) -> str:
    """The name without the registry that the title names."""
    return printable(name.removeprefix(f"{survey.target}/") if survey.kind == "registry" else name)


def _failed(survey: Survey, failed: Sequence[Surveyed], width: int) -> Lines:
    """What could not be read, with the reason, like ones together."""
    if not failed:
        return
    yield []
    yield [("NOT READ", "bad"), (f"  {counted(len(failed), 'image')}", "")]
    reasons: dict[str, list[str]] = {}
    for image in failed:
        reasons.setdefault(image.error, []).append(_short(survey, image.name))
    remedies = {problem.message: problem.remedy for problem in survey.problems}
    ordered = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    for reason, names in ordered[:_MOST_FAILED]:
        yield from paragraph("  ! ", reason, width, "bad")
        yield from paragraph("    ", listed(names, _MOST_CONTAINERS), width, "")
        yield from paragraph("    → ", remedies.get(reason, ""), width, "")
    if len(ordered) > _MOST_FAILED:
        yield [(f"    and {counted(len(ordered) - _MOST_FAILED, 'more reason')}: in the JSON format", "dim")]
