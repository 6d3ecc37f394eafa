"""Where Docker's clients look for Docker.

Sources: docker/cli `cli/command/cli.go` (order of choice) and `cli/context/store` (how contexts are kept); the
rootless and Docker Desktop manuals for the sockets in a home folder.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

from holdfast.model.errors import InputError, NotFound
from holdfast.runtime.place import Place
from holdfast.transport.trust import Trust

_MOST_BYTES = 1 << 20


class _Configuration(Struct):
    current: str = field(default="", name="currentContext")


class _Endpoint(Struct):
    host: str = field(default="", name="Host")


class _Context(Struct):
    endpoints: dict[str, _Endpoint] = field(default={}, name="Endpoints")


def sockets(environment: Mapping[str, str], home: Path) -> tuple[Place, ...]:
    """Where to look, best first: what DOCKER_HOST or the current context says and nothing else, or the usual places.

    Only Docker's own files are read. InputError, NotFound where a context is named that cannot be used.
    """
    if host := environment.get("DOCKER_HOST"):
        return (stated(host, environment, home, by="DOCKER_HOST"),)
    folder = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    name = environment.get("DOCKER_CONTEXT") or _current_context(folder)
    if name and name != "default":
        return (_of_context(folder, name),)
    runtime = environment.get("XDG_RUNTIME_DIR")
    usual = [
        "/var/run/docker.sock",
        *([f"{runtime}/docker.sock"] if runtime else []),
        f"{home}/.docker/run/docker.sock",
    ]
    return tuple(Place(f"unix://{path}") for path in usual)


def stated(url: str, environment: Mapping[str, str], home: Path, *, by: str) -> Place:
    """The place that somebody named, with the certificates that the environment goes with it for TLS."""
    if not (environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_CERT_PATH")):
        return Place(url, by)
    folder = environment.get("DOCKER_CERT_PATH") or environment.get("DOCKER_CONFIG") or f"{home}/.docker"
    return Place(url, by, Trust(f"{folder}/ca.pem", f"{folder}/cert.pem", f"{folder}/key.pem"))


def _current_context(folder: Path) -> str:
    """The context that config.json makes current; none where the file is absent or damaged."""
    try:
        return msgspec.json.decode(_read(folder / "config.json"), type=_Configuration).current
    except (OSError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


def _of_context(folder: Path, name: str) -> Place:
    by = f"context {ascii(name)[1:-1][:80]}"
    identity = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    meta = folder / "contexts" / "meta" / identity / "meta.json"
    remedy = "choose another: docker context use default"
    try:
        endpoint = msgspec.json.decode(_read(meta), type=_Context).endpoints.get("docker")
    except OSError as error:
        raise NotFound(
            f"Docker's {by} cannot be read: {os.strerror(error.errno or 0)}", where=str(meta), remedy=remedy
        ) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"Docker's {by} is damaged: {str(error)[:120]}", where=str(meta), remedy=remedy) from error
    if endpoint is None or not endpoint.host:
        raise InputError(f"Docker's {by} names no engine", where=str(meta), remedy=remedy)
    files = {
        part: path
        for part, file in (("ca_bundle", "ca.pem"), ("certificate", "cert.pem"), ("key", "key.pem"))
        if (path := folder / "contexts" / "tls" / identity / "docker" / file).is_file()
    }
    trust = Trust(**{part: str(path) for part, path in files.items()}) if files else None
    return Place(endpoint.host, by, trust)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)
