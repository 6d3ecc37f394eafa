"""Whether a package is meant by what a policy, a waiver or an ignore file calls it."""

import re

from holdfast.model.errors import InputError
from holdfast.model.finding import Subject
from holdfast.model.package import Package, Purl
from holdfast.model.policy import VersionRange
from holdfast.policy.glob import matches
from holdfast.version import ordering_for

_COMPARISON = re.compile(r"\s*(>=|<=|!=|==|=|<|>)?\s*([^\s<>=!,]{1,200})\s*")
_MOST_COMPARISONS = 20


def parse_ranges(text: str) -> tuple[VersionRange, ...]:
    """Comparisons with commas between them, which all have to hold: `>= 1.2, < 2`, or `*`; ValueError."""
    if text.strip() == "*":
        return ()
    parts = text.split(",")
    if len(parts) > _MOST_COMPARISONS:
        raise ValueError(f"more than {_MOST_COMPARISONS} comparisons")
    ranges = []
    for part in parts:
        found = _COMPARISON.fullmatch(part)
        if found is None:
            raise ValueError(f"{part.strip()[:40]!a} is no comparison")
        ranges.append(VersionRange((found[1] or "=").replace("==", "="), found[2]))
    return tuple(ranges)


def is_within(version: str, kind: str, ranges: tuple[VersionRange, ...]) -> bool:
    """Whether a version fulfils all the comparisons, in the ordering of a purl type."""
    ordering = ordering_for(kind)
    for one in ranges:
        order = ordering.compare(version, one.version)
        held = {
            "=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
        }[one.operator]  # fmt: skip
        if not held:
            return False
    return True


def is_called(pattern: str, package: Package) -> bool:
    """Whether a purl or name (globs) means this package: a distribution's package also by its source's name.

    A purl without a version means every version, and without qualifiers all of them.
    """
    if not pattern.startswith("pkg:"):
        names = (package.name, package.source_name, f"{package.namespace}/{package.name}")
        return any(matches(pattern, name) for name in names if name)
    purl = purl_of(package.purl)
    return bool(purl) and _is_purl_meant(pattern, purl)


def is_subject(pattern: str, subject: Subject, package: Package | None) -> bool:
    """Whether a purl or name means what a finding is about; the package, where it is known, tells its source."""
    if package and is_called(pattern, package):
        return True
    if pattern.startswith("pkg:"):
        purl = purl_of(subject.purl)
        return bool(purl) and _is_purl_meant(pattern, purl)
    return bool(subject.purl) and matches(pattern, subject.name)


def purl_of(text: str) -> Purl | None:
    """A purl understood, or None."""
    try:
        return Purl.parse(text) if text else None
    except InputError:
        return None


def bare(purl: Purl) -> str:
    """A purl without version, qualifiers and subpath: what people write into policies."""
    return str(Purl(purl.type, purl.name, "", purl.namespace))


def _is_purl_meant(pattern: str, purl: Purl | None) -> bool:
    if purl is None:
        return False
    head, _, query = pattern.partition("?") if "=" in pattern else (pattern, "", "")
    place = head.rfind("@")
    name, version = (head[:place], head[place + 1 :]) if place > head.rfind("/") + 1 else (head, "")
    wanted = purl_of(pattern) if query else None
    return (
        any(matches(name, one) for one in (bare(purl), _plain(purl)))
        and (not version or version in ("*", purl.version) or (wanted is not None and wanted.version == purl.version))
        and all(pair in purl.qualifiers for pair in (wanted.qualifiers if wanted else ()))
    )


def _plain(purl: Purl) -> str:
    """The purl as people write it, `@scope` and all, nothing percent-encoded."""
    return f"pkg:{purl.type}/{purl.namespace + '/' if purl.namespace else ''}{purl.name}"
