"""`holdfast scan --all-running`: every image that runs on this host, each once, ranked together."""

import os
from collections.abc import Iterator, Sequence
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
from holdfast.model.status import Gravity, Problem
from holdfast.model.survey import Survey
from holdfast.oci.source import Source
from holdfast.scan.engines import VULNERABILITIES
from holdfast.scan.opener import Opener
from holdfast.scan.options import Wanted
from holdfast.scan.plan import Plan
from holdfast.settings import Settings
from holdfast.survey.containers import Containers
from holdfast.survey.examiner import Examiner
from holdfast.survey.surveyor import Interrupted, Manner, survey

if TYPE_CHECKING:
    from holdfast.runtime.engine import Engine


def scan_running(
    settings: Settings, *, wanted: Wanted, fail_on: str | None, form: str, outputs: tuple[str, ...], quiet: bool
) -> int:
    """Scan what runs here, deliver the survey, and return the exit code. NotFound where no engine listens."""
    places = outputs_of(form, outputs)
    with Meter(quiet=quiet) as meter, opener_of(settings) as opener:
        engines, problems = _engines(settings, opener)
        try:
            result = survey_running(engines, settings, meter, wanted=wanted, problems=problems)
        except Interrupted as error:
            return say_interrupted(error)
    deliver(result, places)
    return exit_code(result, fail_on)


def survey_running(
    engines: "Sequence[Engine]",
    settings: Settings,
    meter: Meter,
    *,
    wanted: Wanted,
    problems: tuple[Problem, ...] = (),
) -> Survey:
    """The survey of the images that these engines run."""
    by_name = {engine.name: engine for engine in engines}

    def open_(plan: Plan, platform: Platform | None) -> Source:
        return by_name[plan.kind].open(plan.reference, platform)

    known = advisories(settings, meter) if VULNERABILITIES in wanted.engines else Advisories()
    scanner = ImageScanner(settings, None, wanted=wanted, opener=open_)
    manner = Manner(progress=meter, database=known.database, problems=(*known.problems, *problems))
    return survey("this host", "running", Containers(engines), Examiner(scanner), manner)


def _engines(settings: Settings, opener: Opener) -> "tuple[list[Engine], tuple[Problem, ...]]":
    """The engines that are here, and which of them cannot be used. The error itself, where that is all of them."""
    from holdfast.runtime.containerd.state import namespaces
    from holdfast.runtime.find import KINDS, known_engines

    addresses = {kind: str(getattr(settings.engines, kind)) for kind in KINDS}
    known = known_engines(os.environ, home(), addresses)
    if not known:
        raise NotFound(
            "no container engine listens here", where=", ".join(_places(opener)),
            remedy="start one, or name its socket in the settings: [engines]",
        )  # fmt: skip
    engines: list[Engine] = []
    errors: list[tuple[str, HoldfastError]] = []
    for kind in known:
        try:
            engines.append(opener.engine(kind))
        except HoldfastError as error:
            errors.append((kind, error))
    if not engines:
        raise errors[0][1]
    # On a host with Docker there is a containerd too, which runs nothing but what Docker tells of.
    dockers = any(engine.name == "docker" for engine in engines) and namespaces() in (frozenset(), {"moby"})
    gravity = {"containerd": Gravity.NOTE} if dockers else {}
    return engines, tuple(
        Problem.of("engine.unusable", error, gravity=gravity.get(kind, Gravity.PARTIAL)) for kind, error in errors
    )


def _places(opener: Opener) -> Iterator[str]:
    """Where engines were looked for. Podman is left out: opening it would start it."""
    for kind in ("docker", "containerd"):
        try:
            opener.engine(kind)
        except NotFound as error:
            yield error.where
    yield "podman"
