"""What a policy demands of the target as a whole: its base, registry, user, labels, attachments, age and packages."""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind, Rule
from holdfast.model.package import Package
from holdfast.model.policy import Demands, DeniedPackage, RequiredLabel
from holdfast.model.report import Configuration, Report
from holdfast.model.verdict import Decision, Reason
from holdfast.policy import rules
from holdfast.policy.facts import BaseFact, Facts
from holdfast.policy.glob import any_matches, matches
from holdfast.policy.licence import judge_licences
from holdfast.policy.package import bare, is_called, is_within, purl_of
from holdfast.policy.target import reference_named, reference_of

_MOST_NAMED = 5
_ROOT = ("", "root", "0")
_EARLIEST = "2000-01-01"
Broken = tuple[Reason, Package | None]
"""A demand that is not met, and the package that it is about, where it is about one."""


class Case(Struct, frozen=True):
    """What is demanded of what."""

    demands: Demands
    report: Report
    facts: Facts
    today: date

    @property
    def configuration(self) -> Configuration | None:
        """How containers of it run; None where it is no image."""
        return self.report.configuration


def broken(case: Case) -> Iterator[Broken]:
    """All demands that are not met. Those that cannot be told of this target carry only their name as message."""
    for look in (_base, _registry, _pinned, _user, _labels, _attachments, _age, _kinds):
        for reason in look(case):
            yield reason, None
    yield from _packages(case)
    yield from _licences(case)


def _base(case: Case) -> Iterator[Reason]:
    demand = case.demands.base
    if demand is None:
        return
    bases = case.facts.bases or _reported_base(case.report)
    if not bases and case.configuration is not None:
        told = "it is not known which base image this was built from"
        yield from _said(
            rules.BASE, demand.unknown, told, "name it: holdfast base add, or build with the base's labels"
        )
    for base in bases:
        if base.name == "scratch":
            continue
        told = f"{base.name or base.digest}"
        if demand.allow and not _is_allowed(base, demand.allow):
            allowed = _listed(demand.allow)
            yield from _said(rules.BASE, demand.decision, f"the base {told} is not one that is allowed",
                             f"build from one of {allowed}", where=base.where)  # fmt: skip
        if case.facts.bases and base.decision is None and not base.scanned:
            yield from _said(rules.BASE, demand.unscanned, f"the base {told} was never scanned",
                             f"holdfast vet {base.name}", where=base.where)  # fmt: skip
        if base.decision is Decision.DENY:
            yield from _said(rules.BASE, demand.denied, f"the base {told} was itself denied {base.scanned}".rstrip(),
                             "use a newer version of it, or another base", where=base.where)  # fmt: skip


def _reported_base(report: Report) -> tuple[BaseFact, ...]:
    base = report.base
    # What only a label claims is not known: whoever built the image wrote it.
    known = base.decided_by and (base.name or base.digest)
    return (BaseFact(base.name, base.digest),) if known else ()


def _is_allowed(base: BaseFact, allow: Sequence[str]) -> bool:
    reference = reference_named(base.name)
    names = [base.name, base.digest]
    if reference:
        names += [str(reference), reference.name, reference.digest]
    return any(any_matches(allow, name) for name in names if name)


def _registry(case: Case) -> Iterator[Reason]:
    demand = case.demands.registry
    if demand is None:
        return
    reference = reference_of(case.report.target)
    name = case.facts.registry or (reference.name if reference else "")
    if not name:
        yield from _untold("registry", demand.decision)
    elif not any(matches(one, name) or matches(one, name.partition("/")[0]) or matches(f"{one.rstrip('/')}/*", name)
                 for one in demand.allow):  # fmt: skip
        yield from _said(rules.REGISTRY, demand.decision, f"{name} is in no registry that is allowed",
                         f"push or mirror it to {_listed(demand.allow)}")  # fmt: skip


def _pinned(case: Case) -> Iterator[Reason]:
    demand = case.demands.pinned
    if demand is None:
        return
    reference = reference_of(case.report.target)
    if "image" in demand.require and reference and not reference.digest:
        known = case.report.target.index_digest or case.report.target.digest
        name = f"{reference}@{known}" if known else f"{reference}@sha256:…"
        yield from _said(rules.PINNED, demand.decision, f"{reference} is named by a tag", f"name it {name}")
    if "base" in demand.require:
        for base in case.facts.bases or _reported_base(case.report):
            if base.name != "scratch" and "@sha" not in base.name and not (base.digest and not case.facts.bases):
                name = f"{base.name}@{base.digest or 'sha256:…'}"
                yield from _said(rules.PINNED, demand.decision, f"the base {base.name} is named by a tag",
                                 f"FROM {name}", where=base.where)  # fmt: skip


def _user(case: Case) -> Iterator[Reason]:
    demand = case.demands.user
    if demand is None:
        return
    if case.configuration is None:
        yield from _untold("user", demand.decision)
        return
    user = case.configuration.user.partition(":")[0].strip()
    is_root = user in _ROOT or (user.isascii() and user.isdigit() and not user.strip("0"))
    if "non-root" in demand.allow and not is_root:
        return
    named = [one for one in demand.allow if one != "non-root"]
    if user in named or (is_root and {"root", "0"} & set(named)):
        return
    told = "containers run as root: no user is set" if not user else f"containers run as {user}"
    wanted = f"USER {named[0]}" if named else "USER and a name or number that is not root's"
    yield from _said(rules.USER, demand.decision, told, f"end the Dockerfile with {wanted}")


def _labels(case: Case) -> Iterator[Reason]:
    for demand in case.demands.labels or ():
        if case.configuration is None:
            yield from _untold(f"label {demand.name}", demand.decision)
        else:
            yield from _label(demand, case.configuration.labels.get(demand.name, ""))


def _label(demand: RequiredLabel, value: str) -> Iterator[Reason]:
    example = f"LABEL {demand.name}={demand.pattern or '…'}"
    if not value:
        yield from _said(rules.LABEL, demand.decision, f"the label {demand.name} is missing", example)
    elif demand.pattern and not matches(demand.pattern, value):
        told = f"the label {demand.name} is {value[:80]}, and has to match {demand.pattern}"
        yield from _said(rules.LABEL, demand.decision, told, example)


def _attachments(case: Case) -> Iterator[Reason]:
    demand = case.demands.attachments
    if demand is None:
        return
    if case.configuration is None and case.facts.attachments is None:
        yield from _untold("attachments", demand.decision)
        return
    listed = tuple(one.kind.value for one in case.report.attachments)
    there = listed if case.facts.attachments is None else case.facts.attachments
    for kind in demand.require:
        if kind not in there:
            yield from _said(rules.ATTACHMENTS, demand.decision, f"no {kind} is attached", *_ATTACHING.get(kind, ()))


_ATTACHING = {
    "sbom": ("docker buildx build --sbom=true …",),
    "provenance": ("docker buildx build --provenance=true …",),
    "signature": ("cosign sign IMAGE@DIGEST",),
    "vex": ("attach an OpenVEX document to the digest (vexctl attest)",),
}


def _age(case: Case) -> Iterator[Reason]:
    demand = case.demands.age
    if demand is None:
        return
    created = case.configuration.created[:10] if case.configuration else ""
    try:
        built = date.fromisoformat(created)
    except ValueError:
        yield from _untold("age", demand.decision)
        return
    if created < _EARLIEST:
        # Reproducible builds state a fixed date, mostly 1970.
        yield from _untold(f"age (it says that it was built on {created})", demand.decision)
    elif (days := (case.today - built).days) > demand.days:
        told = f"it was built {days:,} days ago, on {created}: at most {demand.days:,} are allowed"
        yield from _said(rules.AGE, demand.decision, told, "rebuild it from a fresh base: docker build --pull")


def _packages(case: Case) -> Iterator[Broken]:
    denied = case.demands.packages or ()
    if not denied:
        return
    by_name: dict[str, list[Package]] = {}
    for package in case.report.packages:
        purl = purl_of(package.purl)
        names = {package.name, package.source_name, f"{package.namespace}/{package.name}", bare(purl) if purl else ""}
        for name in names - {""}:
            by_name.setdefault(name, []).append(package)
    for one in denied:
        exact = not set(one.match) & set("*?[@")
        for package in by_name.get(one.match, ()) if exact else case.report.packages:
            if (exact or is_called(one.match, package)) and is_within(package.version, package.type, one.versions):
                yield from ((reason, package) for reason in _package(one, package))


def _package(one: DeniedPackage, package: Package) -> Iterator[Reason]:
    why = f": {one.reason}" if one.reason else ""
    told = f"{package.name} {package.version} is a package that the policy forbids{why}"
    ranges = ", ".join(f"{each.operator} {each.version}" for each in one.versions)
    side = " (it came with the base image)" if package.side is Side.BASE else ""
    step = f"move {package.name} to a version that is not {ranges}" if ranges else f"remove {package.name}"
    yield from _said(rules.PACKAGE, one.decision, told, step + side)


def _licences(case: Case) -> Iterator[Broken]:
    demand = case.demands.licence
    if demand is None:
        return
    for package in case.report.packages:
        decision, licence = judge_licences(package, demand)
        told = f"{package.name} {package.version} is under {licence[:120]}"
        step = f"replace {package.name}, or have its licence cleared and waive it"
        yield from ((reason, package) for reason in _said(rules.LICENCE, decision, told, step))


def _said(rule: Rule, decision: Decision, message: str, *steps: str, where: str = "") -> Iterator[Reason]:
    if decision is not Decision.ALLOW:
        yield Reason(rule.id, decision, message, how_to_pass=steps, where=where)


def _untold(demand: str, decision: Decision) -> Iterator[Reason]:
    """A warning and no more, since what cannot be told was not broken; none where breaking it would only warn."""
    if decision is Decision.DENY:
        yield Reason(rules.UNTOLD.id, Decision.WARN, demand)


def _kinds(case: Case) -> Iterator[Reason]:
    """What a bill of materials cannot show, though the policy denies it."""
    if case.report.target.kind == "sbom":
        for kind in (Kind.SECRET, Kind.MALWARE, Kind.CONFIGURATION):
            if case.demands.of_kind(kind).deny:
                yield from _untold(kind.value, Decision.DENY)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
