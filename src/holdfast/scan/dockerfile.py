"""A Dockerfile, alone or at the top of a source tree: judged before anything is built."""

from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import LimitError, SourceError
from holdfast.model.file import Window
from holdfast.model.finding import Finding
from holdfast.model.report import NamedBase, Report, Target
from holdfast.model.status import Problem
from holdfast.scan.engines import CONFIGURATION, SECRETS, Engines, open_engines
from holdfast.scan.inside import asked
from holdfast.scan.inventory import Inventory
from holdfast.scan.options import Options, Wanted
from holdfast.scan.outcome import report_of
from holdfast.scan.plan import Plan
from holdfast.settings import Settings

NAMES = ("Dockerfile", "Containerfile")
_MOST_BYTES = 1 << 20


class Judged(Struct, frozen=True):
    """What one Dockerfile shows."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    bases: tuple[NamedBase, ...] = ()


def judge(path: Path, name: str, context: Path | None) -> Judged:
    """Judge the Dockerfile at `path`, called `name` in findings; with its context, what COPY brings is judged too."""
    from holdfast.misconfig.dockerfile.assess import assess
    from holdfast.misconfig.dockerfile.context import Context

    assessed = assess(_read(path), name, Context.of(context, path.name) if context else None)
    bases = tuple(NamedBase(base.reference, name, base.line, base.stage, base.resolved) for base in assessed.bases)
    return Judged(assessed.findings, assessed.problems, bases)


def scan_dockerfile(plan: Plan, settings: Settings, options: Options) -> Report:
    """Scan a single Dockerfile: its instructions, and the secrets in its text."""
    engines, problems = open_engines(settings, options.wanted)
    judged = Judged()
    if CONFIGURATION in options.wanted.engines:
        judged = judge(plan.path, plan.path.name, None)
    secrets = asked(_secrets(plan.path, engines), engines.secrets, options.issuers, problems)
    findings = (*judged.findings, *secrets)
    looked_for = Wanted(options.wanted.engines & {SECRETS, CONFIGURATION})
    alone = Options(wanted=looked_for)
    return report_of(
        Target(plan.name, plan.kind), Inventory((), None, {}, ()), alone,
        problems=(*problems, *judged.problems), findings=findings, bases=judged.bases,
    )  # fmt: skip


def dockerfile_in(folder: Path) -> Path | None:
    """The Dockerfile at the top of a folder, where one is there."""
    return next((path for name in NAMES if (path := folder / name).is_file()), None)


def _secrets(path: Path, engines: Engines) -> tuple[Finding, ...]:
    from holdfast.secret.finding import Place, findings

    data = _read(path)
    if not engines.secrets_wanted or not data:
        return ()
    hits = engines.secrets.session().examine(Window(path.name, data, len(data)))
    return findings([Place(hits, path.name)], engines.secrets.rules) if hits else ()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > _MOST_BYTES:
        raise LimitError(f"a Dockerfile of more than {_MOST_BYTES >> 20} MiB", where=str(path))
    return data
