"""What stands around the findings: what was scanned, how far the answer can be trusted, and what stood in the way."""

from collections import Counter
from collections.abc import Iterable, Iterator

from holdfast.model.finding import Finding, IntegrityEvidence, Kind, SbomEvidence, TagEvidence
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.columns import short
from holdfast.report.text import Lines, counted, listed, paragraph, printable
from holdfast.report.words import concerns_packages

_STYLES = {Gravity.FAILED: "bad", Gravity.PARTIAL: "warn", Gravity.NOTE: "dim"}
_MOST_PLACES = 3
_MOST_PACKAGES = 6


def preface(report: Report, width: int) -> Lines:
    """The target and its digests, the advisory data with its dates, the status with its problems, what is tampered."""
    yield [(printable(report.target.name), "heading")]
    yield [(" · ".join(_identity(report)), "")]
    if pins := list(_pins(report)):
        yield from paragraph("", " · ".join(pins), width, "dim")
    if report.attachments:
        yield from paragraph("attached: ", ", ".join(_attached(report)), width, "dim")
    yield from advisories_told(report, width)
    grave = [problem for problem in report.problems if problem.gravity is not Gravity.NOTE]
    if report.status is not Status.COMPLETE:
        yield []
        words = "nothing below is a full answer" if report.status is Status.PARTIAL else "the target could not be read"
        style = _STYLES[Gravity(report.status.value)]
        yield [(str(report.status).upper(), style), (f"  {words}", "")]
    yield from problems_told(grave, width)
    if report.not_checked:
        yield from paragraph("  not checked: ", "; ".join(report.not_checked), width, "warn")
    broken = [finding for finding in report.findings if finding.kind is Kind.INTEGRITY]
    yield from _integrity([finding for finding in broken if isinstance(finding.evidence, IntegrityEvidence)], width)
    for finding in broken:
        if isinstance(finding.evidence, TagEvidence):
            yield from _moved_back(finding, finding.evidence, width)
    yield from _misstated([finding for finding in broken if isinstance(finding.evidence, SbomEvidence)], width)


def notes(report: Report, width: int) -> Lines:
    """What the reader should know although the answer is whole: notes, and what was counted but not shown."""
    told = [problem for problem in report.problems if problem.gravity is Gravity.NOTE]
    unaffected = sum(finding.fix.state == "not-affected" for finding in report.findings)
    if not told and not unaffected:
        return
    yield []
    yield [("NOTES", "heading")]
    if unaffected:
        saying = counted(unaffected, "advisory says", "advisories say")
        yield [(f"  {saying} not affected: not counted; json and cyclonedx list them", "dim")]
    yield from problems_told(told, width)


def _identity(report: Report) -> Iterator[str]:
    if not concerns_packages(report):
        yield printable(report.target.kind)
        return
    distribution = report.distribution
    yield printable(str(distribution)) if distribution else "no distribution recognised"
    if report.target.platform:
        yield printable(str(report.target.platform))
    layers = f" in {counted(len(report.layers), 'layer')}" if report.layers else ""
    yield counted(len(report.packages), "package") + layers


def _pins(report: Report) -> Iterator[str]:
    digest = report.target.digest or report.target.config_digest
    if digest:
        yield f"{digest.partition(':')[0]}:{short(digest)}"
    base = report.base
    if base.decided_by:
        name = f"{printable(base.name)}, " if base.name else ""
        yield f"base image: {name}{counted(base.layers, 'layer')} (known by {base.decided_by})"
    elif claimed := printable(base.name) or short(base.digest):
        yield f"base image: unknown (a label claims {claimed})"
    elif len(report.layers) > 1:
        yield "base image: unknown"


def _attached(report: Report) -> Iterator[str]:
    """What is attached to the image, by kind: `2 sbom (1 in a signed envelope)`."""
    kinds = Counter(attachment.kind for attachment in report.attachments)
    signed = Counter(attachment.kind for attachment in report.attachments if attachment.signed)
    for kind, count in sorted(kinds.items()):
        yield f"{count} {kind}" + (f" ({signed[kind]} in a signed envelope, not checked)" if signed[kind] else "")


def advisories_told(report: Report, width: int) -> Lines:
    """Which advisory data the answer rests on, of which dates, and what of it is old."""
    database = report.database
    if database is None:
        return
    if database.starter:
        words = "only the starter pack: some famous vulnerabilities, no answer to what else there is"
        yield from paragraph("advisories: ", words, width, "warn")
    dates: dict[str, list[str]] = {}
    today = report.created[:10]
    for source in database.sources:
        # A record with a date to come tells nothing of how new its feed is.
        date = source.date[:10] if not today or source.date[:10] <= today else ""
        dates.setdefault(date, []).append(source.name)
    if dates:
        ordered = sorted(dates.items(), reverse=True)  # what states no date comes last
        words = "; ".join(f"{date or 'no date stated'}: {listed(names, 4)}" for date, names in ordered)
        yield from paragraph("advisories as of ", words, width, "dim")
    for source in database.sources:
        if source.failure:
            yield from paragraph("  ", f"{source.name} was not updated: {source.failure}", width, "warn")


def problems_told(problems: Iterable[Problem], width: int) -> Lines:
    """Like problems once, with how often and where, and what to do about them."""
    groups: dict[tuple[str, str, str, Gravity], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.code, problem.message, problem.remedy, problem.gravity), []).append(problem)
    for (_, message, remedy, gravity), members in groups.items():
        count = sum(problem.count for problem in members)
        places = listed([printable(problem.where) for problem in members if _says_where(problem)], _MOST_PLACES)
        words = (f"{count:,} × " if count > 1 else "") + message + (f": {places}" if places else "")
        yield from paragraph("  ! " if gravity is not Gravity.NOTE else "  ", words, width, _STYLES[gravity])
        if remedy:
            yield from paragraph("    → ", remedy, width, "")


def _says_where(problem: Problem) -> bool:
    """Whether a problem's place tells something that its message does not."""
    return problem.where not in ("", "/") and problem.where not in problem.message


def _integrity(findings: list[Finding], width: int) -> Lines:
    if not findings:
        return
    yield []
    yield [("TAMPERED OR DAMAGED", "bad"), ("  these bytes are not the ones that were promised", "")]
    for finding in findings:
        where = short(finding.location.layer or finding.location.diff_id)
        subject = printable(finding.subject.name) + (f" ({where})" if where else "")
        yield from paragraph("  ", f"{subject}: {finding.title or finding.rule}", width, "critical")
        if isinstance(finding.evidence, IntegrityEvidence):
            yield from paragraph("    promised ", finding.evidence.expected, width, "dim")
            yield from paragraph("    found    ", finding.evidence.actual, width, "dim")
    for advice in dict.fromkeys(finding.fix.advice for finding in findings if finding.fix.advice):
        yield from paragraph("    → ", advice, width, "")


def _moved_back(finding: Finding, evidence: TagEvidence, width: int) -> Lines:
    yield []
    yield [("TAG", "warn"), (f"  {printable(finding.subject.name)}: {finding.title or finding.rule}", "")]
    yield from paragraph("    before ", evidence.before, width, "dim")
    yield from paragraph("    now    ", f"{evidence.now}, as it was on {evidence.seen[:10]}", width, "dim")
    yield from paragraph("    → ", finding.fix.advice, width, "")


def _misstated(findings: list[Finding], width: int) -> Lines:
    """What attached bills of materials say that is not so, with the first packages of each."""
    if not findings:
        return
    yield []
    yield [("BILL OF MATERIALS", "warn"), ("  what is attached to this image is not what is inside", "")]
    for finding in findings:
        if isinstance(finding.evidence, SbomEvidence):
            names = [printable(name) for name in finding.evidence.packages[:_MOST_PACKAGES]]
            more = f" and {finding.count - len(names):,} more" if finding.count > len(names) else ""
            told = f"{finding.title or finding.rule} ({counted(finding.count, 'package')}): "
            yield from paragraph("  ", told + ", ".join(names) + more, width, finding.severity.value)
            if finding.fix.advice:
                yield from paragraph("    → ", finding.fix.advice, width, "")
