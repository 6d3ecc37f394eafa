"""Opening an image, wherever it lies: a layout directory, or an archive of either kind."""

from pathlib import Path

from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, InputError, NotFound
from holdfast.oci.archive import ArchiveLayout
from holdfast.oci.budget import IMAGE_BUDGET, ImageBudget
from holdfast.oci.image import ImageSource
from holdfast.oci.layout import DirectoryLayout, Layout
from holdfast.oci.reader import DockerReader, LayoutReader

KINDS = ("oci", "oci-archive", "docker-archive")
_INDEX = "index.json"
_DOCKER = "manifest.json"


def open_image(
    kind: str, path: Path, tag: str = "", platform: Platform | None = None, budget: ImageBudget = IMAGE_BUDGET
) -> ImageSource:
    """The image at a path, its documents read and verified, its layers not yet.

    `kind` is one of KINDS; an archive of one kind is opened as the other where that is what it is. `tag` and
    `platform` select among several; without them the only image, and the host's platform. InputError where the path
    holds no image or none that was asked for, NotFound, SourceError, LimitError.
    """
    layout: Layout = DirectoryLayout(path) if kind == "oci" else ArchiveLayout(path, budget)
    try:
        if _has(layout, _INDEX):
            return LayoutReader(layout, kind, path, budget).open(tag, platform)
        if kind != "oci" and _has(layout, _DOCKER):
            return DockerReader(layout, kind, path, budget).open(tag, platform)
        raise InputError(
            f"holds no container image: there is no {_INDEX}{'' if kind == 'oci' else f' and no {_DOCKER}'}",
            where=str(path),
        )
    except BaseException:
        layout.close()
        raise


def detect(path: Path) -> str:
    """Which of KINDS is at a path, by looking at it; empty where it is none, or cannot be read."""
    if path.is_dir():
        return "oci" if (path / "oci-layout").is_file() or (path / _INDEX).is_file() else ""
    try:
        layout = ArchiveLayout(path)
    except HoldfastError:
        return ""
    layout.close()
    names = set(layout.names())
    if _DOCKER in names:
        return "docker-archive"
    return "oci-archive" if _INDEX in names else ""


def _has(layout: Layout, path: str) -> bool:
    try:
        return layout.size(path) >= 0
    except NotFound:
        return False
