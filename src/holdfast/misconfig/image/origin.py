"""Which image it is, and how old: tags that move, builds that nobody repeated, distributions past their end."""

from collections.abc import Iterator
from datetime import date

from holdfast.misconfig.finding import finding
from holdfast.misconfig.scene import Scene
from holdfast.model.artifact import Image, Side
from holdfast.model.finding import Finding, Severity

_YEAR = 365
_FILES = ("/", ".", "~", "oci:", "oci-archive:", "docker-archive:", "dir:", "sbom:")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz")
_FIRST_CONTAINERS = date(2013, 3, 1)  # before it only reproducible builds' made-up dates: 1970, 1980, 0001


def named(scene: Scene) -> Iterator[Finding]:
    """A target named by a tag: what it leads to may be another image tomorrow."""
    reference = scene.image.reference or scene.name if scene.image else ""
    if scene.pinned or not reference or _is_file(scene.name) or _is_file(reference):
        return
    last = reference.partition("@")[0].rpartition("/")[2]
    tag = last.partition(":")[2] or "latest"
    if tag == "latest":
        yield finding("image.latest-tag", "reference", f"{last.partition(':')[0][:120]}:latest")
    else:
        yield finding("image.not-pinned", "reference", f"{last[:160]}, without a digest")


def _is_file(name: str) -> bool:
    """Whether a target is a file or directory: what stands in one does not move."""
    return name.startswith(_FILES) or name.endswith(_ARCHIVES)


def stale(scene: Scene) -> Iterator[Finding]:
    """An image, or a base, that was built more than a year ago."""
    if scene.image is None:
        return
    image = scene.image
    for subject, day in (("base", _base_day(image)), ("image", _day(image.created))):
        if day is None or (age := (scene.today - day).days) <= _YEAR:
            continue
        years = age // _YEAR
        words = f"the {subject} was built on {day.isoformat()}, {years} year{'s' * (years > 1)} ago"
        yield finding("image.stale", subject, words, severity=Severity.MEDIUM if years > 1 else None)
        return  # an image is no younger than its base: one cause


def end_of_life(scene: Scene) -> Iterator[Finding]:
    """A distribution that gets no fixes any more."""
    day = _date(scene.end_of_life)
    if day is not None and day <= scene.today:
        name = str(scene.distribution or "the distribution")
        yield finding("image.end-of-life", "distribution", f"{name}: support ended on {day.isoformat()}")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _day(text: str) -> date | None:
    """The day of an ISO 8601 time, None where it is none that a build has."""
    day = _date(text)
    return day if day and day >= _FIRST_CONTAINERS else None


def _base_day(image: Image) -> date | None:
    """When the newest layer of the base was made, as the history says."""
    lines = [line for line in image.history if not line.empty]
    if len(lines) != len(image.layers):
        return None
    days = [_day(line.created) for line, layer in zip(lines, image.layers, strict=True) if layer.side is Side.BASE]
    return max((day for day in days if day), default=None)


CHECKS = (named, stale, end_of_life)
