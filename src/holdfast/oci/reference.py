"""What people call an image: `nginx:1.27`, `ghcr.io/org/app@sha256:…`, `localhost:5000/app`.

The grammar is that of distribution/reference, the short names are Docker's: without a host it is docker.io, and there
without a folder it is `library/`.
"""

import re
from typing import Self

from msgspec import Struct

from holdfast.model.artifact import is_digest
from holdfast.model.errors import InputError

DOCKER_HUB = "docker.io"
_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_MOST_CHARACTERS = 255


class Reference(Struct, frozen=True):
    """An image by its registry, repository, and tag or digest or both: the digest then decides."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A reference from what was typed; `latest` where it has neither tag nor digest. InputError."""
        name, at, digest = text.partition("@")
        if at and not is_digest(digest):
            raise _not_a_name(text, "its digest is none that can be verified")
        head, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            head, tag = name, ""
        elif not _TAG.fullmatch(tag):
            raise _not_a_name(text, "its tag is not one")
        registry, repository = _split(head)
        if not registry or not is_registry(registry):
            raise _not_a_name(text, "its registry is no host")
        if not is_repository(repository):
            upper = "it must be lower case" if repository.lower() != repository else "its repository is not one"
            raise _not_a_name(text, upper)
        if registry == DOCKER_HUB and _IMAGE_ID.fullmatch(repository.removeprefix("library/")):
            raise _not_a_name(text, "it is an image's ID, which no registry knows")
        return cls(registry, repository, tag or ("" if at else "latest"), digest)

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    @property
    def selector(self) -> str:
        """What the registry is asked for: the digest where there is one, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{'@' + self.digest if self.digest else ''}"


def is_registry(text: str) -> bool:
    """Whether it can be a registry's host, with or without a port."""
    port = text.rpartition(":")[2] if not text.endswith("]") and ":" in text else "1"
    return len(text) <= _MOST_CHARACTERS and bool(_REGISTRY.fullmatch(text)) and 0 < int(port) < 1 << 16


def is_repository(text: str) -> bool:
    """Whether it can be the path of a repository: never one that leads elsewhere."""
    return len(text) <= _MOST_CHARACTERS and bool(_REPOSITORY.fullmatch(text))


def is_tag(text: str) -> bool:
    """Whether it can be a tag."""
    return bool(_TAG.fullmatch(text))


def registry_named(text: str) -> str:
    """The registry that somebody means by a host: all of Docker Hub's names are docker.io. InputError."""
    name = text.removeprefix("https://").removeprefix("http://").rstrip("/").lower()
    if not is_registry(name):
        raise InputError("not a registry's host", where=text[:_MOST_CHARACTERS], remedy="write HOST or HOST:PORT")
    return DOCKER_HUB if name in _HUB_NAMES else name


def _split(name: str) -> tuple[str, str]:
    """Registry and repository, Docker's short names filled in."""
    first, slash, rest = name.partition("/")
    is_host = slash and (set(first) & {".", ":"} or first == "localhost")
    registry, repository = (first.lower(), rest) if is_host else (DOCKER_HUB, name)
    if registry in _HUB_NAMES:
        registry = DOCKER_HUB
        if "/" not in repository:
            repository = f"library/{repository}"
    return registry, repository


def _not_a_name(text: str, why: str) -> InputError:
    shown = ascii(text[:_MOST_CHARACTERS])[1:-1]
    return InputError(f"not the name of an image: {why}", where=shown, remedy="write it like nginx:1.27 or host/app:1")
