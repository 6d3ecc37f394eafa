"""Asking issuers: over loopback only, with a server that plays them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from holdfast.model.finding import SecretEvidence
from holdfast.secret import Place, findings
from holdfast.secret.engine import SecretEngine
from holdfast.secret.verify import MOST_ASKED, verify, with_answers
from holdfast.transport.wire import Wire
from secret.engines import TOKEN, engine, window

RULES = r"""
[[rule]]
id = "secret.test-token"
title = "A token of the tests"
severity = "high"
pattern = '\b(?P<secret>hft_[A-Za-z0-9]{20})\b(?: for (?P<account>\S+))?'
[rule.verify]
url = "https://issuer.test/v1/me"
headers = { Authorization = "Bearer {secret}" }
dead = [401, 403]
"""


@contextmanager
def issuer(
    status: int, body: bytes = b"", location: str = ""
) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    asked: list[tuple[str, str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked.append((self.command, self.path, {**self.headers, "body": sent}))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def holding(text: bytes = TOKEN, rules: str = RULES) -> SecretEngine:
    one = engine(rules, keep=True)
    one.session().examine(window(text))
    return one


def ask(one: SecretEngine, base: str, *, offline: bool = False) -> tuple[list[str], list[str]]:
    with Wire(offline=offline) as wire:
        answers, problems = verify(one.kept.values(), one.secret_rules, wire, hosts={"issuer.test": base})
    return list(answers.values()), [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("status", "said"), [(200, ["yes"]), (401, ["no"]), (403, ["no"]), (500, []), (429, []), (302, [])]
)
def test_the_issuer_says_whether_it_lives(status: int, said: list[str]) -> None:
    with issuer(status) as (base, asked):
        answers, problems = ask(holding(), base)
    assert answers == said
    assert bool(problems) is not bool(said)
    assert [(method, path, headers["Authorization"]) for method, path, headers in asked] == [
        ("GET", "/v1/me", f"Bearer {TOKEN.decode()}")
    ]


def test_a_redirection_is_not_followed() -> None:
    with issuer(200) as (elsewhere, strange), issuer(302, location=f"{elsewhere}/take") as (base, _):
        assert ask(holding(), base)[0] == []
    assert strange == []


def test_offline_nothing_is_asked() -> None:
    with issuer(200) as (base, asked):
        answers, problems = ask(holding(), base, offline=True)
    assert (answers, asked) == ([], [])
    assert "--offline" in problems[0]


def test_words_in_the_answer_can_be_asked_for() -> None:
    rules = RULES + 'alive_text = "\\"ok\\":true"\n'
    with issuer(200, b'{"ok":true}') as (base, _):
        assert ask(holding(rules=rules), base)[0] == ["yes"]
    with issuer(200, b'{"ok":false}') as (base, _):
        assert ask(holding(rules=rules), base)[0] == []


def test_the_secret_goes_into_url_body_and_basic_authentication() -> None:
    rules = RULES.replace("/v1/me", "/v1/{secret}/{account}").replace("Bearer {secret}", "Basic {basic}")
    rules += 'method = "POST"\nbody = "token={secret}"\n'
    with issuer(200) as (base, asked):
        ask(holding(TOKEN + b" for a/d?a", rules), base)
    ((method, path, headers),) = asked
    assert (method, path, headers["body"]) == ("POST", f"/v1/{TOKEN.decode()}/a%2Fd%3Fa", f"token={TOKEN.decode()}")
    assert headers["Authorization"].startswith("Basic aGZ0X")


def test_what_was_found_has_no_say_in_the_host() -> None:
    rules = RULES.replace("https://issuer.test", "https://{account}")
    assert ask(holding(TOKEN + b" for evil.test", rules), "http://127.0.0.1:9")[1] == [
        "its issuer could not say whether it lives: it cannot be written into a request"
    ]


def test_a_header_cannot_be_broken_out_of() -> None:
    rules = RULES.replace(r"(?P<account>\S+)", r"(?P<account>[\s\S]+)").replace("Bearer {secret}", "Bearer {account}")
    with issuer(200) as (base, asked):
        answers, problems = ask(holding(TOKEN + b" for a\r\nX-Evil: 1", rules), base)
    assert (answers, asked) == ([], [])
    assert problems


def test_no_error_shows_the_secret() -> None:
    rules = RULES.replace("/v1/me", "/v1/{secret}")
    _, problems = ask(holding(rules=rules), "http://127.0.0.1:9")
    assert problems
    assert TOKEN.decode() not in repr(problems)


def test_many_secrets_are_asked_about_up_to_a_bound() -> None:
    text = b"\n".join(b"hft_k3Jq9Zt7Lw2Xn5%06d" % (number * 7919 % 1_000_000) for number in range(MOST_ASKED + 30))
    with issuer(401) as (base, asked):
        _, problems = ask(holding(text), base)
    assert len(asked) == MOST_ASKED
    assert any("no issuer was asked" in problem for problem in problems)


def test_findings_say_what_the_issuer_said() -> None:
    one = engine(RULES, keep=True)
    place = Place(one.session().examine(window(TOKEN)), path="a")
    (finding,) = with_answers(findings([place], one.rules), dict.fromkeys(one.kept, "yes"))
    assert isinstance(finding.evidence, SecretEvidence)
    assert finding.evidence.alive == "yes"


def test_an_engine_keeps_nothing_unless_it_is_asked_to() -> None:
    one = engine(RULES)
    one.session().examine(window(TOKEN))
    assert one.kept == {}
    assert TOKEN.decode() not in repr(holding().kept)
