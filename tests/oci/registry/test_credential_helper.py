"""Credential helpers, well-behaved and not."""

import json
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, InputError, LimitError, SourceError
from holdfast.oci.registry import credential_helper
from holdfast.oci.registry.credential import Credential


class Helpers:
    """A folder of programs, and an environment whose PATH it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": str(folder), "HOME": str(folder)}

    def write(self, name: str, script: str) -> None:
        path = self.folder / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def ask(self, script: str, *, seconds: float = 10.0) -> Credential | None:
        self.write("test", script)
        return credential_helper.ask("test", "quay.io", self.environment, seconds=seconds)


@pytest.fixture
def helpers(tmp_path: Path) -> Helpers:
    return Helpers(tmp_path)


def answer(**values: object) -> str:
    return f"printf '%s' '{json.dumps(values)}'"


def test_it_is_asked_for_the_server_on_its_input(helpers: Helpers) -> None:
    script = """read -r server; printf '{"ServerURL": "x", "Username": "%s", "Secret": "s3cret"}' "$1-$server" """
    found = helpers.ask(script)
    assert found is not None
    assert (found.username, found.password) == ("get-quay.io", "s3cret")
    assert found.source == "helper docker-credential-test"


def test_a_user_named_token_has_an_identity_token(helpers: Helpers) -> None:
    found = helpers.ask(answer(Username="<token>", Secret="identity"))
    assert found is not None
    assert (found.identity_token, found.password) == ("identity", "")


def test_names_in_lower_case_are_understood(helpers: Helpers) -> None:
    assert helpers.ask(answer(username="alice", secret="s3cret")) is not None


def test_it_has_the_environment_that_was_handed_in_and_no_other(
    helpers: Helpers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "secret-of-ours")
    helpers.environment["GIVEN"] = "given"
    found = helpers.ask("""printf '{"Username": "%s%s", "Secret": "x"}' "$GIVEN" "$OURS" """)
    assert found is not None
    assert found.username == "given"


@pytest.mark.parametrize(
    "script",
    [
        "echo credentials not found in native keychain; exit 1",
        "echo no credentials server URL; exit 1",
        answer(ServerURL="x", Username="", Secret=""),
        answer(Username=None, Secret=None),
        "echo '{}'",
    ],
)
def test_it_may_know_nothing(helpers: Helpers, script: str) -> None:
    assert helpers.ask(script) is None


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "a b", ".hidden", "-x", "a\0b", "a\n", "ä", "x" * 65])
def test_a_name_that_leads_elsewhere_is_refused(helpers: Helpers, name: str) -> None:
    with pytest.raises(InputError):
        credential_helper.ask(name, "quay.io", helpers.environment)


def test_one_that_is_absent_is_said_with_what_to_do(helpers: Helpers) -> None:
    with pytest.raises(SourceError, match="install docker-credential-absent"):
        credential_helper.ask("absent", "quay.io", helpers.environment)


@pytest.mark.parametrize("path", [None, "", ".", "bin::relative", "/nowhere"])
def test_it_is_looked_for_in_the_path_that_was_handed_in(
    helpers: Helpers, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    helpers.write("test", answer(Username="a", Secret="b"))
    monkeypatch.setenv("PATH", str(helpers.folder))
    monkeypatch.chdir(helpers.folder)
    environment = {} if path is None else {"PATH": path}
    with pytest.raises(SourceError, match="not in PATH"):
        credential_helper.ask("test", "quay.io", environment)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exit 0", id="nothing"),
        pytest.param("echo no JSON", id="text"),
        pytest.param("echo '[]'", id="a list"),
        pytest.param("""echo '{"Username": 5, "Secret": "x"}'""", id="a number"),
        pytest.param("printf '\\377\\376'", id="no UTF-8"),
        pytest.param("exit 3", id="a failure without words"),
        pytest.param("kill -9 $$", id="killed"),
        pytest.param(answer(Username="a:b", Secret="s3cret"), id="a colon in the user name"),
    ],
)
def test_a_bad_answer_is_a_proper_error(helpers: Helpers, script: str) -> None:
    with pytest.raises(HoldfastError) as caught:
        helpers.ask(script)
    assert "s3cret" not in str(caught.value)


def test_of_what_it_says_the_first_line_is_shown_without_what_may_be_secret(helpers: Helpers) -> None:
    said = "cannot log in: token=abc AKIAIOSFODNN7EXAMPLE \\033[31mred"
    with pytest.raises(SourceError) as caught:
        helpers.ask(f"printf '{said}\\nsecond line' >&2; exit 1")
    text = str(caught.value)
    assert "cannot log in" in text
    assert "\\x1b[31mred" in text
    assert not any(secret in text for secret in ("abc", "AKIA", "second line", "\033"))


def test_a_failing_one_that_wrote_its_answer_does_not_give_it_away(helpers: Helpers) -> None:
    with pytest.raises(SourceError) as caught:
        helpers.ask(answer(Username="a", Secret="s3cret") + "; exit 1")
    assert "s3cret" not in str(caught.value)


def test_one_that_hangs_is_ended_with_all_that_it_started(helpers: Helpers) -> None:
    script = 'sleep 60 & echo "$$ $!" > "$HOME/pids"; wait'
    helpers.environment["PATH"] += ":/usr/bin:/bin"
    with pytest.raises(LimitError, match="did not answer"):
        helpers.ask(script, seconds=0.5)
    pids = (helpers.folder / "pids").read_text().split()
    for _ in range(200):  # killed is not yet gone
        if all(has_ended(pid) for pid in pids):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {pids}")


def has_ended(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_one_that_writes_without_end_is_ended(helpers: Helpers) -> None:
    with pytest.raises(LimitError, match="writes more"):
        helpers.ask(
            "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"
        )


def test_one_that_leaves_a_daemon_behind_is_not_waited_for(helpers: Helpers) -> None:
    helpers.environment["PATH"] += ":/usr/bin:/bin"
    asked = threading.Thread(target=helpers.ask, args=(f"sleep 8 & {answer(Username='a', Secret='b')}",))
    asked.start()
    asked.join(6)
    assert not asked.is_alive()


def test_one_that_does_not_read_is_asked_all_the_same(helpers: Helpers) -> None:
    assert helpers.ask(f"exec 0<&-; {answer(Username='a', Secret='b')}") is not None


@pytest.mark.parametrize(
    ("content", "mode"), [("#!/nonexistent\n", 0o755), ("\0\0", 0o755)], ids=["no interpreter", "no program"]
)
def test_one_that_cannot_be_run_is_a_proper_error(helpers: Helpers, content: str, mode: int) -> None:
    path = helpers.folder / "docker-credential-bad"
    path.write_text(content)
    os.chmod(path, mode)
    with pytest.raises(SourceError, match="cannot be run"):
        credential_helper.ask("bad", "quay.io", helpers.environment)


def test_an_environment_that_no_program_can_have_is_a_proper_error(helpers: Helpers) -> None:
    helpers.environment["X"] = "a\0b"
    with pytest.raises(SourceError, match="cannot be run"):
        helpers.ask("exit 0")


@given(st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_credential_or_a_proper_error(output: bytes) -> None:
    try:
        found = credential_helper._understood(output, "x")
    except HoldfastError:
        return
    assert found is None or isinstance(found, Credential)
