"""An image of three layers with findings, and what two scans of it have to agree on, wherever they got it from."""

import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catalog.samples import paragraph, status
from end_to_end.command import Holdfast, Outcome
from world import Thing, layer, whiteout

Files = Mapping[str, Thing | str | bytes]
HISTORY = ["ADD rootfs /", '#CMD ["sh"]', "RUN npm install", "COPY . /srv"]
ONLY = ("--only", "packages")
_VERSIONS = {"lodash": "4.17.15", "minimist": "1.2.0"}


def node(name: str, version: str = "1.0.0") -> dict[str, str]:
    """A package of Node, installed."""
    return {f"srv/node_modules/{name}/package.json": json.dumps({"name": name, "version": version})}


def base(name: str = "base") -> bytes:
    """A lowest layer: a distribution, and a package called `name` in which it differs from others."""
    release = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
    return layer({"etc/os-release": release, "var/lib/dpkg/status": status(paragraph("libc6"), paragraph(name))})


def layers() -> list[bytes]:
    """A base, vulnerable libraries, and an application that removes one of them."""
    release = 'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n'
    python = "usr/lib/python3.12/site-packages/lodash-2.0.dist-info/METADATA"
    libraries: dict[str, Thing | str | bytes] = {}
    for name, version in _VERSIONS.items():
        libraries |= node(name, version)
    return [
        layer({"etc/os-release": release, python: "Metadata-Version: 2.1\nName: lodash\nVersion: 2.0\n"}),
        layer(libraries),
        layer({**node("shop"), "srv/node_modules/minimist": whiteout(), "srv/data": bytes(range(256)) * 2000}),
    ]


def feeds(where: Path) -> Path:
    """A folder of feeds for `holdfast db update --from`: everything named lodash or minimist is vulnerable."""
    for ecosystem in ("PyPI", "npm"):
        folder = where / "osv" / ecosystem
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            for number, name in enumerate(_VERSIONS, 1):
                ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "9.0.0"}]}]
                affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
                one = {"id": f"CVE-2026-{number:04}", "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
                archive.writestr(f"{one['id']}.json", json.dumps(one))
    return where


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    """A report without its name for the target, and without what differs from run to run."""
    target = {key: value for key, value in report["target"].items() if key not in ("name", "kind")}
    return {key: value for key, value in report.items() if key not in ("statistics", "created")} | {"target": target}


def scan(holdfast: Holdfast, target: object, *flags: object, **more: Any) -> Outcome:
    """A scan with its report as JSON."""
    return holdfast("scan", target, "-q", "-f", "json", "--only", "vulnerabilities", *flags, **more)


def packages(outcome: Outcome) -> set[str]:
    """The names of the packages in a report."""
    return {package["name"] for package in outcome.report["packages"]}


def rules(outcome: Outcome) -> list[str]:
    """The rules that its findings of integrity violate."""
    return [one["rule"] for one in outcome.report["findings"] if one["kind"] == "integrity"]


def configure(holdfast: Holdfast, text: str) -> None:
    """Settings as a person writes them."""
    folder = holdfast.home / ".config/holdfast"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "holdfast.toml").write_text(text)


def forget(holdfast: Holdfast) -> None:
    """As on another machine: nothing cached, no tag seen, no image known."""
    shutil.rmtree(holdfast.cache, ignore_errors=True)
    shutil.rmtree(holdfast.data / "tags", ignore_errors=True)


def pulls(asked: Iterable[tuple[str, str, int]]) -> list[str]:
    """`METHOD target` of the requests for manifests and blobs, without those that authentication costs."""
    return [f"{method} {target}" for method, target, status in asked if status != 401 and target != "/v2/"]
