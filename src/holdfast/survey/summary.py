"""What a survey keeps of one image's report: small enough for many thousands, and written into the journal."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Side
from holdfast.model.errors import HoldfastError
from holdfast.model.finding import Finding, IntegrityEvidence, Kind, Severity, VulnerabilityEvidence
from holdfast.model.report import Report, Statistics
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.survey import Surveyed
from holdfast.report.rows import is_about_a_package, is_exploited, is_fixable, risk_of, rows
from holdfast.report.text import one_line
from holdfast.report.writer import speakable

_MOST_CAUSES = 20_000
_MOST_PROBLEMS = 50
_MOST_ALIASES = 8
_WORDS = 200
_OF_ADVISORIES = ("database", "feed", "archive")


class Cause(Struct, frozen=True, array_like=True):
    """One finding of an image, without what is only true of this image. `apart` is as in report.rows.Row."""

    kind: Kind
    rule: str
    severity: Severity
    type: str = ""
    package: str = ""
    installed: str = ""
    fix: str = ""
    side: Side = Side.UNKNOWN
    risk: int = 0
    exploited: bool = False
    title: str = ""
    aliases: tuple[str, ...] = ()
    apart: str = ""


class Summary(Struct, frozen=True, omit_defaults=True):
    """One image in short, its problems (like ones once, counted), and the causes of its findings."""

    image: Surveyed
    problems: tuple[Problem, ...] = ()
    causes: tuple[Cause, ...] = ()
    statistics: Statistics = Statistics()
    layers: int = 0


def summarize(report: Report, name: str) -> Summary:
    """The summary of a report on the image called `name`."""
    causes = tuple(_causes(report))
    problems = list(_grouped(report.problems))
    if len(causes) > _MOST_CAUSES:
        message = f"more than {_MOST_CAUSES:,} findings in one image: the others are only in its own report"
        problems.append(Problem("survey.too-many-findings", message, Gravity.NOTE))
    told = [cause for cause in causes if cause.kind is Kind.VULNERABILITY]
    image = Surveyed(
        name=name,
        status=report.status,
        digest=report.target.index_digest or report.target.digest,
        config_digest=report.target.config_digest,
        platform=report.target.platform,
        distribution=speakable(str(report.distribution or "")),
        packages=len(report.packages),
        counts=dict(Counter(cause.severity for cause in causes if cause.kind is not Kind.CONFIGURATION)),
        fixable=sum(bool(cause.fix) for cause in told),
        known_exploited=sum(cause.exploited for cause in told),
        malware=sum(cause.kind is Kind.MALWARE for cause in causes),
        secrets=sum(cause.kind is Kind.SECRET for cause in causes),
        tampered=sum(isinstance(finding.evidence, IntegrityEvidence) for finding in report.findings),
        risk=max((cause.risk for cause in causes), default=0),
        error=next((one.message for one in report.problems if one.gravity is Gravity.FAILED), ""),
        problems=dict(Counter({problem.code: 0 for problem in problems}) + _codes(report.problems)),
    )
    return Summary(image, tuple(problems), causes[:_MOST_CAUSES], report.statistics, len(report.layers))


def unread(name: str, digest: str, error: HoldfastError, code: str = "image.unreadable") -> Summary:
    """The summary of an image that could not be read at all."""
    message = speakable(error.what)
    image = Surveyed(name, Status.FAILED, digest=digest, error=message, problems={code: 1})
    return Summary(image, (Problem(code, message, Gravity.FAILED, remedy=speakable(error.remedy)),))


def _causes(report: Report) -> Iterator[Cause]:
    """Vulnerabilities and malware by package, once each, and what else was found."""
    for kind in (Kind.VULNERABILITY, Kind.MALWARE):
        for row in rows(report, kind):
            for finding in row.findings:
                evidence = finding.evidence
                yield Cause(
                    kind,
                    speakable(finding.rule),
                    finding.severity,
                    row.type,
                    speakable(row.name),
                    speakable(row.version),
                    speakable(finding.fix.version) if is_fixable(finding) else "",
                    row.side,
                    risk_of(finding),
                    is_exploited(finding),
                    _words(finding),
                    evidence.aliases[:_MOST_ALIASES] if isinstance(evidence, VulnerabilityEvidence) else (),
                    row.apart,
                )
    for finding in report.findings:
        if not is_about_a_package(finding):
            yield Cause(finding.kind, speakable(finding.rule), finding.severity, title=_words(finding))


def _words(finding: Finding) -> str:
    evidence = finding.evidence
    told = finding.title or (evidence.summary if isinstance(evidence, VulnerabilityEvidence) else "")
    return speakable(one_line(told[:_WORDS]))


def _codes(problems: Iterable[Problem]) -> Counter[str]:
    codes = Counter[str]()
    for problem in problems:
        codes[problem.code] += problem.count
    return codes


def _grouped(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Like problems once, wherever in the image they are; what is wrong with the advisories is so for every image."""
    found: dict[Problem, int] = {}
    for problem in problems:
        where = speakable(problem.where) if problem.code.partition(".")[0] in _OF_ADVISORIES else ""
        message, remedy = speakable(problem.message), speakable(problem.remedy)
        key = Problem(problem.code, message, problem.gravity, where, remedy)
        found[key] = found.get(key, 0) + problem.count
    for problem, count in sorted(found.items(), key=_graver_first)[:_MOST_PROBLEMS]:
        yield replace(problem, count=1 if problem.where else count)


def _graver_first(item: tuple[Problem, int]) -> bool:
    return item[0].gravity is Gravity.NOTE
