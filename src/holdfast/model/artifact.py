"""Images and what they are made of, in the words of the OCI image specification."""

import platform as host
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from msgspec import Struct

from holdfast.model.errors import InputError

_DIGEST = re.compile(r"(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")


def parse_digest(text: str, *, where: str = "") -> str:
    """The digest itself when it is a well-formed sha256 or sha512 one (OCI image spec, descriptor), else InputError."""
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise InputError(f"not a digest that can be verified: {str(text)[:80]!r}", where=where)
    return text


def is_digest(text: str) -> bool:
    """Whether the text is a digest that can be verified."""
    return bool(_DIGEST.fullmatch(text))


class Side(StrEnum):
    """Whose a layer is: the base image's, the application's, or not known."""

    BASE = "base"
    APPLICATION = "application"
    UNKNOWN = "unknown"


_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "i386": "386"}


class Platform(Struct, frozen=True, omit_defaults=True):
    """An operating system, architecture and variant as OCI indexes name them: `linux/arm64/v8`."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A platform from `os/architecture[/variant]`."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise InputError(f"not a platform: {text!r}", remedy="write it as linux/amd64 or linux/arm64/v8")
        return cls(*parts)

    @classmethod
    def of_host(cls) -> Self:
        """The platform of this machine, as container engines see it."""
        machine = host.machine()
        return cls("linux", _MACHINES.get(machine, machine), "v7" if machine == "armv7l" else "")

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Layer(Struct, frozen=True, omit_defaults=True):
    """One layer of an image.

    `diff_id` is the digest of the uncompressed tar as the image configuration states it; `digest` that of the blob
    as stored, where one is known; `size` the stored bytes; `created_by` the history line that made it.
    """

    diff_id: str
    digest: str = ""
    media_type: str = ""
    size: int = 0
    created_by: str = ""
    side: Side = Side.UNKNOWN


class History(Struct, frozen=True, omit_defaults=True):
    """One line of an image's history. `empty` is true where it made no layer (CMD, ENV, LABEL …)."""

    created_by: str = ""
    created: str = ""
    comment: str = ""
    empty: bool = False


class Execution(Struct, frozen=True, omit_defaults=True):
    """How containers made from an image run, besides their user and labels (OCI image-spec config.md, `config`).

    `environment` are `NAME=value` lines; `exposed_ports` read `80/tcp`; `health_check` is the test as in a Dockerfile
    (Docker's extension), `on_build` its ONBUILD triggers. Values stand as they are: secrets among them too.
    """

    environment: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    health_check: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    stop_signal: str = ""
    shell: tuple[str, ...] = ()


class Image(Struct, frozen=True, omit_defaults=True):
    """An image for one platform: what its manifest and configuration say.

    `digest` is the manifest's, where there is one, `config_digest` that of the configuration.
    """

    reference: str
    digest: str = ""
    config_digest: str = ""
    index_digest: str = ""
    platform: Platform | None = None
    layers: tuple[Layer, ...] = ()
    history: tuple[History, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    created: str = ""
    user: str = ""
    execution: Execution = Execution()


class AttachmentKind(StrEnum):
    """What an attachment tells of its image: contents, exploitability, origin, a signature, or something else."""

    SBOM = "sbom"
    VEX = "vex"
    PROVENANCE = "provenance"
    SIGNATURE = "signature"
    OTHER = "other"


# How media types, artifact types and predicate types begin, in lower case.
_KINDS = {
    "application/vnd.cyclonedx": AttachmentKind.SBOM,
    "application/spdx": AttachmentKind.SBOM,
    "text/spdx": AttachmentKind.SBOM,
    "application/vnd.syft": AttachmentKind.SBOM,
    "application/vnd.dev.cosign.artifact.sbom": AttachmentKind.SBOM,
    "https://spdx.dev/document": AttachmentKind.SBOM,
    "https://cyclonedx.org/bom": AttachmentKind.SBOM,
    "https://cyclonedx.org/schema": AttachmentKind.SBOM,
    "https://syft.dev/bom": AttachmentKind.SBOM,
    "application/vnd.openvex": AttachmentKind.VEX,
    "text/vex": AttachmentKind.VEX,
    "https://openvex.dev/ns": AttachmentKind.VEX,
    "https://slsa.dev/provenance": AttachmentKind.PROVENANCE,
    "application/vnd.dev.cosign.simplesigning": AttachmentKind.SIGNATURE,
    "application/vnd.dev.cosign.artifact.sig": AttachmentKind.SIGNATURE,
    "https://sigstore.dev/cosign/sign": AttachmentKind.SIGNATURE,
    "application/vnd.dev.sigstore.bundle": AttachmentKind.SIGNATURE,
    "application/vnd.cncf.notary.signature": AttachmentKind.SIGNATURE,
    "application/jose": AttachmentKind.SIGNATURE,
    "application/cose": AttachmentKind.SIGNATURE,
}
_PREDICATE_TYPES = ("in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", "predicateType")


def kind_of(*names: str) -> AttachmentKind:
    """The kind that the first telling name says: give the predicate type first, then artifact and media type.

    A sigstore bundle may hold any statement, so that its media type decides only where no predicate type is known.
    A predicate type (it is a URI) that nobody here knows is something else, whatever it is wrapped in.
    """
    for name in names:
        kind = next((kind for start, kind in _KINDS.items() if name.lower().startswith(start)), None)
        if kind or "://" in name:
            return kind or AttachmentKind.OTHER
    return AttachmentKind.OTHER


def stated_predicate_type(annotations: Mapping[str, str]) -> str:
    """The predicate type that annotations of a descriptor or manifest state, or an empty string.

    Sources: BuildKit's attestation-storage.md, the sigstore bundle's OCI form (cosign 3), cosign 2.
    """
    return next((annotations[key] for key in _PREDICATE_TYPES if annotations.get(key)), "")


class Attachment(Struct, frozen=True, omit_defaults=True):
    """Something attached to an image: found beside it, not inside.

    `digest` is that of the blob that holds it, `size` its bytes; `subject` the digest of the image it is attached to;
    `manifest` that of the manifest that carries it; `found_by` says how: `index`, `referrers` or `tag`. `signed` means
    that a signature stands beside the statement, and not that anybody checked it.
    """

    kind: AttachmentKind
    digest: str
    media_type: str = ""
    predicate_type: str = ""
    size: int = 0
    subject: str = ""
    manifest: str = ""
    found_by: str = ""
    signed: bool = False
    annotations: dict[str, str] = {}


class Provenance(Struct, frozen=True, omit_defaults=True):
    """How an image was built, as its builder says (SLSA): nothing of it is proven unless its signature was checked.

    `source` and `revision` are the repository and commit that were built; `materials` everything that went in, as
    pairs of URI and digest (`sha256:…`, `sha1:…`; empty where none is stated). No URI carries credentials.
    """

    builder: str = ""
    build_type: str = ""
    source: str = ""
    revision: str = ""
    materials: tuple[tuple[str, str], ...] = ()
