"""Scanning one image after the other, whatever becomes of each."""

import hashlib
import re
from pathlib import Path
from typing import Protocol, Self

from msgspec.structs import replace

from holdfast.fs.whole import write_whole
from holdfast.model.errors import HoldfastError
from holdfast.model.report import Report
from holdfast.model.status import Problem, Status
from holdfast.report.json import document
from holdfast.report.writer import encode
from holdfast.scan.plan import Plan
from holdfast.survey.candidate import Candidate
from holdfast.survey.summary import Summary, summarize, unread

_MOST_CHARACTERS = 120


class Scanner(Protocol):
    """Scans images; a context manager that keeps open between them what they share. It can be pickled until entered."""

    def __call__(self, plan: Plan) -> Report:
        """The report on one image. Raises HoldfastError where nothing of it can be read."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Examiner:
    """Makes a summary of every candidate: of its report, or of the error that there was instead.

    The whole reports go into the folder `reports`, where one is given.
    """

    def __init__(self, scanner: Scanner, reports: Path | None = None) -> None:
        self._scanner, self._reports = scanner, reports

    def __enter__(self) -> Self:
        self._scanner.__enter__()
        return self

    def __exit__(self, *arguments: object) -> None:
        self._scanner.__exit__(*arguments)

    def __call__(self, candidate: Candidate) -> Summary:
        """The summary of one image."""
        try:
            report = self._scanner(candidate.plan)
            summary = summarize(report, candidate.name)
            if self._reports is not None:
                summary = _with_report(summary, report, self._reports / report_name(candidate))
        except HoldfastError as error:
            return unread(candidate.name, candidate.digest, error)
        except MemoryError:
            fault = HoldfastError("there was not enough memory to scan it")
            return unread(candidate.name, candidate.digest, fault, "survey.memory")
        except Exception as error:  # one image must not end the others
            fault = HoldfastError(f"a fault in Holdfast itself: {type(error).__name__}: {str(error)[:200]}")
            return unread(candidate.name, candidate.digest, fault, "survey.fault")
        return summary

    def has_written(self, summary: Summary) -> bool:
        """Whether a summary of an earlier run does for this one: its whole report is where it is to be."""
        if self._reports is None:
            return True
        path = Path(summary.image.report)
        return path.parent == self._reports and path.is_file()


def _with_report(summary: Summary, report: Report, path: Path) -> Summary:
    """The summary with its whole report written; without it, what was found is still true and one thing is amiss."""
    try:
        write_whole(path, encode(document(report)))
    except OSError as error:
        message = f"its report cannot be written: {error.strerror or error}"
        problem = Problem("survey.report-unwritten", message, where=str(path.parent))
        told = replace(summary.image, problems={**summary.image.problems, problem.code: 1})
        if told.status is Status.COMPLETE:
            told = replace(told, status=Status.PARTIAL)
        return replace(summary, image=told, problems=(*summary.problems, problem))
    return replace(summary, image=replace(summary.image, report=str(path)))


def report_name(candidate: Candidate) -> str:
    """The file of a candidate's report: its name as far as it can be one, and what makes it the only one."""
    safe = re.sub(r"[^A-Za-z0-9.-]+", "_", candidate.name)
    unique = hashlib.sha256((candidate.digest or candidate.name).encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{safe.lstrip('.')[-_MOST_CHARACTERS:]}-{unique}.json"
