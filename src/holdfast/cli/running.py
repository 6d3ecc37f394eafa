"""`holdfast scan --all-running`: every image that runs on this host, each once, ranked together."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.cli.compose import opener_of
from holdfast.cli.environment import home
from holdfast.cli.progress import Meter
from holdfast.cli.surveys import (
    Advisories,
    ImageScanner,
    advisories,
    deliver,
    exit_code,
    outputs_of,
    say_interrupted,
)
from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, NotFound
from holdfast.model.status import Problem
from holdfast.model.survey import Survey
from holdfast.oci.source import Source
from holdfast.scan.opener import Opener
from holdfast.scan.plan import Plan
from holdfast.settings import Settings
from holdfast.survey.containers import Containers
from holdfast.survey.examiner import Examiner
from holdfast.survey.surveyor import Interrupted, Manner, survey

if TYPE_CHECKING:
    from holdfast.runtime.engine import Engine


def scan_running(
    settings: Settings, *, vulnerabilities: bool, fail_on: str | None, form: str, outputs: tuple[str, ...], quiet: bool
) -> int:
    """Scan what runs here, deliver the survey, and return the exit code. NotFound where no engine listens."""
    places = outputs_of(form, outputs)
    with Meter(quiet=quiet) as meter, opener_of(settings) as opener:
        engines, problems = _engines(opener)
        try:
            result = survey_running(
                engines, settings, meter, vulnerabilities=vulnerabilities, problems=problems
            )  # fmt: skip
        except Interrupted as error:
            return say_interrupted(error)
    deliver(result, places)
    return exit_code(result, fail_on)


def survey_running(
    engines: "Sequence[Engine]",
    settings: Settings,
    meter: Meter,
    *,
    vulnerabilities: bool,
    problems: tuple[Problem, ...] = (),
) -> Survey:
    """The survey of the images that these engines run."""
    by_name = {engine.name: engine for engine in engines}

    def open_(plan: Plan, platform: Platform | None) -> Source:
        return by_name[plan.kind].open(plan.reference, platform)

    known = advisories(settings, meter) if vulnerabilities else Advisories()
    scanner = ImageScanner(settings, None, vulnerabilities=vulnerabilities, opener=open_)
    manner = Manner(progress=meter, database=known.database, problems=(*known.problems, *problems))
    return survey("this host", "running", Containers(engines), Examiner(scanner), manner)


def _engines(opener: Opener) -> "tuple[list[Engine], tuple[Problem, ...]]":
    """The engines that listen here; one that does not let us in is a problem."""
    from holdfast.runtime.find import known_engines

    engines, problems = [], []
    for kind in known_engines(os.environ, home()):
        try:
            engines.append(opener.engine(kind))
        except HoldfastError as error:
            message = f"{kind} cannot be asked: {error.what}"
            problems.append(Problem("engine.unreadable", message, where=error.where, remedy=error.remedy))
    if not engines and not problems:
        raise NotFound(
            "no container engine listens here", where=_PLACES, remedy="name its socket in the settings: [engines]"
        )
    return engines, tuple(problems)


_PLACES = "DOCKER_HOST, CONTAINER_HOST, /run/docker.sock, /run/podman/podman.sock, /run/containerd/containerd.sock"
