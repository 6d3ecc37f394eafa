"""Which engines there are on this host, and how each is reached."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.model.errors import HoldfastError, InputError, NotFound
from holdfast.runtime.engine import Engine
from holdfast.runtime.place import Place, choose
from holdfast.transport.wire import Wire

KINDS = ("docker", "podman", "containerd")
_CONTAINERD = ("/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock")


def open_engine(kind: str, address: str, environment: Mapping[str, str], home: Path, wire: Wire) -> Engine:
    """The engine of one of KINDS: at `address` where that is set, else where its own clients would look for it.

    Nothing is asked of it yet. Podman is started where it does not listen. NotFound with the places that were looked
    at; InputError for an address that is none.
    """
    places = _places(kind, address, environment, home)
    ours = kind == "podman" and _program(environment) is not None
    place = choose(places, forbidden=not ours)
    match kind:
        case "docker" if place:
            from holdfast.runtime.docker.engine import Docker

            return Docker(place, wire)
        case "containerd" if place:
            from holdfast.runtime.containerd.engine import Containerd

            return Containerd(place.socket or place.url)
        case "podman":
            from holdfast.runtime.podman.engine import Podman

            if place:
                return Podman(place, wire)
            if ours:
                from holdfast.runtime.podman.service import Service

                service = Service(environment)
                return Podman(service.url, wire, on_close=service.close)
    looked = ", ".join(one.name for one in places)
    remedy = f"start it, or name its socket in the settings: [engines] {kind} = …"
    raise NotFound(f"no {kind} listens here", where=looked, remedy=remedy)


def known_engines(environment: Mapping[str, str], home: Path, addresses: Mapping[str, str] | None = None) -> list[str]:
    """Which of KINDS are here: those that listen or are stated somewhere, and a Podman that has been used.

    `addresses` are those of the settings, by kind. What cannot be used is here all the same: opening it says why.
    """
    return [kind for kind in KINDS if _is_here(kind, (addresses or {}).get(kind, ""), environment, home)]


def _is_here(kind: str, address: str, environment: Mapping[str, str], home: Path) -> bool:
    try:
        if choose(_places(kind, address, environment, home)):
            return True
    except HoldfastError:
        return True
    if kind != "podman" or not _program(environment):
        return False
    # Starting one that was never used would make its folders.
    data = environment.get("XDG_DATA_HOME") or f"{home}/.local/share"
    stores = (Path(data, "containers/storage"), Path("/var/lib/containers/storage"))
    return any(store.is_dir() for store in stores)


def _program(environment: Mapping[str, str]) -> str | None:
    return shutil.which("podman", path=environment.get("PATH", ""))


def _places(kind: str, address: str, environment: Mapping[str, str], home: Path) -> Sequence[Place]:
    by = "the settings"
    if kind == "docker":
        from holdfast.runtime.docker.place import sockets, stated

        return (stated(address, environment, home, by=by),) if address else sockets(environment, home)
    if address:
        return (Place(address, by),)
    if kind == "podman":
        from holdfast.runtime.podman import place as podman

        return podman.sockets(environment)
    if kind == "containerd":
        if stated_address := environment.get("CONTAINERD_ADDRESS"):
            return (Place(stated_address, "CONTAINERD_ADDRESS"),)
        return tuple(Place(f"unix://{path}") for path in _CONTAINERD)
    raise InputError(f"not an engine that we know: {kind!r}")
