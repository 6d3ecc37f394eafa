"""A report held against a policy. Nothing is read here: whatever has to be known is handed in."""

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import fields, replace

from holdfast.model.advisory import FixState
from holdfast.model.errors import HoldfastError
from holdfast.model.finding import Finding, Kind, VulnerabilityEvidence
from holdfast.model.package import Package
from holdfast.model.policy import Demands, Policy, Waiver
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.verdict import Decision, Reason, SetAside, Verdict
from holdfast.policy import rules
from holdfast.policy.facts import NO_FACTS, Facts
from holdfast.policy.glob import matches
from holdfast.policy.judge import judge
from holdfast.policy.package import bare, purl_of
from holdfast.policy.reason import reasons, snippet
from holdfast.policy.requirement import Case, broken
from holdfast.policy.target import is_meant
from holdfast.policy.waive import Waivers, called, set_aside

MOST_SET_ASIDE = 500
MOST_PACKAGES = 50
VEX_NOTE = "VEX "
"""How a note of evidence begins that policy.vex wrote."""

_ENGINE_OF = {
    Kind.VULNERABILITY: "vulnerabilities",
    Kind.SECRET: "secrets",
    Kind.MALWARE: "malware",
    Kind.CONFIGURATION: "configuration",
}
# There is nothing in them that these engines could look at.
_WITHOUT_ENGINES = ("sbom", "dockerfile")


def evaluate(
    policy: Policy,
    report: Report,
    *,
    today: date,
    facts: Facts = NO_FACTS,
    waivers: Iterable[Waiver] = (),
    warnings: Iterable[Problem] = (),
) -> Verdict:
    """The verdict on a report: the gravest reason decides.

    `waivers` are those of ignore files, beside the policy's own, and `warnings` what of those files is not applied. VEX
    is applied to the report beforehand (policy.vex.apply); what of it could not be used is told in the warnings.
    """
    demands = demands_for(policy, report.target, facts)
    packages: dict[str, Package] = {package.purl: package for package in reversed(report.packages)}
    holding = Waivers((*policy.waivers, *waivers), report.target, packages, today=today, names=facts.names)
    counting: list[Finding] = []
    aside: list[SetAside] = []
    for finding in report.findings:
        if finding.fix.state is FixState.NOT_AFFECTED:
            aside.extend(_not_affected(finding))
        elif waiver := holding.of(finding):
            aside.append(set_aside(finding, waiver))
        else:
            counting.append(finding)
    judged = [(finding, judgement) for finding in counting if (judgement := judge(finding, demands, today))]
    because = reasons(judged, packages, today)
    because += _demanded(Case(demands, report, facts, today), holding, aside)
    because += _checks(policy, report, counting, today, holding, aside)
    because += _incomplete(demands, report)
    because.sort(key=lambda reason: (-reason.decision.rank, reason.rule not in _FIRST))
    return Verdict(
        max((reason.decision for reason in because), key=lambda one: one.rank, default=Decision.ALLOW),
        tuple(because),
        policy.name,
        target=report.target.name,
        digest=report.target.digest,
        day=today.isoformat(),
        set_aside=tuple(aside[:MOST_SET_ASIDE]),
        set_aside_count=len(aside),
        warnings=(*holding.warnings(), *warnings, *(one for one in report.problems if one.code.startswith(_VEX))),
    )


_VEX = "vex."
_FIRST = (rules.KNOWN_EXPLOITED.id, rules.VULNERABILITY.id)


def demands_for(policy: Policy, target: Target, facts: Facts = NO_FACTS) -> Demands:
    """The demands on one target: the general ones, and part by part those of every override that matches, in order."""
    demands = policy.demands
    for one in policy.targets:
        if is_meant(one.match, target) or any(matches(one.match, name) for name in facts.names):
            said = {field.name: getattr(one.demands, field.name) for field in fields(Demands)}
            demands = replace(demands, **{name: value for name, value in said.items() if value is not None})
    return demands


def _not_affected(finding: Finding) -> Iterator[SetAside]:
    """What VEX says; a distributor's own word is in the report and was never counted anywhere."""
    evidence = finding.evidence
    if isinstance(evidence, VulnerabilityEvidence) and evidence.note.startswith(VEX_NOTE):
        yield SetAside(finding.rule, "vex", evidence.note, called(finding), finding.fingerprint)


def _demanded(case: Case, waivers: Waivers, aside: list[SetAside]) -> list[Reason]:
    """Broken demands of the target itself, each once; of a kind the first, and how many more there are."""
    kept: dict[tuple[str, Decision], list[Reason]] = {}
    untold: list[str] = []
    for reason, package in broken(case):
        if waiver := waivers.of_demand(reason.rule, package):
            aside.append(_waived(reason, waiver, package))
            continue
        purl = purl_of(package.purl) if package else None
        if reason.rule == rules.UNTOLD.id:
            untold.append(reason.message)
            continue
        scope = {"rule": reason.rule, "package": bare(purl) if purl else "", "target": _scope(case.report.target)}
        group = kept.setdefault((reason.rule, reason.decision), [])
        group.append(replace(reason, waiver=snippet(scope, case.today) + "\n"))
    told: list[Reason] = []
    if untold:
        message = f"{len(untold):,} of the policy's demands cannot be checked on this target: {', '.join(untold[:8])}"
        told.append(Reason(rules.UNTOLD.id, Decision.WARN, message, how_to_pass=("vet the built image as well",)))
    for (rule, decision), group in kept.items():
        told += group[:MOST_PACKAGES]
        if len(group) > MOST_PACKAGES:
            told.append(Reason(rule, decision, f"and {len(group) - MOST_PACKAGES:,} more of the same: see the report"))
    return told


def _scope(target: Target) -> str:
    """The target's name as a pattern for a waiver."""
    name = target.name
    return name if name.isprintable() and len(name) < 300 else ""


def _waived(reason: Reason, waiver: Waiver, package: Package | None = None) -> SetAside:
    subject = f"{package.name} {package.version}" if package else reason.message
    return SetAside(
        reason.rule, "waiver", waiver.reason, subject, owner=waiver.owner, expires=waiver.expires, where=waiver.where
    )


def _checks(
    policy: Policy, report: Report, counting: list[Finding], today: date, waivers: Waivers, aside: list[SetAside]
) -> Iterator[Reason]:
    """The policy's own conditions; one that cannot be told is said, and denies only where the policy says so."""
    if not policy.checks:
        return
    from holdfast.policy.expression import Steps, compiled, values
    from holdfast.policy.variables import variables

    known = values(variables(report, counting, today))
    steps = Steps()
    for check in policy.checks:
        where = f"{policy.source}:{check.line}"
        rule = f"check.{check.name}"
        try:
            if compiled(check.expression, where).holds(known, steps):
                continue
            message = check.message or f"{check.name}: {check.expression}"
            reason = Reason(
                rule, check.decision, message, how_to_pass=(f"make it true: {check.expression}",), where=where
            )
        except HoldfastError as error:
            told = f"the check {check.name} cannot be told: {error.what}"
            reason = Reason(
                rule, check.on_error, told, how_to_pass=("mend the expression",), where=error.where or where
            )
        if waiver := waivers.of_demand(rule):
            aside.append(_waived(reason, waiver))
        else:
            scope = {"rule": rule, "target": _scope(report.target)}
            yield replace(reason, waiver=snippet(scope, today) + "\n")


def _not_looked_for(demands: Demands, report: Report) -> Iterator[str]:
    for kind, engine in _ENGINE_OF.items():
        rules_of_kind = demands.of_kind(kind)
        if (rules_of_kind.deny or rules_of_kind.warn) and report.engines and engine not in report.engines:
            yield (
                f"{engine} was not looked for" if engine.endswith(("ware", "ion")) else f"{engine} were not looked for"
            )


def _incomplete(demands: Demands, report: Report) -> Iterator[Reason]:
    """What the scan did not see, though the policy sets rules for it."""
    missing = [] if report.target.kind in _WITHOUT_ENGINES else list(_not_looked_for(demands, report))
    grave = [problem for problem in report.problems if problem.gravity is not Gravity.NOTE]
    missing += [f"{one.message}{f' ({one.where})' if one.where else ''}" for one in grave]
    missing += [f"not checked: {one}" for one in report.not_checked]
    if not missing and report.status is Status.COMPLETE:
        return
    decision = demands.incomplete or Decision.WARN
    if report.status is Status.FAILED:
        decision = Decision.DENY
    told = "; ".join(missing[:5]) + (f"; and {len(missing) - 5:,} more" if len(missing) > 5 else "")
    steps = tuple(dict.fromkeys(problem.remedy for problem in grave if problem.remedy))[:5]
    yield Reason(rules.INCOMPLETE.id, decision, f"the scan is {report.status}: {told or 'see its problems'}",
                 how_to_pass=steps or ("scan again with everything that is named at hand",))  # fmt: skip
