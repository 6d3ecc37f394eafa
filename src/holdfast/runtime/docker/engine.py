"""Docker as an engine: its images exported, its containers listed. Nothing is written, here or there."""

from collections.abc import Generator
from functools import cached_property
from urllib.parse import quote

import msgspec

from holdfast.model.artifact import History, Platform
from holdfast.model.errors import HoldfastError, InputError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import IMAGE_BUDGET, ImageBudget
from holdfast.runtime.api import Api, quoted
from holdfast.runtime.docker.document import (
    Container,
    HistoryItem,
    Inspection,
    Version,
    history_of,
    image_of,
)
from holdfast.runtime.engine import Running
from holdfast.runtime.image import ExportedImage, require
from holdfast.runtime.place import Place
from holdfast.transport.deadline import Deadline
from holdfast.transport.wire import Wire

_OLDEST, _NEWEST = (1, 24), (1, 51)
_DESCRIPTORS = (1, 48)  # history and export by platform, and an image's descriptor, since this API
_PLATFORMS = (1, 49)  # an image's documents by platform since this one


class Docker:
    """Docker's engine at `address`: `unix:///path`, `tcp://host:port`, or a Place.

    Works from API 1.24 to the newest that both sides know, with the classic image store and containerd's.
    """

    name = "docker"

    def __init__(self, address: str | Place, wire: Wire, *, deadline: Deadline | None = None) -> None:
        place = address if isinstance(address, Place) else Place(address)
        self._api = Api("Docker", place, wire, deadline or Deadline())

    def open(self, name: str, platform: Platform | None = None, budget: ImageBudget = IMAGE_BUDGET) -> ExportedImage:
        """The image with a name, digest or id. NotFound, InputError where it is there for other platforms only."""
        reference = f"{self.name}:{name}"
        path = f"/images/{quoted(name, reference)}"
        inspection = self._inspect(path, platform)
        if inspection.is_index and inspection.platform is not None and self._version >= _PLATFORMS:
            # Which of the index's manifests it is, it tells only when asked for the platform.
            inspection = self._inspect(path, inspection.platform)
        require(platform, inspection.platform, reference)
        # By its id from here on: a tag may move meanwhile, and without a tag all of a repository would be exported.
        path = f"/images/{quoted(inspection.id, reference)}"
        chosen = inspection.platform if inspection.descriptor and self._version >= _DESCRIPTORS else None
        history, problems = self._history(path, chosen, len((inspection.rootfs and inspection.rootfs.layers) or ()))
        image, doubts = image_of(reference, inspection, history, budget)
        asked = f"{path}/get{_query(chosen)}"

        def export() -> Generator[bytes, None, None]:
            return self._api.stream(f"{self._prefix}{asked}")

        return ExportedImage(image, export, inspection.size or 0, budget, [*problems, *doubts])

    def running(self) -> list[Running]:
        """Every container that runs, or is paused."""
        containers = self._api.get(f"{self._prefix}/containers/json", list[Container])
        return [container.running(self.name) for container in containers]

    def close(self) -> None:
        """Nothing is held: the wire belongs to whoever made it."""

    def _inspect(self, path: str, platform: Platform | None) -> Inspection:
        query = _query(platform) if self._version >= _PLATFORMS else ""
        return self._api.get(f"{self._prefix}{path}/json{query}", Inspection)

    def _history(self, path: str, chosen: Platform | None, layers: int) -> tuple[tuple[History, ...], list[Problem]]:
        try:
            items = self._api.get(f"{self._prefix}{path}/history{_query(chosen)}", list[HistoryItem])
        except HoldfastError as error:
            # containerd's store has none of what it did not unpack.
            return (), [Problem.of("image.history-unreadable", error, gravity=Gravity.NOTE)]
        return history_of(items, layers), []

    @cached_property
    def _version(self) -> tuple[int, int]:
        """The newest version of the API that both sides know."""
        told = self._api.get("/version", Version)
        where = self._api.place.name
        newest, oldest = _number(told.newest, where), _number(told.oldest or "1.0", where)
        if newest < _OLDEST:
            needed = _dotted(_OLDEST)
            raise InputError(
                f"this Docker is too old: it speaks API {_dotted(newest)}, and {needed} is needed",
                where=where,
                remedy="use Docker 1.12 or later",
            )
        if oldest > _NEWEST:
            raise InputError(
                f"this Docker is too new: it speaks API {_dotted(oldest)} and later, and we {_dotted(_NEWEST)}",
                where=where,
                remedy="use a later holdfast, or save the image to a file and scan docker-archive:FILE",
            )
        return min(newest, _NEWEST)

    @property
    def _prefix(self) -> str:
        return f"/v{_dotted(self._version)}"


def _query(platform: Platform | None) -> str:
    if platform is None:
        return ""
    document = {"os": platform.os, "architecture": platform.architecture}
    if platform.variant:
        document["variant"] = platform.variant
    return f"?platform={quote(msgspec.json.encode(document), safe='')}"


def _number(version: str, where: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in (major, minor)):
        raise InputError("does not speak Docker's API", where=where, remedy="is this the engine's socket?")
    return int(major), int(minor)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
