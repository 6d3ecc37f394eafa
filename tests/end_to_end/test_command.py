"""What a person meets: help, exit codes, formats, files, and words when something is wrong."""

import json
from pathlib import Path

import pytest

from end_to_end.command import Holdfast
from world import image, layer

STATUS = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\nMaintainer: D <d@debian.org>\n"
FILES = {"etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "var/lib/dpkg/status": STATUS.format("bash", "5.2.15-2")}
LOG4J = "srv/node_modules/{0}/package.json"


@pytest.fixture
def an_image(tmp_path: Path) -> Path:
    lodash = {LOG4J.format("lodash"): '{"name": "lodash", "version": "4.17.15"}'}
    return image(tmp_path, [layer(FILES), layer(lodash)], history=["ADD rootfs /", "COPY . /srv"])


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["scan", "--help"], ["db", "--help"], ["db", "update", "-h"]]
)
def test_help(holdfast: Holdfast, arguments: list[str]) -> None:
    outcome = holdfast(*arguments)
    assert outcome.code == 0
    assert "Usage: holdfast" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_version(holdfast: Holdfast) -> None:
    assert holdfast("--version").out.startswith("holdfast 0.")


@pytest.mark.parametrize(
    "arguments",
    [["scna"], ["scan"], ["scan", "x", "--nonsense"], ["scan", "x", "--format", "xml"], ["scan", "x", "-o", "json"],
     ["scan", "x", "--only", "magic"], ["scan", "x", "--severity", "awful"], ["scan", "x", "--fail-on", "awful"]],
)  # fmt: skip
def test_wrong_usage_is_exit_2(holdfast: Holdfast, arguments: list[str]) -> None:
    outcome = holdfast(*arguments)
    assert outcome.code == 2
    assert "Error" in outcome.err


def test_findings_without_fail_on_are_no_failure_but_a_starter_is_incomplete(
    holdfast: Holdfast, an_image: Path
) -> None:
    outcome = holdfast("scan", f"oci:{an_image}", "--offline", "-f", "json", "--only", "vulnerabilities")
    report = outcome.report
    assert outcome.code == 3
    assert report["status"] == "partial"
    assert report["database"]["starter"] is True
    assert {finding["evidence"]["source"] for finding in report["findings"]} == {"starter"}
    assert "CVE-2021-23337" in {finding["rule"] for finding in report["findings"]}
    assert any("debian" in name.lower() for name in report["not_checked"])


def test_what_was_not_checked_is_one_line_with_its_remedy(holdfast: Holdfast, an_image: Path) -> None:
    outcome = holdfast("scan", f"oci:{an_image}", "--offline")
    assert "holdfast db update" in outcome.out
    assert "starter" in outcome.out
    assert "lodash" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_only_packages_asks_for_no_database_and_is_complete(holdfast: Holdfast, an_image: Path) -> None:
    outcome = holdfast("scan", f"oci:{an_image}", "--only", "packages", "-f", "json")
    assert outcome.code == 0
    assert outcome.report["findings"] == []
    assert outcome.report["database"] is None


def test_several_outputs_at_once(holdfast: Holdfast, an_image: Path) -> None:
    outcome = holdfast(
        "scan",
        f"oci:{an_image}",
        "--offline",
        "-o",
        "json=r.json",
        "-o",
        "sarif=r.sarif",
        "-o",
        "cyclonedx-1.7=r.cdx.json",
    )
    assert "lodash" in outcome.out
    for name, key in (("r.json", "schema"), ("r.sarif", "runs"), ("r.cdx.json", "bomFormat")):
        assert key in json.loads((holdfast.home / name).read_text())
    assert not [one for one in holdfast.home.iterdir() if one.name.startswith(".r.")], "no half-written file is left"


def test_fail_on_is_exit_1_only_for_a_complete_scan(holdfast: Holdfast, an_image: Path) -> None:
    assert holdfast("scan", f"oci:{an_image}", "--offline", "--fail-on", "high", "-q").code == 3


def test_a_bill_of_materials_gives_the_same_packages(holdfast: Holdfast, an_image: Path) -> None:
    direct = holdfast("scan", f"oci:{an_image}", "--offline", "-f", "json", "--only", "vulnerabilities")
    assert holdfast("sbom", f"oci:{an_image}", "-o", "bom.json").code == 0
    through = holdfast("scan", "sbom:bom.json", "--offline", "-f", "json")
    assert [one["purl"] for one in through.report["packages"]] == [one["purl"] for one in direct.report["packages"]]
    assert through.report["findings"] != []
    rules = [[(one["rule"], one["fingerprint"]) for one in r.report["findings"]] for r in (direct, through)]
    assert rules[0] == rules[1]


def test_three_scans_say_the_same(holdfast: Holdfast, an_image: Path) -> None:
    reports = [holdfast("scan", f"oci:{an_image}", "--offline", "-f", "json").report for _ in range(3)]
    for report in reports:
        del report["statistics"], report["created"]
    assert reports[0] == reports[1] == reports[2]


def test_a_base_is_registered_listed_used_and_forgotten(holdfast: Holdfast, an_image: Path, tmp_path: Path) -> None:
    base = image(tmp_path, [layer(FILES)], name="base")
    assert holdfast("base", "add", f"oci:{base}", "--name", "our-debian").code == 0
    assert "our-debian" in holdfast("base", "list").out
    report = holdfast("scan", f"oci:{an_image}", "--only", "packages", "-f", "json").report
    assert report["base"] == {"layers": 1, "decided_by": "registered", "name": "our-debian"} | {
        key: report["base"][key] for key in report["base"] if key == "digest"
    }
    assert holdfast("scan", f"oci:{an_image}", "--only", "packages", "--base", "our-debian").code == 0
    assert holdfast("base", "remove", "our-debian").code == 0
    assert holdfast("base", "list").out == ""
    assert holdfast("base", "remove", "our-debian").code == 4


def test_a_base_that_is_not_known_is_said(holdfast: Holdfast, an_image: Path) -> None:
    outcome = holdfast("scan", f"oci:{an_image}", "--base", "nowhere", "--offline")
    assert outcome.code == 4
    assert "nowhere" in outcome.err


def test_explain(holdfast: Holdfast) -> None:
    assert "Why:" in holdfast("explain", "image.diff-id-mismatch").out
    assert "CVE-2021-44228" in holdfast("explain", "CVE-2021-44228").out
    assert holdfast("explain", "no.such-rule").code == 4


def test_coverage_lists_all_23(holdfast: Holdfast) -> None:
    outcome = holdfast("coverage", "--format", "json")
    assert len(json.loads(outcome.out)["countermeasures"]) == 23
    assert "not covered" in holdfast("coverage").out


def test_a_closed_pipe_is_neither_a_traceback_nor_a_finding(holdfast: Holdfast) -> None:
    outcome = holdfast(
        "-c", f"{holdfast.path} explain CVE-2021-44228 | true; exit ${{PIPESTATUS[0]}}", prefix=["bash"], bare=True
    )
    assert outcome.code in (0, 141)
    assert outcome.err == ""


def test_a_wrong_setting_is_told_with_its_place(holdfast: Holdfast, an_image: Path) -> None:
    folder = holdfast.home / ".config/holdfast"
    folder.mkdir(parents=True)
    (folder / "holdfast.toml").write_text("colour = true")
    outcome = holdfast("scan", f"oci:{an_image}")
    assert outcome.code == 4
    assert "holdfast.toml" in outcome.err


def test_places_are_the_users_where_there_is_no_home(holdfast: Holdfast, an_image: Path) -> None:
    for name in ("HOME", "HOLDFAST_CACHE", "HOLDFAST_DATA"):
        del holdfast.environment[name]
    holdfast.environment["XDG_CACHE_HOME"] = holdfast.environment["XDG_DATA_HOME"] = str(holdfast.home / "xdg")
    assert holdfast("scan", f"oci:{an_image}", "--only", "packages").code == 0
    assert (holdfast.home / "xdg/holdfast/layers").is_dir()
    assert not Path("/.cache/holdfast").exists()


def test_a_setting_of_the_environment_is_told_apart_from_the_file(holdfast: Holdfast, an_image: Path) -> None:
    holdfast.environment["HOLDFAST_OFFLINE"] = "perhaps"
    outcome = holdfast("scan", f"oci:{an_image}")
    assert outcome.code == 4
    assert "environment" in outcome.err


@pytest.mark.parametrize("outputs", [["-o", "json=-"], ["-o", "json=x", "-o", "sarif=x"]])
def test_outputs_that_cannot_be_meant_are_refused(holdfast: Holdfast, an_image: Path, outputs: list[str]) -> None:
    assert holdfast("scan", f"oci:{an_image}", "--offline", *outputs).code == 2


def test_explaining_a_family_of_rules(holdfast: Holdfast) -> None:
    outcome = holdfast("explain", "image.malicious-package")
    assert "Why:" in outcome.out
    assert "db update" not in outcome.out
