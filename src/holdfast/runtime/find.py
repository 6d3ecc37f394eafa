"""Which engines there are on this host, and how each is reached."""

from collections.abc import Callable, Mapping
from pathlib import Path

from holdfast.model.errors import InputError, NotFound
from holdfast.runtime.docker import place as docker
from holdfast.runtime.engine import Engine
from holdfast.runtime.place import Place, listens
from holdfast.runtime.podman import place as podman
from holdfast.transport.wire import Wire

KINDS = ("docker", "podman", "containerd")


def open_engine(kind: str, address: str, environment: Mapping[str, str], home: Path, wire: Wire) -> Engine:
    """The engine of one of KINDS: at `address` where one is set, else where its own clients would look for it.

    NotFound with the places that were looked at; InputError, PrivilegeError. Podman is started where it does not run.
    """
    if kind == "docker":
        return _docker(address, environment, home, wire)
    if kind == "podman":
        return _podman(address, environment, home, wire)
    raise InputError(f"not an engine that we know: {kind!r}")
