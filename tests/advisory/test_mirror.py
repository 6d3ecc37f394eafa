"""Which suites an image is held against, where they are looked for, and which are believed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisory.debian_archive import Key, archive, deb, release, signing_key
from holdfast.advisory.aptsources import AptSource
from holdfast.advisory.mirror import ARCHIVES, Mirror, Suite, Wanted, plan
from holdfast.advisory.release import Trust
from holdfast.model.package import Distribution
from holdfast.model.status import Gravity
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.transport.retry import Retry
from transport.loopback import Loopback, serve

BOOKWORM = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm")
NOBLE = Distribution("ubuntu", "24.04", "Ubuntu 24.04 LTS", "noble")
DEBIAN = "http://mirror.example.org/debian"
SECURITY = "http://mirror.example.org/debian-security"
needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are not installed"
)


def source(uri: str, *suites: str, components: tuple[str, ...] = ("main",)) -> AptSource:
    return AptSource(uri, suites, components)


def bases(wanted: list[Wanted]) -> dict[str, tuple[str, ...]]:
    return {one.suite: one.bases for one in wanted}


class TestPlan:
    def test_debian_with_all_suites_listed(self) -> None:
        listed = [source(DEBIAN, "bookworm", "bookworm-updates"), source(SECURITY, "bookworm-security")]
        assert bases(plan(BOOKWORM, [], listed)) == {
            "bookworm-security": (SECURITY,),
            "bookworm": (DEBIAN,),
            "bookworm-updates": (DEBIAN,),
        }

    def test_the_security_suite_is_derived_where_it_is_not_listed(self) -> None:
        assert bases(plan(BOOKWORM, [], [source(DEBIAN, "bookworm")]))["bookworm-security"] == (SECURITY,)

    def test_ubuntu_has_all_pockets_in_one_archive(self) -> None:
        ubuntu = "http://mirror.example.org/ubuntu"
        listed = [source(ubuntu, "noble", components=("universe", "main"))]
        wanted = plan(NOBLE, [], listed)
        assert bases(wanted) == {"noble-security": (ubuntu,), "noble-updates": (ubuntu,)}
        assert wanted[0].components == ("main", "universe")

    def test_the_hosts_mirror_comes_first_even_for_another_release(self) -> None:
        near = "http://near.example.org/debian"
        wanted = plan(BOOKWORM, [source(near, "trixie")], [source(DEBIAN, "bookworm")])
        assert bases(wanted)["bookworm"] == (near, DEBIAN)

    @pytest.mark.parametrize(
        "third_party",
        [
            source("https://download.docker.example.org/linux/debian", "bookworm", components=("stable",)),
            source("https://apt.example.org/pub/repos/apt", "bookworm-pgdg"),
            source("https://deb.example.org/node_20.x", "nodistro"),
            source("http://127.0.0.1/debian", "bookworm"),
            source("http://169.254.169.254/debian", "bookworm"),
            source("http://[::1]/debian", "bookworm"),
            source("http://10.0.0.1/debian", "bookworm"),
            source("http://192.168.1.1/debian", "bookworm"),
            source("http://172.16.0.1/debian", "bookworm"),
            source("http://127.1/debian", "bookworm"),
            source("http://2130706433/debian", "bookworm"),
            source("http://0x08080808/debian", "bookworm"),
            source("http://[fe80::1%25eth0]/debian", "bookworm"),
            source("http://[::ffff:10.0.0.1]/debian", "bookworm"),
            source("http://224.0.0.1/debian", "bookworm"),
            source("http://localhost.localdomain/debian", "bookworm"),
        ],
    )
    def test_other_archives_and_this_machine_are_no_mirrors_of_an_image(self, third_party: AptSource) -> None:
        assert plan(BOOKWORM, [], [third_party]) == []

    def test_a_private_mirror_is_one_where_this_machine_uses_it_too(self) -> None:
        inside = "http://10.0.0.1/debian"
        wanted = plan(BOOKWORM, [source(inside, "trixie")], [source(inside, "bookworm"), source(DEBIAN, "bookworm")])
        assert bases(wanted)["bookworm"] == (inside, DEBIAN)
        assert wanted[0].foreign == (DEBIAN, SECURITY)

    def test_a_source_without_suites_is_passed_over(self) -> None:
        assert bases(plan(BOOKWORM, [], [source(DEBIAN)]))["bookworm"] == (DEBIAN,)

    def test_a_release_without_codename_is_known_by_its_number(self) -> None:
        assert "bookworm" in bases(plan(Distribution("debian", "12"), [], [source(DEBIAN, "bookworm")]))
        assert plan(Distribution("debian", "99"), [], [source(DEBIAN, "bookworm")]) == []
        assert plan(Distribution("debian", "12", "", "../../etc"), [], [source(DEBIAN, "bookworm")]) == []

    def test_old_releases_name_their_security_suite_differently(self) -> None:
        buster = Distribution("debian", "10", "", "buster")
        assert "buster/updates" in bases(plan(buster, [], [source(DEBIAN, "buster")]))


@pytest.fixture(scope="module")
def key() -> Iterator[Key]:
    with signing_key() as made:
        yield made


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve() as running:
        yield running


class World:
    """A mirror on this machine, and what a Mirror makes of it."""

    def __init__(self, server: Loopback, cache: Path, keyring: Path | None = None) -> None:
        self.server, self.cache, self.keyring = server, cache, keyring
        self.mirror = self.again()

    def again(self, *, offline: bool = False) -> Mirror:
        client = Client(retry=Retry(attempts=1), offline=offline)
        keyrings = [str(self.keyring)] if self.keyring else []
        self.mirror = Mirror(client, self.cache, Deadline.after(20), keyrings)
        return self.mirror

    def open(self, *elsewhere: str) -> Suite | None:
        wanted = Wanted("bookworm", (*elsewhere, self.server.url + "/debian"), ("main",))
        return self.mirror.open(wanted, ARCHIVES["debian"], ["amd64"])

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.mirror.problems]


EXPAT = deb("expat", "2.5.0-1", "")


class TestOpen:
    @pytest.fixture
    def world(self, server: Loopback, tmp_path: Path) -> World:
        server.routes = archive({"bookworm": [EXPAT]})
        return World(server, tmp_path)

    def test_what_a_suite_holds(self, world: World) -> None:
        suite = world.open()
        assert suite is not None
        assert suite.date == "2026-11-21"
        assert [one.version for one in suite.indices[0]["expat"]] == ["2.5.0-1"]

    def test_without_a_keyring_it_says_so(self, world: World) -> None:
        suite = world.open()
        assert suite is not None
        assert suite.trust is Trust.UNKNOWN
        assert [(problem.code, problem.gravity) for problem in world.mirror.problems] == [
            ("archive.not-verified", Gravity.NOTE)
        ]

    def test_what_only_the_image_names_does_not_lead_into_a_private_network(
        self, world: World, server: Loopback
    ) -> None:
        inside = f"{server.url}/debian"
        wanted = Wanted("bookworm", (inside,), ("main",), foreign=(inside,))
        assert world.mirror.open(wanted, ARCHIVES["debian"], ["amd64"]) is None
        assert world.codes == ["archive.suite-unread"]
        assert "private network" in world.mirror.problems[0].message
        assert server.asked == []

    def test_soon_after_nothing_is_fetched_again_not_even_offline(self, world: World, server: Loopback) -> None:
        world.open()
        server.asked.clear()
        world.again(offline=True)
        assert world.open() is not None
        assert server.asked == []

    def test_by_its_digest_where_the_archive_offers_that(self, world: World, server: Loopback) -> None:
        server.routes = archive({"bookworm": [EXPAT]}, Acquire_By_Hash="yes")
        assert world.open() is not None  # absent there: the plain name serves
        assert any("by-hash/SHA256/" in path for path in server.paths)

    def test_an_index_that_is_not_what_the_release_says(self, world: World, server: Loopback) -> None:
        server.routes["/debian/dists/bookworm/main/binary-amd64/Packages.xz"] = b"forged"
        assert world.open() is None
        assert "archive.suite-unread" in world.codes

    @pytest.mark.parametrize("fields", [{"Origin": "deb.sury.org"}, {"Codename": "trixie"}, {"Origin": ""}])
    def test_another_archive_at_the_same_path(self, world: World, server: Loopback, fields: dict[str, str]) -> None:
        server.routes = archive({"bookworm": [EXPAT]}, lambda content: content, **fields)
        assert world.open() is None
        assert world.codes == ["archive.suite-unread"]

    @pytest.mark.parametrize("content", [b"", b"<html>", b"\xff" * 100])
    def test_no_release_file(self, world: World, server: Loopback, content: bytes) -> None:
        server.routes["/debian/dists/bookworm/InRelease"] = content
        assert world.open() is None

    def test_the_next_address_serves_where_the_first_does_not(self, world: World, server: Loopback) -> None:
        assert world.open(server.url + "/absent") is not None
        assert "archive.suite-unread" not in world.codes

    def test_an_expired_release_is_used_and_noted(self, world: World, server: Loopback) -> None:
        server.routes = archive({"bookworm": [EXPAT]}, Valid_Until="Sat, 28 Nov 2020 00:53:02 UTC")
        assert world.open() is not None
        assert "archive.expired" in world.codes

    def test_what_was_not_used_for_long_leaves_the_cache(self, world: World) -> None:
        (world.cache / "old.index").write_bytes(b"")
        os.utime(world.cache / "old.index", (0, 0))
        world.open()
        assert not (world.cache / "old.index").exists()
        assert len(list(world.cache.iterdir())) == 2

    def test_a_damaged_cache_is_fetched_anew(self, world: World) -> None:
        world.open()
        for file in world.cache.iterdir():
            file.write_bytes(b"garbage")
        world.again()
        assert world.open() is not None


@needs_gpg
class TestSigned:
    def test_a_good_signature(self, server: Loopback, tmp_path: Path, key: Key) -> None:
        server.routes = archive({"bookworm": [EXPAT]}, key.sign)
        world = World(server, tmp_path, key.keyring)
        suite = world.open()
        assert suite is not None
        assert suite.trust is Trust.GOOD
        assert world.codes == []

    def test_a_bad_signature_refuses_the_suite(self, server: Loopback, tmp_path: Path, key: Key) -> None:
        server.routes = archive({"bookworm": [EXPAT]}, key.sign)
        signed = server.routes["/debian/dists/bookworm/InRelease"]
        assert isinstance(signed, bytes)
        server.routes["/debian/dists/bookworm/InRelease"] = signed.replace(b"2026", b"2027")
        world = World(server, tmp_path, key.keyring)
        assert world.open() is None
        assert "refused" in world.mirror.problems[0].message

    def test_an_unsigned_release_is_refused_where_there_is_a_keyring(
        self, server: Loopback, tmp_path: Path, key: Key
    ) -> None:
        server.routes = archive({"bookworm": [EXPAT]})
        world = World(server, tmp_path, key.keyring)
        assert world.open() is None


def test_a_release_without_packages_for_the_architecture(server: Loopback, tmp_path: Path) -> None:
    server.routes["/debian/dists/bookworm/InRelease"] = release("bookworm", {"main/binary-arm64/Packages.xz": b""})
    suite = World(server, tmp_path).open()
    assert suite is not None
    assert suite.indices == ()


def test_an_empty_index_is_damaged_not_empty(server: Loopback, tmp_path: Path) -> None:
    path = "main/binary-amd64/Packages.xz"
    server.routes["/debian/dists/bookworm/InRelease"] = release("bookworm", {path: b""})
    server.routes[f"/debian/dists/bookworm/{path}"] = b""
    world = World(server, tmp_path)
    assert world.open() is None
