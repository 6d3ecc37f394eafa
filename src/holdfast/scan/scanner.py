"""From a plan to a report."""

import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from holdfast.catalog.sbom import read_sbom
from holdfast.model.artifact import Layer, Platform
from holdfast.model.errors import InputError, LimitError
from holdfast.model.report import Report, Statistics, Target
from holdfast.model.status import Gravity, status_of
from holdfast.scan.boundary import RegisteredBase
from holdfast.scan.conceal import without_secret_paths
from holdfast.scan.dockerfile import Judged, dockerfile_in, judge, scan_dockerfile
from holdfast.scan.engines import open_engines
from holdfast.scan.exploitability import with_embedded, with_statements
from holdfast.scan.image import scan_image
from holdfast.scan.inside import Inside, asked, assess_configuration, hidden_in
from holdfast.scan.inventory import Inventory, of_directory
from holdfast.scan.layers import LayerRead
from holdfast.scan.options import Open, Options, open_stored
from holdfast.scan.outcome import report_of
from holdfast.scan.plan import Plan
from holdfast.settings import Settings

_SBOM_LIMIT = 128 << 20
_OF_PACKAGES = ("packages.", "database.", "feed.")


def scan(plan: Plan, settings: Settings, options: Options = Options()) -> Report:
    """Scan one target. Raises only where nothing at all could be read; all else is in the report's problems."""
    started, cpu = time.monotonic(), _cpu_seconds()
    read: Callable[[Plan, Settings, Options], Report]
    read = {"dir": _scan_directory, "sbom": _scan_sbom, "dockerfile": scan_dockerfile}.get(plan.kind, scan_image)
    report = read(plan, settings, options)
    if options.statements:
        report = with_statements(report, options.statements)
    statistics = replace(
        report.statistics,
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(_cpu_seconds() - cpu, 3),
    )
    return replace(report, statistics=statistics, created=datetime.now(UTC).isoformat(timespec="seconds"))


def registered(
    plan: Plan, platform: Platform | None = None, name: str = "", opener: Open = open_stored
) -> RegisteredBase:
    """The image of a plan as a base that others may be built on."""
    with opener(plan, platform) as source:
        image = source.image
    diff_ids = tuple(layer.diff_id for layer in image.layers)
    if not diff_ids:
        raise InputError("an image without layers cannot be a base", where=plan.name)
    return RegisteredBase(name or plan.name, diff_ids, image.digest, image.index_digest)


def _scan_directory(plan: Plan, settings: Settings, options: Options) -> Report:
    engines, problems = open_engines(settings, options.wanted)
    inventory, record, overlay = of_directory(plan.path, engines)
    inside = Inside(inventory, (LayerRead(record),), overlay)
    findings = asked(hidden_in(inside, [Layer("")], engines.secrets), engines.secrets, options.issuers, problems)
    judged = Judged()
    if engines.marks and (dockerfile := dockerfile_in(plan.path)):
        judged = judge(dockerfile, dockerfile.name, plan.path)
    # What is said of a root file system means nothing in a folder of sources.
    is_root = inventory.distribution is not None or inside.exists("etc/passwd")
    report = report_of(
        Target(plan.name, plan.kind), inventory, options,
        problems=(*problems, *inventory.problems, *judged.problems), findings=(*findings, *judged.findings),
        statistics=Statistics(entries=record.entries), bases=judged.bases,
        assess=partial(assess_configuration, plan.name, None, inside) if engines.marks and is_root else None,
    )  # fmt: skip
    report = without_secret_paths(report, engines.secrets)
    return report if is_root else _of_sources(report)


def _of_sources(report: Report) -> Report:
    """A folder of sources that names no package lacks nothing, as a root file system would, and needs no advisories."""
    if report.packages:
        return report
    problems = tuple(
        replace(problem, gravity=Gravity.NOTE) if problem.code.startswith(_OF_PACKAGES) else problem
        for problem in report.problems
    )
    return replace(report, problems=problems, status=status_of(problems))


def _scan_sbom(plan: Plan, _settings: Settings, options: Options) -> Report:
    data = _read_limited(plan.path)
    read = read_sbom(data)
    inventory = Inventory(read.packages, read.distribution, {}, tuple(read.problems))
    report = report_of(Target(plan.name, plan.kind), inventory, options, problems=inventory.problems)
    return with_embedded(report, data, plan.name) if report.findings else report


def _read_limited(path: Path) -> bytes:
    if not path.is_file():
        raise InputError("is not a file", where=str(path))
    with path.open("rb") as stream:
        data = stream.read(_SBOM_LIMIT + 1)
    if len(data) > _SBOM_LIMIT:
        raise LimitError(f"an SBOM of more than {_SBOM_LIMIT >> 20} MiB", where=str(path))
    return data


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
