"""What an image's bill of materials says, held against what is inside.

Only what both sides know for certain is compared, since a difference between two tools' habits would be noise:

- types of which the bill lists anything at all;
- deb and apk packages both ways: their databases say all there is, to whoever reads them. A package whose source is
  listed counts as listed: Docker Scout names sources, debsbom both, and the vulnerabilities are the same;
- pypi, npm and golang packages only for what is inside and not listed, only where installed and not by a package of
  the operating system (some tools leave those out), and only where the bill is of the whole image: one that an
  application's own build tool wrote does not speak of the tools in the base image. What is listed and not found proves
  nothing there: other tools read other files (a project's own package.json, a jar).
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from holdfast.catalog.listed import Inventory
from holdfast.model.artifact import Attachment, Side
from holdfast.model.finding import Confidence, Finding, Fix, Kind, Location, Rule, SbomEvidence, Subject
from holdfast.model.package import Origin, Package
from holdfast.model.status import Status, status_of
from holdfast.scan.rules import SBOM_ABSENT, SBOM_UNLISTED

_SYSTEM = ("deb", "apk")
_LANGUAGE = ("pypi", "npm", "golang")
_UNREAD = ("rpm", "alpm")
_MOST_NAMED = 12
_Key = tuple[str, str, str]


def disagreement(
    inside: Sequence[Package], stated: Inventory, *, attachment: Attachment, name: str, complete: bool = True
) -> tuple[Finding, ...]:
    """At most one finding for what is inside and not listed, and one for what is listed and not inside.

    `inside` are the packages that a scan of the image called `name` found; where that scan was not `complete`, what
    it did not find is not held against the bill. A package listed in another version counts as not listed, once. The
    confidence is low where parts of the bill itself could not be read.
    """
    listed = [package for package in stated.packages if package.type in _SYSTEM + _LANGUAGE]
    types = {package.type for package in listed} & _comparable(inside, stated)
    within = {_keys(package)[0]: package for package in inside if package.type in types and _counts(package)}
    known = {_keys(package)[0]: package for package in listed if package.type in types}
    present = {key[:2] for package in inside for key in _keys(package)}
    unlisted = {key: package for key, package in within.items() if known.keys().isdisjoint(_keys(package))}
    absent = {
        key: package
        for key, package in known.items()
        if complete and package.type in _SYSTEM and key[:2] not in present
    }
    said = _Said(name, attachment.digest, len(within), len(known), _versions(known))
    confidence = Confidence.HIGH if status_of(stated.problems) is Status.COMPLETE else Confidence.LOW
    found = ((SBOM_UNLISTED, unlisted, _location(unlisted.values())), (SBOM_ABSENT, absent, Location()))
    return tuple(_finding(rule, packages, location, said, confidence) for rule, packages, location in found if packages)


class _Said(Struct, frozen=True):
    """What both findings about one bill of materials have in common."""

    name: str
    attachment: str
    inside: int
    listed: int
    versions: dict[tuple[str, str], str]


def _finding(
    rule: Rule, packages: Mapping[_Key, Package], location: Location, said: _Said, confidence: Confidence
) -> Finding:
    first = sorted(packages.items())[:_MOST_NAMED]
    told = tuple(_told(package, said.versions.get(key[:2], "")) for key, package in first)
    return Finding(
        rule=rule.id,
        kind=Kind.INTEGRITY,
        severity=rule.severity,
        confidence=confidence,
        subject=Subject(said.name),
        evidence=SbomEvidence(said.attachment, said.inside, said.listed, told),
        location=location,
        fix=Fix(advice=rule.fix, side=location.side),
        title=rule.title,
        references=rule.references,
        controls=rule.controls,
        count=len(packages),
    )


def _comparable(inside: Iterable[Package], stated: Inventory) -> set[str]:
    """The types that are worth comparing: those of languages only with a bill of the whole image.

    Whose files are an rpm's is not known here, and other tools leave an rpm's Python packages out.
    """
    if any(package.type in _UNREAD for package in stated.packages):
        return set(_SYSTEM)
    is_of_image = any(package.type in _SYSTEM for package in stated.packages)
    if is_of_image or not any(package.type in _SYSTEM for package in inside):
        return {*_SYSTEM, *_LANGUAGE}
    return set(_SYSTEM)


def _counts(package: Package) -> bool:
    """Whether any tool that reads this image would list it."""
    if package.type in _SYSTEM:
        return True
    return package.origin is Origin.INSTALLED and not package.owner and bool(package.version)


def _keys(package: Package) -> list[_Key]:
    """What two tools may call one package: its own name and version first, then those of its source.

    Go: without the version, which a tool may take from a main module's linker flags or version control instead.
    """
    name = package.name.lower()
    if package.type == "golang":
        return [(package.type, name, "")]
    if package.type not in _SYSTEM:
        return [(package.type, name, package.version.lower())]
    names = (name, package.source_name or name)
    versions = (package.version, package.source_version or package.version)
    return [(package.type, one, version.removeprefix("0:")) for one in names for version in versions]


def _versions(known: Iterable[_Key]) -> dict[tuple[str, str], str]:
    """The versions that the bill lists of each name."""
    versions: dict[tuple[str, str], str] = {}
    for kind, name, version in sorted(known):
        before = versions.get((kind, name))
        versions[kind, name] = f"{before}, {version}" if before else version
    return versions


def _told(package: Package, listed: str) -> str:
    words = f"{package.type} {package.name} {package.version}"
    return f"{words} (listed: {listed})" if listed and listed != package.version else words


def _location(packages: Iterable[Package]) -> Location:
    """The layer that brought all of them, where it is one."""
    places = {(package.diff_id, package.side) for package in packages}
    diff_id, side = places.pop() if len(places) == 1 else ("", Side.UNKNOWN)
    return Location(diff_id=diff_id, side=side)
