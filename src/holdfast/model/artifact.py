"""Images and what they are made of, in the words of the OCI image specification."""

import platform as host
import re
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
