"""What the commands that scan many images have in common: their scanner, their outputs, their exit codes."""

import io
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import click
from msgspec import Struct

from holdfast.advisory.archive import Opened
from holdfast.advisory.places import database_path
from holdfast.cli.check import AdvisoryCheck
from holdfast.cli.compose import opener_of
from holdfast.cli.delivery import parse_outputs
from holdfast.cli.environment import colour, width
from holdfast.cli.failure import CLEAN, COULD_NOT_RUN, FOUND, INCOMPLETE
from holdfast.cli.progress import Meter
from holdfast.fs.whole import write_whole
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.artifact import Platform
from holdfast.model.finding import Severity
from holdfast.model.report import Report
from holdfast.model.status import Problem, Status
from holdfast.model.survey import Survey
from holdfast.report.survey import SURVEY_WRITERS, SurveyWriter
from holdfast.scan.engines import VULNERABILITIES
from holdfast.scan.options import Open, Options, Wanted
from holdfast.scan.plan import Plan
from holdfast.scan.scanner import scan
from holdfast.settings import Settings
from holdfast.survey.surveyor import Interrupted
from holdfast.transport.deadline import Deadline

_INTERRUPTED = 130
_OF_THE_DATA = ("feed.failed", "database.first-update", "database.unreadable")
_ARCHIVE_SECONDS = 180.0


class ImageScanner:
    """A survey's Scanner: connections, tokens and engines stay open from one image to the next.

    It is sent to processes before it is entered, where each opens its own. `opener` opens images in its stead, in
    this process only.
    """

    def __init__(
        self, settings: Settings, platform: Platform | None, *, wanted: Wanted, opener: Open | None = None
    ) -> None:
        self._settings, self._platform, self._wanted = settings, platform, wanted
        self._open = opener
        self._stack = ExitStack()
        self._opened: Opened = {}

    def __enter__(self) -> Self:
        if self._open is None:
            self._open = self._stack.enter_context(opener_of(self._settings))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, plan: Plan) -> Report:
        """The report on one image."""
        assert self._open is not None
        check = None
        if VULNERABILITIES in self._wanted.engines:
            check = _PreparedCheck(self._settings, Meter(quiet=True), opened=self._opened)
        return scan(plan, self._settings, Options(self._platform, None, check, open=self._open, wanted=self._wanted))


class _PreparedCheck(AdvisoryCheck):
    """The check of one image among many: the update that a first scan makes was made, or tried, before them all."""

    def _prepare(self) -> Deadline:
        return Deadline.after(_ARCHIVE_SECONDS)


class Advisories(Struct, frozen=True):
    """What the images of a survey are checked against, and what went wrong when it was made."""

    database: DatabaseInfo | None = None
    problems: tuple[Problem, ...] = ()


def advisories(settings: Settings, meter: Meter) -> Advisories:
    """The advisories at hand, made of what can be reached where there were none."""
    fresh = not database_path(settings).exists()
    checked = AdvisoryCheck(settings, meter)((), None, {})
    # What was said of no packages at all is said again of each image's.
    about_data = tuple(one for one in checked.problems if one.code in _OF_THE_DATA)
    return Advisories(checked.database, about_data if fresh else ())


def outputs_of(form: str, outputs: tuple[str, ...]) -> tuple[tuple[SurveyWriter, Path | None], ...]:
    """What --format and -o ask for; a usage error where there is no such format for many images."""
    chosen = []
    for choice in parse_outputs(form, outputs):
        writer = next((one for one in SURVEY_WRITERS if one.name == choice.writer.name), None)
        if writer is None:
            known = ", ".join(one.name for one in SURVEY_WRITERS)
            raise click.UsageError(f"many images at once can be had as {known}; not as {choice.writer.name}")
        chosen.append((writer, choice.path))
    return tuple(chosen)


def deliver(survey: Survey, outputs: tuple[tuple[SurveyWriter, Path | None], ...]) -> None:
    """Write a survey in every format chosen: files first, so that a closed pipe loses none of them."""
    for writer, path in sorted(outputs, key=lambda output: output[1] is None):
        if path is None:
            writer.write(survey, sys.stdout, width=width(), colour=colour(sys.stdout))
            sys.stdout.flush()
        else:
            text = io.StringIO()
            writer.write(survey, text, width=width())
            write_whole(path, text.getvalue().encode())


def exit_code(survey: Survey, fail_on: str | None) -> int:
    """DESIGN's order; a survey is only said not to have run where it could read nothing at all."""
    if survey.status is Status.FAILED:
        return COULD_NOT_RUN
    if survey.status is not Status.COMPLETE:
        return INCOMPLETE
    rank = Severity(fail_on).rank if fail_on else None
    if rank is not None and any(severity.rank >= rank for image in survey.images for severity in image.counts):
        return FOUND
    return CLEAN


def say_interrupted(error: Interrupted) -> int:
    """Say how far it came, and how it goes on; the exit code."""
    known = f"{error.known:,}" if error.whole else f"at least {max(error.known, error.done):,}"
    words = "; the same command goes on from here" if error.kept else ""
    click.echo(f"holdfast: interrupted: {error.done:,} of {known} images done{words}", err=True)
    return _INTERRUPTED
