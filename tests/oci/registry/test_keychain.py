"""Where credentials are looked for, and in what order."""

import json
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.status import Gravity
from holdfast.oci.registry.keychain import Keychain


def login(user: str, registry: str = "quay.io") -> str:
    """The content of a file that `docker login` wrote."""
    return json.dumps({"auths": {registry: {"auth": b64encode(f"{user}:s3cret".encode()).decode()}}})


class Home:
    """A user's home, with the files and helpers that a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment: dict[str, str] = {}

    def write(self, name: str, content: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def helper(self, name: str, script: str) -> None:
        """A helper that also writes down that it was asked."""
        path = self.write(f"bin/docker-credential-{name}", f'#!/bin/sh\necho asked >> "$LOG"\n{script}\n')
        path.chmod(0o755)
        self.environment |= {"PATH": str(path.parent), "LOG": str(self.path / "log")}

    @property
    def times_asked(self) -> int:
        log = self.path / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def keychain(self, **environment: str) -> Keychain:
        return Keychain.of(self.environment | environment, self.path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def user(keychain: Keychain, registry: str = "quay.io", repository: str = "org/app") -> str | None:
    found = keychain.credential(registry, repository)
    return found.username if found else None


ALICE = """printf '{"Username": "alice", "Secret": "s3cret"}'"""


def test_nothing_is_known_where_there_is_nothing(home: Home) -> None:
    keychain = home.keychain()
    assert user(keychain) is None
    assert keychain.problems == []


def test_the_order(home: Home) -> None:
    """Each place is asked before those behind it: they are taken away one by one."""
    places = {
        "HOLDFAST_REGISTRY": None,
        "DOCKER_AUTH_CONFIG": None,
        "REGISTRY_AUTH_FILE": "named.json",
        "XDG_RUNTIME_DIR": "run/containers/auth.json",
        "XDG_CONFIG_HOME": "config/containers/auth.json",
        "DOCKER_CONFIG": "docker/config.json",
        "": ".dockercfg",
    }
    for name, file in places.items():
        if file:
            home.write(file, login(name or "last"))
    environment = {
        "HOLDFAST_REGISTRY": "quay.io",
        "HOLDFAST_USERNAME": "HOLDFAST_REGISTRY",
        "HOLDFAST_PASSWORD": "s3cret",
        "DOCKER_AUTH_CONFIG": login("DOCKER_AUTH_CONFIG"),
        "REGISTRY_AUTH_FILE": str(home.path / "named.json"),
        "XDG_RUNTIME_DIR": str(home.path / "run"),
        "XDG_CONFIG_HOME": str(home.path / "config"),
        "DOCKER_CONFIG": str(home.path / "docker"),
    }
    for name in places:
        assert user(Keychain.of(environment, home.path)) == (name or "last")
        environment = {key: value for key, value in environment.items() if key != name and key[:8] != name[:8]}


def test_the_usual_places_in_a_home(home: Home) -> None:
    home.write(".docker/config.json", login("docker"))
    found = home.keychain().credential("quay.io")
    assert found is not None
    assert (found.username, found.source) == ("docker", "~/.docker/config.json")
    home.write(".config/containers/auth.json", login("podman"))
    assert user(home.keychain()) == "podman"


def test_a_folder_that_is_named_stands_for_the_usual_one(home: Home) -> None:
    home.write(".docker/config.json", login("docker"))
    assert user(home.keychain(DOCKER_CONFIG=str(home.path / "other"))) is None


def test_the_next_place_is_asked_where_one_knows_another_registry_only(home: Home) -> None:
    home.write(".config/containers/auth.json", login("podman", "ghcr.io"))
    home.write(".docker/config.json", login("docker"))
    keychain = home.keychain()
    assert (user(keychain), user(keychain, "ghcr.io"), user(keychain, "docker.io")) == ("docker", "podman", None)


@pytest.mark.parametrize("called", ["docker.io", "index.docker.io", "registry-1.docker.io", "DOCKER.IO"])
def test_docker_hub_by_all_its_names(home: Home, called: str) -> None:
    home.write(".docker/config.json", login("alice", "https://index.docker.io/v1/"))
    assert user(home.keychain(), called) == "alice"


@pytest.mark.parametrize(
    "host", ["registry.example.org:5000", "https://registry.example.org:5000/", "Registry.Example.org:5000"]
)
def test_the_environment_is_for_one_registry(home: Home, host: str) -> None:
    keychain = home.keychain(HOLDFAST_REGISTRY=host, HOLDFAST_USERNAME="alice", HOLDFAST_PASSWORD="s3cret")
    assert user(keychain, "registry.example.org:5000") == "alice"
    assert user(keychain, "registry.example.org") is None
    assert user(keychain, "quay.io") is None
    assert keychain.problems == []


def test_a_token_of_the_environment_is_sent_as_it_is(home: Home) -> None:
    found = home.keychain(HOLDFAST_REGISTRY="quay.io", HOLDFAST_TOKEN="bearer").credential("quay.io")
    assert found is not None
    assert (found.registry_token, found.source) == ("bearer", "environment")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HOLDFAST_USERNAME": "alice", "HOLDFAST_PASSWORD": "s3cret"}, "for no registry"),
        ({"HOLDFAST_TOKEN": "s3cret"}, "for no registry"),
        ({"HOLDFAST_REGISTRY": "quay.io"}, "no credentials for it"),
        ({"HOLDFAST_REGISTRY": "quay.io", "HOLDFAST_USERNAME": "alice"}, "no credentials for it"),
        ({"HOLDFAST_REGISTRY": "a b", "HOLDFAST_TOKEN": "s3cret"}, "not a registry's host"),
        ({"HOLDFAST_REGISTRY": "quay.io", "HOLDFAST_TOKEN": "s3cret\n"}, "visible ASCII"),
        ({"DOCKER_AUTH_CONFIG": "s3cret"}, "not the JSON"),
        ({"REGISTRY_AUTH_FILE": "/nonexistent/auth.json"}, "No such file"),
    ],
)
def test_what_is_wrong_with_the_environment_is_a_note_and_no_error(
    home: Home, environment: dict[str, str], said: str
) -> None:
    keychain = home.keychain(**environment)
    assert user(keychain) is user(keychain) is None
    (problem,) = keychain.problems
    assert said in problem.message
    assert problem.gravity is Gravity.NOTE
    assert "s3cret" not in repr(problem)


def test_a_damaged_file_is_a_note_and_the_next_is_read(home: Home) -> None:
    home.write(".config/containers/auth.json", "{")
    home.write(".docker/config.json", login("docker"))
    keychain = home.keychain()
    assert user(keychain) == "docker"
    assert [problem.where for problem in keychain.problems] == ["~/.config/containers/auth.json"]


def test_a_helper_is_asked_once_for_a_registry(home: Home) -> None:
    home.helper("test", ALICE)
    home.write(".docker/config.json", json.dumps({"credHelpers": {"quay.io": "test"}}))
    keychain = home.keychain()
    assert [user(keychain, repository=name) for name in ("a", "b", "c")] == ["alice"] * 3
    assert user(keychain, "ghcr.io") is None
    assert home.times_asked == 1


def test_a_helper_is_asked_again_once_what_it_gave_is_refused(home: Home) -> None:
    home.helper("test", """read -r x; printf '{"Username": "%s", "Secret": "x"}' "$(wc -l < "$LOG" | tr -d ' ')" """)
    home.environment["PATH"] += ":/usr/bin:/bin"
    home.write(".docker/config.json", json.dumps({"credsStore": "test"}))
    keychain = home.keychain()
    assert user(keychain) == "1"
    assert keychain.forget("quay.io")
    assert user(keychain) == "2"
    assert not keychain.forget("ghcr.io")


def test_what_a_file_has_is_not_forgotten(home: Home) -> None:
    home.write(".docker/config.json", login("alice"))
    keychain = home.keychain()
    assert user(keychain) == "alice"
    assert not keychain.forget("quay.io")
    assert user(keychain) == "alice"


def test_several_threads_ask_a_helper_once(home: Home) -> None:
    home.helper("test", f"/bin/sleep 0.2; {ALICE}")
    home.write(".docker/config.json", json.dumps({"credsStore": "test"}))
    keychain, found = home.keychain(), list[str | None]()
    threads = [threading.Thread(target=lambda: found.append(user(keychain))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["alice"] * 6
    assert home.times_asked == 1


@pytest.mark.parametrize(
    ("registry", "server"),
    [("docker.io", "https://index.docker.io/v1/"), ("quay.io", "quay.io"), ("localhost:5000", "localhost:5000")],
)
def test_a_helper_is_asked_by_what_docker_stores(home: Home, registry: str, server: str) -> None:
    home.helper("test", """read -r server; printf '{"Username": "<token>", "Secret": "%s"}' "$server" """)
    home.write(".docker/config.json", json.dumps({"credsStore": "test"}))
    found = home.keychain().credential(registry)
    assert found is not None
    assert found.identity_token == server


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(home: Home) -> None:
    home.helper("test", "echo credentials not found in native keychain; exit 1")
    home.write(".docker/config.json", json.dumps({"credsStore": "test", **json.loads(login("alice"))}))
    keychain = home.keychain()
    assert user(keychain) == "alice"
    assert keychain.problems == []


@pytest.mark.parametrize("script", ["echo broken >&2; exit 1", "echo broken"])
def test_a_failing_helper_is_noted_once(home: Home, script: str) -> None:
    home.helper("test", script)
    home.write(".docker/config.json", json.dumps({"credsStore": "test"}))
    keychain = home.keychain()
    assert user(keychain) is user(keychain, repository="other") is None
    assert [problem.gravity for problem in keychain.problems] == [Gravity.NOTE]


def test_an_absent_helper_is_noted_with_what_to_do(home: Home) -> None:
    home.write(".docker/config.json", json.dumps({"credHelpers": {"quay.io": "ecr-login"}}))
    keychain = home.keychain()
    assert user(keychain) is None
    (problem,) = keychain.problems
    assert problem.where == "docker-credential-ecr-login"
    assert "install docker-credential-ecr-login" in problem.remedy


def test_offline_no_helper_runs(home: Home) -> None:
    home.helper("test", ALICE)
    home.write(".docker/config.json", json.dumps({"credsStore": "test", **json.loads(login("file"))}))
    keychain = Keychain.of(home.environment, home.path, offline=True)
    assert user(keychain) == "file"
    assert home.times_asked == 0
    assert "--offline" in keychain.problems[0].message


def test_nothing_is_read_before_the_first_question(home: Home) -> None:
    home.write(".docker/config.json", "{")
    assert home.keychain().problems == []


@pytest.mark.parametrize("registry", ["", "a b", "x" * 5000, "\udcff"])
def test_a_registry_of_no_possible_name_is_not_known(home: Home, registry: str) -> None:
    home.write(".docker/config.json", login("alice"))
    assert user(home.keychain(), registry) is None


def test_its_representation_shows_no_secret(home: Home) -> None:
    keychain: Any = home.keychain(DOCKER_AUTH_CONFIG=login("alice"))
    found = keychain.credential("quay.io")
    assert not any("s3cret" in repr(one) or "czNjcmV0" in repr(one) for one in (keychain, found, keychain._read()))
