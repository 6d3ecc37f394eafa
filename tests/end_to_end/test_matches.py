"""What a person is told of real packages, by a database of the real feeds: whole images through the whole command."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from catalog.samples import go_program, modules, paragraph, status
from end_to_end.command import Holdfast, Outcome
from world import Thing, digest, file, image, layer, whiteout

FEEDS = Path(__file__).parents[2].parent / "shared" / "feeds"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared feeds are not there"),
]

Files = dict[str, Thing | str | bytes]
HISTORY = ["ADD rootfs /", '#CMD ["sh"]', "COPY . /srv"]
SITE = "usr/lib/python3/dist-packages"

QUIET = ("--offline", "-q", "--only", "vulnerabilities")


def debian(*packages: str, release: str = "12", **more: str) -> Files:
    release_file = f'ID=debian\nVERSION_ID="{release}"\nPRETTY_NAME="Debian {release}"\n'
    return {"etc/os-release": release_file, "var/lib/dpkg/status": status(*packages), **more}


def alpine(*packages: tuple[str, str, str], release: str = "3.18.4") -> Files:
    told = "\n".join(f"P:{name}\nV:{version}\nA:x86_64\no:{origin}\n" for name, version, origin in packages)
    return {"etc/os-release": f"ID=alpine\nVERSION_ID={release}\n", "lib/apk/db/installed": told}


def python(name: str, version: str) -> Files:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return {f"{SITE}/{name}-{version}.dist-info/METADATA": metadata}


def node(name: str, version: str) -> Files:
    return {f"srv/node_modules/{name}/package.json": json.dumps({"name": name, "version": version})}


def program(toolchain: str, *dependencies: str) -> Files:
    lines = modules("path example.com/shop", *(f"dep {one}" for one in dependencies))
    return {"srv/shop": file(go_program(toolchain, lines), mode=0o755)}


def lock(**packages: str) -> Files:
    listed = {f"node_modules/{name}": {"version": version} for name, version in packages.items()}
    whole = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "shop"}, **listed}}
    return {"srv/package-lock.json": json.dumps(whole)}


@pytest.fixture(scope="session")
def advisories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the database that `holdfast db update --from` makes; one for all workers of this run."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    home = root / "advisories-of-the-feeds"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        command = Holdfast(home)
        if not (home / "done").exists():
            outcome = command("db", "update", "--from", FEEDS, "-q")
            assert (outcome.code, outcome.err) == (0, "")
            (home / "done").touch()
    return command.data


@pytest.fixture
def informed(holdfast: Holdfast, advisories: Path) -> Holdfast:
    """The command with that database, and a cache of its own."""
    holdfast.environment["HOLDFAST_DATA"] = str(advisories)
    return holdfast


def scanned(holdfast: Holdfast, *layers: Files, flags: tuple[str, ...] = ()) -> Outcome:
    """What the command says of an image whose base is the first of these layers."""
    path = image(holdfast.home, [layer(files) for files in layers], history=HISTORY[:2] + HISTORY[2:] * len(layers[1:]))
    return holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", "--only", "vulnerabilities", *flags)


def by_rule(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["rule"]: finding for finding in report["findings"]}


class Case(Struct):
    """An image of two layers; the rules that it must have, each with the version to move to; those it must not.

    `packages` is how many packages there are: what is not there at all is no proof of anything.
    """

    base: Files
    application: Files = {}
    present: dict[str, str] = {}
    absent: set[str] = set()
    packages: int = 1


CASES = {
    "debian: binaries are matched by their source": Case(
        debian(paragraph("libssl3", "3.0.8-1", Source="openssl")),
        present={"CVE-2023-0464": "3.0.9-1", "CVE-2023-2650": "3.0.9-1"},
        absent={"CVE-2022-0778"},
    ),
    "debian: a name that is only a binary's is no source": Case(
        debian(paragraph("openssl-provider", "0.9", Source="nothing-of-that-name")), absent={"CVE-2014-0160"}
    ),
    "debian: a rebuilt binary has the version of its source": Case(
        debian(paragraph("libssl3", "3.0.8-1+b2", Source="openssl (3.0.8-1)")), present={"CVE-2023-0464": "3.0.9-1"}
    ),
    "debian: a rebuilt binary of a fixed source is fixed": Case(
        debian(paragraph("bash", "5.2.15-2+b13", Source="bash (5.2.15-2)")),
        absent={"CVE-2019-18276", "CVE-2014-6271"},
    ),
    "debian: epochs count": Case(
        debian(paragraph("zlib1g", "1:1.2.11.dfsg-2", Source="zlib"), release="11"),
        present={"CVE-2018-25032": "1:1.2.11.dfsg-2+deb11u1"},
        absent={"CVE-2016-9840"},
    ),
    "debian: a stable update one below the last has what the last one fixed": Case(
        debian(paragraph("libaom3", "3.6.0-1+deb12u2", Source="aom")),
        present={"CVE-2026-56208": "3.6.0-1+deb12u3"},
        absent={"CVE-2024-5171"},
    ),
    "debian: the last stable update has nothing": Case(
        debian(paragraph("libaom3", "3.6.0-1+deb12u3", Source="aom")), absent={"CVE-2026-56208", "CVE-2024-5171"}
    ),
    "debian: a signed kernel is the kernel": Case(
        debian(paragraph("linux-image-6.1.0-9-amd64", "6.1.25-1", Source="linux-signed-amd64 (6.1.25+1)")),
        present={"CVE-2023-32233": "6.1.27-1"},
        absent={"CVE-2017-5715"},
    ),
    "debian: a backport is not compared": Case(
        debian(paragraph("curl", "7.20.0-1~bpo12+1")), absent={"CVE-2012-0036", "CVE-2011-2192"}
    ),
    "debian: removed with its configuration left is not installed": Case(
        debian(paragraph("bash", "4.3-9", status="deinstall ok config-files")), absent={"CVE-2014-6271"}, packages=0
    ),
    "alpine: origins, and version 0 is not affected": Case(
        alpine(("libssl3", "3.0.1-r0", "openssl")),
        present={"CVE-2022-0778": "3.0.2-r0"},
        absent={"CVE-2022-1292", "CVE-2022-2068"},
    ),
    "alpine: a revision fixes": Case(alpine(("busybox", "1.33.0-r5", "busybox")), absent={"CVE-2021-28831"}),
    "alpine: the revision before does not": Case(
        alpine(("ssl_client", "1.33.0-r4", "busybox")), present={"CVE-2021-28831": "1.33.0-r5"}
    ),
    "alpine: two ids in one entry are one vulnerability": Case(
        alpine(("sdl2_image", "2.0.1-r1", "sdl2_image"), release="3.6.0"),
        present={"CVE-2017-2887": "2.0.1-r2"},
        absent={"TALOS-2017-0394", "CVE-2017-2887 TALOS-2017-0394"},
    ),
    "pypi: installed": Case(
        {}, python("Jinja2", "2.10"), {"CVE-2019-10906": "2.10.1"}, {"PYSEC-2019-217", "GHSA-462w-v97r-4m45"}
    ),
    "pypi: the fixed version": Case({}, python("Jinja2", "3.1.6"), {}, {"CVE-2019-10906", "CVE-2024-22195"}),
    "pypi: a withdrawn advisory says nothing": Case({}, python("exiv2", "0.3"), {}, {"CVE-2008-2696"}),
    "npm: installed": Case({}, node("lodash", "4.17.15"), {"CVE-2021-23337": "4.17.21"}, {"CVE-2019-10744"}),
    "npm: a scoped package is another": Case({}, node("@types/lodash", "4.14.0"), {}, {"CVE-2021-23337"}),
    "npm: only named by a lock file": Case({}, lock(lodash="4.17.15"), {"CVE-2021-23337": "4.17.21"}),
    "go: modules and standard library of a program": Case(
        {},
        program("go1.22.3", "golang.org/x/crypto v0.16.0"),
        {"CVE-2023-48795": "v0.17.0", "CVE-2024-24790": "1.22.4"},
        {"CVE-2020-29652", "CVE-2023-45288"},
        packages=3,
    ),
    "go: fixed modules": Case(
        {}, program("go1.22.4", "golang.org/x/crypto v0.17.0"), {}, {"CVE-2023-48795", "CVE-2024-24790"}, 3
    ),
    "a whiteout removes a package": Case(
        python("Jinja2", "2.10"), {f"{SITE}/Jinja2-2.10.dist-info": whiteout()}, {}, {"CVE-2019-10906"}, 0
    ),
    "an upgrade in a later layer": Case(
        debian(paragraph("bash", "4.3-9")), debian(paragraph("bash", "5.2.15-2")), {}, {"CVE-2014-6271"}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(informed: Holdfast, name: str) -> None:
    case = CASES[name]
    layers = [case.base, case.application] if case.application else [case.base]
    report = scanned(informed, *layers).report
    found = by_rule(report)
    assert (case.present.keys() - found.keys(), case.absent & found.keys()) == (set(), set())
    assert len(report["packages"]) == case.packages
    for rule, version in case.present.items():
        finding = found[rule]
        assert (finding["fix"]["state"], finding["fix"]["version"]) == ("fixed", version)
        assert finding["location"]["diff_id"] == digest(layer(layers[-1]))
        assert finding["location"]["layer"] == report["layers"][-1]["digest"]


def test_there_are_enough_of_both_kinds() -> None:
    assert sum(bool(case.present) for case in CASES.values()) >= 10
    assert sum(bool(case.absent) for case in CASES.values()) >= 10


def test_binaries_of_one_source_are_one_finding(informed: Holdfast) -> None:
    packages = paragraph("libssl3", "3.0.8-1", Source="openssl"), paragraph("openssl", "3.0.8-1")
    report = scanned(informed, debian(*packages)).report
    (finding,) = (one for one in report["findings"] if one["rule"] == "CVE-2023-0464")
    assert (finding["subject"]["name"], finding["count"]) == ("openssl", 2)
    assert finding["evidence"]["compared"] == "openssl 3.0.8-1"
    assert finding["evidence"]["source"] == "debian"


def test_a_library_that_debian_packaged_is_not_matched_by_pypi(informed: Holdfast) -> None:
    library = python("requests", "2.19.1")
    (path,) = library
    owned = {"var/lib/dpkg/info/python3-requests.list": f"/.\n/{path.rpartition('/')[0]}\n/{path}\n"}
    base = debian(paragraph("python3-requests", "2.28.1+dfsg-1", Source="requests")) | library
    alone, with_owner = scanned(informed, base).report, scanned(informed, base | owned).report
    assert "CVE-2018-18074" in by_rule(alone)
    assert "CVE-2018-18074" not in by_rule(with_owner)
    (listed,) = (one for one in with_owner["packages"] if one["type"] == "pypi")
    assert (listed["name"], listed["version"]) == ("requests", "2.19.1")
    assert listed["owner"].startswith("pkg:deb/debian/python3-requests@")


def test_what_only_a_lock_file_names_is_told_apart(informed: Holdfast) -> None:
    declared = scanned(informed, {}, lock(lodash="4.17.15")).report
    installed = scanned(informed, {}, node("lodash", "4.17.15")).report
    assert declared["packages"][0]["origin"] == "declared"
    assert "origin" not in installed["packages"][0] or installed["packages"][0]["origin"] == "installed"
    doubtful, certain = (by_rule(one)["CVE-2021-23337"] for one in (declared, installed))
    assert doubtful["location"]["path"] == "srv/package-lock.json"
    assert doubtful["evidence"]["risk"] < certain["evidence"]["risk"]
    assert doubtful["confidence"] != certain["confidence"] == "high"


def test_what_is_known_to_be_exploited_says_so_and_comes_first(informed: Holdfast) -> None:
    packages = paragraph("bash", "4.3-9"), paragraph("libssl3", "3.0.8-1", Source="openssl")
    outcome = scanned(informed, debian(*packages), flags=("-o", "table=table.txt"))
    first = outcome.report["findings"][0]
    assert first["evidence"]["known_exploited"]["added"] >= "2022-01-28"
    assert by_rule(outcome.report)["CVE-2014-6271"]["evidence"]["known_exploited"]["due"]
    risks = [finding["evidence"]["risk"] for finding in outcome.report["findings"]]
    assert risks == sorted(risks, reverse=True)
    assert "known exploited: CVE-2014-6271" in (informed.home / "table.txt").read_text()


def test_a_malicious_package_is_malware(informed: Holdfast) -> None:
    finding = by_rule(scanned(informed, {}, python("bramin", "0.0.3")).report)["PYSEC-2026-578"]
    assert (finding["kind"], finding["severity"]) == ("malware", "critical")


def test_the_side_that_has_to_move_is_told(informed: Holdfast) -> None:
    base, application = debian(paragraph("bash", "4.3-9")), python("Jinja2", "2.10")
    report = scanned(informed, base, application).report
    assert report["base"] == {"layers": 1, "decided_by": "history"}
    found = by_rule(report)
    assert found["CVE-2014-6271"]["location"] == {
        "path": "var/lib/dpkg/status", "diff_id": digest(layer(base)), "layer": report["layers"][0]["digest"],
        "created_by": "ADD rootfs /", "side": "base",
    }  # fmt: skip
    assert found["CVE-2014-6271"]["fix"] == {
        "state": "fixed", "version": "4.3-9.1", "side": "base",
        "advice": "move to a base image with bash 4.3-9.1 or later",
    }  # fmt: skip
    (path,) = application
    assert found["CVE-2019-10906"]["location"] == {
        "path": path, "diff_id": digest(layer(application)), "layer": report["layers"][1]["digest"],
        "created_by": "COPY . /srv", "side": "application",
    }  # fmt: skip
    assert found["CVE-2019-10906"]["fix"]["side"] == "application"
    assert "2.10.1" in found["CVE-2019-10906"]["fix"]["advice"]


def test_a_package_that_the_application_added_is_not_the_bases(informed: Holdfast) -> None:
    """The status file of the upper layer repeats what the base had: only what is new there is the application's."""
    bash, openssl = paragraph("bash", "4.3-9"), paragraph("libssl3", "3.0.8-1", Source="openssl")
    base, application = debian(bash), debian(bash, openssl)
    found = by_rule(scanned(informed, base, application).report)
    assert found["CVE-2014-6271"]["location"]["diff_id"] == digest(layer(base))
    assert found["CVE-2014-6271"]["fix"]["side"] == "base"
    assert found["CVE-2023-0464"]["location"]["diff_id"] == digest(layer(application))
    assert found["CVE-2023-0464"]["fix"]["side"] == "application"
    assert found["CVE-2023-0464"]["fix"]["advice"].startswith("upgrade to 3.0.9-1: apt-get")


def test_fail_on_is_exit_1_for_a_complete_scan_and_0_below_or_without(informed: Holdfast) -> None:
    application = python("Jinja2", "2.10") | node("lodash", "4.17.15")
    outcome = scanned(informed, alpine(("musl", "1.2.5-r9", "musl"), release="edge"), application)
    assert (outcome.code, outcome.report["status"]) == (0, "complete")
    assert outcome.report["not_checked"] == []
    assert set(outcome.report["checked"]) == {"Alpine:edge", "PyPI", "npm"}
    target = f"oci:{informed.home / 'image'}"
    for severity, code in {"medium": 1, "high": 1, "critical": 0}.items():
        assert informed("scan", target, *QUIET, "--fail-on", severity).code == code, severity
    # What is not shown does not count.
    assert informed("scan", target, *QUIET, "--fail-on", "high", "--severity", "low").code == 0


def test_a_clean_image_is_exit_0_and_said_to_be(informed: Holdfast) -> None:
    clean = alpine(("musl", "1.2.5-r9", "musl"), release="edge"), python("Jinja2", "3.1.6")
    outcome = scanned(informed, *clean, flags=("--fail-on", "unknown", "-o", "table=table.txt"))
    assert (outcome.code, outcome.report["findings"]) == (0, [])
    assert "none known in 2 packages" in (informed.home / "table.txt").read_text()


def test_an_unsupported_release_is_never_complete(informed: Holdfast) -> None:
    outcome = scanned(informed, alpine(("musl", "1.2.5-r9", "musl"), release="3.18.4"), flags=("--fail-on", "low"))
    assert (outcome.code, outcome.report["status"]) == (3, "partial")
    assert "distribution.end-of-life" in outcome.problems


def test_a_distribution_without_data_is_catalogued_and_not_checked(informed: Holdfast) -> None:
    base = debian(paragraph("bash", "4.3-9"))
    base["etc/os-release"] = 'ID=kali\nID_LIKE=debian\nVERSION_ID="2026.1"\nPRETTY_NAME="Kali GNU/Linux"\n'
    outcome = scanned(informed, base, python("Jinja2", "2.10"))
    assert (outcome.code, outcome.report["not_checked"]) == (3, ["Kali GNU/Linux"])
    assert {finding["subject"]["name"] for finding in outcome.report["findings"]} == {"jinja2"}


def test_what_has_no_fix_is_left_out_when_asked(informed: Holdfast) -> None:
    application = program("go1.22.3", "golang.org/x/crypto v0.16.0")
    everything = scanned(informed, {}, application).report["findings"]
    unfixed = [finding for finding in everything if finding["fix"].get("state", "affected") != "fixed"]
    assert unfixed
    outcome = scanned(informed, {}, application, flags=("--ignore-unfixed",))
    assert outcome.report["findings"] == [finding for finding in everything if finding not in unfixed]
    (note,) = (problem for problem in outcome.report["problems"] if problem["code"] == "filter.hidden")
    assert note.get("count", 1) == len(unfixed)


@pytest.mark.parametrize("form", ["cyclonedx", "cyclonedx-1.7"])
def test_through_its_own_bill_of_materials_an_image_has_the_same_vulnerabilities(informed: Holdfast, form: str) -> None:
    base = debian(paragraph("bash", "4.3-9"), paragraph("libssl3", "3.0.8-1+b2", Source="openssl (3.0.8-1)"))
    owned = python("requests", "2.19.1")
    base |= owned | {"var/lib/dpkg/info/bash.list": "".join(f"/{path}\n" for path in owned)}
    application = (
        python("Jinja2", "2.10")
        | node("@babel/traverse", "7.12.0")
        | lock(lodash="4.17.15")
        | program("go1.22.3", "golang.org/x/crypto v0.16.0")
    )
    direct = scanned(informed, base, application, flags=("-o", f"{form}=bom.json")).report
    through = informed("scan", "sbom:bom.json", "--offline", "-q", "-f", "json").report
    assert len(direct["findings"]) > 100
    assert through["packages"] == direct["packages"]
    told = ("rule", "fingerprint", "kind", "severity", "confidence", "subject", "evidence", "fix")
    assert [[one.get(key) for key in told] for one in through["findings"]] == [
        [one.get(key) for key in told] for one in direct["findings"]
    ]
    assert (through["status"], through["checked"]) == (direct["status"], direct["checked"])
