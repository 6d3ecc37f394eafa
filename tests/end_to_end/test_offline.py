"""Offline is a promise: not one internet socket, and what follows from that is said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemons.fake_engine import fake_engine
from end_to_end.command import Holdfast
from world import image, layer, spec

FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
    "etc/apt/sources.list": "deb http://archive.invalid/debian bookworm main\n",
    "var/lib/dpkg/status": (
        "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n"
        "Maintainer: D <d@lists.debian.org>\n"
    ),
    "srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}',
}

_FORBIDDEN = """
import socket, sys
real = socket.socket
class Refuses(real):
    def __new__(cls, family=-1, *rest, **more):
        if family != socket.AF_UNIX:
            sys.stderr.write("an internet socket was opened\\n")
            sys.stderr.flush()
            import os
            os._exit(99)
        return super().__new__(cls, family, *rest, **more)
def resolved(*_a, **_k):
    sys.stderr.write("a name was looked up\\n")
    import os
    os._exit(98)
socket.socket = Refuses
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = resolved
from holdfast.cli.main import run
sys.argv[0] = "holdfast"
run()
"""


def test_an_engine_on_this_machine_is_asked_and_nobody_else(tmp_path: Path, holdfast: Holdfast) -> None:
    with fake_engine(tmp_path) as engine:
        engine.has("app:1", spec([layer(FILES)], compression="none"))
        holdfast.environment["DOCKER_HOST"] = engine.url
        arguments = ["-c", _FORBIDDEN, "scan", "docker:app:1", "--offline", "--only", "packages"]
        outcome = holdfast(*arguments, prefix=[sys.executable], bare=True)
    assert outcome.code == 0, outcome.err
    assert "lodash" in outcome.out


@pytest.mark.parametrize("target", ["nginx:1.27", "registry:127.0.0.1:5000/app"])
def test_a_registry_is_not_asked_and_that_is_said(holdfast: Holdfast, target: str) -> None:
    outcome = holdfast("-c", _FORBIDDEN, "scan", target, "--offline", prefix=[sys.executable], bare=True)
    assert outcome.code == 4
    assert "--offline" in outcome.err


@pytest.mark.parametrize("command", [["scan"], ["sbom"]])
def test_no_internet_socket_is_opened(tmp_path: Path, holdfast: Holdfast, command: list[str]) -> None:
    path = image(tmp_path, [layer(FILES)])
    flags = ["--offline"] if command == ["scan"] else []
    arguments = ["-c", _FORBIDDEN, *command, f"oci:{path}", *flags]
    outcome = holdfast(*arguments, prefix=[sys.executable], bare=True)
    assert outcome.code == (3 if flags else 0), outcome.err
    assert "lodash" in outcome.out


def test_the_same_guard_notices_a_socket(tmp_path: Path, holdfast: Holdfast) -> None:
    path = image(tmp_path, [layer(FILES)])
    outcome = holdfast("-c", _FORBIDDEN, "scan", f"oci:{path}", prefix=[sys.executable], bare=True)
    assert outcome.code in (98, 99)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_it_works_where_there_is_no_network_at_all(tmp_path: Path, holdfast: Holdfast) -> None:
    path = image(tmp_path, [layer(FILES)])
    probe = subprocess.run(["unshare", "-n", "true"], check=False)
    if probe.returncode:
        pytest.skip("network namespaces cannot be made here")
    offline = holdfast("scan", f"oci:{path}", "--offline", "-f", "json", prefix=["unshare", "-n"])
    assert offline.code == 3
    online = holdfast("scan", f"oci:{path}", "-f", "json", prefix=["unshare", "-n"], timeout=100)
    assert online.code == 3
    assert [one["rule"] for one in online.report["findings"]] == [one["rule"] for one in offline.report["findings"]]
    assert any(problem["code"] == "feed.failed" for problem in online.report["problems"])
