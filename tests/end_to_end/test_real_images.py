"""Images of real packages, made by the tools that people make them with: what dpkg says is there, is what we say."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from end_to_end.command import Holdfast
from holdfast.cli.archives import host_mirror
from holdfast.model.errors import SourceError

TOOLS = ("mmdebstrap", "umoci", "dpkg", "dpkg-deb", "dpkg-query", "tar")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.root,
    pytest.mark.mirror,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mmdebstrap and umoci make devices and owners"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

SITE = "usr/local/lib/python3/dist-packages"
LIBRARIES = ("idna==2.7", "requests==2.19.1", "urllib3==1.24.1")
CONTROL = """Package: libprobe1
Source: probe (1:2.0-1)
Version: 1:2.0-1+b3
Architecture: all
Maintainer: A Debian Developer <someone@debian.org>
Description: a rebuilt binary of another source
"""
HISTORY = ("ADD rootfs.tar /", "RUN pip install -r requirements.txt", "COPY . /srv", "RUN rm -r idna")
FORMAT = r"${binary:Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${db:Status-Status}\n"

Installed = tuple[str, str, str, str, str]


class Built(Struct, frozen=True):
    """A layout with the tags `base` and `app`, and the root file system of `app` before its last two layers."""

    layout: Path
    rootfs: Path

    def target(self, tag: str) -> str:
        return f"oci:{self.layout}:{tag}"


def run(*command: object, reachable: bool = True) -> str:
    """The output of a tool. Where it has to reach a mirror, it may fail: then there is no image to test with."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
    if done.returncode and not reachable:
        last = done.stderr.strip().splitlines()[-1:]
        pytest.skip(f"{command[0]} could not set an image up from the mirror: {' '.join(last)[:200]}")
    assert done.returncode == 0, (command, done.stderr[-2000:])
    return str(done.stdout)


def built(home: Path, mirror: str, suite: str) -> Built:
    """Four layers: a base of the archive; libraries, a package more and one less; an application; a whiteout."""
    layout, first, bundle = home / "layout", home / "first", home / "bundle"
    umoci = ("umoci", "--log=error")
    run(*umoci, "init", "--layout", layout)
    run(*umoci, "new", "--image", f"{layout}:base")
    run(*umoci, "unpack", "--image", f"{layout}:base", first)
    source = f"deb {mirror} {suite} main"
    into = first / "rootfs"
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--dpkgopt=force-unsafe-io",
        "--include=netbase",
        suite,
        into,
        source,
        reachable=False,
    )
    run(*umoci, "repack", "--image", f"{layout}:base", "--history.created_by", HISTORY[0], first)
    shutil.rmtree(first)
    command = ("--config.cmd", "bash", "--history.created_by", 'CMD ["bash"]')
    run(*umoci, "config", "--image", f"{layout}:base", *command)
    run(*umoci, "unpack", "--image", f"{layout}:base", bundle)
    rootfs = bundle / "rootfs"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--root-user-action=ignore")
    run(*pip, f"--target={rootfs / SITE}", *LIBRARIES, reachable=False)
    (home / "probe/DEBIAN").mkdir(parents=True)
    (home / "probe/DEBIAN/control").write_text(CONTROL)
    run("dpkg-deb", "--build", "--root-owner-group", home / "probe", home / "probe.deb")
    dpkg = ("dpkg", f"--root={rootfs}", "--log=/dev/null")
    run(*dpkg, "--install", home / "probe.deb")
    run(*dpkg, "--remove", "netbase")
    (rootfs / "etc/debian_version").unlink()
    run(*umoci, "repack", "--image", f"{layout}:app", "--history.created_by", HISTORY[1], bundle)
    (home / "srv").mkdir()
    (home / "srv/app.py").write_text("print()\n")
    insert = (*umoci, "insert", "--image", f"{layout}:app", "--history.created_by")
    run(*insert, HISTORY[2], home / "srv", "/srv")
    run(*insert, HISTORY[3], "--whiteout", f"/{SITE}/idna-2.7.dist-info")
    run(*umoci, "config", "--image", f"{layout}:app", "--config.label", "org.example.title=shop")
    return Built(layout, rootfs)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The image, made once for all workers of this run."""
    try:
        mirror, suite = host_mirror()
    except SourceError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    home = root / "real-image"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if (home / "done").exists():
            return Built(home / "layout", home / "bundle/rootfs")
        if (home / "begun").exists():
            pytest.skip("the image could not be set up, as another worker says")
        (home / "begun").touch()
        made = built(home, mirror, suite)
        (home / "done").touch()
    return made


def scanned(holdfast: Holdfast, target: object, *flags: object) -> dict[str, Any]:
    outcome = holdfast("scan", target, "--only", "packages", "-q", "-f", "json", *flags)
    assert (outcome.code, outcome.report["status"], outcome.report["problems"]) == (0, "complete", [])
    return outcome.report


def debs(report: dict[str, Any]) -> list[Installed]:
    return sorted(
        (
            one["name"],
            one["version"],
            one["architecture"],
            one.get("source_name") or one["name"],
            one.get("source_version") or one["version"],
        )
        for one in report["packages"]
        if one["type"] == "deb"
    )


def by_dpkg(rootfs: Path) -> list[Installed]:
    """What dpkg itself says is installed; the architecture that it adds to some names is left out."""
    told = run("dpkg-query", f"--admindir={rootfs}/var/lib/dpkg", "--show", f"--showformat={FORMAT}")
    rows = [line.split("\t") for line in told.splitlines()]
    return sorted((row[0].partition(":")[0], *row[1:5]) for row in rows if row[5] == "installed")  # type: ignore[misc]


def names(report: dict[str, Any]) -> set[str]:
    return {package["name"] for package in report["packages"]}


def untold(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages without what only an image can know of them."""
    left_out = ("diff_id", "side")
    return [{key: value for key, value in one.items() if key not in left_out} for one in report["packages"]]


def test_the_packages_are_those_that_dpkg_lists(real: Built, holdfast: Holdfast) -> None:
    found = debs(scanned(holdfast, real.target("app")))
    assert found == by_dpkg(real.rootfs)
    assert len(found) > 50
    assert ("libprobe1", "1:2.0-1+b3", "all", "probe", "1:2.0-1") in found
    assert sum(name != source for name, _, _, source, _ in found) > 10


def test_a_package_that_dpkg_removed_is_gone_and_still_in_the_base(real: Built, holdfast: Holdfast) -> None:
    """Its configuration stays, so that dpkg still speaks of it."""
    assert "netbase" in (real.rootfs / "var/lib/dpkg/status").read_text()
    assert "netbase" in names(scanned(holdfast, real.target("base")))
    assert "netbase" not in names(scanned(holdfast, real.target("app")))


def test_each_package_is_of_the_layer_that_brought_it(real: Built, holdfast: Holdfast) -> None:
    report = scanned(holdfast, real.target("app"))
    assert [one["created_by"] for one in report["layers"]] == list(HISTORY)
    number = {one["diff_id"]: index for index, one in enumerate(report["layers"])}
    brought = {one["name"]: number[one["diff_id"]] for one in report["packages"]}
    later = {"libprobe1": 1, "requests": 1, "urllib3": 1}
    assert {name: index for name, index in brought.items() if index} == later
    assert {one["side"] for one in report["packages"] if one["name"] in later} == {"application"}
    assert {one["side"] for one in report["packages"] if one["name"] not in later} == {"base"}


def test_a_whiteout_hides_what_lies_beneath(real: Built, holdfast: Holdfast) -> None:
    assert (real.rootfs / SITE / "idna-2.7.dist-info/METADATA").is_file()
    found = names(scanned(holdfast, real.target("app")))
    assert {"requests", "urllib3"} <= found
    assert "idna" not in found


def test_the_root_file_system_gives_the_same_packages(real: Built, holdfast: Holdfast) -> None:
    outcome = holdfast("scan", f"dir:{real.rootfs}", "--only", "packages", "-q", "-f", "json")
    image = scanned(holdfast, real.target("app"))
    assert outcome.code == 0
    assert [one for one in untold(outcome.report) if one["name"] != "idna"] == untold(image)
    assert outcome.report["distribution"] == image["distribution"]
    assert image["distribution"]["id"] in ("debian", "ubuntu")


def test_as_an_archive_and_from_the_cache_it_is_the_same(real: Built, holdfast: Holdfast) -> None:
    archive = holdfast.home / "app.tar"
    run("tar", "-C", real.layout, "-cf", archive, ".")
    first = scanned(holdfast, real.target("app"))
    again = scanned(holdfast, real.target("app"))
    tarred = scanned(holdfast, f"oci-archive:{archive}:app")
    assert again["statistics"]["layers_cached"] == 4
    for report in (again, tarred):
        assert (report["packages"], report["layers"]) == (first["packages"], first["layers"])
        assert report["target"]["digest"] == first["target"]["digest"]


def test_through_its_bill_of_materials_it_is_the_same(real: Built, holdfast: Holdfast) -> None:
    assert holdfast("sbom", real.target("app"), "-o", "bom.json").code == 0
    assert scanned(holdfast, "sbom:bom.json")["packages"] == scanned(holdfast, real.target("app"))["packages"]


def test_the_base_is_known_by_history_name_label_and_option(real: Built, holdfast: Holdfast) -> None:
    assert scanned(holdfast, real.target("app"))["base"] == {"layers": 1, "decided_by": "history"}
    base = scanned(holdfast, real.target("app"), "--base", real.target("base"))["base"]
    assert (base["layers"], base["decided_by"]) == (1, "option")
    assert holdfast("base", "add", real.target("base"), "--name", "ours").code == 0
    registered = scanned(holdfast, real.target("app"))["base"]
    assert (registered["decided_by"], registered["name"]) == ("registered", "ours")
    label = f"org.opencontainers.image.base.digest={registered['digest']}"
    image = f"{real.layout}:app"
    run("umoci", "--log=error", "config", "--image", image, "--tag", "labelled", "--config.label", label)
    labelled = scanned(holdfast, real.target("labelled"))["base"]
    assert (labelled["decided_by"], labelled["layers"], labelled["digest"]) == ("label", 1, registered["digest"])


def changelog_findings(report: dict[str, Any]) -> Sequence[dict[str, Any]]:
    return [one for one in report["findings"] if one["evidence"].get("source") == "archive"]


@pytest.mark.slow
def test_the_archive_says_what_was_fixed_since(real: Built, holdfast: Holdfast) -> None:
    """The base has no security suite, so that what was fixed there is outstanding; only the mirror is asked."""
    folder = holdfast.home / "feeds/alpine/v3.20"
    folder.mkdir(parents=True)
    told = {"packages": [{"pkg": {"name": "musl", "secfixes": {"1-r0": ["CVE-2020-0001"]}}}]}
    (folder / "main.json").write_text(json.dumps(told))
    assert holdfast("db", "update", "--from", holdfast.home / "feeds", "-q").code == 0
    report = holdfast("scan", real.target("app"), "-q", "-f", "json", timeout=300).report
    found = changelog_findings(report)
    installed = {package["purl"]: package for package in report["packages"]}
    assert found
    for finding in found:
        assert installed[finding["subject"]["purl"]]["type"] == "deb"
        assert finding["fix"]["state"] == "fixed"
        older = (
            "dpkg",
            "--compare-versions",
            finding["evidence"]["compared"].split()[1],
            "lt",
            finding["fix"]["version"],
        )
        run(*older)
    again = holdfast("scan", real.target("app"), "-q", "-f", "json", timeout=300).report
    assert again["findings"] == report["findings"]
