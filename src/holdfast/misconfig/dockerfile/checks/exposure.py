"""What the container opens: ports, remote shells, folders, and what the build itself may do."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import INSTALLS, request
from holdfast.misconfig.dockerfile.syntax import Instruction, Stage
from holdfast.misconfig.dockerfile.view import View, called_by
from holdfast.model.finding import Severity

_PORT = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?(?:/[a-zA-Z]{1,8})?")
_MANAGEMENT = {
    22: "ssh",
    23: "telnet",
    111: "portmapper",
    135: "Windows RPC",
    139: "NetBIOS",
    445: "SMB",
    512: "rexec",
    513: "rlogin",
    514: "rsh",
    873: "rsync",
    2049: "NFS",
    2375: "the Docker engine without TLS",
    2376: "the Docker engine",
    3389: "remote desktop",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    10250: "the kubelet",
}
_WORDS = 500  # of one EXPOSE that are looked at
_SERVERS = ("openssh-server", "dropbear", "openssh", "sshd", "telnetd", "rsh-server", "xrdp", "tightvncserver")
_SYSTEM = frozenset(
    (
        "/",
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/proc",
        "/run",
        "/sbin",
        "/sys",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/local/bin",
        "/usr/sbin",
        "/var/run",
        "/var/lib",
        "/var/lib/docker",
        "/var/lib/kubelet",
    )
)


def check(view: View) -> Iterator[Breach]:
    """Ports and volumes of what ends in the image, servers to log in by, and rights of RUN."""
    servers = list(_login_servers(view))
    yield from servers
    for stage in view.file.stages:
        for instruction in stage.instructions:
            if instruction.keyword == "EXPOSE":
                yield from _ports(instruction, stage, ssh=bool(servers))
            elif instruction.keyword == "VOLUME" and stage.shipped:
                yield from _volumes(instruction, stage)
            elif instruction.keyword == "RUN":
                yield from _rights(instruction, stage)


def _ports(instruction: Instruction, stage: Stage, *, ssh: bool) -> Iterator[Breach]:
    for word in instruction.words[:_WORDS]:
        found = _PORT.fullmatch(word)
        if not found:
            continue
        first = int(found[1])
        last = int(found[2] or first)
        if max(first, last) > 65_535:
            yield Breach(
                "port-out-of-range", instruction.line, stage.label, word, f"EXPOSE {word}", "a port from 0 to 65535"
            )
            continue
        for port, name in _MANAGEMENT.items():
            if first <= port <= last and stage.shipped and not (port == 22 and ssh):
                yield Breach(
                    "management-port",
                    instruction.line,
                    stage.label,
                    f"port {port}",
                    f"EXPOSE {word}: {name}",
                    "the ports of the application alone",
                    severity=Severity.HIGH if port == 2375 else None,
                )


def _volumes(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    for word in instruction.words:
        path = word.rstrip("/") or "/"
        socket = path.endswith(("docker.sock", "containerd.sock", "crio.sock"))
        if path in _SYSTEM or socket:
            yield Breach(
                "system-volume",
                instruction.line,
                stage.label,
                path,
                f"VOLUME {path}",
                "a folder that holds the application's data alone",
                "VOLUME /data",
                severity=Severity.HIGH if socket else None,
            )


def _rights(instruction: Instruction, stage: Stage) -> Iterator[Breach]:
    if instruction.flag("security") == "insecure":
        yield Breach(
            "insecure-run",
            instruction.line,
            stage.label,
            "RUN",
            "RUN --security=insecure",
            "the sandbox",
            "RUN --security=sandbox …",
        )
    if instruction.flag("network") == "host":
        yield Breach(
            "host-network-run",
            instruction.line,
            stage.label,
            "RUN",
            "RUN --network=host",
            "the builder's own network, or none",
            "RUN --network=default …",
        )


def _login_servers(view: View) -> Iterator[Breach]:
    for run in view.shipped_runs:
        for call in run.calls:
            asked = request(call)
            if not asked or asked.action not in INSTALLS.get(asked.family, ()):
                continue
            for name in asked.names:
                bare = re.split(r"[=<>~]", name, maxsplit=1)[0]
                if bare in _SERVERS and not (bare == "openssh" and asked.family != "apk"):
                    yield _server(call.line, run.stage, f"{bare} is installed")
    for keyword in ("CMD", "ENTRYPOINT"):
        last = view.last(keyword)
        if last and any(call.name in ("sshd", "dropbear", "telnetd", "in.telnetd") for call in called_by(last[1])):
            yield _server(last[1].line, last[0], f"{keyword} starts a server to log in by")


def _server(line: int, stage: Stage, found: str) -> Breach:
    return Breach("login-server", line, stage.label, "login server", found, "docker exec, kubectl exec")
