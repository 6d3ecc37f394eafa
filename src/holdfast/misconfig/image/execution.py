"""How containers of the image are run: ports, volumes, health check, environment, command."""

from collections.abc import Iterator

from holdfast.misconfig.finding import finding
from holdfast.misconfig.scene import Scene
from holdfast.model.finding import Finding, Severity

_PORTS = {
    Severity.HIGH: {"2375": "the Docker API in clear text"},
    Severity.MEDIUM: {
        "22": "ssh", "23": "telnet", "512": "rexec", "513": "rlogin", "514": "rsh", "2376": "the Docker API",
        "3389": "RDP", "5005": "the Java debugger", "5678": "the Python debugger", "5900": "VNC",
        "9229": "the Node inspector", "10250": "the kubelet",
    },
    Severity.LOW: {
        "21": "FTP", "445": "SMB", "1433": "SQL Server", "2049": "NFS", "2379": "etcd", "3306": "MySQL",
        "5432": "PostgreSQL", "5984": "CouchDB", "6379": "Redis", "9200": "Elasticsearch", "11211": "Memcached",
        "15672": "RabbitMQ's console", "27017": "MongoDB",
    },
}  # fmt: skip
_SERVICES = {port: (name, severity) for severity, names in _PORTS.items() for port, name in names.items()}
_SYSTEM_PLACES = ("/dev", "/proc", "/sys", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib")
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")


def ports(scene: Scene) -> Iterator[Finding]:
    """Ports of services that are meant for administrators, debuggers or the application's own network."""
    for port in scene.image.execution.exposed_ports if scene.image else ():
        service, severity = _SERVICES.get(port.partition("/")[0], ("", Severity.UNKNOWN))
        if service and not port.endswith("/udp"):
            yield finding(
                "image.exposed-port", f"port {port[:16]}", f"EXPOSE {port[:16]}: {service}", severity=severity
            )


def volumes(scene: Scene) -> Iterator[Finding]:
    """Volumes over places of the system."""
    for volume in scene.image.execution.volumes if scene.image else ():
        place = "/" + volume.strip("/")
        if (
            place == "/"
            or place.endswith(_SOCKETS)
            or f"{place}/".startswith(tuple(f"{top}/" for top in _SYSTEM_PLACES[:3]))
        ):
            yield finding("image.sensitive-volume", f"volume {place[:200]}", f"VOLUME {place[:200]}")
        elif place in _SYSTEM_PLACES:
            yield finding(
                "image.sensitive-volume", f"volume {place[:200]}", f"VOLUME {place}", severity=Severity.MEDIUM
            )


def health_check(scene: Scene) -> Iterator[Finding]:
    """No test whether the application still answers."""
    if scene.image and scene.image.execution.health_check[:1] in ((), ("NONE",)):
        stated = "HEALTHCHECK NONE" if scene.image.execution.health_check else "no HEALTHCHECK"
        yield finding("image.no-health-check", "health check", stated)


CHECKS = (ports, volumes, health_check)
