"""Every Store keeps the same promises, whether it is SQLite or PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from daemons.postgresql import Server, postgresql
from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError, NotFound
from holdfast.model.finding import (
    Confidence,
    Finding,
    Kind,
    Location,
    SecretEvidence,
    Severity,
    Subject,
)
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.store.inbox import drop
from holdfast.store.open import open_store
from holdfast.store.sql import SqlStore
from holdfast.store.store import Origin, Selection, State, Tracked, Triage, What
from report.reports import DATABASE, deb, digest, finding, misstated, pypi, report, tampered

OPENSSL = deb("openssl", "3.0.11-1")
FLASK = pypi("flask", "2.0.0")
OPENSSL_CVE = finding(OPENSSL, "CVE-2026-0001", "critical", fixed="3.0.12-1", risk=90)
FLASK_CVE = finding(FLASK, "CVE-2026-0002", "medium")
TOKEN = Finding(
    "secret.github-token",
    Kind.SECRET,
    Severity.HIGH,
    Confidence.HIGH,
    Subject("srv/app/.env"),
    SecretEvidence("ghp_…9f2a", digest("key")[7:39], 40),
    Location("srv/app/.env"),
)
EVERYTHING = ("packages", "vulnerabilities", "secrets", "malware", "configuration")
TODAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    """Says what day it is, until it is told otherwise."""

    def __init__(self) -> None:
        self.now = TODAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as it:
        yield it


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    address: str = request.getfixturevalue("server").database()
    return address


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(location: str, tmp_path: Path, clock: Clock) -> Iterator[SqlStore]:
    with open_store(location, tmp_path, now=clock, keep=3) as it:
        yield it


def scanned(*findings: Finding, day: int = 1, target: str = "example.com/team/app:1.0", **fields: Any) -> Report:
    """A whole scan of an image in a registry, on a day of November."""
    given: dict[str, Any] = {
        "target": Target(target, "registry", digest(f"manifest {day}"), platform=Platform("linux", "amd64")),
        "created": f"2026-11-{day:02}T10:00:00+00:00",
        "packages": (OPENSSL, FLASK),
        "engines": EVERYTHING,
    }
    return report(*findings, **(given | fields))


def states(store: SqlStore, target: str = "") -> dict[str, State]:
    return {one.rule: one.state for one in store.findings(Selection(target, state=None))}


def only(found: tuple[Tracked, ...]) -> Tracked:
    assert len(found) == 1
    return found[0]


# What is kept of a scan


def test_a_scan_is_remembered_with_its_numbers_its_report_and_its_sources(store: SqlStore) -> None:
    kept = scanned(OPENSSL_CVE, FLASK_CVE, TOKEN)
    saved = store.save(kept, {"etc/apt/sources.list": b"deb http://deb.example bookworm main\n\xff"})
    (scan,) = store.scans("example.com/team/app")
    assert (scan.id, scan.target, scan.name) == (saved.id, "example.com/team/app", "example.com/team/app:1.0")
    assert (scan.platform, scan.kind, scan.digest) == ("linux/amd64", "registry", digest("manifest 1"))
    assert (scan.created, scan.status, scan.origin) == ("2026-11-01T10:00:00+00:00", Status.COMPLETE, Origin.SCAN)
    assert (scan.tool, scan.database, scan.packages) == ("holdfast 0.1.0", "2026-10-30", 2)
    assert scan.counts == {
        Kind.VULNERABILITY: {Severity.CRITICAL: 1, Severity.MEDIUM: 1},
        Kind.SECRET: {Severity.HIGH: 1},
    }
    assert (scan.new, scan.gone, scan.has_report) == (3, 0, True)
    assert store.report(scan.id) == kept
    assert store.sources(scan.id) == {"etc/apt/sources.list": b"deb http://deb.example bookworm main\n\xff"}
    assert store.scan(scan.id[:8]) == scan


def test_what_is_not_there_is_nothing_and_no_error(store: SqlStore) -> None:
    assert store.targets() == ()
    assert store.scans("nginx") == ()
    assert store.findings(Selection()) == ()
    assert store.scan("0123456789abcdef") is None
    assert store.scan("not an id") is None
    assert store.report("0123456789abcdef") is None
    assert store.accepted("nginx") == ()
    assert store.sources("0123456789abcdef") == {}


def test_only_the_newest_reports_stay_whole_and_all_numbers_do(store: SqlStore) -> None:
    for day in range(1, 6):
        store.save(scanned(OPENSSL_CVE, day=day), {"a": b"b"})
    scans = store.scans("example.com/team/app")
    assert [scan.created[8:10] for scan in scans] == ["05", "04", "03", "02", "01"]
    assert [scan.has_report for scan in scans] == [True, True, True, False, False]
    assert store.report(scans[3].id) is None
    assert store.sources(scans[3].id) == {}
    assert all(scan.counts[Kind.VULNERABILITY][Severity.CRITICAL] == 1 for scan in scans)


def test_names_that_are_not_utf_8_come_back_as_they_were(store: SqlStore) -> None:
    odd = finding(pypi("odd\udc80\0", "1", locations=("srv/\udcff\u202e\0/METADATA",)), "CVE-2026-0009")
    kept = scanned(odd, target="dir:/srv/\udcff", packages=())
    saved = store.save(kept, {"etc/apt/\udcff": b"x"})
    assert store.report(saved.id) == kept
    assert store.sources(saved.id) == {"etc/apt/\udcff": b"x"}
    one = only(store.findings(Selection()))
    assert one.fingerprint == odd.fingerprint
    assert one.path == "srv/\\udcff\u202e\\x00/METADATA"
    assert store.detail(one.fingerprint)[0].finding == odd
    store.save(replace(kept, created="2026-11-02T10:00:00+00:00"), {})
    assert only(store.findings(Selection())).last_seen[8:10] == "02"


def test_names_may_be_as_long_as_an_attacker_likes(store: SqlStore) -> None:
    name = f"dir:/{'x' * 100_000}"
    long = finding(pypi("y" * 100_000, "1"), "CVE-" + "z" * 100_000)
    target = Target(name, "dir", platform=Platform("o" * 100_000, "\0\udcff"))
    for day in (1, 2):
        store.save(replace(scanned(long, day=day), target=target, tool="t" * 100_000), {})
    assert len(store.scans(name)) == 2
    assert only(store.findings(Selection(name))).rule == long.rule


def test_many_that_save_at_once_lose_nothing(store: SqlStore) -> None:
    def save(number: int) -> str:
        return store.save(scanned(OPENSSL_CVE, FLASK_CVE, day=1 + number % 5, target=f"app{number % 2}:1"), {}).id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(save, range(24)))
    found = [scan.id for target in ("app0", "app1") for scan in store.scans(target)]
    assert sorted(found) == sorted(ids)
    assert len(store.findings(Selection(state=None))) == 4


# Which scans are of the same target


def test_another_tag_and_digest_is_the_same_target_and_another_platform_is_not(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, target="nginx:1.27"), {})
    store.save(scanned(OPENSSL_CVE, target=f"docker.io/library/nginx@{digest('a')}", day=2), {})
    arm = Target("nginx:1.27", "registry", platform=Platform("linux", "arm64"))
    store.save(replace(scanned(day=3), target=arm), {})
    engine = Target("docker:nginx", "docker", platform=Platform("linux", "amd64"))
    store.save(replace(scanned(day=4), target=engine), {})
    assert [(one.target, one.platform, one.scans) for one in store.targets()] == [
        ("docker.io/library/nginx", "linux/amd64", 2),
        ("docker.io/library/nginx", "linux/arm64", 1),
        ("docker:docker.io/library/nginx", "linux/amd64", 1),
    ]
    assert only(store.findings(Selection("nginx"))).first_seen[8:10] == "01"


def test_a_tag_that_was_typed_picks_its_own_scans_where_there_are_any(store: SqlStore) -> None:
    for day, tag in enumerate(("1.0", "2.0", "1.0"), 1):
        store.save(scanned(target=f"example.com/app:{tag}", day=day), {})

    def days(target: str) -> list[str]:
        return [scan.created[8:10] for scan in store.scans(target)]

    assert days("example.com/app:1.0") == ["03", "01"]
    assert days("example.com/app:2.0") == ["02"]
    assert days("example.com/app") == days("example.com/app:9.9") == ["03", "02", "01"]


def test_a_folder_is_the_same_from_wherever_it_is_named(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store.save(replace(scanned(OPENSSL_CVE), target=Target("app", "dir")), {})
    store.save(replace(scanned(OPENSSL_CVE, day=2), target=Target(f"dir:{tmp_path}/x/../app", "dir")), {})
    assert [one.scans for one in store.targets()] == [2]
    for name in ("app", "./app", f"{tmp_path}/app", f"dir:{tmp_path}/app"):
        assert len(store.scans(name)) == 2


# Findings through time


def test_a_finding_is_one_through_all_scans_and_knows_since_when(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE), {})
    newer = finding(deb("openssl", "3.0.11-2"), "CVE-2026-0001", "high", risk=70)
    assert newer.fingerprint == OPENSSL_CVE.fingerprint
    saved = store.save(scanned(newer, day=9), {})
    assert saved.new == saved.returned == saved.gone == ()
    one = only(store.findings(Selection()))
    assert (one.first_seen[8:10], one.last_seen[8:10], one.state) == ("01", "09", State.OPEN)
    assert (one.version, one.severity, one.risk) == ("3.0.11-2", Severity.HIGH, 70)
    (detail,) = store.detail(one.fingerprint[:6])
    assert detail.finding == newer
    assert detail.history == ()


def test_one_cause_in_many_places_of_a_report_is_one_finding_with_a_count(store: SqlStore) -> None:
    worse = replace(misstated(3), severity=Severity.HIGH)
    store.save(scanned(misstated(40), worse), {})
    one = only(store.findings(Selection()))
    assert (one.count, one.severity) == (43, Severity.HIGH)


def test_what_is_not_affected_is_no_finding_and_one_that_becomes_so_is_gone(store: SqlStore) -> None:
    unaffected = finding(OPENSSL, "CVE-2026-0001", state="not-affected")
    store.save(scanned(unaffected), {})
    assert store.findings(Selection(state=None)) == ()
    store.save(scanned(OPENSSL_CVE, day=2), {})
    assert store.save(scanned(unaffected, day=3), {}).gone == (OPENSSL_CVE.fingerprint,)


def test_what_disappears_is_gone_and_what_comes_back_is_open_again(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, FLASK_CVE), {})
    assert store.save(scanned(FLASK_CVE, day=2), {}).gone == (OPENSSL_CVE.fingerprint,)
    assert states(store) == {"CVE-2026-0001": State.GONE, "CVE-2026-0002": State.OPEN}
    assert only(store.findings(Selection(state=State.GONE))).gone_since[8:10] == "02"
    saved = store.save(scanned(OPENSSL_CVE, FLASK_CVE, day=3), {})
    assert saved.returned == (OPENSSL_CVE.fingerprint,)
    assert states(store)["CVE-2026-0001"] is State.OPEN
    (detail,) = store.detail(OPENSSL_CVE.fingerprint)
    assert [(event.what, event.at[8:10]) for event in detail.history] == [(What.GONE, "02"), (What.RETURNED, "03")]
    assert detail.history[1].scan == saved.id
    assert [(scan.new, scan.gone) for scan in store.scans("example.com/team/app")] == [(1, 0), (0, 1), (2, 0)]


def test_a_scan_that_did_not_look_says_nothing_of_what_it_did_not_see(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, TOKEN, tampered()), {})
    store.save(scanned(day=2, engines=("packages",), database=None), {})
    assert states(store)["image.layer-digest-mismatch"] is State.GONE
    assert states(store)["CVE-2026-0001"] is states(store)["secret.github-token"] is State.OPEN
    store.save(scanned(day=3, engines=("secrets",), database=None), {})
    assert states(store)["CVE-2026-0001"] is State.OPEN
    assert states(store)["secret.github-token"] is State.GONE
    assert only(store.findings(Selection())).last_seen[8:10] == "01"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.FAILED, "packages": ()},
        {"problems": (Problem("layer.unreadable", "a layer is cut off"),)},
        {"database": replace(DATABASE, starter=True)},
        {"not_checked": ("Debian 12",)},
        {"problems": (Problem("image.attested", "no layer was read", Gravity.NOTE),)},
        {"problems": (Problem("filter.hidden", "findings left out", Gravity.NOTE),)},
    ],
)
def test_a_scan_that_saw_less_than_the_one_before_proves_nothing_gone(store: SqlStore, fields: dict[str, Any]) -> None:
    store.save(scanned(OPENSSL_CVE), {})
    assert store.save(scanned(day=2, **fields), {}).gone == ()
    assert states(store) == {"CVE-2026-0001": State.OPEN}
    assert store.save(scanned(day=3), {}).gone == (OPENSSL_CVE.fingerprint,)


def test_what_no_scan_ever_could_see_hides_nothing_that_disappears(store: SqlStore) -> None:
    gap: dict[str, Any] = {"problems": (Problem("archive.no-mirror", "out of reach"),), "not_checked": ("npm",)}
    store.save(scanned(OPENSSL_CVE, **gap), {})
    assert store.save(scanned(day=2, **gap), {}).gone == (OPENSSL_CVE.fingerprint,)


def test_a_vulnerability_goes_with_its_package_whatever_the_advisories(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE), {})
    less = scanned(day=2, packages=(FLASK,), not_checked=("Debian 12",))
    assert store.save(less, {}).gone == (OPENSSL_CVE.fingerprint,)


def test_a_rescan_looks_at_vulnerabilities_alone(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, TOKEN), {})
    saved = store.save(scanned(FLASK_CVE, day=2), {}, Origin.RESCAN)
    assert saved.new == (FLASK_CVE.fingerprint,)
    assert saved.gone == (OPENSSL_CVE.fingerprint,)
    assert states(store)["secret.github-token"] is State.OPEN
    assert store.scans("example.com/team/app")[0].origin is Origin.RESCAN
    kept = store.save(scanned(TOKEN, day=3), {}, Origin.RESCAN)
    assert kept.gone == (FLASK_CVE.fingerprint,)
    assert only(store.findings(Selection())).last_seen[8:10] == "01"


def test_a_scan_that_arrives_late_changes_only_since_when(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, day=5), {})
    late = store.save(scanned(OPENSSL_CVE, FLASK_CVE, day=2), {})
    assert late.gone == ()
    assert states(store) == {"CVE-2026-0001": State.OPEN, "CVE-2026-0002": State.GONE}
    assert only(store.findings(Selection())).first_seen[8:10] == "02"
    assert [scan.created[8:10] for scan in store.scans("example.com/team/app")] == ["05", "02"]


def test_findings_are_listed_by_what_is_asked_gravest_first(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, TOKEN), {})
    store.save(scanned(OPENSSL_CVE, FLASK_CVE, TOKEN, day=8), {})
    store.save(scanned(finding(FLASK, "CVE-2026-0003", "low"), target="other:1"), {})

    def rules(**fields: Any) -> list[str]:
        return [one.rule for one in store.findings(Selection(**fields))]

    assert rules() == ["CVE-2026-0001", "secret.github-token", "CVE-2026-0002", "CVE-2026-0003"]
    assert rules(target="other") == ["CVE-2026-0003"]
    assert rules(kinds=(Kind.SECRET,)) == ["secret.github-token"]
    assert rules(severities=(Severity.MEDIUM, Severity.LOW)) == ["CVE-2026-0002", "CVE-2026-0003"]
    assert rules(since="2026-11-07") == ["CVE-2026-0002"]
    assert rules(state=State.GONE) == rules(state=State.ACCEPTED) == []
    with pytest.raises(NotFound, match="no scan of this target"):
        store.findings(Selection("never-seen"))


# Triage


def test_to_accept_takes_a_reason_and_an_owner(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, FLASK_CVE), {})
    for triage in (Triage("", "ann"), Triage("not reachable", " "), Triage(" ", "")):
        with pytest.raises(InputError, match="a reason and an owner"):
            store.accept(OPENSSL_CVE.fingerprint, triage)
    for day in ("soon", "2026-13-01", "2026-1-1", "٢٠٢٧-٠١-٠١", "2026-11-19"):
        with pytest.raises(InputError, match="day"):
            store.accept(OPENSSL_CVE.fingerprint, Triage("not reachable", "ann", day))
    assert set(states(store).values()) == {State.OPEN}
    one = only(store.accept(OPENSSL_CVE.fingerprint[:8], Triage("not reachable", "ann", "2026-12-24")))
    assert one.state is State.ACCEPTED
    assert one.triage == Triage("not reachable", "ann", "2026-12-24", "2026-11-20T12:00:00+00:00")
    (held,) = store.accepted("example.com/team/app:1.0")
    assert (held.fingerprint, held.rule, held.reason, held.owner, held.expires) == (
        OPENSSL_CVE.fingerprint, "CVE-2026-0001", "not reachable", "ann", "2026-12-24",
    )  # fmt: skip
    assert states(store) == {"CVE-2026-0001": State.ACCEPTED, "CVE-2026-0002": State.OPEN}


def test_what_was_accepted_is_open_again_the_day_after_it_expires(store: SqlStore, clock: Clock) -> None:
    store.save(scanned(OPENSSL_CVE), {})
    store.accept(OPENSSL_CVE.fingerprint, Triage("until the release", "ann", "2026-11-21"))
    clock.now = TODAY + timedelta(days=1)
    assert states(store) == {"CVE-2026-0001": State.ACCEPTED}
    clock.now = TODAY + timedelta(days=2)
    assert states(store) == {"CVE-2026-0001": State.OPEN}
    assert store.accepted("example.com/team/app") == ()
    assert only(store.findings(Selection())).triage is not None
    assert store.findings(Selection(state=State.ACCEPTED)) == ()


def test_what_was_accepted_stays_so_through_rebuilds_and_absence(store: SqlStore) -> None:
    store.save(scanned(OPENSSL_CVE, FLASK_CVE), {})
    store.accept(OPENSSL_CVE.fingerprint, Triage("not reachable", "ann"))
    store.save(scanned(FLASK_CVE, day=2), {})
    assert states(store)["CVE-2026-0001"] is State.GONE
    assert store.accepted("example.com/team/app") == ()
    store.save(scanned(OPENSSL_CVE, FLASK_CVE, day=3), {})
    assert states(store)["CVE-2026-0001"] is State.ACCEPTED
    (detail,) = store.detail(OPENSSL_CVE.fingerprint)
    assert {event.what for event in detail.history} == {What.ACCEPTED, What.GONE, What.RETURNED}


def test_accepting_can_be_taken_back_and_the_history_says_all(store: SqlStore, clock: Clock) -> None:
    store.save(scanned(OPENSSL_CVE), {})
    with pytest.raises(InputError, match="not accepted"):
        store.reopen(OPENSSL_CVE.fingerprint)
    store.accept(OPENSSL_CVE.fingerprint, Triage("not reachable", "ann", "2027-01-01"))
    clock.now += timedelta(hours=1)
    assert only(store.reopen(OPENSSL_CVE.fingerprint, "it is")).state is State.OPEN
    (detail,) = store.detail(OPENSSL_CVE.fingerprint)
    assert [(event.what, event.reason, event.owner, event.expires) for event in detail.history] == [
        (What.ACCEPTED, "not reachable", "ann", "2027-01-01"),
        (What.REOPENED, "it is", "", ""),
    ]
    assert detail.tracked.triage is None


def test_a_finding_of_many_targets_is_accepted_in_all_or_in_one(store: SqlStore) -> None:
    for target in ("one:1", "two:1", "three:1"):
        store.save(scanned(OPENSSL_CVE, target=target), {})
    name = OPENSSL_CVE.fingerprint
    assert len(store.accept(name, Triage("r", "o"), target="two")) == 1
    assert [len(store.accepted(target)) for target in ("one", "two", "three")] == [0, 1, 0]
    assert len(store.accept(name, Triage("r", "o"))) == 3
    assert len(store.reopen(name, target="one")) == 1
    assert len(store.reopen(name)) == 2
    assert len(store.detail(name)) == 3


def test_the_beginning_of_a_fingerprint_has_to_be_one_and_of_one_finding(store: SqlStore) -> None:
    found = [finding(deb(f"lib{number}", "1"), "CVE-2026-0001") for number in range(2000)]
    store.save(scanned(*found), {})
    prefixes = [one.fingerprint[:4] for one in found]
    twice = next(prefix for prefix in prefixes if prefixes.count(prefix) > 1)
    with pytest.raises(InputError, match="several"):
        store.detail(twice)
    for wrong in ("", "abc", "zzzz", "%%%%", "____", "a' or 1=1"):
        with pytest.raises(InputError, match="hexadecimal"):
            store.detail(wrong)
    with pytest.raises(NotFound):
        store.detail("f" * 32)


# The way in


def test_what_waits_in_the_inbox_is_stored_by_whoever_opens_it(location: str, tmp_path: Path) -> None:
    ids = [drop(tmp_path, scanned(OPENSSL_CVE, day=day), {"a": b"b"}) for day in (1, 2, 3)]
    with open_store(location, tmp_path) as store:
        assert store.problems == ()
        assert [scan.id for scan in store.scans("example.com/team/app")] == ids[::-1]
    assert list((tmp_path / "store" / "inbox").iterdir()) == []


def test_a_scan_that_was_stored_and_still_waits_is_not_stored_twice(location: str, tmp_path: Path) -> None:
    drop(tmp_path, scanned(OPENSSL_CVE), {})
    inbox = tmp_path / "store" / "inbox"
    (path,) = inbox.iterdir()
    data = path.read_bytes()
    for _ in range(2):
        with open_store(location, tmp_path) as store:
            assert len(store.scans("example.com/team/app")) == 1
        path.write_bytes(data)  # as a crash leaves it that came after the commit
