"""What changed from one report to another: findings by fingerprint, packages by name."""

from collections.abc import Iterable

from msgspec import Struct

from holdfast.model.finding import Finding
from holdfast.model.package import Package
from holdfast.model.report import Report
from holdfast.store.tracking import sightings

Versions = tuple[str, ...]


class Changed(Struct, frozen=True):
    """A finding that is in both reports and says something else now: `what` is told in words."""

    old: Finding
    new: Finding
    what: tuple[str, ...]


class PackageChange(Struct, frozen=True):
    """A package by its type and name, with the versions that there were and that there are: none where it was not."""

    type: str
    name: str
    old: Versions = ()
    new: Versions = ()


class Difference(Struct, frozen=True):
    """Two reports compared: findings gravest first, packages by name. `same` counts findings that did not change."""

    new: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    changed: tuple[Changed, ...] = ()
    same: int = 0
    added: tuple[PackageChange, ...] = ()
    removed: tuple[PackageChange, ...] = ()
    moved: tuple[PackageChange, ...] = ()


def difference(old: Report, new: Report) -> Difference:
    """What is new, gone and changed in the new report. What is not affected is no finding."""
    before, after = ({name: one.finding for name, one in sightings(report).items()} for report in (old, new))
    both = [(before[name], finding) for name, finding in after.items() if name in before]
    changed = [Changed(was, now, told) for was, now in both if (told := tuple(_what(was, now)))]
    packages = _packages(old.packages, new.packages)
    return Difference(
        new=_gravest_first(finding for name, finding in after.items() if name not in before),
        gone=_gravest_first(finding for name, finding in before.items() if name not in after),
        changed=tuple(sorted(changed, key=lambda one: (-one.new.severity.rank, one.new.rule))),
        same=len(both) - len(changed),
        added=tuple(one for one in packages if not one.old),
        removed=tuple(one for one in packages if not one.new),
        moved=tuple(one for one in packages if one.old and one.new),
    )


def _what(old: Finding, new: Finding) -> Iterable[str]:
    """What a reader would want to know of; a score that moved a little is not that."""
    if old.severity is not new.severity:
        yield f"severity {old.severity} → {new.severity}"
    if old.fix.version != new.fix.version:
        yield f"fixed in {old.fix.version or 'nothing'} → {new.fix.version or 'nothing'}"
    if old.fix.state is not new.fix.state:
        yield f"{old.fix.state} → {new.fix.state}"


def _gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (-one.severity.rank, one.rule, one.subject.name)))


def _packages(old: Iterable[Package], new: Iterable[Package]) -> list[PackageChange]:
    """The packages whose versions differ. Several architectures of a package are one."""
    before, after = _versions(old), _versions(new)
    return [
        PackageChange(*name, before.get(name, ()), after.get(name, ()))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _versions(packages: Iterable[Package]) -> dict[tuple[str, str], Versions]:
    found: dict[tuple[str, str], set[str]] = {}
    for package in packages:
        name = f"{package.namespace}/{package.name}" if package.namespace else package.name
        found.setdefault((package.type, name), set()).add(package.version)
    return {name: tuple(sorted(versions)) for name, versions in found.items()}
