"""What the man in the middle does, as a client of his sees it."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemons.authority import Authority
from daemons.behaviours import (
    challenges,
    content_range,
    content_type,
    cut,
    deep_json,
    delay,
    digest_header,
    drip,
    empty,
    endless,
    ever_new,
    expired_token,
    flip,
    garbage,
    gzipped,
    hang_up,
    headers,
    html,
    instead,
    link,
    link_to_itself,
    long_json,
    misplaced,
    not_satisfiable,
    redirect,
    redirect_loop,
    redirect_maze,
    replay,
    shorten,
    silence,
    status,
    stretch,
    swap,
    too_many,
    truncate,
    unauthorized,
    whole,
    wide_json,
)
from daemons.fake import Fake, fake
from daemons.listener import heard, listen
from daemons.meddler import ANY, BLOBS, CATALOG, MANIFESTS, PING, TAGS, Behaviour, Meddler, meddler
from daemons.message import Answer, Hangup
from daemons.push import Pusher, Reply, push
from daemons.registry import registry
from daemons.token import token_server
from world import image, layer

DATA = bytes(range(200))


class Scene:
    """A meddler before a registry in which one blob of 200 bytes lies."""

    def __init__(self, real: Fake, it: Meddler) -> None:
        self.real, self.it = real, it
        self.digest = Pusher(real).blob("app", DATA)
        self.blob = f"/v2/app/blobs/{self.digest}"

    def on_blob(self, *behaviours: Behaviour) -> Reply:
        self.it.on(BLOBS, *behaviours)
        return self.get(self.blob)

    def get(self, target: str, **headers: str) -> Reply:
        return Pusher(self.it).ask("GET", target, b"", **headers)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with fake() as real, meddler(real) as it:
        yield Scene(real, it)


class TestForwarding:
    def test_what_it_has_no_rule_for_goes_through_as_it_is(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry") as real, meddler(real) as it:
            pushed = push(it, image(tmp_path, [layer({"a": "b"})]), "app:1.0")
            assert Pusher(real).has(f"/v2/app/manifests/{pushed.digest}")
            through = Pusher(it).ask("GET", "/v2/app/tags/list")
            straight = Pusher(real).ask("GET", "/v2/app/tags/list")
            assert (through.status, through.body) == (straight.status, straight.body)
            assert it.paths[-1] == "GET /v2/app/tags/list"
            assert it.answers[-1].status == 200

    def test_it_may_be_encrypted_outside(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry") as real, meddler(real, authority=Authority(tmp_path / "ca")) as it:
            assert it.url.startswith("https://")
            push(it, image(tmp_path, [layer({"a": "b"})]), "app:1.0")

    def test_it_may_be_encrypted_inside(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry", authority=Authority(tmp_path / "ca")) as real, meddler(real) as it:
            push(it, image(tmp_path, [layer({"a": "b"})]), "app:1.0")

    def test_a_token_server_may_be_behind_it(self) -> None:
        with token_server(users={"ci": "s3cret"}) as token, meddler(token) as it:
            it.on("/token", swap(long_json("token")), times=1)
            assert len(Pusher(it).ask("GET", "/token").body) > 10 << 20
            assert json.loads(Pusher(it).ask("GET", "/token").body)["token"] == token.issued[-1]


class TestRules:
    def test_a_rule_is_for_a_path_a_method_a_number_of_times(self, scene: Scene) -> None:
        rule = scene.it.on(BLOBS, status(503), times=2, skip=1, method="GET")
        assert [scene.get(scene.blob).status for _ in range(5)] == [200, 503, 503, 200, 200]
        assert rule.met == 2
        assert scene.get("/v2/").status == 200

    def test_the_newest_rule_decides(self, scene: Scene) -> None:
        scene.it.on(ANY, status(500))
        scene.it.on(PING, status(502), times=1)
        assert [scene.get(PING).status for _ in range(2)] == [502, 500]
        scene.it.forget()
        assert scene.get(PING).status == 200

    def test_it_may_be_any_condition(self, scene: Scene) -> None:
        scene.it.on(lambda request: "last=" in request.target, status(500))
        assert [scene.get(f"/v2/_catalog{query}").status for query in ("", "?last=a")] == [200, 500]

    def test_several_behaviours_at_once(self, scene: Scene) -> None:
        reply = scene.on_blob(delay(0.05), headers(1, 5), shorten(3))
        assert (reply.body, reply.headers["x-bomb-0"]) == (DATA[:3], "xxxxx")


class TestTransfer:
    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [(truncate(50), http.client.IncompleteRead), (cut(50), ConnectionResetError),
         (stretch(300), http.client.IncompleteRead), (hang_up(), http.client.RemoteDisconnected),
         (hang_up(Hangup.RESET), ConnectionResetError), (garbage(b"\0\xff\n" * 9), http.client.BadStatusLine)],
    )  # fmt: skip
    def test_it_breaks_off(self, scene: Scene, behaviour: Behaviour, error: type[Exception]) -> None:
        with pytest.raises(error):
            scene.on_blob(behaviour)

    @pytest.mark.parametrize("behaviour", [truncate(50), cut(50)])
    def test_what_was_sent_before_the_end_arrives(self, scene: Scene, behaviour: Behaviour) -> None:
        scene.it.on(BLOBS, behaviour)
        connection = http.client.HTTPConnection(*scene.it.place)
        connection.request("GET", scene.blob)
        response = connection.getresponse()
        assert response.getheader("Content-Length") == "200"
        assert response.read1(50) == DATA[:50]

    def test_a_shorter_body_with_a_length_that_agrees(self, scene: Scene) -> None:
        reply = scene.on_blob(shorten(50))
        assert (reply.body, reply.headers["content-length"]) == (DATA[:50], "50")

    def test_a_length_that_is_too_short(self, scene: Scene) -> None:
        assert scene.on_blob(stretch(50)).body == DATA[:50]

    def test_slowly(self, scene: Scene) -> None:
        began = time.monotonic()
        assert scene.on_blob(drip(0.005, 20)).body == DATA
        assert scene.on_blob(delay(0.05)).body == DATA
        assert time.monotonic() - began >= 0.08  # never sooner, perhaps later

    @pytest.mark.parametrize("length", [None, 10**15])
    def test_without_an_end(self, scene: Scene, length: int | None) -> None:
        scene.it.on(BLOBS, endless(b"x" * 1000, length=length))
        connection = http.client.HTTPConnection(*scene.it.place)
        connection.request("GET", scene.blob)
        response = connection.getresponse()
        assert response.read(300_000) == DATA + b"x" * 299_800
        assert response.getheader("Content-Length") == (None if length is None else str(length))

    def test_silence(self, scene: Scene) -> None:
        scene.it.on(BLOBS, silence())
        connection = http.client.HTTPConnection(*scene.it.place, timeout=0.1)
        connection.request("GET", scene.blob)
        with pytest.raises(TimeoutError):
            connection.getresponse()

    def test_an_encoding_that_nobody_asked_for(self, scene: Scene) -> None:
        reply = scene.on_blob(gzipped())
        assert (gzip.decompress(reply.body), reply.headers["content-encoding"]) == (DATA, "gzip")


class TestContent:
    def test_other_bytes(self, scene: Scene) -> None:
        assert scene.on_blob(flip(3)).body == DATA[:3] + b"\x02" + DATA[4:]
        other = scene.on_blob(swap(b"other"))
        assert (other.body, other.headers["docker-content-digest"]) == (b"other", scene.digest)
        honest = scene.on_blob(swap(b"other", honest=True))
        assert honest.headers["docker-content-digest"] != scene.digest
        assert scene.on_blob(empty()).body == b""

    def test_the_head_lies(self, scene: Scene) -> None:
        assert scene.on_blob(digest_header("sha256:" + "0" * 64)).headers["docker-content-digest"].endswith("000")
        assert "docker-content-digest" not in scene.on_blob(digest_header(None)).headers
        assert scene.on_blob(content_type("text/html")).headers["content-type"] == "text/html"
        assert scene.on_blob(html()).body.startswith(b"<!DOCTYPE")

    def test_another_manifest_for_a_tag(self, scene: Scene, tmp_path: Path) -> None:
        old = push(scene.real, image(tmp_path, [layer({"a": "old"})], name="1"), "app:old").digest
        new = push(scene.real, image(tmp_path, [layer({"a": "new"})], name="2"), "app:new").digest
        for honest, claimed in ((True, old), (False, new)):
            scene.it.on("/v2/app/manifests/new", instead("old", honest=honest))
            reply = scene.get("/v2/app/manifests/new")
            assert reply.headers["docker-content-digest"] == claimed
            assert reply.body == scene.get("/v2/app/manifests/old").body

    def test_an_old_manifest_is_replayed(self, scene: Scene, tmp_path: Path) -> None:
        scene.it.on(MANIFESTS, replay())
        old = push(scene.real, image(tmp_path, [layer({"a": "old"})], name="1"), "app:1").digest
        assert scene.get("/v2/app/manifests/1").headers["docker-content-digest"] == old
        push(scene.real, image(tmp_path, [layer({"a": "new"})], name="2"), "app:1")
        assert scene.get("/v2/app/manifests/1").headers["docker-content-digest"] == old

    def test_many_headers_or_large_ones(self, scene: Scene) -> None:
        scene.it.on(BLOBS, headers(10_000))
        with pytest.raises(http.client.HTTPException, match="more than 100 headers"):
            scene.get(scene.blob)
        scene.it.on(BLOBS, headers(1, 1 << 20))
        with pytest.raises(http.client.LineTooLong):
            scene.get(scene.blob)

    def test_documents_that_are_bombs(self) -> None:
        with pytest.raises(RecursionError):
            json.loads(deep_json())
        assert len(json.loads(wide_json("tags", 1000))["tags"]) == 1000


class TestRanges:
    def test_ranges_that_go_wrong(self, scene: Scene) -> None:
        def part(behaviour: Behaviour) -> Reply:
            scene.it.on(BLOBS, behaviour)
            return scene.get(scene.blob, Range="bytes=100-")

        assert (part(whole()).status, part(whole()).body) == (200, DATA)
        assert part(content_range("bytes 0-99/200")).headers["content-range"] == "bytes 0-99/200"
        shifted = part(misplaced(10))
        assert (shifted.headers["content-range"], shifted.body) == ("bytes 100-199/200", DATA[90:190])
        assert part(not_satisfiable()).status == 416
        assert scene.get(scene.blob).body == DATA


class TestStatus:
    def test_come_back_later(self, scene: Scene) -> None:
        assert scene.on_blob(too_many(7)).headers["retry-after"] == "7"
        when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        reply = scene.on_blob(too_many(when, code=503))
        assert (reply.status, reply.headers["retry-after"]) == (503, "Fri, 02 Jan 2026 03:04:05 GMT")
        assert "retry-after" not in scene.on_blob(too_many(None)).headers

    def test_several_challenges(self, scene: Scene) -> None:
        scene.it.on(BLOBS, unauthorized("Negotiate", 'Basic realm="a, b"'))
        connection = http.client.HTTPConnection(*scene.it.place)
        connection.request("GET", scene.blob)
        response = connection.getresponse()
        assert response.status == 401
        assert response.headers.get_all("WWW-Authenticate") == ["Negotiate", 'Basic realm="a, b"']

    def test_a_token_that_ends_in_mid_session(self, tmp_path: Path) -> None:
        with (
            token_server(users={"ci": "s"}) as token,
            registry(tmp_path / "registry", token=token) as real,
            meddler(real) as it,
        ):
            push(real, image(tmp_path, [layer({"a": "b"})]), "app:1", auth=("ci", "s"))
            it.on(TAGS, expired_token(), times=1, skip=2)  # the first is without a token, the second with the first one
            pusher = Pusher(it, ("ci", "s"))
            assert pusher.ask("GET", "/v2/app/tags/list").status == 200
            before = len(token.issued)
            assert pusher.ask("GET", "/v2/app/tags/list").status == 200
            assert len(token.issued) == before + 1

            it.on(TAGS, challenges("Negotiate"))
            connection = http.client.HTTPConnection(*it.place)
            connection.request("GET", "/v2/app/tags/list")
            stated = connection.getresponse().headers.get_all("WWW-Authenticate") or []
            assert [value.partition(" ")[0] for value in stated] == ["Negotiate", "Bearer", "Bearer"]


class TestElsewhere:
    def test_a_credential_that_follows_a_redirection_is_heard(self, scene: Scene) -> None:
        with listen(Answer(200, (), DATA), host="127.0.0.2") as stranger:
            reply = scene.on_blob(redirect(stranger.url))
            assert (reply.status, reply.headers["location"]) == (307, stranger.url + scene.blob)
            assert heard("s3cret", stranger) == []
            Pusher(stranger).ask("GET", scene.blob, Authorization="Basic Y2k6czNjcmV0")
            assert heard("s3cret", scene.it, stranger) == [f"{stranger.host} GET {scene.blob}"]
            exact = scene.on_blob(redirect("http://169.254.169.254/latest/meta-data"))
            assert exact.headers["location"] == "http://169.254.169.254/latest/meta-data"

    def test_round_and_round(self, scene: Scene) -> None:
        assert scene.on_blob(redirect_loop()).headers["location"] == scene.blob
        scene.it.on(BLOBS, redirect_maze())
        assert [scene.get(scene.blob).headers["location"] for _ in range(2)] == [
            f"{scene.blob}?hop=0", f"{scene.blob}?hop=1",
        ]  # fmt: skip


class TestLists:
    def test_pages_without_end(self, scene: Scene) -> None:
        scene.it.on(CATALOG, link_to_itself())
        assert scene.get("/v2/_catalog?n=5").headers["link"] == '</v2/_catalog?n=5>; rel="next"'
        scene.it.on(CATALOG, ever_new(page=2))
        pages = [scene.get("/v2/_catalog") for _ in range(2)]
        assert [name for page in pages for name in json.loads(page.body)["repositories"]] == [
            f"endless/{number:012}" for number in range(4)
        ]
        assert pages[1].headers["link"] == '</v2/_catalog?n=2&last=endless/000000000003>; rel="next"'

    def test_a_next_page_elsewhere(self, scene: Scene) -> None:
        scene.it.on(CATALOG, link("http://other.test/v2/_catalog"))
        assert scene.get("/v2/_catalog").headers["link"] == '<http://other.test/v2/_catalog>; rel="next"'
