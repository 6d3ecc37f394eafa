"""From what was found to a report: the packages are checked, problems counted, findings given their place."""

from collections.abc import Sequence

from msgspec.structs import replace

from holdfast import __version__
from holdfast.model.artifact import Attachment, Image, Layer
from holdfast.model.finding import Finding
from holdfast.model.report import Base, Report, Statistics, Target
from holdfast.model.status import Problem, status_of
from holdfast.scan.inventory import Inventory
from holdfast.scan.options import Checked, Options


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
) -> Report:
    """The report of a target whose inventory is known; its packages are checked now."""
    checked = (
        options.check(inventory.packages, inventory.distribution, inventory.apt_sources) if options.check else Checked()
    )
    problems = _unique((*problems, *checked.problems))
    layers = image.layers if image else ()
    blobs = {layer.diff_id: layer for layer in layers}
    located = tuple(_located(finding, blobs) for finding in (*findings, *checked.findings))
    return Report(
        target=target,
        status=status_of(problems),
        tool=f"holdfast {__version__}",
        problems=problems,
        distribution=inventory.distribution,
        base=base,
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
