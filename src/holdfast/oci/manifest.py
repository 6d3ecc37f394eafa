"""Indexes, manifests and configurations of images, in OCI's media types and Docker's (schema 2).

Sources: opencontainers/image-spec v1.1 (image-index.md, manifest.md, config.md, descriptor.md) and distribution's
manifest-v2-2.md. What a member holds beyond what is read here is ignored; `null` stands for a member that is absent.
"""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from holdfast.model.artifact import Execution, History, Platform
from holdfast.model.errors import InputError, LimitError

INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
CONFIG_TYPES = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
REFERENCE_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
_ATTESTATION = "vnd.docker.reference.type"
_TAG = re.compile(r"(?:.*[:/])?(sha256|sha512)-([0-9a-f]{64,128})(\.(?:sig|att|sbom))?", re.DOTALL)
_MAX_INT64 = (1 << 63) - 1
_MOST_OBJECTS = 100_000  # a manifest of the most layers has a few thousand; three bytes can be one


def tag_of_attached(name: str) -> tuple[str, str] | None:
    """The digest and suffix that a tag such as `sha256-….att` is made of, which names no image; None for other names.

    Without a suffix it is the list of what refers to that digest (distribution-spec v1.1, referrers tag schema), with
    `.sig`, `.att` or `.sbom` what cosign attached.
    """
    found = _TAG.fullmatch(name)
    return (f"{found[1]}:{found[2]}", found[3] or "") if found else None


class DescriptorPlatform(Struct, frozen=True):
    """The platform that an index states for one of its entries."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None


class Descriptor(Struct, frozen=True):
    """What refers to a blob: its media type, digest and size in bytes."""

    media_type: str = field(default="", name="mediaType")
    digest: str = ""
    size: Annotated[int, Meta(ge=-1, le=_MAX_INT64)] = -1
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    platform: DescriptorPlatform | None = None
    artifact_type: str | None = field(default=None, name="artifactType")

    @property
    def where(self) -> Platform | None:
        """Its platform, where the index states one."""
        stated = self.platform
        if stated is None or not stated.os or not stated.architecture:
            return None
        return Platform(stated.os, stated.architecture, stated.variant or "")

    @property
    def is_foreign(self) -> bool:
        """Whether it may be kept elsewhere than beside its manifest (image-spec, non-distributable layers)."""
        return bool(self.urls) or "foreign" in self.media_type or "nondistributable" in self.media_type

    @property
    def is_platform(self) -> bool:
        """Whether it is an image for a platform, and not an attestation, signature or other artifact beside one."""
        unknown = self.platform is not None and "unknown" in (self.platform.os, self.platform.architecture)
        told = _ATTESTATION in (self.annotations or {}) or self.artifact_type or any(map(tag_of_attached, self.names))
        return not unknown and not told

    @property
    def names(self) -> list[str]:
        """The tags and names that a layout's index gives it."""
        annotations = self.annotations or {}
        return [name for key in (REFERENCE_NAME, CONTAINERD_NAME) if (name := annotations.get(key))]


class Document(Struct, frozen=True):
    """An index (it has `manifests`) or a manifest (it has a `config` and `layers`)."""

    schema_version: int | None = field(default=None, name="schemaVersion")
    media_type: str | None = field(default=None, name="mediaType")
    artifact_type: str | None = field(default=None, name="artifactType")
    manifests: list[Descriptor] | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    annotations: dict[str, str] | None = None
    subject: Descriptor | None = None
    schema1_layers: list[Any] | None = field(default=None, name="fsLayers")


class _HealthCheck(Struct, frozen=True):
    test: list[str] | None = field(default=None, name="Test")


class RunDocument(Struct, frozen=True):
    """The part of a configuration that says how containers run; Docker's API writes it in the same way."""

    labels: dict[str, str] | None = field(default=None, name="Labels")
    user: str | None = field(default=None, name="User")
    environment: list[str] | None = field(default=None, name="Env")
    entrypoint: list[str] | str | None = field(default=None, name="Entrypoint")
    command: list[str] | str | None = field(default=None, name="Cmd")
    working_directory: str | None = field(default=None, name="WorkingDir")
    exposed_ports: dict[str, Any] | None = field(default=None, name="ExposedPorts")
    volumes: dict[str, Any] | None = field(default=None, name="Volumes")
    health_check: _HealthCheck | None = field(default=None, name="Healthcheck")
    on_build: list[str] | None = field(default=None, name="OnBuild")
    stop_signal: str | None = field(default=None, name="StopSignal")
    shell: list[str] | None = field(default=None, name="Shell")

    @property
    def execution(self) -> Execution:
        """The same in the words of the model."""
        return Execution(
            environment=tuple(self.environment or ()),
            entrypoint=_words(self.entrypoint),
            command=_words(self.command),
            working_directory=self.working_directory or "",
            exposed_ports=tuple(self.exposed_ports or ()),
            volumes=tuple(self.volumes or ()),
            health_check=tuple((self.health_check and self.health_check.test) or ()),
            on_build=tuple(self.on_build or ()),
            stop_signal=self.stop_signal or "",
            shell=tuple(self.shell or ()),
        )


def _words(stated: list[str] | str | None) -> tuple[str, ...]:
    return (stated,) if isinstance(stated, str) else tuple(stated or ())


class _RootFileSystem(Struct, frozen=True):
    diff_ids: list[str] | None = None


class _HistoryLine(Struct, frozen=True):
    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class Configuration(Struct, frozen=True):
    """An image's configuration: platform, diff IDs, history, labels, user."""

    architecture: str | None = None
    os: str | None = None
    variant: str | None = None
    created: str | None = None
    run: RunDocument | None = field(default=None, name="config")
    rootfs: _RootFileSystem | None = None
    lines: list[_HistoryLine] | None = field(default=None, name="history")

    @property
    def platform(self) -> Platform | None:
        """The platform it was built for, where it says so."""
        if not self.os or not self.architecture:
            return None
        return Platform(self.os, self.architecture, self.variant or "")

    @property
    def diff_ids(self) -> list[str]:
        """The digests of the uncompressed layers, the lowest first."""
        return (self.rootfs and self.rootfs.diff_ids) or []

    @property
    def history(self) -> tuple[History, ...]:
        """Its history, the oldest line first."""
        return tuple(
            History(line.created_by or "", line.created or "", line.comment or "", bool(line.empty_layer))
            for line in self.lines or ()
        )

    @property
    def labels(self) -> dict[str, str]:
        """The labels of containers made from it."""
        return (self.run and self.run.labels) or {}

    @property
    def user(self) -> str:
        """The user that its containers run as; empty for root."""
        return (self.run and self.run.user) or ""

    @property
    def execution(self) -> Execution:
        """How its containers run, besides."""
        return self.run.execution if self.run else Execution()


class DockerImage(Struct, frozen=True):
    """One image of a `docker save` archive's manifest.json: paths in the archive."""

    config: str = field(default="", name="Config")
    tags: list[str] | None = field(default=None, name="RepoTags")
    layers: list[str] | None = field(default=None, name="Layers")


_T = TypeVar("_T")


def parse(data: bytes, type_: type[_T], where: str) -> _T:
    """JSON as one of the types above; InputError where it is no JSON, too deep, or of another shape, LimitError where
    it would be a great many objects.
    """
    if data.count(b"{") + data.count(b"[") > _MOST_OBJECTS:
        raise LimitError(f"holds more than {_MOST_OBJECTS:,} objects", where=where)
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not what it should be: {str(error)[:200]}", where=where) from error


def parse_document(data: bytes, where: str) -> Document:
    """An index or a manifest; InputError for both at once (CVE-2021-41190), for neither, and for Docker's schema 1."""
    document = parse(data, Document, where)
    if document.schema1_layers is not None or document.schema_version == 1:
        raise InputError("Docker's manifest schema 1 is not supported", where=where, remedy="push the image again")
    is_index, is_manifest = document.manifests is not None, document.layers is not None or document.config is not None
    stated = document.media_type or ""
    contradicts = (stated in INDEX_TYPES and not is_index) or (stated in MANIFEST_TYPES and is_index)
    if is_index == is_manifest or contradicts:
        raise InputError("neither an index nor a manifest, or both at once", where=where)
    return document
