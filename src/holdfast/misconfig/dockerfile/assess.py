"""A Dockerfile to findings: what is wrong with it before anything is built, and which images it is built on."""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.misconfig.dockerfile.bases import Base, bases_of
from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.budget import DOCKERFILE_BUDGET, DockerfileBudget
from holdfast.misconfig.dockerfile.checks import CHECKS
from holdfast.misconfig.dockerfile.context import Context
from holdfast.misconfig.dockerfile.ignore import read_ignores
from holdfast.misconfig.dockerfile.parse import parse
from holdfast.misconfig.dockerfile.redact import redact
from holdfast.misconfig.dockerfile.view import View
from holdfast.misconfig.rule import load
from holdfast.model.finding import ConfigurationEvidence, Finding, Fix, Kind, Location, Rule, Severity, Subject
from holdfast.model.status import Gravity, Problem

_PLACES = 10
_FOUND = 400
_TOLD = 3
_SHORTEST, _SECRETS = 4, 200  # shorter ones are words; and so many that no file has them
_NAMES = re.compile(r"(?:.*[./_-])?(?:dockerfile|containerfile)(?:[./_-].*)?", re.IGNORECASE)
_NOT_NAMES = (".dockerignore", ".md", ".txt", ".json", ".yml", ".yaml", ".py", ".go", ".vim", ".gz", ".sh", ".html")
_FROM = re.compile(
    rb"^[ \t]*FROM[ \t]+(?:--platform=\S+[ \t]+)?[\w$][\w./:@${}-]*(?:[ \t]+AS[ \t]+\S+)?[ \t\r]*$", re.I | re.M
)
_OTHER = re.compile(rb"^[ \t]*(?:RUN|COPY|ADD|CMD|ENTRYPOINT|ENV|WORKDIR|EXPOSE|USER|LABEL|ARG)[ \t]+\S", re.M)


class Assessed(Struct, frozen=True):
    """What a Dockerfile shows: findings (worst first), what stood in the way, and the images it is built on."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    bases: tuple[Base, ...]


def assess(
    data: bytes, path: str, context: Context | None = None, *, budget: DockerfileBudget = DOCKERFILE_BUDGET
) -> Assessed:
    """Everything that is wrong with a Dockerfile, given as its bytes; `path` is how findings call it.

    With the build context at hand, what COPY brings from it is looked at as well. Never raises for what the bytes hold.
    """
    file = parse(data, budget)
    view = View(file, context, budget)
    ignores = read_ignores(file)
    breaches, aside = [], 0
    secrets: dict[str, None] = {}
    for check in CHECKS:
        for breach in check(view):
            if len(breach.secret) >= _SHORTEST and len(secrets) < _SECRETS:
                secrets[breach.secret] = None
            if breach in ignores:
                aside += breach.count
            else:
                breaches.append(breach)
    problems = list(file.problems)
    if any(run.cut for run in view.runs):
        problems.append(Problem("dockerfile.limit", "the scripts in RUN are longer than what is read", where=path))
    if unread := sum(not run.posix for run in view.runs):
        what = "RUN for a shell that is not of the family of sh was not looked into"
        problems.append(Problem("dockerfile.shell-unread", what, Gravity.NOTE, path, count=unread))
    if aside:
        problems.append(
            Problem("dockerfile.ignored", f"comments set {aside} findings aside", Gravity.NOTE, path, count=aside)
        )
    return Assessed(_findings(breaches, path, tuple(secrets)), tuple(_placed(problems, path)), bases_of(file))


def looks_like_dockerfile(name: str, head: bytes) -> bool:
    """Whether a file is a Dockerfile, by its name (`Dockerfile`, `app.Dockerfile`, `Containerfile.dev`) or its start.

    `head` are its first bytes; a file of another name has to hold FROM and one instruction more.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    if b"\0" in head[:4096]:
        return False
    if base.lower().endswith(_NOT_NAMES):
        return False
    if _NAMES.fullmatch(base):
        return True
    return bool(_FROM.search(head[:8192]) and _OTHER.search(head[:8192]))


def _placed(problems: Iterable[Problem], path: str) -> Iterator[Problem]:
    for problem in problems:
        line = problem.where.removeprefix("line ") if problem.where.startswith("line ") else ""
        yield replace(problem, where=f"{path}:{line}" if line else path)


def _findings(breaches: list[Breach], path: str, secrets: tuple[str, ...]) -> tuple[Finding, ...]:
    if not breaches:
        return ()
    rules = load("dockerfile")
    same: dict[tuple[str, str], list[Breach]] = {}
    for breach in breaches:
        same.setdefault((breach.rule, _subject(breach, secrets)), []).append(breach)
    found = [
        _finding(rules[f"dockerfile.{rule}"], group, subject, path, secrets) for (rule, subject), group in same.items()
    ]
    found.sort(key=lambda finding: (-finding.severity.rank, finding.location.line, finding.rule, finding.subject.name))
    return tuple(found)


def _subject(breach: Breach, secrets: tuple[str, ...]) -> str:
    text = f"stage {breach.stage}: {breach.what}" if breach.stage else breach.what
    return redact(text, secrets)[:_FOUND]


def _finding(rule: Rule, group: list[Breach], subject: str, path: str, secrets: tuple[str, ...]) -> Finding:
    """One finding for breaches that have one cause: at the first line, with the other lines beside."""

    def said(text: str) -> str:
        return redact(text, secrets)[:_FOUND]

    first = min(group, key=lambda breach: breach.line)
    lines = sorted({breach.line for breach in group})
    places = tuple(f"{path}:{line}" for line in lines[:_PLACES]) if len(lines) > 1 else ()
    found = list(dict.fromkeys(breach.found for breach in group))[:_TOLD]
    severities = [breach.severity or rule.severity for breach in group]
    return Finding(
        rule=rule.id,
        kind=Kind.CONFIGURATION,
        severity=max(severities, key=lambda severity: Severity(severity).rank),
        confidence=first.confidence,
        subject=Subject(subject),
        evidence=ConfigurationEvidence(said("; ".join(found)), said(first.expected), places),
        location=Location(path=path, line=first.line),
        fix=Fix(advice=said(first.fix) or rule.fix),
        title=rule.title,
        references=rule.references,
        controls=rule.controls,
        count=sum(breach.count for breach in group),
    )
