"""From what was found to a report: the packages are checked, problems counted, findings given their place."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from holdfast import __version__
from holdfast.model.artifact import Attachment, Image, Layer
from holdfast.model.finding import Finding
from holdfast.model.report import Base, Configuration, NamedBase, Report, Statistics, Target
from holdfast.model.status import Problem, status_of
from holdfast.scan.engines import ENGINES
from holdfast.scan.inventory import Inventory
from holdfast.scan.options import Checked, Options

Assess = Callable[[Checked], Iterable[Finding]]
"""Makes findings of what is known once the packages are checked."""


def configuration_of(image: Image) -> Configuration:
    """What the configuration of an image says to those who set rules for it."""
    run = image.execution
    return Configuration(
        image.user, image.labels, image.created, run.exposed_ports, run.entrypoint, run.command,
        has_health_check=bool(run.health_check) and run.health_check[0] != "NONE",
    )  # fmt: skip


def report_of(
    target: Target,
    inventory: Inventory,
    options: Options,
    *,
    problems: tuple[Problem, ...],
    findings: tuple[Finding, ...] = (),
    base: Base = Base(),
    image: Image | None = None,
    attachments: tuple[Attachment, ...] = (),
    statistics: Statistics = Statistics(),
    assess: Assess | None = None,
    bases: tuple[NamedBase, ...] = (),
) -> Report:
    """The report of a target whose inventory is known; its packages are checked now, then its configuration."""
    checked = (
        options.check(inventory.packages, inventory.distribution, inventory.apt_sources) if options.check else Checked()
    )
    problems = _unique((*problems, *checked.problems))
    layers = image.layers if image else ()
    blobs = {layer.diff_id: layer for layer in layers}
    assessed = assess(checked) if assess else ()
    located = tuple(_located(finding, blobs) for finding in (*findings, *checked.findings, *assessed))
    return Report(
        target=target,
        status=status_of(problems),
        tool=f"holdfast {__version__}",
        problems=problems,
        distribution=inventory.distribution,
        base=base,
        bases=bases,
        configuration=configuration_of(image) if image else None,
        engines=tuple(name for name in ENGINES if name in options.wanted.engines),
        layers=layers,
        attachments=attachments,
        packages=inventory.packages,
        findings=located,
        checked=checked.checked,
        not_checked=checked.not_checked,
        database=checked.database,
        statistics=statistics,
    )


def _located(finding: Finding, layers: dict[str, Layer]) -> Finding:
    layer = layers.get(finding.location.diff_id)
    if layer is None:
        return finding
    return replace(finding, location=replace(finding.location, layer=layer.digest, created_by=layer.created_by))


def _unique(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    counts: dict[Problem, int] = {}
    for problem in problems:
        key = replace(problem, count=1)
        counts[key] = counts.get(key, 0) + problem.count
    return tuple(replace(problem, count=count) for problem, count in counts.items())
