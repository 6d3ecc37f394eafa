"""From a plan to a report."""

import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from holdfast import __version__
from holdfast.catalog import CATALOGERS
from holdfast.catalog.sbom import read_cyclonedx
from holdfast.catalog.select import Selector
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.artifact import Image, Layer, Platform
from holdfast.model.errors import InputError, LimitError
from holdfast.model.finding import Confidence, Finding, Fix, IntegrityEvidence, Kind, Location, Subject
from holdfast.model.package import Distribution, Package
from holdfast.model.report import Base, Report, Statistics, Target
from holdfast.model.status import Problem, status_of
from holdfast.oci.layer import Mismatch
from holdfast.oci.open import open_image
from holdfast.scan.boundary import RegisteredBase, boundary, load_bases, side_of
from holdfast.scan.cache import LayerCache
from holdfast.scan.inventory import Inventory, of_directory, of_image
from holdfast.scan.layers import LayerRead, Progress, read_layers
from holdfast.scan.plan import Plan
from holdfast.scan.rules import RULES_BY_PROMISE
from holdfast.settings import Settings

_SBOM_LIMIT = 128 << 20


class Checked(Struct, frozen=True):
    """What holding an inventory against the advisories gave."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    database: DatabaseInfo | None = None


class Check(Protocol):
    """Holds packages against the advisories: handed in by whoever composes the scan."""

    def __call__(
        self, packages: Sequence[Package], distribution: Distribution | None, sources: dict[str, bytes]
    ) -> Checked:
        """Findings for these packages; `sources` are the image's own apt source files by path."""


class Options(Struct, frozen=True):
    """How to scan: the platform asked for, the base named, and what checks the packages (None: packages only)."""

    platform: Platform | None = None
    base: RegisteredBase | None = None
    check: Check | None = None
    on_progress: Progress | None = None


def scan(plan: Plan, settings: Settings, options: Options = Options()) -> Report:
    """Scan one target. Raises only where nothing at all could be read; all else is in the report's problems."""
    started, cpu = time.monotonic(), _cpu_seconds()
    read: Callable[[Plan, Settings, Options], Report]
    read = {"dir": _scan_directory, "sbom": _scan_sbom}.get(plan.kind, _scan_image)
    report = read(plan, settings, options)
    statistics = replace(
        report.statistics,
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(_cpu_seconds() - cpu, 3),
    )
    return replace(report, statistics=statistics, created=datetime.now(UTC).isoformat(timespec="seconds"))


def registered(plan: Plan, platform: Platform | None = None, name: str = "") -> RegisteredBase:
    """The image of a plan as a base that others may be built on."""
    with open_image(plan.kind, plan.path, plan.tag, platform) as source:
        image = source.image
    diff_ids = tuple(layer.diff_id for layer in image.layers)
    if not diff_ids:
        raise InputError("an image without layers cannot be a base", where=plan.name)
    return RegisteredBase(name or plan.name, diff_ids, image.digest, image.index_digest)


def _scan_image(plan: Plan, settings: Settings, options: Options) -> Report:
    selector = Selector(CATALOGERS)
    cache = LayerCache(settings.cache, selector.fingerprint)
    with open_image(plan.kind, plan.path, plan.tag, options.platform) as source:
        image = source.image
        known, problems = load_bases(settings.data)
        base, doubts = boundary(image, option=options.base, registered=known)
        sides = [side_of(base, index) for index in range(len(image.layers))]
        layers = tuple(replace(layer, side=side) for layer, side in zip(image.layers, sides, strict=True))
        image = replace(image, layers=layers)
        reads = read_layers(source, selector, cache, options.on_progress)
        inventory, reads = of_image(source, image, reads, selector, cache)
        opening = [(-1, item) for item in source.integrity]
        problems = (*problems, *doubts, *source.problems)
    mismatches = [*opening, *((index, item) for index, read in enumerate(reads) for item in read.integrity)]
    if mismatches:
        problems = (*problems, _damaged(len(mismatches)))
    target = Target(
        plan.name, plan.kind, image.digest, image.config_digest, image.index_digest, image.platform
    )  # fmt: skip
    return _report(
        target, inventory, options,
        problems=(*problems, *inventory.problems), base=base, image=image,
        findings=tuple(_integrity(index, mismatch, image, plan.name) for index, mismatch in mismatches),
        statistics=_statistics(reads),
    )  # fmt: skip


def _scan_directory(plan: Plan, _settings: Settings, options: Options) -> Report:
    inventory, statistics = of_directory(plan.path, Selector(CATALOGERS))
    target = Target(plan.name, plan.kind)
    return _report(target, inventory, options, problems=inventory.problems, statistics=statistics)


def _scan_sbom(plan: Plan, _settings: Settings, options: Options) -> Report:
    read = read_cyclonedx(_read_limited(plan.path))
    inventory = Inventory(read.packages, read.distribution, {}, tuple(read.problems))
    return _report(Target(plan.name, plan.kind), inventory, options, problems=inventory.problems)


def _read_limited(path: Path) -> bytes:
    if not path.is_file():
        raise InputError("is not a file", where=str(path))
    with path.open("rb") as stream:
        data = stream.read(_SBOM_LIMIT + 1)
    if len(data) > _SBOM_LIMIT:
        raise LimitError(f"an SBOM of more than {_SBOM_LIMIT >> 20} MiB", where=str(path))
    return data


def _report(
    target: Target,
    inventory: Inventory,
    options: Options,
    *,
    problems: tuple[Problem, ...],
    findings: tuple[Finding, ...] = (),
    base: Base = Base(),
    image: Image | None = None,
    statistics: Statistics = Statistics(),
) -> Report:
    checked = (
        options.check(inventory.packages, inventory.distribution, inventory.apt_sources) if options.check else Checked()
    )
    problems = _unique((*problems, *checked.problems))
    layers = image.layers if image else ()
    blobs = {layer.diff_id: layer for layer in layers}
    located = (_located(finding, blobs) for finding in checked.findings)
    return Report(
        target=target,
        status=status_of(problems),
        tool=f"holdfast {__version__}",
        problems=problems,
        distribution=inventory.distribution,
        base=base,
        layers=layers,
        packages=inventory.packages,
        findings=(*findings, *located),
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


def _damaged(count: int) -> Problem:
    message = "parts of the image are not what its digests promise: what was found may not be what was built"
    return Problem("image.damaged", message, remedy="fetch the image again", count=count)


def _integrity(index: int, mismatch: Mismatch, image: Image, name: str) -> Finding:
    rule = RULES_BY_PROMISE[mismatch.what]
    location, subject = Location(), Subject(name)
    if index >= 0:
        layer = image.layers[index]
        subject = Subject(f"layer {index + 1}")
        location = Location("", layer.digest, layer.diff_id, layer.created_by, layer.side)
    return Finding(
        rule=rule.id,
        kind=Kind.INTEGRITY,
        severity=rule.severity,
        confidence=Confidence.HIGH,
        subject=subject,
        evidence=IntegrityEvidence(mismatch.expected, mismatch.actual),
        location=location,
        fix=Fix(advice=rule.fix, side=location.side),
        title=rule.title,
        references=rule.references,
        controls=rule.controls,
    )


def _statistics(reads: Sequence[LayerRead]) -> Statistics:
    fresh = [read.record for read in reads if not read.cached]
    return Statistics(
        bytes_read=sum(record.stored for record in fresh),
        bytes_inflated=sum(record.inflated for record in fresh),
        entries=sum(read.record.entries for read in reads),
        layers_cached=sum(read.cached for read in reads),
    )


def _unique(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    counts: dict[Problem, int] = {}
    for problem in problems:
        key = replace(problem, count=1)
        counts[key] = counts.get(key, 0) + problem.count
    return tuple(replace(problem, count=count) for problem, count in counts.items())


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
