"""What a person meets of the store: findings, trend, diff and rescan, after scans that were kept."""

import contextlib
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daemons.postgresql import Server, postgresql
from end_to_end.command import Holdfast
from holdfast.cli.main import holdfast as command
from holdfast.cli.stored import decode_report
from holdfast.model.errors import InputError
from holdfast.model.finding import Confidence, ConfigurationEvidence, Finding, Kind, Location, Severity, Subject
from holdfast.model.package import Distribution
from holdfast.model.report import Report, Target
from holdfast.model.status import Problem, Status
from holdfast.report import writer
from holdfast.store.inbox import drop
from report.reports import DATABASE, deb, digest, finding, misstated, pypi, report, tampered
from world import image, layer

OPENSSL, FLASK = deb("openssl", "3.0.11-1"), pypi("flask", "2.0.0")
OPENSSL_CVE = finding(OPENSSL, "CVE-2026-0001", "critical", fixed="3.0.12-1", risk=90)
FLASK_CVE = finding(FLASK, "CVE-2026-0002", "medium")
ROOT = Finding(
    "image.root-user",
    Kind.CONFIGURATION,
    Severity.MEDIUM,
    Confidence.HIGH,
    Subject("example.com/team/app:1.0"),
    ConfigurationEvidence("USER is not set", "a user that is not root"),
    Location("etc/passwd", line=3),
    title="Containers of this image run as root",
)
APP = "example.com/team/app"


def scanned(*findings: Finding, day: int = 1, tag: str = "1.0", **fields: Any) -> Report:
    given: dict[str, Any] = {
        "target": Target(f"{APP}:{tag}", "registry", digest(f"manifest {day}")),
        "created": f"2026-11-{day:02}T10:00:00+00:00",
        "packages": (OPENSSL, FLASK),
    }
    return report(*findings, **(given | fields))


@pytest.fixture
def kept(holdfast: Holdfast) -> Holdfast:
    """Two scans: one finding went, two came."""
    drop(holdfast.data, scanned(OPENSSL_CVE, FLASK_CVE), {})
    moved = deb("openssl", "3.0.12-1")
    drop(holdfast.data, scanned(FLASK_CVE, ROOT, tampered(), day=2, tag="1.1", packages=(moved, FLASK)), {})
    return holdfast


def fits(text: str) -> bool:
    return max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [["findings"], ["findings", "list"], ["findings", "show"], ["findings", "accept"], ["findings", "reopen"],
     ["trend"], ["diff"], ["rescan"]],
)  # fmt: skip
def test_help(arguments: list[str]) -> None:
    outcome = CliRunner().invoke(command, [*arguments, "--help"])
    assert outcome.exit_code == 0
    assert fits(outcome.output)


@pytest.mark.parametrize(
    "arguments",
    [["findings", "list", "--kind", "bugs"], ["findings", "list", "--severity", "awful"], ["trend"],
     ["findings", "list", "--since", "yesterday"], ["findings", "list", "--since", "٧d"], ["diff", "one"],
     ["findings", "accept", "abcd"], ["findings", "accept", "abcd", "--reason", "r"], ["trend", "x", "-n", "0"],
     ["diff", "a", "b", "--fail-on-new", "awful"], ["findings", "list", "--since", "9" * 5000 + "d"]],
)  # fmt: skip
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    outcome = CliRunner().invoke(command, arguments)
    assert outcome.exit_code == 2
    assert "Error" in outcome.output


def test_before_the_first_scan_there_is_nothing_and_it_says_so(holdfast: Holdfast) -> None:
    assert "No scan is stored yet" in holdfast("findings", "list").out
    for arguments in (["trend", "x"], ["rescan"], ["rescan", "x"], ["diff", "x", "y"], ["findings", "show", "abcdef"]):
        outcome = holdfast(*arguments)
        assert outcome.code == 4
        assert outcome.err.startswith("holdfast: ")
        assert "→" in outcome.err


def test_findings_are_listed_with_what_names_them(kept: Holdfast) -> None:
    outcome = kept("findings", "list")
    assert outcome.code == 0
    assert "3 open findings" in outcome.out
    assert outcome.out.index("image.layer-digest-mismatch") < outcome.out.index("CVE-2026-0002")
    assert re.search(rf"{FLASK_CVE.fingerprint[:8]}\s+medium\s+CVE-2026-0002\s+flask 2.0.0\s+2026-11-01", outcome.out)
    assert "CVE-2026-0001" not in outcome.out
    assert "CVE-2026-0001" in kept("findings", "list", "--state", "gone").out
    assert "gone" in kept("findings", "list", "--state", "all", "--severity", "critical").out
    only = kept("findings", "list", "--target", f"{APP}:1.0", "--kind", "configuration", "-f", "json").report
    assert [(one["rule"], one["state"]) for one in only["findings"]] == [("image.root-user", "open")]
    assert all(fits(kept("findings", "list", "--state", state).out) for state in ("open", "gone", "all"))


def test_a_finding_is_shown_with_evidence_place_and_history(kept: Holdfast) -> None:
    outcome = kept("findings", "show", ROOT.fingerprint[:8])
    for words in ("image.root-user", "USER is not set", "a user that is not root", "etc/passwd:3", "run as root",
                  "2026-11-02 10:00  first seen", APP, ROOT.fingerprint):  # fmt: skip
        assert words in outcome.out
    gone = kept("findings", "show", OPENSSL_CVE.fingerprint)
    assert re.search(r"2026-11-02 10:00\s+gone \(scan [0-9a-f]{8}\)", gone.out)
    assert "gone since 2026-11-02" in gone.out
    assert fits(outcome.out + gone.out)
    (detail,) = kept("findings", "show", OPENSSL_CVE.fingerprint, "-f", "json").report["findings"]
    assert detail["finding"]["evidence"]["advisory"] == "CVE-2026-0001"
    assert [event["what"] for event in detail["history"]] == ["gone"]


def test_accepting_and_reopening(kept: Holdfast) -> None:
    name = FLASK_CVE.fingerprint[:6]
    accepted = kept(
        "findings", "accept", name, "--reason", "not reachable", "--owner", "ann", "--expires", "2999-01-31"
    )
    assert accepted.code == 0
    assert "accepted until 2999-01-31" in accepted.out
    assert "CVE-2026-0002" not in kept("findings", "list").out
    assert "CVE-2026-0002" in kept("findings", "list", "--state", "accepted").out
    shown = kept("findings", "show", name).out
    assert "accepted by ann until 2999-01-31: not reachable" in shown
    assert kept("findings", "reopen", name, "--reason", "it is reachable").code == 0
    assert "CVE-2026-0002" in kept("findings", "list").out
    again = kept("findings", "reopen", name)
    assert (again.code, "not accepted" in again.err) == (4, True)
    past = kept("findings", "accept", name, "--reason", "r", "--owner", "o", "--expires", "2020-01-01")
    assert (past.code, "has passed" in past.err) == (4, True)


def test_the_trend_shows_each_scan_with_a_bar(kept: Holdfast) -> None:
    outcome = kept("trend", APP)
    first, second = [line for line in outcome.out.splitlines() if "█" in line]
    assert re.search(r"2026-11-01 10:00\s+1\s+1\s+\+2\s+·\s+█", first)
    assert re.search(r"2026-11-02 10:00\s+1\s+2\s+\+2\s+-1\s+█", second)
    assert first.count("█") < second.count("█")
    assert fits(outcome.out)
    scans = kept("trend", f"{APP}:1.0", "-f", "json").report["scans"]
    assert [(one["name"], one["new"]) for one in scans] == [(f"{APP}:1.0", 2)]


def test_two_scans_are_compared_by_target_id_and_file(kept: Holdfast, tmp_path: Path) -> None:
    by_target = kept("diff", f"{APP}~1", APP)
    assert by_target.code == 0
    assert "2 new, 1 gone, 0 changed, 1 the same" in by_target.out
    assert re.search(r"~ deb\s+openssl\s+3.0.11-1 → 3.0.12-1", by_target.out)
    assert fits(by_target.out)
    old, new = (scan["id"] for scan in kept("trend", APP, "-f", "json").report["scans"])
    file = tmp_path / "report.json"
    json_writer = writer("json")
    assert json_writer is not None
    with file.open("wb") as stream:
        json_writer.write(scanned(OPENSSL_CVE, FLASK_CVE), stream)
    differences = [
        kept("diff", *names, "-f", "json").report["difference"]
        for names in ((old, new), (file, new), (file, APP), (f"{APP}:1.0", f"{APP}:1.1"), (old[:6], f"{APP}~0"))
    ]
    assert all(one == differences[0] for one in differences)
    assert [one["rule"] for one in differences[0]["gone"]] == ["CVE-2026-0001"]
    assert kept("diff", file, file).code == 0
    assert kept("diff", APP, f"{APP}~2").code == 4


def test_what_changed_in_a_finding_is_said(holdfast: Holdfast, tmp_path: Path) -> None:
    worse = finding(FLASK, "CVE-2026-0002", "critical", fixed="2.0.1")
    for name, one in (("old", FLASK_CVE), ("new", worse)):
        (tmp_path / name).write_bytes(_json(scanned(one, misstated(4))))
    outcome = holdfast("diff", tmp_path / "old", tmp_path / "new")
    assert "0 new, 0 gone, 1 changed, 1 the same" in outcome.out
    assert "severity medium → critical" in outcome.out
    assert "fixed in nothing → 2.0.1" in " ".join(outcome.out.split())
    assert not list(holdfast.data.glob("store*"))  # two files need no store


@pytest.mark.parametrize(
    ("severity", "fields", "code"),
    [("high", {}, 1), ("critical", {}, 1), ("low", {}, 1), ("critical", {"findings": (ROOT,)}, 0),
     ("high", {"status": Status.PARTIAL}, 3), ("high", {"status": Status.FAILED}, 3)],
)  # fmt: skip
def test_a_new_finding_can_fail_a_build(tmp_path: Path, severity: str, fields: dict[str, Any], code: int) -> None:
    (tmp_path / "old").write_bytes(_json(scanned()))
    (tmp_path / "new").write_bytes(_json(replace(scanned(OPENSSL_CVE), **fields)))
    arguments = ["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--fail-on-new", severity]
    assert CliRunner().invoke(command, arguments).exit_code == code


def test_a_stored_inventory_is_matched_again_and_only_what_is_new_is_said(holdfast: Holdfast) -> None:
    django = pypi("django", "2.2.0")
    first = scanned(
        finding(django, "CVE-0000-0001"), ROOT, packages=(django,), distribution=None, created="2026-01-01T00:00:00Z",
        database=replace(DATABASE, starter=True), problems=(Problem("layer.unreadable", "a layer is cut off"),),
    )  # fmt: skip
    drop(holdfast.data, first, {})
    outcome = holdfast("rescan", "--offline")
    assert outcome.code == 3
    assert "CVE-" in outcome.out
    assert "a layer is cut off" in outcome.out
    assert fits(outcome.out)
    again = holdfast("rescan", "--offline", APP)
    assert "nothing new" in again.out
    assert "CVE-" not in again.out
    told = holdfast("rescan", "--offline", "--all", "-f", "json").report["targets"][0]
    assert told["new"] == []
    assert {one["finding"]["subject"]["name"] for one in told["findings"]} == {"django"}
    scans = holdfast("trend", APP, "-f", "json").report["scans"]
    assert [scan["origin"] for scan in scans] == ["scan", "rescan", "rescan", "rescan"]
    assert "configuration" in scans[-1]["counts"]
    (root,) = holdfast("findings", "list", "--kind", "configuration", "-f", "json").report["findings"]
    assert root["last_seen"] == "2026-01-01T00:00:00+00:00"


def test_a_rescan_without_advisories_stores_nothing(kept: Holdfast) -> None:
    outcome = kept("rescan", "--offline")
    assert outcome.code == 3
    assert "not matched" in outcome.out
    assert len(kept("trend", APP, "-f", "json").report["scans"]) == 2


def test_a_scan_of_the_command_is_kept(holdfast: Holdfast, tmp_path: Path) -> None:
    files = {"srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}'}
    target = f"oci:{image(tmp_path, [layer(files)])}"
    assert holdfast("scan", target, "--offline", "-q").code == 3
    assert holdfast("scan", target, "--offline", "-q").code == 3
    assert "lodash" in holdfast("findings", "list", "--target", target).out
    assert len(holdfast("trend", target, "-f", "json").report["scans"]) == 2
    assert "0 new, 0 gone" in holdfast("diff", f"{target}~1", target).out


def test_names_that_would_command_a_terminal_are_shown_as_escapes(holdfast: Holdfast) -> None:
    evil = finding(pypi("\x1b[31mevil\u202e\udcff", "1\n2"), "CVE-\x1b]0;x\x07", "high", title="\x1b[2J")
    drop(holdfast.data, scanned(evil, packages=(pypi("\x1b[31mevil\udcff", "1"),), day=1), {})
    drop(holdfast.data, replace(scanned(day=2), distribution=Distribution("\x1b")), {})
    for arguments in (
        ["findings", "list", "--state", "all"], ["findings", "show", evil.fingerprint], ["diff", f"{APP}~1", APP],
        ["trend", APP], ["findings", "list", "--state", "all", "-f", "json"], ["diff", f"{APP}~1", APP, "-f", "json"],
        ["findings", "accept", evil.fingerprint, "--reason", "\x1b[0m", "--owner", "\x1b"],
    ):  # fmt: skip
        outcome = holdfast(*arguments)
        assert outcome.code == 0, outcome.err
        assert not {"\x1b", "\x07", "\u202e"} & {*outcome.out} or "-f" in arguments


def test_a_damaged_store_is_said_and_left_alone(kept: Holdfast) -> None:
    path = kept.data / "store.db"
    path.write_bytes(b"SQLite format 3\0 and then nothing")
    for arguments in (["findings", "list"], ["trend", APP], ["rescan"], ["diff", "x", "y"]):
        outcome = kept(*arguments)
        assert outcome.code == 4
        assert "the store is damaged" in outcome.err
    assert path.read_bytes() == b"SQLite format 3\0 and then nothing"


def test_a_newer_store_is_refused(kept: Holdfast) -> None:
    assert kept("findings", "list").code == 0
    with sqlite3.connect(kept.data / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    outcome = kept("findings", "list")
    assert outcome.code == 4
    assert "a newer version of Holdfast made this store" in outcome.err


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as it:
        yield it


@pytest.mark.slow
def test_the_same_commands_on_postgresql(kept: Holdfast, server: Server) -> None:
    kept.environment["HOLDFAST_STORE"] = server.database()
    assert "3 open findings" in kept("findings", "list").out
    assert "2 new, 1 gone" in kept("diff", f"{APP}~1", APP).out
    assert not (kept.data / "store.db").exists()
    kept.environment["HOLDFAST_STORE"] = "postgresql://ann:s3cret@127.0.0.1:1/db"
    outcome = kept("findings", "list")
    assert outcome.code == 4
    assert "postgresql://127.0.0.1/db" in outcome.err
    assert "s3cret" not in outcome.err


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_no_report_is_an_input_error(data: st.DataObject) -> None:
    whole = _json(scanned(OPENSSL_CVE, ROOT, tampered(), misstated()))
    at, cut = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 30))
    middle = data.draw(st.one_of(st.binary(max_size=40), st.sampled_from([b"[" * 100_000, b'"\\ud800"', b"9" * 6000])))
    changed = whole[:at] + middle + whole[at + cut :]
    with contextlib.suppress(InputError):
        assert isinstance(decode_report(changed, "here"), Report)


@pytest.mark.parametrize("content", ["{}", "{" + '"a":[' * 100_000])
def test_a_file_that_is_no_report_is_said_in_words(holdfast: Holdfast, tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    outcome = holdfast("diff", tmp_path / "report.json", tmp_path / "report.json")
    assert outcome.code == 4
    assert outcome.err.startswith("holdfast: ")


def _json(one: Report) -> bytes:
    stream = io.BytesIO()
    found = writer("json")
    assert found is not None
    found.write(one, stream)
    assert json.loads(stream.getvalue())["schema"] == "holdfast.report/1"
    return stream.getvalue()
