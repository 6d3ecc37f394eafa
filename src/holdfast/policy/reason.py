"""Findings that count put together as reasons: what is wrong, what to change, and a waiver to paste."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from holdfast.model.artifact import Side
from holdfast.model.finding import Finding, Kind, MalwareEvidence, SecretEvidence
from holdfast.model.package import Package
from holdfast.model.verdict import Decision, Reason
from holdfast.policy import rules
from holdfast.policy.judge import Judgement, is_fixable
from holdfast.policy.package import bare, purl_of
from holdfast.policy.waive import called
from holdfast.version import ordering_for

MOST_FINDINGS = 50
_MOST_STEPS = 10
_MOST_SNIPPETS = 3
_MOST_NAMED = 4
_CONTENT = (SecretEvidence, MalwareEvidence)
_WAIVER_DAYS = 30
_SIDES = {Side.BASE: " in the base image", Side.APPLICATION: "", Side.UNKNOWN: ""}
_TITLES = {rule.id: rule.title for rule in rules.RULES}


def reasons(judged: Iterable[tuple[Finding, Judgement]], packages: Mapping[str, Package], today: date) -> list[Reason]:
    """One reason for each rule and decision."""
    groups: dict[tuple[str, Decision], list[tuple[Finding, Judgement]]] = {}
    for finding, judgement in judged:
        groups.setdefault((judgement.rule, judgement.decision), []).append((finding, judgement))
    return [_reason(rule, decision, members, packages, today) for (rule, decision), members in groups.items()]


def snippet(fields: Mapping[str, str], today: date) -> str:
    """A waiver in TOML. Reason and owner are left empty, so that it is refused until somebody fills them in."""
    lines = [f"{key} = {_quoted(value)}" for key, value in fields.items() if value]
    end = (today + timedelta(days=_WAIVER_DAYS)).isoformat()
    return "\n".join(["[[waiver]]", *lines, 'reason = ""', 'owner = ""', f"expires = {end}"])


def _reason(
    rule: str,
    decision: Decision,
    members: Sequence[tuple[Finding, Judgement]],
    packages: Mapping[str, Package],
    today: date,
) -> Reason:
    ordered = sorted(members, key=lambda one: -one[0].severity.rank)
    findings = [finding for finding, _ in ordered]
    vulnerable = all(finding.kind is Kind.VULNERABILITY for finding in findings)
    names = list(dict.fromkeys(_source(finding, packages) if vulnerable else called(finding) for finding in findings))
    title = _TITLES.get(rule) or findings[0].title or rule
    if vulnerable:
        number = f"{len(findings):,} " + ("vulnerability" if len(findings) == 1 else "vulnerabilities")
        message = f"{title}: {number} in {_listed(names)}"
    else:
        message = f"{title}: {_listed(names)}"
    steps = _upgrades(findings, packages) if vulnerable else _advice(findings)
    if until := min((one.until for _, one in members if one.until), default=""):
        steps = [f"from {until} on this is denied", *steps]
    return Reason(
        rule,
        decision,
        message,
        tuple(finding.fingerprint for finding in findings[:MOST_FINDINGS]),
        len(findings),
        tuple(steps[:_MOST_STEPS]),
        _waivers(findings, today),
    )


def _upgrades(findings: Sequence[Finding], packages: Mapping[str, Package]) -> list[str]:
    """For each package the smallest version that every known fix is in, most findings first; then what has no fix."""
    groups: dict[tuple[str, str, Side], list[Finding]] = {}
    unfixed: dict[str, None] = {}
    for finding in findings:
        name = _source(finding, packages)
        if is_fixable(finding):
            side = finding.fix.side if finding.fix.side is not Side.UNKNOWN else finding.location.side
            kind = finding.subject.purl.removeprefix("pkg:").partition("/")[0]
            groups.setdefault((kind, name, side), []).append(finding)
        else:
            unfixed[name] = None
    steps = []
    for (kind, name, side), members in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0])):
        newest = max((one.fix.version for one in members), key=ordering_for(kind).key)
        count = f" ({len(members):,})" if len(members) > 1 else ""
        steps.append(f"upgrade {name}{_SIDES[side]} to {newest}{count}")
    if len(steps) >= _MOST_STEPS:
        left = len(steps) - _MOST_STEPS + 2
        steps = [*steps[: _MOST_STEPS - 2], f"and {left:,} more upgrades: see the report"]
    if unfixed:
        steps.append(f"no fix is known for {_listed(list(unfixed))}: remove it if nothing needs it, or waive it")
    return steps


def _advice(findings: Sequence[Finding]) -> list[str]:
    """What the findings themselves advise, and where; the same advice once."""
    steps = list(dict.fromkeys(finding.fix.advice for finding in findings if finding.fix.advice))
    places: dict[str, None] = {}
    for finding in findings:
        location = finding.location
        layer = (location.layer or location.diff_id).partition(":")[2][:12]
        if location.path and layer:
            places[f"{location.path} (layer {layer})"] = None
        elif location.path and location.line:
            places[f"{location.path}:{location.line}"] = None
    if any(isinstance(one.evidence, _CONTENT) and one.evidence.deleted_by for one in findings):
        steps.append("a later layer deletes it, and the image still holds it: rebuild so that it never comes in")
    return [*steps[: _MOST_STEPS - 1], *([f"found in {_listed(list(places))}"] if places else [])]


def _waivers(findings: Sequence[Finding], today: date) -> str:
    snippets: dict[str, None] = {}
    for finding in findings:
        snippets[snippet(_scope(finding), today)] = None
        if len(snippets) > _MOST_SNIPPETS:
            break
    parts = list(snippets)
    if len(parts) > _MOST_SNIPPETS:
        parts = [*parts[:_MOST_SNIPPETS], "# and so on for the others, each with its own reason"]
    return "\n\n".join(parts) + "\n"


def _scope(finding: Finding) -> dict[str, str]:
    """What a waiver for this finding names, and nothing wider."""
    purl = purl_of(finding.subject.purl)
    if purl:
        return {"rule": finding.rule, "package": bare(purl)}
    if finding.location.path.isprintable() and finding.location.path and not set(finding.location.path) & set("*?["):
        return {"rule": finding.rule, "path": finding.location.path}
    return {"rule": finding.rule, "fingerprint": finding.fingerprint}


def _source(finding: Finding, packages: Mapping[str, Package]) -> str:
    package = packages.get(finding.subject.purl)
    if package and package.source_name:
        return package.source_name
    return f"{package.namespace}/{package.name}" if package and package.namespace else finding.subject.name


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\u{min(ord(one), 0xFFFD):04x}" for one in escaped) + '"'
