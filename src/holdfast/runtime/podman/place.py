"""Where Podman's service listens: podman-system-service(1) and podman-remote(1)."""

from collections.abc import Mapping

from holdfast.runtime.place import Place


def sockets(environment: Mapping[str, str]) -> tuple[Place, ...]:
    """Where to look, best first: what CONTAINER_HOST says and nothing else, or the user's socket, then root's."""
    if host := environment.get("CONTAINER_HOST"):
        return (Place(host, "CONTAINER_HOST"),)
    runtime = environment.get("XDG_RUNTIME_DIR")
    usual = [*([f"{runtime}/podman/podman.sock"] if runtime else []), "/run/podman/podman.sock"]
    return tuple(Place(f"unix://{path}") for path in usual)
