"""What Docker's API answers: versions, images, their history, containers.

Sources: moby/moby api/swagger.yaml and docs/api/version-history.md; for the containerd image store, whose images have
the digest of a manifest or index where others have their configuration's, daemon/containerd/image_inspect.go.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from holdfast.model.artifact import History, Image, Layer, Platform, parse_digest
from holdfast.model.errors import LimitError, NotFound
from holdfast.model.status import Problem
from holdfast.oci.budget import ImageBudget
from holdfast.oci.image import lines_of_layers
from holdfast.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, RunDocument
from holdfast.runtime.engine import Running

_Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_END_OF_TIME = 253_402_300_800  # the year 10000

# Instructions that make no layer, in the words of the classic builder and of BuildKit.
_EMPTY = re.compile(
    r"(?:/bin/sh -c #\(nop\)\s+)?"
    r"(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)


class Version(Struct, frozen=True):
    """`GET /version`: the newest and the oldest API that the engine speaks."""

    newest: str = field(default="", name="ApiVersion")
    oldest: str = field(default="", name="MinAPIVersion")


class _RootFileSystem(Struct, frozen=True):
    layers: list[str] | None = field(default=None, name="Layers")


class Inspection(Struct, frozen=True):
    """`GET /images/NAME/json`. `descriptor` is there from API 1.48 on, where the engine has containerd's store."""

    id: str = field(name="Id")
    digests: list[str] | None = field(default=None, name="RepoDigests")
    created: str | None = field(default=None, name="Created")
    config: RunDocument | None = field(default=None, name="Config")
    os: str | None = field(default=None, name="Os")
    architecture: str | None = field(default=None, name="Architecture")
    variant: str | None = field(default=None, name="Variant")
    size: _Number | None = field(default=None, name="Size")
    rootfs: _RootFileSystem | None = field(default=None, name="RootFS")
    descriptor: Descriptor | None = field(default=None, name="Descriptor")

    @property
    def platform(self) -> Platform | None:
        """What it was built for; None where the engine has the image's name and no content for any platform."""
        if not self.os or not self.architecture:
            return None
        return Platform(self.os, self.architecture, self.variant or "")

    @property
    def is_index(self) -> bool:
        """Whether its id is that of an index, of which this is the image for one platform."""
        return self.descriptor is not None and self.descriptor.media_type in INDEX_TYPES

    @property
    def repository_digests(self) -> set[str]:
        """The digests that it was pulled or pushed by."""
        return {name.rpartition("@")[2] for name in self.digests or ()}

    @property
    def identities(self) -> tuple[str, str, str]:
        """The digests of its manifest, configuration and index, where each is known.

        The first is the manifest's where the engine says which that is, else the one digest that it was pulled by
        (which may be an index's). The configuration's is unknown where the store is containerd's.
        """
        pulled, described = self.repository_digests, self.descriptor
        if described is not None and described.media_type in (*INDEX_TYPES, *MANIFEST_TYPES):
            index = self.id if self.id != described.digest else ""
            return ("", "", described.digest) if self.is_index else (described.digest, "", index)
        if self.id in pulled:  # containerd's store before API 1.48: an index's or a manifest's
            return self.id, "", ""
        return pulled.pop() if len(pulled) == 1 else "", self.id, ""


class HistoryItem(Struct, frozen=True):
    """A line of `GET /images/NAME/history`, the newest first. It does not say whether it made a layer."""

    created: _Number | None = field(default=None, name="Created")
    created_by: str | None = field(default=None, name="CreatedBy")
    comment: str | None = field(default=None, name="Comment")
    size: _Number | None = field(default=None, name="Size")


class Container(Struct, frozen=True):
    """A container of `GET /containers/json`."""

    id: str = field(name="Id")
    names: list[str] | None = field(default=None, name="Names")
    image: str | None = field(default=None, name="Image")
    image_id: str | None = field(default=None, name="ImageID")
    labels: dict[str, str] | None = field(default=None, name="Labels")
    manifest: Descriptor | None = field(default=None, name="ImageManifestDescriptor")

    def running(self, engine: str) -> Running:
        """The container in our words."""
        names = sorted(name.removeprefix("/") for name in self.names or ())
        digest = self.manifest.digest if self.manifest else ""
        return Running(
            engine, self.id, names[0] if names else self.id[:12], self.image or "", self.image_id or "", digest,
            labels=self.labels or {},
        )  # fmt: skip


def image_of(
    reference: str, inspection: Inspection, history: tuple[History, ...], budget: ImageBudget
) -> tuple[Image, list[Problem]]:
    """The image that an engine describes, and what is doubtful about that. NotFound, InputError, LimitError."""
    platform = inspection.platform
    if platform is None:
        raise NotFound("the engine has its name, and its content for no platform", where=reference, remedy="pull it")
    diff_ids = (inspection.rootfs and inspection.rootfs.layers) or []
    if len(diff_ids) > budget.layers:
        raise LimitError(f"{len(diff_ids)} layers: more than {budget.layers}", where=reference)
    lines, problem = lines_of_layers(history, len(diff_ids))
    config = inspection.config or RunDocument()
    image = Image(
        reference, *inspection.identities, platform,
        tuple(
            Layer(parse_digest(diff_id, where=reference), created_by=line)
            for diff_id, line in zip(diff_ids, lines, strict=True)
        ),
        history, config.labels or {}, created=inspection.created or "", user=config.user or "",
        execution=config.execution,
    )  # fmt: skip
    return image, [problem] if problem else []


def history_of(items: Sequence[HistoryItem], layers: int) -> tuple[History, ...]:
    """The history, oldest line first. Which lines made no layer is told from their sizes, words and number.

    Where that does not tell, more lines are left than there are layers.
    """
    lines = [*reversed(items)]
    empty = [not item.size and bool(_EMPTY.match(item.created_by or "")) for item in lines]
    # What has no size and no such instruction may have made a layer without a file (WORKDIR), or none.
    doubtful = [not item.size and not known for item, known in zip(lines, empty, strict=True)]
    if empty.count(False) - layers == sum(doubtful):
        empty = [known or doubt for known, doubt in zip(empty, doubtful, strict=True)]
    return tuple(
        History(item.created_by or "", _moment(item.created), item.comment or "", none)
        for item, none in zip(lines, empty, strict=True)
    )


def _moment(seconds: int | None) -> str:
    if seconds is None or not 0 < seconds < _END_OF_TIME:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
