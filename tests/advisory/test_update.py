"""What an update leaves behind, whatever the servers do: never less than there was."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.advisory.database import Database
from holdfast.advisory.feed import Feed
from holdfast.advisory.kev import KevFeed
from holdfast.advisory.osv import OsvFeed
from holdfast.advisory.places import database_path
from holdfast.advisory.update import UpdateResult, addresses, update
from holdfast.model.advisory import SourceInfo
from holdfast.model.errors import InputError, StoreError
from holdfast.model.status import Gravity
from holdfast.settings import FeedSettings, Settings
from holdfast.transport.client import Client, Download
from holdfast.transport.deadline import Deadline
from holdfast.transport.retry import Retry
from transport.loopback import Exchange, Loopback, free_port, serve

SHARED = Path(__file__).parents[2].parent / "shared" / "feeds"
FEEDS: tuple[Feed, ...] = (OsvFeed(), KevFeed())
KEV = "/kev/known_exploited_vulnerabilities.json"


def osv(count: int, fixed: str = "2.0") -> bytes:
    """An `all.zip` of so many advisories for as many packages."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for number in range(count):
            span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
            package = {"ecosystem": "PyPI", "name": f"package-{number}"}
            record = {
                "id": f"PYSEC-2026-{number}",
                "modified": "2026-01-02T00:00:00Z",
                "affected": [{"package": package, "ranges": [span]}],
            }
            archive.writestr(f"PYSEC-2026-{number}.json", json.dumps(record))
    return sink.getvalue()


def kev(*cves: str) -> bytes:
    """CISA's catalogue with these entries."""
    entries = [{"cveID": cve, "dateAdded": "2026-01-01"} for cve in cves]
    return json.dumps({"dateReleased": "2026-02-03T00:00:00Z", "vulnerabilities": entries}).encode()


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve({"/osv/PyPI/all.zip": osv(10), KEV: kev("CVE-2026-0001")}) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, server: Loopback) -> Settings:
    feeds = FeedSettings(osv=server.url + "/osv", kev=server.url + "/kev", ecosystems=("PyPI",))
    return Settings(tmp_path / "cache", tmp_path / "data", feeds=feeds)


def run(settings: Settings, **named: object) -> UpdateResult:
    options: dict[str, object] = {"feeds": FEEDS, "deadline": Deadline.after(20)} | named
    retry = Retry(attempts=2, first=0.001, longest=0.001)
    with Client(retry=retry, offline=settings.offline) as client:
        return update(settings, client, **options)  # type: ignore[arg-type]


def fixed(settings: Settings, name: str = "package-0") -> list[str]:
    with Database.open(database_path(settings)) as database:
        return [row.fixed for row in database.lookup("PyPI", name)]


def sources(result: UpdateResult) -> dict[str, SourceInfo]:
    assert result.info is not None
    return {source.name: source for source in result.info.sources}


class TestUpdate:
    def test_the_first_one(self, world: Settings) -> None:
        result = run(world)
        assert (result.changed, result.problems) == (True, ())
        assert sources(result)["osv/PyPI"].records == 10
        assert fixed(world) == ["2.0"]

    def test_again_with_nothing_new_builds_nothing(self, world: Settings) -> None:
        first = run(world)
        before = database_path(world).stat()
        again = run(world)
        assert (again.changed, again.info) == (False, first.info)
        assert database_path(world).stat().st_ino == before.st_ino

    def test_again_with_something_new(self, world: Settings, server: Loopback) -> None:
        run(world)
        server.routes["/osv/PyPI/all.zip"] = osv(10, fixed="3.0")
        assert run(world).changed
        assert fixed(world) == ["3.0"]

    def test_a_fault_in_a_worker_is_that_files_failure(self, world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        run(world)
        download = Client.download

        def fail(client: Client, address: str, *arguments: Any, **named: Any) -> Download:
            if address.endswith("all.zip"):
                raise ZeroDivisionError
            return download(client, address, *arguments, **named)

        monkeypatch.setattr(Client, "download", fail)
        result = run(world, deadline=Deadline())
        assert [problem.message for problem in result.problems] == [
            "osv/PyPI (data of 2026-01-02 stays): could not be fetched: ZeroDivisionError"
        ]

    def test_the_servers_date_stands_where_a_file_states_none(self, world: Settings, server: Loopback) -> None:
        undated = json.dumps({"vulnerabilities": []}).encode()
        server.routes[KEV] = lambda e: e.answer(undated, Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")
        assert sources(run(world))["kev"].date == "1994-11-06T08:49:37"

    def test_only_some(self, world: Settings, server: Loopback) -> None:
        run(world, only=("kev",))
        assert server.paths == [KEV]
        with pytest.raises(InputError, match="no source is called"):
            run(world, only=("nvd",))

    def test_where_feeds_come_from(self, world: Settings, server: Loopback) -> None:
        assert [(feed.name, feed.address) for feed in addresses(world, FEEDS)] == [
            ("osv", server.url + "/osv"),
            ("kev", server.url + "/kev"),
        ]

    def test_a_damaged_database_is_made_anew(self, world: Settings) -> None:
        run(world)
        database_path(world).write_bytes(b"garbage")
        assert run(world).changed
        assert fixed(world) == ["2.0"]


class TestFailure:
    @pytest.fixture(autouse=True)
    def _full(self, world: Settings) -> None:
        run(world)

    @pytest.mark.parametrize("status", [404, 500])
    def test_a_feed_that_fails_keeps_its_data_and_says_so(self, world: Settings, server: Loopback, status: int) -> None:
        server.routes["/osv/PyPI/all.zip"] = lambda exchange: exchange.answer(b"", status)
        server.routes[KEV] = kev("CVE-2026-0001", "CVE-2026-0002")
        result = run(world)
        assert [problem.code for problem in result.problems] == ["feed.failed"]
        assert "data of 2026-01-02 stays" in result.problems[0].message
        assert sources(result)["osv/PyPI"].failure
        assert sources(result)["osv/PyPI"].date.startswith("2026-01-02")
        assert sources(result)["kev"].records == 2
        assert fixed(world) == ["2.0"]

    def test_once_it_works_again_the_failure_is_gone(self, world: Settings, server: Loopback) -> None:
        good, server.routes["/osv/PyPI/all.zip"] = server.routes["/osv/PyPI/all.zip"], b"garbage"
        assert sources(run(world))["osv/PyPI"].failure
        server.routes["/osv/PyPI/all.zip"] = good
        result = run(world)
        assert result.problems == ()
        assert sources(result)["osv/PyPI"].failure == ""

    @pytest.mark.parametrize(
        "body", [b"", b"garbage", osv(0), osv(4), osv(10)[:-200]], ids=["empty", "garbage", "none", "few", "cut"]
    )
    def test_worse_content_never_replaces_better(self, world: Settings, server: Loopback, body: bytes) -> None:
        server.routes["/osv/PyPI/all.zip"] = body
        result = run(world)
        assert sources(result)["osv/PyPI"].records == 10
        assert sources(result)["osv/PyPI"].failure
        assert [problem.gravity for problem in result.problems] == [Gravity.PARTIAL]
        assert fixed(world) == ["2.0"]

    def test_a_cut_transfer(self, world: Settings, server: Loopback) -> None:
        def behave(exchange: Exchange) -> None:
            exchange.head(Content_Length="100000")
            exchange.wfile.write(b"PK")
            exchange.cut()

        server.routes["/osv/PyPI/all.zip"] = behave
        assert run(world).problems[0].code == "feed.failed"
        assert fixed(world) == ["2.0"]

    def test_a_server_that_drips_until_the_deadline(self, world: Settings, server: Loopback) -> None:
        def behave(exchange: Exchange) -> None:
            exchange.head(Content_Length="100000")
            for _ in range(200):
                exchange.wfile.write(b".")
                time.sleep(0.02)

        server.routes["/osv/PyPI/all.zip"] = behave
        server.routes[KEV] = kev("CVE-2026-0003", "CVE-2026-0004")
        result = run(world, deadline=Deadline.after(0.5))
        assert sources(result)["kev"].records == 2
        assert "osv/PyPI" in result.problems[0].message

    def test_offline_nothing_is_asked_and_everything_stays(self, world: Settings, server: Loopback) -> None:
        server.asked.clear()
        result = run(replace(world, offline=True))
        assert not result.changed
        assert result.info is not None
        assert len(result.problems) == 1
        assert server.asked == []


class TestNothing:
    def test_no_server_at_all(self, tmp_path: Path) -> None:
        dead = f"http://127.0.0.1:{free_port()}"
        feeds = FeedSettings(osv=dead, kev=dead, ecosystems=("PyPI", "npm"))
        result = run(Settings(tmp_path / "cache", tmp_path / "data", feeds=feeds))
        assert (result.info, result.changed) == (None, False)
        assert [problem.count for problem in result.problems] == [3]  # one cause, said once

    def test_only_garbage(self, world: Settings, server: Loopback) -> None:
        server.routes.update({"/osv/PyPI/all.zip": b"garbage", KEV: b"garbage"})
        result = run(world)
        assert result.info is None
        assert not database_path(world).exists()
        assert result.problems

    def test_garbage_in_one_feed_is_a_failure_of_that_source(self, world: Settings, server: Loopback) -> None:
        server.routes[KEV] = b"garbage"
        result = run(world)
        assert sources(result)["kev"].failure
        assert sources(result)["osv/PyPI"].failure == ""
        server.routes[KEV] = kev("CVE-2026-0001")
        assert sources(run(world))["kev"].failure == ""

    def test_a_data_folder_that_cannot_be_made(self, world: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError):
            run(replace(world, data=tmp_path / "file" / "data"))


class TestFolder:
    def test_a_folder_laid_out_like_the_feeds(self, world: Settings, server: Loopback, tmp_path: Path) -> None:
        (tmp_path / "from/osv/PyPI").mkdir(parents=True)
        (tmp_path / "from/osv/PyPI/all.zip").write_bytes(osv(3, fixed="4.0"))
        result = run(replace(world, offline=True), folder=tmp_path / "from")
        assert result.changed
        assert fixed(world) == ["4.0"]
        assert server.asked == []
        assert not run(replace(world, offline=True), folder=tmp_path / "from").changed

    def test_a_folder_of_something_else(self, world: Settings, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not a folder of advisory feeds"):
            run(world, folder=tmp_path)


class TestAlone:
    def test_a_second_update_waits_and_says_so(self, world: Settings) -> None:
        import fcntl

        world.data.mkdir(parents=True)
        said: list[str] = []
        with (world.data / "advisories.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StoreError, match="another update is running"):
                run(world, deadline=Deadline.after(0.3), say=said.append)
        assert said == ["waiting for another update to finish"]
        assert run(world).changed

    def test_killed_at_any_moment_the_old_database_stays_good(self, world: Settings, server: Loopback) -> None:
        run(world)
        program = (
            "import sys; from pathlib import Path; from holdfast.settings import *;"
            "from holdfast.advisory.update import *; from holdfast.advisory.osv import OsvFeed;"
            "from holdfast.advisory.kev import KevFeed;"
            "feeds = FeedSettings(osv=sys.argv[3], kev=sys.argv[4], ecosystems=('PyPI',));"
            "s = Settings(Path(sys.argv[1]), Path(sys.argv[2]), feeds=feeds);"
            "update(s, Client(), feeds=(OsvFeed(), KevFeed()), say=lambda text: print(text, flush=True))"
        )
        arguments = [world.cache, world.data, world.feeds.osv, world.feeds.kev]
        for turn, words in enumerate(("fetching", "building")):
            server.routes["/osv/PyPI/all.zip"] = osv(3000, fixed=f"5.{turn}")
            with subprocess.Popen(
                [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True
            ) as process:
                assert process.stdout is not None
                while words not in process.stdout.readline():
                    assert process.poll() is None
                os.kill(process.pid, signal.SIGKILL)
            with Database.open(database_path(world)) as database:
                assert database.info().sources
            assert fixed(world) in (["2.0"], [f"5.{turn}"])
        assert run(world).problems == ()
        assert fixed(world) == ["5.1"]


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared advisory data is not here")
def test_the_shared_feeds(tmp_path: Path) -> None:
    with Client(offline=True) as client:
        result = update(Settings(tmp_path / "cache", tmp_path / "data"), client, folder=SHARED)
    assert sources(result)["osv/PyPI"].records > 6000
    assert not [problem for problem in result.problems if problem.code == "feed.failed"]
