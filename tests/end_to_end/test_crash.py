"""kill -9 at any moment, several at once, places that cannot be written: cache and database stay good."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.samples import paragraph, status
from end_to_end.command import Holdfast
from world import image, layer

LAYERS = 6
DAY = 24 * 3600

# Ends the command, as kill -9 does, in front of the so-many-th thing that it does to a file, or of a rename to a path.
_ENDS = """
import os, sys
moment = sys.argv.pop(1)
left = int(moment) if moment.isdigit() else None
def watch(event, arguments):
    global left
    if left is None:
        if event == "os.rename" and os.fspath(arguments[1]).endswith(moment):
            os.kill(os.getpid(), 9)
        return
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "sqlite3.connect"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(watch)
from holdfast.cli.main import run
sys.argv[0] = "holdfast"
run()
"""


def ended(holdfast: Holdfast, moment: int | str, *arguments: object) -> bool:
    """Whether the command was killed at that moment; otherwise it had done all it had to do."""
    outcome = holdfast("-c", _ENDS, moment, *arguments, prefix=[sys.executable], bare=True)
    assert outcome.code in (-signal.SIGKILL, 0, 3), outcome.err
    return outcome.code == -signal.SIGKILL


def killed(holdfast: Holdfast, seconds: float, *arguments: object) -> None:
    """The command, killed after so many seconds where it takes longer."""
    with holdfast.start(*arguments) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)


def moments(seed: int, number: int, longest: float) -> list[float]:
    """Times to kill at: random, and the same in every run."""
    chance = random.Random(seed)
    return [chance.uniform(0, longest) for _ in range(number)]


def an_image(where: Path) -> str:
    """Several layers, each of which takes a moment to read and brings packages of its own."""
    chance = random.Random(1)
    base = {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "var/lib/dpkg/status": status(*(paragraph(f"package-{number}") for number in range(200))),
    }
    layers = [layer(base)]
    for number in range(1, LAYERS):
        files: dict[str, bytes | str] = {f"srv/{number}/{name}": chance.randbytes(20_000) for name in range(100)}
        files |= {
            f"srv/{number}/node_modules/lodash/package.json": f'{{"name": "lodash", "version": "4.17.{number}"}}',
            f"srv/{number}/node_modules/own-{number}/package.json": f'{{"name": "own-{number}", "version": "1.0.0"}}',
        }
        layers.append(layer(files))
    return f"oci:{image(where, layers)}"


SCAN = ("--only", "vulnerabilities", "--offline", "-q", "-f", "json")


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs from run to run, and from place to place: whether the report itself was kept."""
    problems = [problem for problem in report["problems"] if problem["code"] != "store.not-kept"]
    return {key: value for key, value in report.items() if key not in ("statistics", "created")} | {
        "problems": problems
    }


def undisturbed(holdfast: Holdfast, target: str) -> tuple[dict[str, Any], float]:
    """The report of a scan with a cold cache of its own, and how many seconds it took."""
    cache = holdfast.environment["HOLDFAST_CACHE"]
    holdfast.environment["HOLDFAST_CACHE"] = str(holdfast.home / "untouched")
    began = time.monotonic()
    report = lasting(holdfast("scan", target, *SCAN).report)
    holdfast.environment["HOLDFAST_CACHE"] = cache
    assert len(report["packages"]) == 200 + 2 * (LAYERS - 1)
    assert len(report["findings"]) > LAYERS
    return report, time.monotonic() - began


def files_below(folder: Path) -> set[str]:
    """What a scan or an update leaves there, but for what the store, the keys and the packs are made of."""
    names = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {str(name) for name in names if name.parts[0] not in ("store", "keys", "packs")}


def age(folder: Path) -> None:
    """As if all that lies there had been left there days ago."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (time.time() - 3 * DAY,) * 2, follow_symlinks=False)


@pytest.mark.parametrize("kills", [10, pytest.param(80, marks=pytest.mark.slow)])
def test_a_scan_killed_at_any_moment_leaves_a_good_cache(tmp_path: Path, holdfast: Holdfast, kills: int) -> None:
    target = an_image(tmp_path)
    expected, seconds = undisturbed(holdfast, target)
    for turn, moment in enumerate(moments(kills, kills, seconds)):
        killed(holdfast, moment, "scan", target, *SCAN)
        if turn % 10 == 9:
            assert lasting(holdfast("scan", target, *SCAN).report) == expected
            shutil.rmtree(holdfast.cache)
    killed(holdfast, seconds * 0.8, "scan", target, *SCAN)
    first, again = (holdfast("scan", target, *SCAN).report for _ in range(2))
    assert lasting(first) == lasting(again) == expected
    assert again["statistics"]["layers_cached"] == LAYERS


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_scan_killed_before_any_change_to_a_file_leaves_a_good_cache(
    tmp_path: Path, holdfast: Holdfast, step: int
) -> None:
    target = an_image(tmp_path)
    expected, _ = undisturbed(holdfast, target)
    things = 0
    while ended(holdfast, things, "scan", target, *SCAN):
        assert lasting(holdfast("scan", target, *SCAN).report) == expected
        shutil.rmtree(holdfast.cache)
        things += step
    assert things > 2 * LAYERS


def test_a_damaged_cache_entry_is_not_used(tmp_path: Path, holdfast: Holdfast) -> None:
    """Whatever stands where a record should: half of one, another layer's, nothing, noise."""
    target = an_image(tmp_path)
    expected, _ = undisturbed(holdfast, target)
    holdfast("scan", target, *SCAN)
    entries = sorted(path for path in holdfast.cache.rglob("sha256-*") if path.is_file())
    assert len(entries) == LAYERS
    whole = [entry.read_bytes() for entry in entries]
    for damage in (whole[0][: len(whole[0]) // 2], whole[1], b"", random.Random(2).randbytes(500)):
        entries[0].write_bytes(damage)
        report = holdfast("scan", target, *SCAN).report
        assert lasting(report) == expected
        assert report["statistics"]["layers_cached"] == LAYERS - 1
        assert holdfast("scan", target, *SCAN).report["statistics"]["layers_cached"] == LAYERS


def test_what_killed_scans_leave_behind_does_not_add_up(tmp_path: Path, holdfast: Holdfast) -> None:
    target = an_image(tmp_path)
    holdfast("scan", target, *SCAN)
    clean = files_below(holdfast.cache)
    for _ in range(3):
        shutil.rmtree(holdfast.cache / "verified", ignore_errors=True)
        for entry in holdfast.cache.rglob("sha256-*"):
            entry.unlink()
        for things in (1, 2, 3):
            assert ended(holdfast, things, "scan", target, *SCAN)
    age(holdfast.cache)
    holdfast("scan", target, *SCAN)
    assert files_below(holdfast.cache) == clean


@pytest.mark.parametrize("together", [2, 4])
def test_scans_at_the_same_time_say_the_same(tmp_path: Path, holdfast: Holdfast, together: int) -> None:
    target = an_image(tmp_path)
    expected, _ = undisturbed(holdfast, target)
    for _ in range(2):
        shutil.rmtree(holdfast.cache, ignore_errors=True)
        flags = ("--offline", "-q", "--only", "vulnerabilities", "-o")
        running = [holdfast.start("scan", target, *flags, f"json={number}.json") for number in range(together)]
        assert [process.wait(60) for process in running] == [3] * together
        for number in range(together):
            assert lasting(json.loads((holdfast.home / f"{number}.json").read_text())) == expected
        assert not [name for name in files_below(holdfast.cache) if ".part-" in name]


# The database.


def feeds(where: Path, version: str, records: int = 150) -> Path:
    """A small folder of feeds, in which every advisory says that `version` fixed it."""
    for ecosystem in ("PyPI", "npm"):
        folder = where / "osv" / ecosystem
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            for number in range(records):
                package = {"ecosystem": ecosystem, "name": "lodash" if not number else f"package-{number}"}
                ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": version}]}]
                one = {"id": f"CVE-2026-{number:04}", "modified": "2026-01-01T00:00:00Z",
                       "affected": [{"package": package, "ranges": ranges}]}  # fmt: skip
                archive.writestr(f"{one['id']}.json", json.dumps(one))
    (where / "kev").mkdir()
    entry = {"cveID": "CVE-2026-0000", "dateAdded": "2026-02-01"}
    (where / "kev/known_exploited_vulnerabilities.json").write_text(json.dumps({"vulnerabilities": [entry]}))
    return where


@pytest.fixture
def two_feeds(tmp_path: Path, holdfast: Holdfast) -> dict[str, Path]:
    """Two folders by the hash of the database made of each; neither database is there."""
    folders = [feeds(tmp_path / "5", "5.0.0"), feeds(tmp_path / "6", "6.0.0")]
    found = {}
    for folder in folders:
        assert holdfast("db", "update", "--from", folder, "-q").code == 0
        found[sha(holdfast)] = folder
        shutil.rmtree(holdfast.data)
        shutil.rmtree(holdfast.cache)
    assert len(found) == 2
    return found


def sha(holdfast: Holdfast) -> str:
    """The hash that the database has, once it was opened."""
    outcome = holdfast("db", "status", "-f", "json")
    assert outcome.code == 0, outcome.err
    told: str = json.loads(outcome.out)["sha256"]
    return told


def other(two_feeds: dict[str, Path], now: str) -> Path:
    (folder,) = (folder for name, folder in two_feeds.items() if name != now)
    return folder


def is_of(holdfast: Holdfast, folder: Path, tmp_path: Path) -> None:
    """An undisturbed update from the folder does its work, and a scan finds what it says and nothing else."""
    outcome = holdfast("db", "update", "--from", folder, "-q")
    assert (outcome.code, outcome.err) == (0, "")
    package = {"srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}'}
    outcome = holdfast("scan", f"oci:{image(tmp_path, [layer(package)])}", *SCAN)
    assert (outcome.code, outcome.report["status"]) == (0, "complete")
    assert [one["fix"]["version"] for one in outcome.report["findings"]] == [f"{folder.name}.0.0"]


@pytest.mark.parametrize("kills", [10, pytest.param(80, marks=pytest.mark.slow)])
def test_an_update_killed_at_any_moment_leaves_the_old_database_or_the_new(
    tmp_path: Path, holdfast: Holdfast, two_feeds: dict[str, Path], kills: int
) -> None:
    began = time.monotonic()
    assert holdfast("db", "update", "--from", next(iter(two_feeds.values())), "-q").code == 0
    seconds = time.monotonic() - began
    now = sha(holdfast)
    for moment in moments(kills, kills, seconds):
        killed(holdfast, moment, "db", "update", "--from", other(two_feeds, now), "-q")
        now = sha(holdfast)
        assert now in two_feeds
    is_of(holdfast, other(two_feeds, now), tmp_path)
    age(holdfast.data)
    is_of(holdfast, two_feeds[now], tmp_path)
    assert {name for name in files_below(holdfast.data) if not name.startswith("feeds/")} == {
        "advisories.sqlite", "advisories.lock",
    }  # fmt: skip


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_an_update_killed_before_any_change_to_a_file(
    tmp_path: Path, holdfast: Holdfast, two_feeds: dict[str, Path], step: int
) -> None:
    assert holdfast("db", "update", "--from", next(iter(two_feeds.values())), "-q").code == 0
    now, things = sha(holdfast), 0
    while ended(holdfast, things, "db", "update", "--from", other(two_feeds, now), "-q"):
        now = sha(holdfast)
        assert now in two_feeds
        things += step
    assert things > 10
    is_of(holdfast, other(two_feeds, sha(holdfast)), tmp_path)
    age(holdfast.data)
    is_of(holdfast, other(two_feeds, sha(holdfast)), tmp_path)
    feeds_of_it = {"feeds/holdings.json", "feeds/kev/known_exploited_vulnerabilities.json",
                   "feeds/osv/PyPI/all.zip", "feeds/osv/npm/all.zip"}  # fmt: skip
    assert files_below(holdfast.data) == {"advisories.sqlite", "advisories.lock"} | feeds_of_it


@pytest.mark.parametrize(
    "moment", ["data/advisories.sqlite", "data/feeds/osv/PyPI/all.zip", "data/feeds/osv/npm/all.zip", "holdings.json"]
)
def test_an_update_killed_around_the_swap_can_be_taken_back(
    tmp_path: Path, holdfast: Holdfast, two_feeds: dict[str, Path], moment: str
) -> None:
    """What is in the database and what is noted of it must not come apart: the old feeds are news again then."""
    old, new = two_feeds.values()
    is_of(holdfast, old, tmp_path)
    assert ended(holdfast, moment, "db", "update", "--from", new, "-q")
    is_of(holdfast, old, tmp_path)
    is_of(holdfast, new, tmp_path)


def test_the_very_first_update_killed_leaves_none_or_a_whole_one(
    tmp_path: Path, holdfast: Holdfast, two_feeds: dict[str, Path]
) -> None:
    name, folder = next(iter(two_feeds.items()))
    for things in range(0, 100, 20):
        shutil.rmtree(holdfast.data, ignore_errors=True)
        shutil.rmtree(holdfast.cache, ignore_errors=True)
        if not ended(holdfast, things, "db", "update", "--from", folder, "-q"):
            break
        if (holdfast.data / "advisories.sqlite").exists():
            assert sha(holdfast) == name
        else:
            outcome = holdfast("db", "status")
            assert (outcome.code, "no advisory database" in outcome.err) == (4, True)
    is_of(holdfast, folder, tmp_path)
    assert sha(holdfast) == name


def test_scans_during_an_update_have_the_old_database_or_the_new(
    tmp_path: Path, holdfast: Holdfast, two_feeds: dict[str, Path]
) -> None:
    first, second = two_feeds
    is_of(holdfast, two_feeds[first], tmp_path)
    reports = []
    with holdfast.start("db", "update", "--from", two_feeds[second], "-q") as update:
        while update.poll() is None:
            outcome = holdfast("scan", f"oci:{tmp_path / 'image'}", *SCAN)
            assert (outcome.code, outcome.report["status"]) == (0, "complete")
            reports.append(outcome.report)
    assert update.returncode == 0
    for report in reports:
        fixed = {finding["fix"]["version"] for finding in report["findings"]}
        assert fixed == {f"{two_feeds[report['database']['sha256']].name}.0.0"}
    assert sha(holdfast) == second


def test_updates_at_the_same_time_wait_for_each_other(holdfast: Holdfast, two_feeds: dict[str, Path]) -> None:
    running = [holdfast.start("db", "update", "--from", folder, "-q") for folder in two_feeds.values()]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sha(holdfast) in two_feeds


# Places that cannot be written. A superuser is stripped of what lets it write everywhere.

_PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.fixture
def powerless() -> list[str]:
    """What to put before a command so that permissions count."""
    if _PLAIN and (shutil.which("setpriv") is None or subprocess.run([*_PLAIN, "true"], check=False).returncode):
        pytest.skip("a superuser writes everywhere, and setpriv cannot take that away here")
    return _PLAIN


def lock_up(*folders: Path) -> dict[Path, set[str]]:
    """Take all write permissions away; what is in these folders now."""
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
    return {folder: files_below(folder) for folder in folders}


@pytest.fixture
def unlocked(holdfast: Holdfast) -> Iterator[None]:
    """Gives write permissions back in the end, so that the folder can be removed."""
    yield
    for path in [holdfast.home, *holdfast.home.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
def test_places_that_cannot_be_written_are_no_hindrance(
    tmp_path: Path, holdfast: Holdfast, powerless: list[str], filled: bool
) -> None:
    target = an_image(tmp_path)
    assert holdfast("db", "update", "--from", feeds(tmp_path / "6", "6.0.0"), "-q").code == 0
    expected = holdfast("scan", target, *SCAN)
    if not filled:
        shutil.rmtree(holdfast.cache)
        holdfast.cache.mkdir()
    before = lock_up(holdfast.cache, holdfast.data)
    outcome = holdfast("scan", target, *SCAN, prefix=[*powerless])
    assert (outcome.code, lasting(outcome.report)) == (expected.code, lasting(expected.report))
    assert outcome.report["statistics"].get("layers_cached", 0) == (LAYERS if filled else 0)
    assert before == {folder: files_below(folder) for folder in before}


@pytest.mark.usefixtures("unlocked")
def test_places_that_cannot_even_be_made_are_no_hindrance(
    tmp_path: Path, holdfast: Holdfast, powerless: list[str]
) -> None:
    target = an_image(tmp_path)
    expected, _ = undisturbed(holdfast, target)
    locked = holdfast.home / "locked"
    locked.mkdir()
    holdfast.environment |= {"HOLDFAST_CACHE": str(locked / "cache"), "HOLDFAST_DATA": str(locked / "data")}
    before = lock_up(locked)
    outcome = holdfast("scan", target, *SCAN, prefix=[*powerless])
    assert lasting(outcome.report) == expected
    assert before == {locked: files_below(locked)}


@pytest.mark.usefixtures("unlocked")
def test_an_update_that_cannot_write_says_so(tmp_path: Path, holdfast: Holdfast, powerless: list[str]) -> None:
    folder = feeds(tmp_path / "6", "6.0.0")
    assert holdfast("db", "update", "--from", folder, "-q").code == 0
    now = sha(holdfast)
    lock_up(holdfast.data)
    outcome = holdfast("db", "update", "--from", feeds(tmp_path / "5", "5.0.0"), "-q", prefix=[*powerless])
    assert outcome.code == 4
    assert str(holdfast.data) in outcome.err
    assert sha(holdfast) == now
