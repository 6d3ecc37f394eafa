"""Images as they lie on disk, when scanned for their configuration, then these findings in these layers."""

import struct
from pathlib import Path

import pytest

from holdfast.model.finding import ConfigurationEvidence, Finding
from holdfast.model.report import Report
from holdfast.scan.options import Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import scan
from holdfast.settings import Settings
from packs import with_packs
from world import Thing, directory, file, hard_link, image, layer, symlink, whiteout

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
STATUS = "<Location /s>\nSetHandler server-status\n</Location>\n"
FILES: dict[str, Thing | str | bytes] = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:10001:10001::/srv:/sbin/nologin\n",
    "usr/bin/su": file(b"elf", mode=0o4755),
    "usr/local/bin/helper": file(b"elf", mode=0o4755),
    "usr/local/bin/other": hard_link("usr/local/bin/helper"),
    "usr/bin/ping": file(b"elf", mode=0o755, pax={"SCHILY.xattr.security.capability": CAPABILITY.decode("latin-1")}),
    "srv": directory(mode=0o777),
    "srv/start.sh": file("#!/bin/sh\n", mode=0o755),
    "etc/nginx/nginx.conf": "http {\n server_tokens off;\n autoindex on;\n}\n",
    "etc/apache2/mods-available/status.conf": STATUS,
    "etc/apache2/mods-enabled/status.conf": symlink("../mods-available/status.conf"),
    "etc/apache2/mods-available/info.conf": "TraceEnable On\n",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", data=with_packs(tmp_path / "data"), offline=True)


def scanned(target: str, settings: Settings) -> Report:
    return scan(plan(target), settings, Options(wanted=Wanted(frozenset({"configuration"}))))


def by_rule(report: Report) -> dict[str, Finding]:
    return {finding.rule: finding for finding in report.findings}


def test_what_is_visible_is_found_in_the_layer_that_brought_it(tmp_path: Path, settings: Settings) -> None:
    config = {
        "config": {
            "User": "app", "Entrypoint": ["/srv/start.sh"], "ExposedPorts": {"22/tcp": {}}, "Env": ["DEBUG=true"],
            "Volumes": {"/proc": {}},
        }
    }  # fmt: skip
    layers = [layer({"etc/hostname": "a"}), layer(FILES)]
    history = ["ADD rootfs /", "RUN /bin/sh -c curl -sSL https://a.example | sh # buildkit", "#EXPOSE 22"]
    path = image(tmp_path, layers, history=history, config=config, created="2020-01-01T00:00:00Z")
    report = scanned(f"oci:{path}", settings)
    found = by_rule(report)
    assert set(found) == {
        "image.debug-mode", "image.exposed-port", "image.sensitive-volume", "image.no-health-check", "image.stale",
        "image.history-piped-download", "image.setuid-usual", "image.setuid-file", "image.file-capabilities",
        "image.world-writable", "image.writable-entrypoint", "image.nginx-directory-listing", "image.httpd-status-open",
    }  # fmt: skip
    second = report.layers[1].diff_id
    for rule in ("image.setuid-file", "image.nginx-directory-listing", "image.history-piped-download"):
        assert found[rule].location.diff_id == second
        assert found[rule].location.created_by == history[1]
    assert (found["image.nginx-directory-listing"].location.line, found["image.setuid-file"].count) == (3, 1)
    evidence = found["image.file-capabilities"].evidence
    assert isinstance(evidence, ConfigurationEvidence)
    assert evidence.found == "/usr/bin/ping (net_raw)"


def test_what_a_later_layer_takes_away_is_not_found(tmp_path: Path, settings: Settings) -> None:
    mended = layer(
        {
            "usr/local/bin/helper": whiteout(), "usr/local/bin/other": whiteout(), "srv": directory(mode=0o755),
            "usr/bin/su": file(b"elf", mode=0o755), "usr/bin/ping": file(b"elf", mode=0o755),
            "etc/nginx/nginx.conf": "http { server_tokens off; }", "etc/apache2/mods-enabled/status.conf": whiteout(),
        }
    )  # fmt: skip
    path = image(tmp_path, [layer(FILES), mended], user="app", created="2026-10-01T00:00:00Z")
    assert set(by_rule(scanned(f"oci:{path}", settings))) <= {"image.no-health-check", "image.stale"}


def test_the_same_again_from_the_cache(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(FILES)], user="app")
    first, again = (scanned(f"oci:{path}", settings) for _ in range(2))
    assert first.findings == again.findings
    assert again.statistics.layers_cached == 1


def test_a_root_file_system_has_no_image_to_ask(tmp_path: Path, settings: Settings) -> None:
    root = tmp_path / "root"
    (root / "etc" / "ssh").mkdir(parents=True)
    (root / "usr" / "sbin").mkdir(parents=True)
    (root / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "usr" / "sbin" / "sshd").write_bytes(b"elf")
    (root / "etc" / "ssh" / "sshd_config").write_text("PermitRootLogin yes\n")
    found = by_rule(scanned(f"dir:{root}", settings))
    assert set(found) == {"image.ssh-daemon", "image.sshd-root-login"}
