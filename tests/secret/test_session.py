"""What a session finds in the windows of files."""

import base64
from collections.abc import Callable

import pytest

from holdfast.model.file import Window
from holdfast.model.finding import Confidence
from holdfast.secret.search import MOST_CANDIDATES
from secret.engines import OTHER, RULES, TOKEN, engine, examined, window


def test_a_token_is_found_with_its_line_and_redacted() -> None:
    (hit,) = examined(b"first\nsecond\ntoken = " + TOKEN + b"\n")
    assert (hit.rule, hit.line, hit.length, hit.confidence) == ("secret.test-token", 3, 24, Confidence.HIGH)
    assert hit.redacted == "hft…Rd1"
    assert len(hit.key_id) == 32


def test_an_empty_file_and_one_without_secrets_give_nothing() -> None:
    session = engine().session()
    assert session.examine(window(b"")) == ()
    assert session.examine(window(b"nothing to see")) == ()
    assert session.problems == []


def test_each_secret_of_a_file_is_a_hit() -> None:
    hits = examined(b"a = " + TOKEN + b"\nb = " + OTHER + b"\nc = " + TOKEN + b"\n")
    assert [hit.line for hit in hits] == [1, 2, 3]
    assert hits[0].key_id == hits[2].key_id != hits[1].key_id


def test_a_failing_check_lowers_and_a_failing_requirement_drops() -> None:
    assert examined(b"hfc_" + b"Zk4Qw9Lt7Bn2Xs8Vr5")[0].confidence is Confidence.HIGH
    (low,) = examined(b"hfc_" + b"abba1ab2ba")
    assert (low.confidence, low.note) == (Confidence.LOW, "malformed")
    assert examined(b"hfc_" + b"cccccccccc") == ()


def test_what_its_neighbours_tell_needs_them_near() -> None:
    secret = b"4f9c2a7d1e8b3f6a5c0d9e2b"
    assert [hit.rule for hit in examined(b"TestVendor key: " + secret)] == ["secret.test-near"]
    assert [hit.rule for hit in examined(secret + b" # for testvendor")] == ["secret.test-near"]
    assert examined(b"commit " + secret) == ()
    assert examined(b"testvendor" + b" " * 400 + secret) == ()


@pytest.mark.parametrize("path", ["root/.testrc", ".testrc", "home/ada/.testrc", "etc/test/one.conf"])
def test_a_rule_for_certain_files_holds_there(path: str) -> None:
    assert [hit.rule for hit in examined(b"login ada word Vk29sLq8\n", path)] == ["secret.test-netrc"]


@pytest.mark.parametrize("path", ["root/testrc", "etc/test/deeper/one.conf", "etc/test/one.cfg"])
def test_and_nowhere_else(path: str) -> None:
    assert examined(b"login ada word Vk29sLq8\n", path) == ()


def test_a_member_of_an_archive_is_judged_by_its_own_name() -> None:
    session = engine().session()
    data = b"login ada word Vk29sLq8\n"
    (hit,) = session.examine(window(data, "srv/app.jar", "root/.testrc"))
    assert hit.inside == "root/.testrc"


def test_a_specific_rule_wins_over_a_generic_one() -> None:
    assert [hit.rule for hit in examined(b"passphrase = " + TOKEN)] == ["secret.test-token"]
    assert [hit.rule for hit in examined(b"passphrase = Vk29sLq8w")] == ["secret.test-assignment"]


def test_generic_rules_leave_binaries_alone_and_specific_ones_do_not() -> None:
    data = b"\x7fELF\0\0\1 passphrase=Vk29sLq8w \0 " + TOKEN + b"\0"
    assert [hit.rule for hit in examined(data)] == ["secret.test-token"]


def test_base64_in_binaries_is_not_read() -> None:
    assert examined(b"\0" + base64.b64encode(b"   " + TOKEN)) == ()


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf16_is_read(order: str, mark: str) -> None:
    (hit,) = examined(f"{mark}[a]\r\ntoken = {TOKEN.decode()}\r\n".encode(order))
    assert (hit.rule, hit.encoding, hit.line, hit.length) == ("secret.test-token", "utf-16", 2, 24)


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_one_wrapping_of_base64_is_read(before: str, encode: Callable[[bytes], bytes]) -> None:
    wrapped = encode(before.encode() + b' {"token?": "' + TOKEN + b'", "more": ">>>???~~~"}')
    (hit,) = examined(b"data:\n  config.json: " + wrapped + b"\n")
    assert (hit.rule, hit.encoding, hit.line, hit.length) == ("secret.test-token", "base64", 2, 24)


def test_base64_in_lines_of_76_is_read() -> None:
    wrapped = base64.encodebytes(b"x" * 100 + b" " + TOKEN + b" " + b"y" * 100)
    (hit,) = examined(b"config:\n\n" + wrapped)
    assert (hit.rule, hit.encoding) == ("secret.test-token", "base64")


def test_two_wrappings_are_not() -> None:
    assert examined(base64.b64encode(base64.b64encode(b"token=" + TOKEN))) == ()


def pieces(data: bytes, size: int, overlap: int) -> list[Window]:
    found, offset = [], 0
    while True:
        found.append(Window("var/dump.sql", data[offset : offset + size], len(data), offset=offset))
        if offset + size >= len(data):
            return found
        offset += size - overlap


@pytest.mark.parametrize("place", [0, 10, 39_000, 39_980, 40_000, 34_000, 33_999, 69_000, 99_970])
def test_a_secret_in_the_windows_of_a_large_file_is_one_hit(place: int) -> None:
    line = b"a line of the dump\n"
    data = bytearray((line * 6000)[:100_000])
    data[place : place + len(TOKEN) + 2] = b" " + TOKEN + b" "
    session = engine().session()
    hits = [hit for one in pieces(bytes(data), 40_000, 6_000) for hit in session.examine(one)]
    assert [(hit.rule, hit.line) for hit in hits] == [("secret.test-token", data[: place + 1].count(b"\n") + 1)]


def test_windows_of_another_file_begin_anew() -> None:
    session = engine().session()
    first = Window("a", TOKEN + b"\n" * 5000, 20_000)
    second = Window("b", TOKEN + b"\n" * 5000, 20_000)
    assert [hit.line for one in (first, second) for hit in session.examine(one)] == [1, 1]


def test_a_private_key_of_many_lines_is_one_hit() -> None:
    body = b"\n".join(b"MIIEpAIBAAKCAQEA7k2Jq9Zt7Lw2Xn5Vb8Rd1c4Fg6Hj8Kl0Mn3Pq5Rs7Tu9Vw%02d" % n for n in range(400))
    key = b"-----BEGIN TEST KEY-----\n" + body + b"\n-----END TEST KEY-----\n"
    (hit,) = examined(b"# key\n" + key)
    assert (hit.rule, hit.line) == ("secret.test-key", 2)


def test_the_id_of_a_private_key_does_not_depend_on_its_line_ends() -> None:
    body = [b"MIIEpAIBAAKCAQEA7k2Jq9Zt7Lw2Xn5Vb8Rd1c4Fg6Hj", b"8Kl0Mn3Pq5Rs7Tu9Vw1Xy3Za5Bc7De9Fg1Hi3Jk5Lm7N"]
    lines = [b"-----BEGIN TEST KEY-----", *body, b"-----END TEST KEY-----"]
    (unix,), (windows,) = examined(b"\n".join(lines)), examined(b"\r\n".join(lines))
    assert unix.key_id == windows.key_id


def test_the_same_secret_has_another_id_with_another_key() -> None:
    (one,) = engine().session().examine(window(TOKEN))
    (two,) = engine(key=b"z" * 32).session().examine(window(TOKEN))
    assert one.key_id != two.key_id
    assert engine().fingerprint != engine(key=b"z" * 32).fingerprint


def test_a_flood_of_candidates_hides_no_secret_of_another_kind_and_is_said() -> None:
    session = engine().session()
    flood = b"passphrase = ${PASSPHRASE}\n" * (MOST_CANDIDATES + 5000)
    hits = session.examine(window(flood + TOKEN))
    assert [hit.rule for hit in hits] == ["secret.test-token"]
    assert [problem.code for problem in session.problems] == ["secret.too-many-candidates"]
    session.examine(window(flood, "another"))
    assert [problem.count for problem in session.problems] == [2]


def test_rules_can_be_given_in_any_order() -> None:
    blocks = RULES.strip().split("\n\n")
    assert examined(b"passphrase = " + TOKEN, rules="\n\n".join(reversed(blocks)))[0].rule == "secret.test-token"
