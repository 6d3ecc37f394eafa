"""Builders of surveys' parts: candidates, scanners that answer without scanning, registries that only list."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.model.errors import HoldfastError, NotFound, SourceError
from holdfast.model.report import Report, Target
from holdfast.model.status import Problem
from holdfast.report.survey import SURVEY_WRITERS  # noqa: F401  # a worker imports this module: as heavy as the real one
from holdfast.scan.plan import Plan
from holdfast.survey.candidate import Candidate
from report.reports import digest, finding, pypi, report


def candidate(name: str, of: str = "", **fields: Any) -> Candidate:
    """A name of the image `of` (itself where none is given)."""
    given = {"digest": digest(of or name)} | fields
    return Candidate(Plan(name, "registry", reference=f"{name}@{digest(of or name)}"), **given)


class Listed:
    """Candidates that are all there, and problems of listing them."""

    def __init__(self, *candidates: Candidate, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self._candidates = candidates

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._candidates)


JINJA = pypi("jinja2", "2.10")
LODASH = pypi("lodash", "4.17.15")


def vulnerable(name: str, *, risk: int = 50, severity: str = "high", fixed: str = "2.10.1") -> Report:
    """The report of an image with one finding."""
    found = finding(JINJA, "CVE-2019-10906", severity, fixed=fixed, risk=risk)
    return report(found, packages=(JINJA,), target=Target(name, "registry", digest(name), digest(f"config of {name}")))


def clean(name: str) -> Report:
    """The report of an image in which nothing was found."""
    return report(packages=(LODASH,), target=Target(name, "registry", digest(name), digest(f"config of {name}")))


@dataclass
class Answers:
    """A scanner that knows what it is to say: a report, an error, or something that becomes of its process.

    `kill`, `kill once`, `hang`, `exit` and `fault` are what they say. `log` is a file that gets each name scanned.
    """

    says: Mapping[str, Report | HoldfastError | str] = field(default_factory=dict)
    log: Path | None = None

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, plan: Plan) -> Report:
        before = self.scanned().count(plan.name)
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{plan.name}\n")
        answer = self.says.get(plan.name, clean(plan.name))
        if answer == "kill" or (answer == "kill once" and not before):
            os.kill(os.getpid(), signal.SIGKILL)
        if answer == "exit":
            os._exit(7)
        if answer == "hang":
            time.sleep(60)
        if answer == "fault":
            raise ZeroDivisionError("by nothing")
        if isinstance(answer, HoldfastError):
            raise answer
        return answer if isinstance(answer, Report) else clean(plan.name)

    def scanned(self) -> list[str]:
        return self.log.read_text().split() if self.log is not None and self.log.exists() else []


class Lists:
    """A registry that only lists: repositories with their tags, each tag the digest of `repository:tag` or as told."""

    def __init__(
        self,
        repositories: Mapping[str, Sequence[str] | HoldfastError],
        *,
        name: str = "registry.test",
        catalogue: HoldfastError | None = None,
        breaks_after: int | None = None,
        digests: Mapping[str, str | HoldfastError] = {},
    ) -> None:
        self.name = name
        self.asked: list[str] = []
        self._repositories, self._catalogue = repositories, catalogue
        self._breaks_after, self._digests = breaks_after, digests

    def __call__(self, name: str) -> Any:
        assert name in (self.name, ""), name
        return self

    def catalog(self, left_out: Callable[[str], None]) -> Iterator[str]:
        if self._catalogue is not None:
            raise self._catalogue
        for number, name in enumerate(self._repositories):
            if number == self._breaks_after:
                raise SourceError("the server went away")
            yield name

    def tags(self, repository: str, left_out: Callable[[str], None]) -> Iterator[str]:
        self.asked.append(repository)
        tags = self._repositories.get(repository, NotFound("not there (HTTP 404)"))
        if isinstance(tags, HoldfastError):
            raise tags
        yield from tags

    def digest(self, repository: str, tag: str) -> str:
        self.asked.append(f"{repository}:{tag}")
        found = self._digests.get(f"{repository}:{tag}", digest(f"{repository}:{tag}"))
        if isinstance(found, HoldfastError):
            raise found
        return found
