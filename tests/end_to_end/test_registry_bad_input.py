"""Registries that send what none should: an exit code, one clear line, and no more memory or time than it is worth."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemons.behaviours import (
    content_type,
    deep_json,
    delay,
    drip,
    empty,
    endless,
    garbage,
    gzipped,
    headers,
    html,
    link_to_itself,
    long_json,
    redirect_loop,
    redirect_maze,
    silence,
    status,
    swap,
    too_many,
    wide_json,
)  # fmt: skip
from daemons.fake import fake
from daemons.listener import listen
from daemons.meddler import BLOBS, MANIFESTS, REFERRERS, Behaviour, Meddler, meddler
from daemons.message import Answer, Request
from daemons.push import push
from daemons.registry import registry
from daemons.token import token_server
from end_to_end.cases import cases
from end_to_end.command import Holdfast, Outcome
from end_to_end.shop import ONLY, base, forget, lasting, layers, node, packages, scan
from end_to_end.test_offline import _FORBIDDEN
from world import OCI, digest, image, layer

MEBIBYTES = 160  # of the process; a scan of a small image takes about 33, and a document may have 8
MANIFEST = OCI + "manifest.v1+json"


@pytest.fixture
def middle(tmp_path: Path) -> Iterator[Meddler]:
    with fake({"app": image(tmp_path, layers())}) as real, meddler(real) as it:
        yield it


def is_told(outcome: Outcome) -> None:
    """It could not run, which one line and perhaps a remedy say, and nothing else."""
    assert outcome.code == 4
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert lines[0].startswith("holdfast: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  → "))
    assert all(len(line) < 1000 and line.isprintable() for line in lines)
    assert "fault in Holdfast" not in outcome.err
    assert outcome.memory < MEBIBYTES


USELESS: dict[str, Callable[[], Behaviour]] = {
    "a web page": html,
    "a web page that says it is none": lambda: html(404),
    "a web page as a manifest": lambda: lambda request, forward: html()(request, forward).having(Content_Type=MANIFEST),
    "deep JSON": lambda: swap(deep_json(), honest=True),
    "wide JSON": lambda: swap(wide_json("layers", 500_000), honest=True),
    "wide JSON of manifests": lambda: swap(wide_json("manifests", 500_000), honest=True),
    "long JSON": lambda: swap(long_json("mediaType", 7 << 20), honest=True),
    "longer than any manifest": lambda: swap(long_json("mediaType", 20 << 20), honest=True),
    "an endless body": endless,
    "an endless body of a stated length": lambda: endless(length=1 << 60),
    "a number of 5,000 digits": lambda: swap(b'{"schemaVersion": ' + b"9" * 5000 + b"}", honest=True),
    "half a character": lambda: swap(b'{"mediaType": "\xff\xfe"}', honest=True),
    "nothing but a list": lambda: swap(b"[]", honest=True),
    "an empty object": lambda: swap(b"{}", honest=True),
    "an old manifest": lambda: swap(b'{"schemaVersion": 1, "name": "x", "fsLayers": []}', honest=True),
    "a bomb of gzip": lambda: gzipped(bytes(50 << 20)),
    "a loop of redirections": redirect_loop,
    "a maze of redirections": redirect_maze,
    "another protocol": lambda: status(505),
    "a status that nobody knows": lambda: status(299),
    "no content": lambda: status(204),
    "forbidden": lambda: status(403, b"[" * 30_000),
    "gone, with a long reason": lambda: status(404, long_json("errors", 1 << 20)),
    "refused in colours": lambda: status(
        403, json.dumps({"errors": [{"code": "X", "message": "\x1b[31mred\x07\n\u202e" * 50}]}).encode()
    ),
    "asked to wait for a year": lambda: too_many(31_536_000),
}  # fmt: skip


@pytest.mark.parametrize(
    "behaviour",
    cases(
        USELESS, "a web page", "deep JSON", "wide JSON", "an endless body", "a bomb of gzip", "a maze of redirections",
        "refused in colours", "asked to wait for a year",
    ),
)  # fmt: skip
def test_a_manifest_that_is_none(middle: Meddler, holdfast: Holdfast, behaviour: Callable[[], Behaviour]) -> None:
    middle.on(MANIFESTS, behaviour())
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    is_told(outcome)
    assert middle.host in outcome.err
    assert "\x1b" not in outcome.err
    middle.forget()
    assert scan(holdfast, f"{middle.host}/app", *ONLY).code == 0


def without_names(count: int) -> Behaviour:
    return swap(b'{"schemaVersion": 2, "config": {}, "layers": [' + b"{}," * count + b"{}]}", honest=True)


def test_layers_that_are_not_named(middle: Meddler, holdfast: Holdfast) -> None:
    middle.on(MANIFESTS, without_names(100))
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    assert (outcome.code, outcome.report["status"], outcome.err) == (3, "partial", "")
    assert packages(outcome) == set()
    assert len(outcome.report["problems"]) < 20


def test_a_million_layers_that_are_not_named(middle: Meddler, holdfast: Holdfast) -> None:
    middle.on(MANIFESTS, without_names(1_000_000))
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    is_told(outcome)
    assert "objects" in outcome.err
    assert outcome.memory < 100


TRIED_AGAIN: dict[str, Callable[[], Behaviour]] = {
    "ten thousand headers": headers,
    "a header of ten megabytes": lambda: headers(1, 10 << 20),
    "no HTTP": lambda: garbage(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a head that never ends": lambda: garbage(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000),
    "nothing": empty,
    "not available": lambda: status(503),
}


@pytest.mark.parametrize("behaviour", TRIED_AGAIN.values(), ids=TRIED_AGAIN.keys())
@pytest.mark.slow
def test_what_may_be_better_the_next_time(
    middle: Meddler, holdfast: Holdfast, behaviour: Callable[[], Behaviour]
) -> None:
    rule = middle.on(MANIFESTS, behaviour())
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    is_told(outcome)
    assert 1 < rule.met <= 10


@pytest.mark.slow
def test_all_that_may_be_better_the_next_time_at_once(tmp_path: Path, middle: Meddler, holdfast: Holdfast) -> None:
    """As above, of layers instead, each of which meets another of them; in five seconds and not in thirty."""
    many = image(tmp_path, [base(), *(layer(node(name.replace(" ", "-"))) for name in TRIED_AGAIN)], name="many")
    with fake({"app": many}) as real, meddler(real) as it:
        listed = [one["digest"] for one in json.loads(next(iter(
            data for kind, data in real.repositories["app"].manifests.values() if kind == MANIFEST
        )))["layers"]]  # fmt: skip
        for of, behaviour in zip(listed[1:], TRIED_AGAIN.values(), strict=True):
            it.on(f"*/{of}", behaviour())
        outcome = scan(holdfast, f"{it.host}/app", *ONLY)
    assert (outcome.code, outcome.report["status"], outcome.err) == (3, "partial", "")
    assert packages(outcome) == {"libc6", "base"}
    assert outcome.memory < MEBIBYTES


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", [lambda: drip(0.2, 1), silence], ids=["drip", "silence"])
def test_one_who_hardly_answers(middle: Meddler, holdfast: Holdfast, behaviour: Callable[[], Behaviour]) -> None:
    """A drip is left after half a minute, silence after five times twenty seconds."""
    middle.on(MANIFESTS, behaviour())
    is_told(scan(holdfast, f"{middle.host}/app", *ONLY, timeout=300))


LAYERS: dict[str, Callable[[], Behaviour]] = {
    "endless": endless,
    "endless, of a stated length": lambda: endless(length=1 << 60),
    "a web page": html,
    "redirected for ever": redirect_maze,
    "gone": lambda: status(404),
    "forbidden": lambda: status(403),
    "a bomb": lambda: gzipped(bytes(50 << 20)),
}


@pytest.mark.parametrize("behaviour", cases(LAYERS, "endless", "a web page"))
def test_layers_that_are_none(middle: Meddler, holdfast: Holdfast, behaviour: Callable[[], Behaviour]) -> None:
    middle.on(BLOBS, behaviour())
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    assert (outcome.code, outcome.err) == (3, "")
    assert packages(outcome) == set()
    assert outcome.report["status"] in ("partial", "failed")
    assert len(outcome.report["problems"]) < 20
    assert outcome.memory < MEBIBYTES
    middle.forget()
    assert packages(scan(holdfast, f"{middle.host}/app", *ONLY)) == {"lodash", "shop"}


NO_LISTS: dict[str, Callable[[], Behaviour]] = {
    "a page": html,
    "a loop": link_to_itself,
    "deep": lambda: swap(deep_json()),
    "wide": lambda: swap(wide_json("manifests", 500_000)),
    "redirections": redirect_loop,
    "forbidden": lambda: status(403),
    "endless": endless,
}


@pytest.mark.parametrize("behaviour", cases(NO_LISTS, "a page", "endless"))
def test_referrers_that_are_none_spoil_no_scan(
    middle: Meddler, holdfast: Holdfast, behaviour: Callable[[], Behaviour]
) -> None:
    middle.on(REFERRERS, behaviour())
    outcome = scan(holdfast, f"{middle.host}/app", *ONLY)
    assert (outcome.code, outcome.report["status"], outcome.err) == (0, "complete", "")
    assert packages(outcome) == {"lodash", "shop"}
    assert outcome.memory < MEBIBYTES


MEDIA_TYPES = {
    "none": None,
    "empty": "",
    "text": "text/plain",
    "JSON": "application/json",
    "long": "x" * 5000,
    "odd": "application/vnd.x;q=\xff",
}


@pytest.mark.parametrize("stated", cases(MEDIA_TYPES, "JSON"))
def test_a_media_type_that_says_nothing(middle: Meddler, holdfast: Holdfast, stated: str | None) -> None:
    middle.on(MANIFESTS, content_type(stated))
    assert packages(scan(holdfast, f"{middle.host}/app", *ONLY)) == {"lodash", "shop"}


NAMED = (
    "sha256:" + "../" * 20 + "etc/passwd", "sha256:" + "A" * 64, "sha256:" + "0" * 63, "sha1:" + "0" * 40, "md5:x", "",
    "sha256:" + "\u0660" * 64, "x" * 100_000,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("where", ["config", "layers", "manifests"])
def test_digests_that_are_none(holdfast: Holdfast, where: str) -> None:
    for named in NAMED:
        one: dict[str, Any] = {"mediaType": MANIFEST, "digest": named, "size": 100}
        config = {"mediaType": OCI + "config.v1+json", "digest": digest(b"{}"), "size": 2}
        blob = {"mediaType": OCI + "layer.v1.tar", "digest": named, "size": 100}
        documents: dict[str, dict[str, Any]] = {
            "config": {"config": config | {"digest": named}, "layers": []},
            "layers": {"config": config, "layers": [blob]},
            "manifests": {"manifests": [one]},
        }
        document = documents[where]

        def answer(request: Request, body: bytes = json.dumps({"schemaVersion": 2} | document).encode()) -> Answer:
            is_manifest = request.path == "/v2/app/manifests/latest"
            return (
                Answer(200, body=body)
                if is_manifest
                else Answer(200 if request.path.endswith("8a") else 404, body=b"{}")
            )

        with listen(answer) as it:
            outcome = scan(holdfast, f"{it.host}/app", *ONLY)
            assert outcome.code in (3, 4), named[:80]
            assert len(outcome.err.splitlines()) <= 2
            assert len(outcome.out) + len(outcome.err) < 20_000
            known = ("/v2/app/manifests/", "/v2/app/referrers/", "/v2/app/blobs/sha256:")
            assert all(path.split()[1].startswith(known) and ".." not in path for path in it.paths), it.paths


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "app/../../x", "app:../x", "app@sha256:../../x", "app@md5:00", "a" * 300, "app:" + "t" * 200,
     "app//x", "app\x00", "-x/y:z", "app?x=y", "app%2f..", "app#x", "\u202eapp"],
)  # fmt: skip
def test_names_that_are_none(holdfast: Holdfast, name: str) -> None:
    with listen() as it:
        outcome = holdfast("scan", f"registry:{it.host}/{name}".replace("\x00", "\x01"), *ONLY)
        assert outcome.code == 4
        assert len(outcome.err.splitlines()) <= 2
        assert it.requests == []


TOKENS: dict[str, bytes] = {
    "10 MB": json.dumps({"token": "x" * (10 << 20)}).encode(),
    "100 KB": json.dumps({"token": "x" * 100_000}).encode(),
    "deep": deep_json(),
    "none": b"{}",
    "a number": b'{"token": 5}',
    "two lines": json.dumps({"token": "x\r\nX-Evil: y"}).encode(),
    "a page": b"<html>",
    "empty": b"",
    "not ASCII": json.dumps({"token": "\u2603"}).encode(),
}


@pytest.mark.parametrize("body", cases(TOKENS, "10 MB", "two lines"))
def test_a_token_that_is_none(tmp_path: Path, holdfast: Holdfast, body: bytes) -> None:
    with token_server() as token, fake({"app": image(tmp_path, layers())}, token=token) as it:
        token.instead = lambda _: Answer(200, body=body)
        outcome = scan(holdfast, f"{it.host}/app", *ONLY)
        is_told(outcome)
        assert not any("X-Evil" in name for request in it.requests for name, _ in request.headers)


# Ended early.


def test_a_scan_that_was_killed_leaves_a_good_cache(tmp_path: Path, holdfast: Holdfast) -> None:
    stored = image(tmp_path, [base(), *(layer({**node(f"p{n}"), "data": bytes([n]) * 400_000}) for n in range(4))],
                   compression="none")  # fmt: skip
    expected = scan(holdfast, f"oci:{stored}", *ONLY)
    forget(holdfast)
    with registry(tmp_path / "registry") as real, meddler(real) as it:
        pushed = push(real, stored, "app:1")
        it.on(BLOBS, drip(0.02, 32 << 10))
        for seconds in (0.25, 0.4, 0.55):
            with holdfast.start("scan", f"{it.host}/app:1", "-q", *ONLY) as process:
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
        it.forget()
        for target in (f"{it.host}/app:1", f"{it.host}/app@{pushed.digest}"):
            outcome = scan(holdfast, target, *ONLY)
            assert (outcome.code, outcome.err) == (0, "")
            assert lasting(outcome.report) == lasting(expected.report)


# Names without a prefix, and no network.


def test_a_name_that_is_neither_a_file_nor_an_image(holdfast: Holdfast, middle: Meddler) -> None:
    outcome = scan(holdfast, f"{middle.host}/typo", *ONLY)
    is_told(outcome)
    assert "404" in outcome.err
    assert "no file or folder is called" in outcome.err
    prefixed = scan(holdfast, f"registry:{middle.host}/typo", *ONLY)
    is_told(prefixed)
    assert "no file or folder" not in prefixed.err


def test_a_typing_error_where_nothing_can_be_reached(holdfast: Holdfast) -> None:
    holdfast.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
    outcome = scan(holdfast, "some/typo.tar", *ONLY)
    is_told(outcome)
    assert "cannot be reached" in outcome.err
    assert "no file or folder is called some/typo.tar" in outcome.err
    offline = scan(holdfast, "typo", "--offline", *ONLY)
    is_told(offline)
    assert "--offline" in offline.err
    assert "no file or folder is called typo" in offline.err


def without_sockets(holdfast: Holdfast, *arguments: object) -> Outcome:
    """The command, which ends with 98 or 99 where it looks a name up or opens an internet socket."""
    return holdfast("-c", _FORBIDDEN, *arguments, prefix=[sys.executable], bare=True)


@pytest.mark.parametrize("command", [("scan",), ("inspect",), ("pull",)])
def test_offline_nothing_is_asked(holdfast: Holdfast, middle: Meddler, command: tuple[str, ...]) -> None:
    arguments = (*command, f"{middle.host}/app:latest", *(("oci:pulled",) if command == ("pull",) else ()))
    outcome = without_sockets(holdfast, *arguments, "--offline")
    assert outcome.code == 4
    assert "--offline" in outcome.err
    assert middle.requests == []
    assert without_sockets(holdfast, *arguments).code in (98, 99)  # the guard notices


def test_offline_what_is_known_by_digest_is_scanned(tmp_path: Path, holdfast: Holdfast) -> None:
    with registry(tmp_path / "registry") as it:
        pushed = push(it, image(tmp_path, layers()), "app:1")
        online = scan(holdfast, pushed.pinned, *ONLY)
    outcome = without_sockets(holdfast, "scan", pushed.pinned, "--offline", "-q", "-f", "json", *ONLY)
    assert (outcome.code, outcome.err) == (0, "")
    assert lasting(outcome.report) == lasting(online.report)
    tagged = without_sockets(holdfast, "scan", pushed.tagged, "--offline", "-q", *ONLY)
    assert tagged.code == 4  # where a tag leads now, nobody here knows


def test_offline_a_layer_that_is_not_known_is_missing(tmp_path: Path, holdfast: Holdfast) -> None:
    with registry(tmp_path / "registry") as it:
        pushed = push(it, image(tmp_path, layers()), "app:1")
        assert holdfast("inspect", pushed.pinned).code == 0
    outcome = without_sockets(holdfast, "scan", pushed.pinned, "--offline", "-q", "-f", "json", *ONLY)
    assert (outcome.code, outcome.report["status"]) == (3, "partial")
    assert packages(outcome) == set()
    assert any("--offline" in problem["message"] for problem in outcome.report["problems"])


def test_slow_beginnings_are_waited_for(middle: Meddler, holdfast: Holdfast) -> None:
    middle.on("*", delay(0.3))
    assert scan(holdfast, f"{middle.host}/app", *ONLY).code == 0
