"""What a mirror's changelogs say of an image's outdated packages."""

import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from advisory.debian_archive import Deb, Key, archive, deb, signing_key, stanza
from holdfast.advisory.archive import ArchiveResult, applies_to, collect
from holdfast.advisory.database import Database
from holdfast.model.advisory import FixState
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.status import Gravity
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.transport.retry import Retry
from transport.loopback import Exchange, Loopback, serve

BOOKWORM = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm")
OLD = stanza("2.5.0-1+deb12u2", "Fix CVE-2026-0001.")
NEW = stanza("2.5.0-1+deb12u3", "Fix CVE-2026-0002, CVE-2026-0003.", urgency="high")
EXPAT = (
    deb("libexpat1", "2.5.0-1+deb12u3", None, source="expat"),
    deb("expat", "2.5.0-1+deb12u3", NEW + OLD, pad=4096),
)


def package(name: str, version: str, source: str = "", **named: object) -> Package:
    return Package(name, version, "deb", architecture="amd64", namespace="debian", source_name=source, **named)  # type: ignore[arg-type]


LIBEXPAT = package("libexpat1", "2.5.0-1+deb12u2", "expat")


class World:
    """A host whose apt sources name a mirror on this machine, and that scans images again and again."""

    def __init__(self, server: Loopback, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.signed_by = ""
        self.ledger = folder / "data" / "archive.sqlite"
        self.cache = folder / "cache"

    def unverified(self) -> Path:
        """The ledger of what an unsigned mirror said."""
        (path,) = self.ledger.parent.glob("archive-unverified-*.sqlite")
        return path

    def mirror(self, **suites: Sequence[Deb]) -> None:
        named = {name.replace("_", "-"): debs for name, debs in suites.items()}
        self.server.routes = archive(named | {"bookworm-updates": ()})

    def scan(
        self, *packages: Package, seconds: float = 20, offline: bool = False, distribution: Distribution = BOOKWORM
    ) -> ArchiveResult:
        lines = f"Types: deb\nURIs: {self.server.url}/debian\nSuites: bookworm\nComponents: main\n{self.signed_by}"
        with Client(retry=Retry(attempts=2, first=0.001, longest=0.001), offline=offline) as client:
            return collect(
                packages or (LIBEXPAT,), distribution, {}, client, self.ledger, cache=self.cache,
                deadline=Deadline.after(seconds), host_sources={"/etc/apt/a.sources": lines.encode()}, keyrings=(),
            )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serve() as server:
        made = World(server, tmp_path)
        made.mirror(bookworm=EXPAT[:1], bookworm_security=EXPAT)
        yield made


def fixes(result: ArchiveResult, name: str = "expat") -> dict[str, str]:
    """CVE → fixed version, as the database that matching reads has it."""
    assert result.path is not None
    with Database.open(result.path) as database:
        rows = database.lookup("Debian:12", name)
        headings = database.headings([row.advisory for row in rows])
        assert all(row.state is FixState.FIXED and row.urgency == "" for row in rows)
        assert all(heading.source == "archive" for heading in headings.values())
        return {headings[row.advisory].id: row.fixed for row in rows}


def codes(result: ArchiveResult) -> list[str]:
    return sorted({problem.code for problem in result.problems} - {"archive.not-verified"})


class TestCollect:
    def test_the_changelog_of_the_newest_package_says_what_was_fixed_when(self, world: World) -> None:
        result = world.scan()
        assert fixes(result) == {
            "CVE-2026-0001": "2.5.0-1+deb12u2",
            "CVE-2026-0002": "2.5.0-1+deb12u3",
            "CVE-2026-0003": "2.5.0-1+deb12u3",
        }
        assert (result.source.name, result.source.date, result.source.records) == ("archive", "2026-11-21", 1)
        assert codes(result) == []

    def test_a_second_scan_fetches_nothing(self, world: World) -> None:
        first = fixes(world.scan())
        world.server.asked.clear()
        assert fixes(world.scan()) == first
        assert world.server.asked == []
        assert fixes(world.scan(offline=True)) == first

    def test_a_package_that_is_up_to_date_costs_no_changelog(self, world: World) -> None:
        result = world.scan(package("libexpat1", "2.5.0-1+deb12u3", "expat"))
        assert fixes(result) == {}
        assert not [path for path in world.server.paths if path.endswith(".deb")]

    def test_what_was_looked_into_counts_as_known(self, world: World) -> None:
        result = world.scan(package("libexpat1", "2.5.0-1+deb12u3", "expat"))
        assert result.path is not None
        with Database.open(result.path) as database:
            assert database.holds("Debian:12")

    def test_a_later_upload_adds_to_what_is_known(self, world: World) -> None:
        world.scan()
        latest = stanza("2.5.0-1+deb12u4", "Fix CVE-2026-0004.")
        world.mirror(bookworm=(), bookworm_security=[deb("expat", "2.5.0-1+deb12u4", latest + NEW)])
        world.cache = world.folder / "an hour later"
        assert fixes(world.scan()) == {
            "CVE-2026-0001": "2.5.0-1+deb12u2",  # no longer in the changelog, and still known
            "CVE-2026-0002": "2.5.0-1+deb12u3",
            "CVE-2026-0003": "2.5.0-1+deb12u3",
            "CVE-2026-0004": "2.5.0-1+deb12u4",
        }

    def test_a_fix_in_the_point_release_alone(self, world: World) -> None:
        changelog = stanza("2.36-9+deb12u10", "Fix CVE-2026-0009.", source="glibc")
        world.mirror(bookworm=[deb("libc6", "2.36-9+deb12u10", changelog, source="glibc")], bookworm_security=())
        assert fixes(world.scan(package("libc6", "2.36-9+deb12u9", "glibc")), "glibc") == {
            "CVE-2026-0009": "2.36-9+deb12u10"
        }

    def test_a_rebuilt_binary_is_compared_by_its_source(self, world: World) -> None:
        rebuilt = deb("bash", "5.2.15-2+b13", "", source="bash", source_version="5.2.15-2")
        world.mirror(bookworm=[rebuilt], bookworm_security=())
        result = world.scan(package("bash", "5.2.15-2+b7", "bash", source_version="5.2.15-2"))
        assert fixes(result, "bash") == {}
        assert codes(result) == []

    def test_only_installed_packages_of_the_distribution_count(self, world: World) -> None:
        foreign = Package("libexpat1", "1", "deb", namespace="mint", source_name="expat")
        declared = package("libexpat1", "1", "expat", origin=Origin.DECLARED)
        result = world.scan(foreign, declared, Package("expat", "1", "npm"))
        assert (result.path, result.problems) == (None, ())
        assert world.server.asked == []

    @pytest.mark.parametrize("distribution", ["alpine", "rhel", "linuxmint"])
    def test_other_distributions_have_no_such_archive(self, world: World, distribution: str) -> None:
        other = Distribution(distribution, "12")
        assert not applies_to(other)
        assert world.scan(distribution=other).path is None
        assert not applies_to(None)

    def test_a_backport_is_not_vulnerable_to_what_it_was_built_with(self, world: World) -> None:
        versions = ("2.9.14+dfsg-1.3~deb12u6", "2.9.14+dfsg-1.3~deb12u5", "2.9.14+dfsg-1.3")
        changelog = "".join(
            stanza(version, f"Fix CVE-2022-230{number}.", source="libxml2") for number, version in enumerate(versions)
        )
        world.mirror(bookworm=[deb("libxml2", versions[0], changelog)], bookworm_security=())
        result = world.scan(package("libxml2", versions[1]))
        assert fixes(result, "libxml2") == {
            "CVE-2022-2300": versions[0],
            "CVE-2022-2301": versions[1],
            "CVE-2022-2302": versions[1],
        }

    @pytest.mark.parametrize("unmark", ["DELETE FROM meta", "UPDATE meta SET value = '1' WHERE key = 'reading'"])
    def test_what_an_older_version_read_is_read_again(self, world: World, unmark: str) -> None:
        path = world.scan().path
        assert path is not None
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE affected SET fixed = '99'")
            connection.execute(unmark)
        connection.close()
        assert "99" not in fixes(world.scan()).values()

    def test_what_an_older_version_read_is_not_believed_offline_either(self, world: World) -> None:
        path = world.scan().path
        assert path is not None
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM meta")
        connection.close()
        world.server.routes = {}
        world.cache = world.folder / "another"
        assert world.scan(offline=True).path is None

    def test_a_package_of_another_repository_is_not_held_against_the_archive(self, world: World) -> None:
        foreign = package("libexpat1", "2.5.0-1", "expat", vendor="NodeSource <packages@nodesource.com>")
        backport = package("libexpat1", "2.5.0-1~bpo12+1", "expat")
        result = world.scan(foreign, backport)
        assert (result.path, result.problems) == (None, ())
        assert world.server.asked == []


class TestFailure:
    def test_outdated_without_a_changelog_is_said_by_name(self, world: World) -> None:
        world.mirror(bookworm=(), bookworm_security=EXPAT[:1])
        result = world.scan()
        (problem,) = (problem for problem in result.problems if problem.code == "archive.no-changelog")
        assert problem.gravity is Gravity.NOTE
        assert "expat 2.5.0-1+deb12u2 → 2.5.0-1+deb12u3 in bookworm-security" in problem.message

    def test_a_package_that_is_not_what_the_index_says(self, world: World) -> None:
        for one in EXPAT:
            world.server.routes[f"/debian-security/{one.path}"] = b"x" * len(one.content)
        result = world.scan()
        assert codes(result) == ["archive.unread"]
        assert "not what the signed index says" in result.problems[-1].message

    def test_one_that_fails_leaves_the_others(self, world: World) -> None:
        other = deb("zlib1g", "1:1.3-1", stanza("1:1.3-1", "Fix CVE-2026-0007.", source="zlib"), source="zlib")
        world.mirror(bookworm=(), bookworm_security=[*EXPAT, other])
        for one in EXPAT:
            del world.server.routes[f"/debian-security/{one.path}"]
        result = world.scan(LIBEXPAT, package("zlib1g", "1:1.2-1", "zlib"))
        assert fixes(result, "zlib") == {"CVE-2026-0007": "1:1.3-1"}
        assert codes(result) == ["archive.unread"]
        assert "expat" in result.problems[-1].message

    def test_what_was_not_read_is_said_in_one_order(self, world: World) -> None:
        """However the fetches end: packages by name, each under its own cause."""
        names = ("e", "d", "c", "b", "a")
        broken = [deb(name, "2", stanza("2", "Fix CVE-2026-0001.", source=name), pad=256 * n) for n, name in
                  enumerate(names, 1)]  # fmt: skip
        world.mirror(bookworm=broken, bookworm_security=())
        for one in broken[1:]:
            world.server.routes[f"/debian/{one.path}"] = b"x" * len(one.content)
        del world.server.routes[f"/debian/{broken[0].path}"]
        result = world.scan(*(package(name, "1") for name in names))
        absent, altered = (problem for problem in result.problems if problem.code == "archive.unread")
        assert "a 1 → 2 in bookworm, b 1 → 2 in bookworm, c 1 → 2 in bookworm, d 1 → 2 in bookworm" in altered.message
        assert (altered.count, absent.count) == (4, 1)
        assert "in: e 1 → 2" in absent.message

    def test_until_the_deadline(self, world: World) -> None:
        def stall(exchange: Exchange) -> None:
            exchange.head(Content_Length="200")
            time.sleep(1)

        world.server.routes |= {f"/debian-security/{one.path}": stall for one in EXPAT}
        result = world.scan(seconds=0.5)
        assert "archive.unread" in codes(result)
        world.mirror(bookworm=EXPAT[:1], bookworm_security=EXPAT)
        assert fixes(world.scan())

    def test_a_dead_mirror(self, world: World) -> None:
        world.server.routes = {}
        result = world.scan()
        assert result.source.failure
        assert codes(result) == ["archive.suite-unread"]
        assert result.problems[0].count == 2  # one cause; that -updates is absent is nothing to speak of

    def test_nothing_names_a_mirror(self, world: World) -> None:
        with Client() as client:
            result = collect(
                [LIBEXPAT], BOOKWORM, {}, client, world.ledger, cache=world.cache, deadline=Deadline.after(5)
            )
        assert codes(result) == ["archive.no-mirror"]

    @pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
    def test_a_damaged_ledger_is_said(self, world: World, content: bytes) -> None:
        world.scan()
        ledger = world.unverified()
        ledger.write_bytes(content)
        result = world.scan()
        assert result.path is None
        assert codes(result) == ["archive.ledger"]
        ledger.unlink()
        assert fixes(world.scan())

    def test_offline_with_nothing_kept(self, world: World) -> None:
        result = world.scan(offline=True)
        assert result.source.failure
        assert {problem.remedy for problem in result.problems} == {
            "scan once where the mirror can be reached: what it says is kept"
        }

    def test_offline_with_the_indices_alone_the_remedy_is_possible(self, world: World) -> None:
        world.scan(package("libexpat1", "2.5.0-1+deb12u3", "expat"))
        world.server.asked.clear()
        result = world.scan(offline=True)
        (problem,) = (problem for problem in result.problems if problem.code == "archive.unread")
        assert "where the mirror can be reached" in problem.remedy
        assert world.server.asked == []


@pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are not installed")
class TestTrust:
    @pytest.fixture
    def key(self) -> Iterator[Key]:
        with signing_key() as made:
            yield made

    def test_the_hosts_keyring_vouches(self, world: World, key: Key) -> None:
        world.server.routes = archive({"bookworm": EXPAT[:1], "bookworm-security": EXPAT}, key.sign)
        world.signed_by = f"Signed-By: {key.keyring}\n"
        result = world.scan()
        assert result.path == world.ledger
        assert fixes(result)
        assert result.problems == ()

    def test_what_nobody_vouched_for_is_kept_apart(self, world: World) -> None:
        result = world.scan()
        assert result.path == world.unverified()
        assert not world.ledger.exists()

    def test_what_one_unverified_mirror_said_never_answers_for_another(self, world: World) -> None:
        assert fixes(world.scan())
        with serve() as server:
            other = World(server, world.folder)
            other.mirror(bookworm=EXPAT[:1], bookworm_security=EXPAT[:1])
            assert fixes(other.scan()) == {}


def test_two_scans_at_once_both_keep_what_they_found(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    others = [
        deb(f"p{number}", "2", stanza("2", f"Fix CVE-2026-100{number}.", source=f"p{number}")) for number in range(6)
    ]
    world.mirror(bookworm=others, bookworm_security=())
    with ThreadPoolExecutor(6) as pool:
        results = [*pool.map(lambda number: world.scan(package(f"p{number}", "1")), range(6))]
    for number in range(6):
        assert fixes(results[0], f"p{number}") == {f"CVE-2026-100{number}": "2"}


def _host_sources() -> dict[str, bytes]:
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *folder.glob("sources.list.d/*.list"), *folder.glob("sources.list.d/*.sources")]
    return {str(file): file.read_bytes() for file in files if file.is_file()}


@pytest.mark.mirror
def test_the_mirror_that_this_machine_uses(tmp_path: Path) -> None:
    """A bookworm image of the summer of 2025: openssl, expat and libxml2 have had fixes since."""
    packages = [
        package("libssl3", "3.0.16-1~deb12u1", "openssl"),
        package("libexpat1", "2.5.0-1", "expat"),
        package("libxml2", "2.9.14+dfsg-1.3~deb12u1", "libxml2"),
        package("libc6", "2.36-9+deb12u7", "glibc"),
    ]
    with Client(retry=Retry(attempts=2)) as client:
        result = collect(
            packages, BOOKWORM, {}, client, tmp_path / "archive.sqlite", cache=tmp_path / "cache",
            deadline=Deadline.after(60), host_sources=_host_sources(),
        )  # fmt: skip
    if result.source.failure:
        pytest.skip(f"no mirror here: {[problem.message for problem in result.problems]}")
    for name in ("openssl", "expat", "libxml2", "glibc"):
        assert fixes(result, name)
    assert "CVE-2025-9230" in fixes(result, "openssl")


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not installed")
def test_a_package_as_dpkg_builds_it(tmp_path: Path) -> None:
    from holdfast.advisory.debfile import changelog

    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        "Package: expat\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n"
    )
    (root / "usr/share/doc/expat").mkdir(parents=True)
    (root / "usr/share/doc/expat/changelog.Debian").write_text(NEW)
    for form in ("xz", "gzip", "none"):
        built = tmp_path / f"{form}.deb"
        subprocess.run(["dpkg-deb", "-Z" + form, "--build", str(root), str(built)], check=True, capture_output=True)
        assert re.search("CVE-2026-0002", changelog(built.read_bytes()).decode())


def test_the_ledger_has_each_changelog_once(world: World) -> None:
    path = world.scan().path
    world.cache = world.folder / "another"
    world.scan()
    assert path is not None
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT source, version FROM changelog").fetchall() == [("expat", "2.5.0-1+deb12u3")]
