"""What a fetch gives, and how it fails, against a server that behaves badly in every way we know."""

import gzip
import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import AuthError, LimitError, NotFound, SourceError
from holdfast.transport.address import Address
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.transport.proxy import Proxy
from holdfast.transport.retry import Retry
from transport.loopback import Behaviour, Exchange, Loopback, free_port, serve

BODY = bytes(range(256)) * 1000
QUICK = Retry(attempts=4, first=0.001, longest=0.002)
LIMIT = 1_000_000


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve({"/body": BODY}) as running:
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(retry=QUICK) as quick:
        yield quick


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour for each request, the last one for all that follow."""
    rest = list(behaviours)
    return lambda exchange: (rest.pop(0) if len(rest) > 1 else rest[0])(exchange)


def cut_after(count: int, **headers: str) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.head(Content_Length=str(len(BODY)), **headers)
        exchange.wfile.write(BODY[:count])
        exchange.cut()

    return behave


def ranged(etag: str) -> Behaviour:
    """A server that honours Range and If-Range."""

    def behave(exchange: Exchange) -> None:
        start = exchange.headers.get("Range", "").removeprefix("bytes=").removesuffix("-")
        if start and exchange.headers.get("If-Range") == etag:
            rest = BODY[int(start) :]
            exchange.answer(rest, 206, ETag=etag, Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        else:
            exchange.answer(BODY, ETag=etag)

    return behave


class TestWhole:
    def test_a_resource_in_memory(self, server: Loopback, client: Client) -> None:
        assert client.get(server.url + "/body", limit=LIMIT) == BODY

    def test_a_resource_on_disk_with_its_digest(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        got = client.download(server.url + "/body", tmp_path / "body", limit=LIMIT)
        assert (tmp_path / "body").read_bytes() == BODY
        assert (got.size, got.sha256, got.changed) == (len(BODY), hashlib.sha256(BODY).hexdigest(), True)
        assert not (tmp_path / "body.part").exists()

    def test_progress_is_told_with_the_total(self, server: Loopback) -> None:
        told: list[tuple[str, int, int | None]] = []
        with Client(progress=lambda *step: told.append(step)) as client:
            client.get(server.url + "/body", limit=LIMIT)
        assert told[-1] == ("body", len(BODY), len(BODY))

    def test_the_same_content_again_is_not_a_change(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        first = client.download(server.url + "/body", tmp_path / "body", limit=LIMIT)
        again = client.download(server.url + "/body", tmp_path / "body", limit=LIMIT)
        assert (first.changed, again.changed) == (True, False)

    @pytest.mark.parametrize("header", ["ETag", "Last_Modified"])
    def test_an_unchanged_resource_is_not_sent_again(
        self, server: Loopback, client: Client, tmp_path: Path, header: str
    ) -> None:
        date = "Sun, 06 Nov 1994 08:49:37 GMT"

        def behave(exchange: Exchange) -> None:
            if {exchange.headers.get("If-None-Match"), exchange.headers.get("If-Modified-Since")} & {date}:
                exchange.head(304)
            else:
                exchange.answer(BODY, **{header: date})

        server.routes["/dated"] = behave
        first = client.download(server.url + "/dated", tmp_path / "dated", limit=LIMIT)
        again = client.download(server.url + "/dated", tmp_path / "dated", limit=LIMIT)
        assert (again.changed, again.sha256) == (False, first.sha256)
        assert (tmp_path / "dated").read_bytes() == BODY

    def test_a_file_that_was_tampered_with_is_fetched_whole(
        self, server: Loopback, client: Client, tmp_path: Path
    ) -> None:
        server.routes["/tagged"] = ranged('"1"')
        client.download(server.url + "/tagged", tmp_path / "tagged", limit=LIMIT)
        (tmp_path / "tagged").write_bytes(b"shorter")
        client.download(server.url + "/tagged", tmp_path / "tagged", limit=LIMIT)
        assert "If-None-Match" not in server.asked[-1][1]
        assert (tmp_path / "tagged").read_bytes() == BODY

    def test_gzip_on_the_way_is_undone(self, server: Loopback, client: Client) -> None:
        server.routes["/json"] = lambda exchange: exchange.answer(gzip.compress(BODY), Content_Encoding="gzip")
        assert client.get(server.url + "/json", limit=LIMIT) == BODY

    def test_what_is_compressed_by_itself_stays_as_sent(self, server: Loopback, client: Client) -> None:
        packed = gzip.compress(BODY)
        server.routes["/Packages.gz"] = lambda exchange: exchange.answer(packed, Content_Encoding="x-gzip")
        assert client.get(server.url + "/Packages.gz", limit=LIMIT) == packed


class TestBroken:
    def test_a_cut_is_mended_by_asking_for_the_rest(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        server.routes["/cut"] = in_turn(cut_after(100_000, ETag='"1"'), ranged('"1"'))
        client.download(server.url + "/cut", tmp_path / "cut", limit=LIMIT)
        assert (tmp_path / "cut").read_bytes() == BODY
        assert server.asked[-1][1]["If-Range"] == '"1"'

    def test_the_next_process_goes_on_where_this_one_stopped(self, server: Loopback, tmp_path: Path) -> None:
        server.routes["/cut"] = in_turn(cut_after(100_000, ETag='"1"'), ranged('"1"'))
        with pytest.raises(SourceError), Client(retry=Retry(attempts=1)) as first:
            first.download(server.url + "/cut", tmp_path / "cut", limit=LIMIT)
        assert not (tmp_path / "cut").exists()
        with Client(retry=Retry(attempts=1)) as second:
            second.download(server.url + "/cut", tmp_path / "cut", limit=LIMIT)
        assert server.asked[-1][1]["Range"].startswith("bytes=")
        assert (tmp_path / "cut").read_bytes() == BODY

    def test_what_changed_meanwhile_is_fetched_anew(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        server.routes["/cut"] = in_turn(cut_after(100_000, ETag='"old"'), ranged('"new"'))
        client.download(server.url + "/cut", tmp_path / "cut", limit=LIMIT)
        assert (tmp_path / "cut").read_bytes() == BODY

    def test_without_a_validator_a_cut_means_from_the_start(
        self, server: Loopback, client: Client, tmp_path: Path
    ) -> None:
        server.routes["/cut"] = in_turn(cut_after(100_000), lambda exchange: exchange.answer(BODY))
        client.download(server.url + "/cut", tmp_path / "cut", limit=LIMIT)
        assert "Range" not in server.asked[-1][1]
        assert (tmp_path / "cut").read_bytes() == BODY

    def test_a_range_that_the_server_refuses(self, server: Loopback, client: Client) -> None:
        refused = in_turn(cut_after(100_000, ETag='"1"'), lambda exchange: exchange.answer(b"", 416), ranged('"1"'))
        server.routes["/cut"] = refused
        assert client.get(server.url + "/cut", limit=LIMIT) == BODY

    def test_another_range_than_asked_for(self, server: Loopback, client: Client) -> None:
        wrong = in_turn(
            cut_after(100_000, ETag='"1"'),
            lambda exchange: exchange.answer(b"x", 206, ETag='"1"', Content_Range="bytes 5-5/6"),
            ranged('"1"'),
        )
        server.routes["/cut"] = wrong
        assert client.get(server.url + "/cut", limit=LIMIT) == BODY

    def test_a_connection_that_is_always_reset(self, server: Loopback, client: Client) -> None:
        server.routes["/reset"] = lambda exchange: exchange.cut()
        with pytest.raises(SourceError):
            client.get(server.url + "/reset", limit=LIMIT)
        assert len(server.asked) == QUICK.attempts

    def test_damaged_gzip(self, server: Loopback, client: Client) -> None:
        server.routes["/bad"] = lambda exchange: exchange.answer(b"not gzip", Content_Encoding="gzip")
        with pytest.raises(SourceError):
            client.get(server.url + "/bad", limit=LIMIT)

    def test_a_server_that_does_not_speak_http(self, server: Loopback, client: Client) -> None:
        def behave(exchange: Exchange) -> None:
            exchange.wfile.write(b"\0\xff garbage\r\n\r\n")
            exchange.cut()

        server.routes["/odd"] = behave
        with pytest.raises(SourceError):
            client.get(server.url + "/odd", limit=LIMIT)

    def test_an_encoding_that_nobody_asked_for(self, server: Loopback, client: Client) -> None:
        server.routes["/br"] = lambda exchange: exchange.answer(b"x", Content_Encoding="br")
        with pytest.raises(SourceError, match="encoding"):
            client.get(server.url + "/br", limit=LIMIT)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "error", "asked"),
        [(401, AuthError, 1), (403, AuthError, 1), (404, NotFound, 1), (418, SourceError, 1), (503, SourceError, 4)],
    )
    def test_refusals(self, server: Loopback, client: Client, status: int, error: type[Exception], asked: int) -> None:
        server.routes["/no"] = lambda exchange: exchange.answer(b"", status)
        with pytest.raises(error):
            client.get(server.url + "/no", limit=LIMIT)
        assert len(server.asked) == asked

    def test_too_many_requests_is_waited_for(self, server: Loopback, client: Client) -> None:
        server.routes["/busy"] = in_turn(
            lambda exchange: exchange.answer(b"", 429, Retry_After="0"), lambda exchange: exchange.answer(BODY)
        )
        assert client.get(server.url + "/busy", limit=LIMIT) == BODY

    def test_a_wait_longer_than_the_deadline_gives_up_at_once(self, server: Loopback, client: Client) -> None:
        server.routes["/busy"] = lambda exchange: exchange.answer(b"", 429, Retry_After="60")
        with pytest.raises(SourceError):
            client.get(server.url + "/busy", limit=LIMIT, deadline=Deadline.after(30))
        assert len(server.asked) == 1

    def test_an_unasked_not_modified(self, server: Loopback, client: Client) -> None:
        server.routes["/odd"] = lambda exchange: exchange.head(304)
        with pytest.raises(SourceError):
            client.get(server.url + "/odd", limit=LIMIT)


class TestLimits:
    def test_more_bytes_announced_than_allowed(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        with pytest.raises(LimitError):
            client.download(server.url + "/body", tmp_path / "body", limit=1000)
        assert list(tmp_path.iterdir()) == []

    def test_an_endless_body(self, server: Loopback, client: Client, tmp_path: Path) -> None:
        def behave(exchange: Exchange) -> None:
            exchange.head(ETag='"endless"')
            while True:
                exchange.wfile.write(BODY)

        server.routes["/endless"] = behave
        with pytest.raises(LimitError):
            client.download(server.url + "/endless", tmp_path / "endless", limit=LIMIT)
        assert len(server.asked) == 1

    def test_a_bomb(self, server: Loopback, client: Client) -> None:
        bomb = gzip.compress(bytes(50_000_000))
        server.routes["/bomb"] = lambda exchange: exchange.answer(bomb, Content_Encoding="gzip")
        with pytest.raises(LimitError):
            client.get(server.url + "/bomb", limit=LIMIT)

    def test_a_body_that_drips(self, server: Loopback, client: Client) -> None:
        def behave(exchange: Exchange) -> None:
            exchange.head(Content_Length="1000")
            for _ in range(1000):
                exchange.wfile.write(b".")
                time.sleep(0.02)

        server.routes["/drip"] = behave
        with pytest.raises((LimitError, SourceError)):
            client.get(server.url + "/drip", limit=LIMIT, deadline=Deadline.after(0.2))

    def test_headers_that_drip(self, server: Loopback, client: Client) -> None:
        stop = threading.Event()

        def behave(exchange: Exchange) -> None:
            exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not stop.wait(0.05):
                exchange.wfile.write(b"X: y\r\n" if stop.is_set() else b"x")

        server.routes["/drip"] = behave
        with pytest.raises((LimitError, SourceError)):
            client.get(server.url + "/drip", limit=LIMIT, deadline=Deadline.after(0.3))
        stop.set()

    def test_a_deadline_that_has_passed(self, server: Loopback, client: Client) -> None:
        with pytest.raises(LimitError):
            client.get(server.url + "/body", limit=LIMIT, deadline=Deadline.after(0))
        assert server.asked == []


class TestReach:
    def test_a_refused_connection_is_not_tried_again(self, client: Client) -> None:
        port = free_port()
        with pytest.raises(SourceError, match="cannot be reached"):
            client.get(f"http://127.0.0.1:{port}/x", limit=LIMIT)
        with pytest.raises(SourceError, match="cannot be reached"):
            client.get(f"http://127.0.0.1:{port}/y", limit=LIMIT)

    def test_a_name_that_does_not_exist(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        looked_up: list[object] = []

        def fail(host: object, *_: object, **__: object) -> None:
            looked_up.append(host)
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        for _ in range(3):
            with pytest.raises(SourceError, match="cannot be reached"):
                client.get("https://feeds.invalid/all.zip", limit=LIMIT)
        assert len(looked_up) == 1

    def test_offline_opens_no_socket(self, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(*_: object, **__: object) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket, "socket", forbidden)
        monkeypatch.setattr(socket, "create_connection", forbidden)
        client = Client(offline=True)
        for address in (server.url + "/body", "https://feeds.invalid/x"):
            with pytest.raises(SourceError, match="--offline"):
                client.get(address, limit=LIMIT)
            with pytest.raises(SourceError, match="--offline"):
                client.download(address, tmp_path / "x", limit=LIMIT)
        assert list(tmp_path.iterdir()) == []

    def test_plain_http_beyond_this_machine_only_when_signed(self, client: Client) -> None:
        with pytest.raises(SourceError, match="plain http"):
            client.get("http://192.0.2.1/x", limit=LIMIT)

    def test_a_proxy_is_used_for_others_and_never_for_this_machine(self, server: Loopback) -> None:
        server.routes["http://feeds.invalid/x"] = b"through the proxy"
        with Client(proxy=Proxy(server.url), retry=QUICK) as client:
            assert client.get("http://feeds.invalid/x", limit=LIMIT, signed=True) == b"through the proxy"
            assert client.get(server.url + "/body", limit=LIMIT) == BODY
        assert server.paths == ["http://feeds.invalid/x", "/body"]

    def test_a_proxy_that_is_not_there(self) -> None:
        with Client(proxy=Proxy(f"http://127.0.0.1:{free_port()}"), retry=QUICK) as client, pytest.raises(SourceError):
            client.get("http://feeds.invalid/x", limit=LIMIT, signed=True)

    @pytest.mark.parametrize("proxy", ["nonsense", "socks5://127.0.0.1:1", "http://[::1"])
    def test_a_proxy_that_makes_no_sense(self, proxy: str) -> None:
        with Client(proxy=Proxy(proxy), retry=QUICK) as client, pytest.raises(SourceError):
            client.get("https://feeds.invalid/x", limit=LIMIT)

    def test_importing_the_client_is_cheap(self) -> None:
        code = "import sys, holdfast.transport.client; sys.exit('urllib3' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestRedirects:
    def test_a_few_are_followed(self, server: Loopback, client: Client) -> None:
        server.routes["/a"] = lambda exchange: exchange.answer(b"", 302, Location="/b")
        server.routes["/b"] = lambda exchange: exchange.answer(b"", 307, Location=server.url + "/body")
        assert client.get(server.url + "/a", limit=LIMIT) == BODY

    def test_a_loop(self, server: Loopback, client: Client) -> None:
        server.routes["/a"] = lambda exchange: exchange.answer(b"", 302, Location="/a")
        with pytest.raises(SourceError, match="redirects more than 5 times"):
            client.get(server.url + "/a", limit=LIMIT)
        assert len(server.asked) == 6

    def test_what_is_confined_to_the_internet_is_so_at_each_step(
        self, server: Loopback, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def judge(address: Address) -> None:
            if address.path == "/inside":
                raise SourceError("leads into a private network")

        monkeypatch.setattr(Address, "require_public", judge)
        server.routes["/mirror/a"] = server.routes["/b"] = lambda exchange: exchange.answer(
            b"", 302, Location="/inside"
        )
        server.routes["/inside"] = BODY
        client.confine(server.url + "/mirror")
        with pytest.raises(SourceError, match="private network"):
            client.get(server.url + "/mirror/a", limit=LIMIT)
        assert client.get(server.url + "/b", limit=LIMIT) == BODY

    @pytest.mark.parametrize(
        "location", ["http://192.0.2.1/x", "file:///etc/passwd", "ftp://192.0.2.1/x", "http://[::"]
    )
    def test_where_none_may_lead(self, server: Loopback, client: Client, location: str) -> None:
        server.routes["/a"] = lambda exchange: exchange.answer(b"", 302, Location=location)
        with pytest.raises(SourceError):
            client.get(server.url + "/a", limit=LIMIT)
        assert len(server.asked) == 1


class TestFolder:
    def test_a_file_address(self, client: Client, tmp_path: Path) -> None:
        (tmp_path / "Rocky Linux.json").write_bytes(BODY)
        address = f"file:{tmp_path}/Rocky%20Linux.json"
        assert client.get(address, limit=LIMIT) == BODY
        assert client.download(address, tmp_path / "copy", limit=LIMIT).changed
        assert not client.download(address, tmp_path / "copy", limit=LIMIT).changed

    def test_offline_reads_folders(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"x")
        assert Client(offline=True).get(f"file:{tmp_path}/x", limit=LIMIT) == b"x"

    def test_a_packed_file_stands_for_the_plain_one(self, client: Client, tmp_path: Path) -> None:
        (tmp_path / "kev.json.gz").write_bytes(gzip.compress(BODY))
        assert client.get(f"file:{tmp_path}/kev.json", limit=LIMIT) == BODY
        with pytest.raises(LimitError):
            client.get(f"file:{tmp_path}/kev.json", limit=len(BODY) - 1)

    def test_what_is_absent_damaged_or_no_file(self, client: Client, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            client.get(f"file:{tmp_path}/none", limit=LIMIT)
        with pytest.raises(SourceError):
            client.get(f"file:{tmp_path}", limit=LIMIT)
        (tmp_path / "cut.gz").write_bytes(gzip.compress(BODY)[:-20])
        with pytest.raises(SourceError):
            client.get(f"file:{tmp_path}/cut", limit=LIMIT)
        (tmp_path / "big").write_bytes(BODY)
        with pytest.raises(LimitError):
            client.get(f"file:{tmp_path}/big", limit=10)


def test_a_folder_that_cannot_be_written(server: Loopback, client: Client, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="stored"):
        client.download(server.url + "/body", tmp_path / "absent" / "body", limit=LIMIT)
