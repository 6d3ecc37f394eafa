"""Scanning one image: its layers read or known, its packages put together, its promises kept or broken."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.model.artifact import Image
from holdfast.model.finding import Confidence, Finding, Fix, IntegrityEvidence, Kind, Location, Subject, TagEvidence
from holdfast.model.report import Base, Report, Statistics, Target
from holdfast.model.status import Gravity, Problem
from holdfast.oci.image import ImageSource
from holdfast.oci.integrity import Mismatch, Mismatched
from holdfast.oci.source import Source
from holdfast.scan.boundary import boundary, load_bases, side_of
from holdfast.scan.conceal import conceal, without_secret_paths
from holdfast.scan.engines import open_engines
from holdfast.scan.exploitability import attached_statements, with_statements
from holdfast.scan.inside import Inside, asked, assess_configuration, hidden_in, look_inside
from holdfast.scan.inventory import Inventory
from holdfast.scan.layers import LayerRead
from holdfast.scan.options import Options
from holdfast.scan.outcome import report_of
from holdfast.scan.plan import REMOTE, Plan
from holdfast.scan.rules import RULES_BY_PROMISE, TAG_MOVED_BACK
from holdfast.scan.sightings import Sightings
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.scan.attached import Attached


def scan_image(plan: Plan, settings: Settings, options: Options) -> Report:
    """Scan the image of a plan. Raises only where nothing of it could be had."""
    engines, problems = open_engines(settings, options.wanted)
    try:
        opened = options.open(plan, options.platform)
    except Mismatched as error:
        return _refused(plan, error, options)
    with opened as source, ThreadPoolExecutor(max_workers=1) as beside:
        concealed = conceal(source.image, engines.secrets)
        image, base, doubts = _with_sides(concealed.image, settings, options)
        problems += doubts
        # While the layers are read, the registry is asked what else there is.
        looking = beside.submit(_look, source, settings, fresh=options.attested)
        inside = _stated(looking.result(), problems) if options.attested else None
        is_stated = inside is not None
        inside = inside or look_inside(source, image, engines, settings, options.on_progress)
        attached = looking.result()
        said = tuple(attached_statements(source, attached, problems)) if options.attached_statements else ()
        mismatches = [(-1, item) for item in source.integrity]
        problems += source.problems
    mismatches += [(index, item) for index, read in enumerate(inside.reads) for item in read.integrity]
    problems += inside.inventory.problems
    findings = [_integrity(index, mismatch, image, plan.name) for index, mismatch in mismatches]
    if mismatches:
        problems.append(_damaged(len(mismatches)))
    outside = concealed.places if engines.secrets_wanted else ()
    hidden = hidden_in(inside, image.layers, engines.secrets, outside)
    findings += asked(hidden, engines.secrets, options.issuers, problems)
    if attached is not None:
        problems += attached.problems
        if attached.listed and not is_stated:
            from holdfast.scan.attested import disagreements

            findings += disagreements(attached, inside.inventory, plan.name, problems)
    if plan.kind == "registry":
        findings += _moved_back(plan, image, settings)
    target = Target(plan.name, plan.kind, image.digest, image.config_digest, image.index_digest, image.platform)
    pinned = plan.kind not in REMOTE or "@" in plan.reference
    report = report_of(
        target, inside.inventory, options,
        problems=tuple(problems), base=base, image=image, findings=tuple(findings),
        statistics=_statistics(inside.reads), attachments=attached.attachments if attached else (),
        assess=partial(assess_configuration, plan.name, image, inside, pinned=pinned) if engines.marks else None,
    )  # fmt: skip
    report = without_secret_paths(report, engines.secrets)
    return with_statements(report, said) if said else report


def _stated(attached: "Attached | None", problems: list[Problem]) -> Inside | None:
    """What a bill of materials that is attached to the image says is inside, where there is one."""
    from holdfast.scan.attested import stated

    inventory, note = stated(attached)
    problems.append(note)
    return Inside(inventory) if inventory is not None else None


def _with_sides(image: Image, settings: Settings, options: Options) -> tuple[Image, Base, tuple[Problem, ...]]:
    """The image with each layer's side, and where its base ends."""
    known, problems = load_bases(settings.data)
    base, doubts = boundary(image, option=options.base, registered=known)
    sides = [side_of(base, index) for index in range(len(image.layers))]
    layers = tuple(replace(layer, side=side) for layer, side in zip(image.layers, sides, strict=True))
    return replace(image, layers=layers), base, (*problems, *doubts)


def _look(source: Source, settings: Settings, *, fresh: bool) -> "Attached | None":
    """What is attached; None for an engine's image, which comes without."""
    if not isinstance(source, ImageSource) or not source.image.digest:
        return None
    from holdfast.scan.attached import look

    return look(source, settings.cache, fresh=fresh)


def _moved_back(plan: Plan, image: Image, settings: Settings) -> Iterator[Finding]:
    """A finding as long as a tag leads to what it had left for another image; what it leads to now is remembered."""
    if "@" in plan.name:  # whoever names a digest did not ask where the tag leads; a survey did, and pins it then
        return
    digest = image.index_digest or image.digest
    tag = plan.reference.partition("@")[0]
    sightings = Sightings(settings.data / "tags")
    history = sightings.of(tag)
    if before := history.before(digest):
        earlier, newest = before
        rule, evidence = TAG_MOVED_BACK, TagEvidence(digest, newest.digest, earlier.last)
        yield Finding(
            rule=rule.id, kind=Kind.INTEGRITY, severity=rule.severity, confidence=Confidence.MEDIUM,
            subject=Subject(tag), evidence=evidence, title=rule.title,
            fix=Fix(advice=rule.fix), references=rule.references, controls=rule.controls,
        )  # fmt: skip
    sightings.put(history.with_sighting(digest, datetime.now(UTC).isoformat(timespec="seconds")))


def _refused(plan: Plan, error: Mismatched, options: Options) -> Report:
    """The report of an image whose own documents are not what was asked for: nothing is made of them."""
    nothing = Inventory((), None, {}, ())
    problem = Problem.of("image.refused", error, gravity=Gravity.FAILED)
    return report_of(
        Target(plan.name, plan.kind), nothing, replace(options, check=None),
        problems=(problem,), findings=(_integrity(-1, error.mismatch, Image(plan.reference), plan.name),),
    )  # fmt: skip


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
