"""What Podman's own API (libpod) answers about an image.

Its Docker-compatible answer is not used: it has no digest, and its history fails for lines without a date (4.3).
Source: containers/podman libpod/define/inspect.go and `libpod/images/{name}/json` in its API reference.
"""

import re

from msgspec import Struct, field

from holdfast.model.artifact import History
from holdfast.runtime.docker.document import Inspection

_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}")


class _Component(Struct, frozen=True):
    details: dict[str, str] | None = field(default=None, name="Details")


class Version(Struct, frozen=True):
    """`GET /version`, which Podman answers as Docker does, with itself among the components."""

    components: list[_Component] | None = field(default=None, name="Components")

    @property
    def newest(self) -> str:
        """The version of Podman's own API, as three numbers; empty where this is not Podman."""
        stated = ((one.details or {}).get("APIVersion", "") for one in self.components or ())
        return next((found[0] for text in stated if (found := _VERSION.match(text))), "")


class _Line(Struct, frozen=True):
    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class LibpodInspection(Inspection, frozen=True):
    """`GET /libpod/images/NAME/json`: as Docker's, with the manifest's digest and the configuration's own history."""

    digest: str | None = field(default=None, name="Digest")
    lines: list[_Line] | None = field(default=None, name="History")

    @property
    def identities(self) -> tuple[str, str, str]:
        """The digests of its manifest, configuration and index, where each is known: its id is the configuration's."""
        others = self.repository_digests - {self.digest or ""}
        index = others.pop() if self.digest and len(others) == 1 else ""
        return self.digest or "", f"sha256:{self.id.removeprefix('sha256:')}", index

    @property
    def history(self) -> tuple[History, ...]:
        """Its history, the oldest line first."""
        return tuple(
            History(line.created_by or "", line.created or "", line.comment or "", bool(line.empty_layer))
            for line in self.lines or ()
        )
