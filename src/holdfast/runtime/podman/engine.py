"""Podman as an engine: its images exported, its containers listed. Nothing is written, here or there."""

from collections.abc import Callable, Generator
from functools import cached_property

from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError
from holdfast.oci.budget import IMAGE_BUDGET, ImageBudget
from holdfast.runtime.api import Api, quoted
from holdfast.runtime.docker.document import Container, image_of
from holdfast.runtime.engine import Running
from holdfast.runtime.image import ExportedImage, require
from holdfast.runtime.place import Place
from holdfast.runtime.podman.document import LibpodInspection, Version
from holdfast.transport.deadline import Deadline
from holdfast.transport.wire import Wire


class Podman:
    """Podman's service at `address`: `unix:///path`, `tcp://host:port`, or a Place; any since Podman 3.

    `on_close` ends the service where it is our own.
    """

    name = "podman"

    def __init__(
        self,
        address: str | Place,
        wire: Wire,
        *,
        deadline: Deadline | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        place = address if isinstance(address, Place) else Place(address)
        self._api = Api("Podman", place, wire, deadline or Deadline())
        self._on_close = on_close

    def open(self, name: str, platform: Platform | None = None, budget: ImageBudget = IMAGE_BUDGET) -> ExportedImage:
        """The image with a name, digest or id; a short name is looked for as Podman does (`app` is `localhost/app`)."""
        reference = f"{self.name}:{name}"
        path = f"{self._prefix}/images/{quoted(name, reference)}/json"
        inspection = self._api.get(path, LibpodInspection)
        require(platform, inspection.platform, reference)
        image, doubts = image_of(reference, inspection, inspection.history, budget)
        # By its id from here on: a tag may move meanwhile.
        asked = f"{self._prefix}/images/{quoted(inspection.id, reference)}/get?format=docker-archive"

        def export() -> Generator[bytes, None, None]:
            return self._api.stream(asked)

        return ExportedImage(image, export, inspection.size or 0, budget, doubts)

    def running(self) -> list[Running]:
        """Every container that runs, or is paused."""
        containers = self._api.get(f"{self._prefix}/containers/json", list[Container])
        return [container.running(self.name) for container in containers]

    def close(self) -> None:
        """End the service, where it is our own."""
        self._on_close()

    @cached_property
    def _prefix(self) -> str:
        newest = self._api.get("/version", Version).newest
        if not newest:
            where = self._api.place.name
            raise InputError("does not speak Podman's API", where=where, remedy="is this Podman's socket?")
        return f"/v{newest}/libpod"
