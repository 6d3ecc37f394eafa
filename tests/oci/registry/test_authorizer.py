"""A client before registries and token servers of every kind: what it sends to whom, and what it says when it fails.

Each test is a conversation: `ask` plays the caller, who asks, is perhaps refused, and asks again as long as the
authorizer says so.
"""

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import Struct

from holdfast.model.errors import AuthError, HoldfastError, LimitError, SourceError
from holdfast.oci.registry.authorizer import Authorizer
from holdfast.oci.registry.keychain import Keychain
from holdfast.transport.address import Address

REGISTRY = "registry.example.org"
REALM = "https://auth.example.org/token"
NGINX, REDIS = "repository:library/nginx:pull", "repository:library/redis:pull"
BEARER = f'Bearer realm="{REALM}",service="{REGISTRY}",scope="{NGINX}"'
ALICE = "Basic " + b64encode(b"alice:s3cret").decode()

Answer = tuple[int, Mapping[str, str], bytes]


class Asked(Struct):
    """A request that a token server was sent."""

    method: str
    url: str
    authorization: str
    body: str

    @property
    def fields(self) -> dict[str, list[str]]:
        """Its query, or its form."""
        return parse_qs(self.body or urlsplit(self.url).query)


def granted(token: str = "t1", **more: object) -> Answer:
    return 200, {}, json.dumps({"token": token, **more}).encode()


def refused(status: int = 401) -> Answer:
    return status, {}, b'{"details": "s3cret"}'


class World:
    """A registry's token server that answers as it is told, a user's credentials, and a clock."""

    def __init__(self, **environment: str) -> None:
        self.environment, self.home = environment, Path("/nonexistent")
        self.answers: list[Answer | HoldfastError | Callable[[Asked], Answer]] = []
        self.asked: list[Asked] = []
        self.now = 1000.0

    def login(self, registry: str = REGISTRY, **entry: str) -> "World":
        """Let there be an entry in a file of credentials; alice's where nothing is said."""
        entry = entry or {"username": "alice", "password": "s3cret"}
        self.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {registry: entry}})
        return self

    def fetch(self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int) -> Answer:
        assert limit == 1 << 20
        asked = Asked(method, url, headers.get("Authorization", ""), (body or b"").decode())
        self.asked.append(asked)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, HoldfastError):
            raise answer
        return answer(asked) if callable(answer) else answer

    def authorizer(
        self, *answers: Answer | HoldfastError | Callable[[Asked], Answer], origin: str = "", plain_http: bool = False
    ) -> Authorizer:
        """The client; the token server answers in this order, and at last always the same."""
        self.answers = [*answers]
        address = Address.parse(origin or f"https://{REGISTRY}")
        registry = urlsplit(address.url).netloc
        keychain = Keychain.of(self.environment, self.home)
        return Authorizer(registry, address, keychain, self.fetch, plain_http=plain_http, clock=lambda: self.now)


def ask(client: Authorizer, *wanted: str, accepts: Callable[[str], bool] = bool, scope: str = NGINX) -> list[str]:
    """What the client sends until it is accepted, to a registry that answers 401 with the challenges `wanted`."""
    sent = []
    for _ in range(5):
        sent.append(client.header(scope))
        if accepts(sent[-1]):
            return sent
        assert client.challenged(wanted or [BEARER], scope)
    raise AssertionError("it would ask for ever")


def fails(client: Authorizer, *wanted: str, accepts: Callable[[str], bool] = bool, scope: str = NGINX) -> AuthError:
    """The error that it ends with; nothing secret is in it."""
    with pytest.raises(AuthError) as caught:
        ask(client, *wanted, accepts=accepts, scope=scope)
    assert "s3cret" not in str(caught.value)
    return caught.value


def never(_header: str) -> bool:
    return False


# --- Registries that want nothing, or a user and password


def test_an_open_registry_is_sent_nothing() -> None:
    world = World().login()
    client = world.authorizer()
    assert ask(client, accepts=lambda _: True) == [""]
    assert client.header(REDIS) == ""
    assert world.asked == []


def test_basic_with_credentials() -> None:
    world = World().login()
    client = world.authorizer()
    assert ask(client, 'Basic realm="Registry Realm"') == ["", ALICE]
    assert client.header(REDIS) == ALICE
    assert world.asked == []


def test_basic_without_credentials_says_how_to_log_in() -> None:
    error = fails(World().authorizer(), "Basic realm=x")
    assert "none are known" in error.what
    assert f"docker login {REGISTRY}" in error.remedy


def test_basic_with_refused_credentials_says_where_they_are_from() -> None:
    error = fails(World().login().authorizer(), "Basic realm=x", accepts=never)
    assert "from DOCKER_AUTH_CONFIG were refused" in error.what
    assert f"docker logout {REGISTRY}" in error.remedy


def test_basic_with_a_token_only_says_so() -> None:
    error = fails(World().login(identitytoken="s3cret").authorizer(), "Basic realm=x")
    assert "has a token only" in error.what


def test_credentials_of_another_registry_are_not_used() -> None:
    world = World().login("other.example.org")
    fails(world.authorizer(), "Basic realm=x")
    ask(client := world.authorizer(granted()))
    assert client.header(NGINX) == "Bearer t1"
    assert [one.authorization for one in world.asked] == [""]


def test_credentials_of_the_environment_that_are_refused() -> None:
    world = World(HOLDFAST_REGISTRY=REGISTRY, HOLDFAST_USERNAME="alice", HOLDFAST_PASSWORD="s3cret")
    error = fails(world.authorizer(), "Basic realm=x", accepts=never)
    assert "from environment were refused" in error.what
    assert "HOLDFAST_" in error.remedy


def test_a_problem_on_the_way_to_the_credentials_is_told_with_the_refusal() -> None:
    error = fails(World(DOCKER_AUTH_CONFIG="{").authorizer(), "Basic realm=x")
    assert "DOCKER_AUTH_CONFIG: not the JSON" in error.remedy


def test_paths_of_one_registry_have_their_own_credentials() -> None:
    auths = {f"{REGISTRY}/{name}": {"username": name, "password": "x"} for name in ("library/nginx", "library/redis")}
    client = World(DOCKER_AUTH_CONFIG=json.dumps({"auths": auths})).authorizer()
    nginx, redis = ("Basic " + b64encode(f"library/{name}:x".encode()).decode() for name in ("nginx", "redis"))
    assert ask(client, "Basic realm=x") == ["", nginx]
    assert client.header(REDIS) == redis
    assert client.header("repository:library/other:pull") == ""


# --- Tokens


def test_an_anonymous_token() -> None:
    world = World()
    assert ask(world.authorizer(granted())) == ["", "Bearer t1"]
    (asked,) = world.asked
    assert asked == Asked("GET", f"{REALM}?service={REGISTRY}&scope=repository%3Alibrary%2Fnginx%3Apull", "", "")


def test_a_token_with_a_user_and_password() -> None:
    world = World().login()
    assert ask(world.authorizer(granted())) == ["", "Bearer t1"]
    assert [(one.method, one.authorization) for one in world.asked] == [("GET", ALICE)]


def test_a_token_that_is_called_access_token() -> None:
    assert ask(World().authorizer((200, {}, b'{"access_token": "t2"}'))) == ["", "Bearer t2"]


def test_a_bearer_token_of_the_user_is_sent_as_it_is() -> None:
    world = World().login(registrytoken="mine")
    assert ask(world.authorizer()) == ["", "Bearer mine"]
    assert world.asked == []


def test_a_bearer_token_of_the_environment_needs_no_token_server() -> None:
    world = World(HOLDFAST_REGISTRY=REGISTRY, HOLDFAST_TOKEN="mine")
    assert ask(world.authorizer(), "Bearer") == ["", "Bearer mine"]


def test_a_bearer_token_of_the_user_that_is_refused() -> None:
    error = fails(World().login(registrytoken="s3cret").authorizer(), accepts=never)
    assert "from DOCKER_AUTH_CONFIG do not suffice" in error.what


def test_bearer_comes_before_basic() -> None:
    world = World().login()
    assert ask(world.authorizer(granted()), "Basic realm=x", BEARER) == ["", "Bearer t1"]


def test_basic_comes_before_a_bearer_that_names_no_token_server() -> None:
    assert ask(World().login().authorizer(), "Bearer, Basic realm=x") == ["", ALICE]


def test_a_bearer_that_names_no_token_server() -> None:
    assert "does not say whose" in fails(World().authorizer(), "Bearer service=x").what


@pytest.mark.parametrize(
    ("headers", "said"),
    [([], "without a word"), ([", ,"], "without a word"), (["Negotiate"], "negotiate"), (["Digest x=y, NTLM"], "ntlm")],
)
def test_ways_to_log_in_that_are_not_known(headers: list[str], said: str) -> None:
    client = World().login().authorizer()
    client.header(NGINX)
    with pytest.raises(AuthError, match=said):
        client.challenged(headers, NGINX)


def test_a_challenge_without_scope_is_answered_with_what_is_needed() -> None:
    world = World()
    ask(world.authorizer(granted()), f'Bearer realm="{REALM}"')
    assert world.asked[0].fields == {"scope": [NGINX]}


def test_several_scopes_are_asked_for_one_by_one() -> None:
    world = World()
    ask(world.authorizer(granted()), f'Bearer realm="{REALM}",scope="{NGINX} aws"')
    assert world.asked[0].fields["scope"] == [NGINX, "aws"]


def test_a_realm_with_a_query_keeps_it() -> None:
    world = World()
    ask(world.authorizer(granted()), f'Bearer realm="{REALM}?account=a",service=s')
    assert world.asked[0].fields == {"account": ["a"], "service": ["s"], "scope": [NGINX]}


def test_what_a_registry_puts_into_service_stays_there() -> None:
    world = World()
    ask(world.authorizer(granted()), f'Bearer realm="{REALM}",service="a&scope=x#y z"')
    assert world.asked[0].fields == {"service": ["a&scope=x#y z"], "scope": [NGINX]}


def test_only_so_many_scopes_are_asked_for() -> None:
    world = World()
    ask(world.authorizer(granted()), f'Bearer realm="{REALM}",scope="{"a:b:pull " * 500} {"x" * 2000}"')
    assert len(world.asked[0].fields["scope"]) == 16


def test_the_catalog_has_a_scope_of_its_own() -> None:
    world = World()
    client = world.authorizer(granted(), refused())
    ask(client, f'Bearer realm="{REALM}"', scope="registry:catalog:*")
    assert world.asked[0].fields["scope"] == ["registry:catalog:*"]
    assert "for its catalog" in fails(client, BEARER, scope="registry:catalog:x", accepts=never).what


# --- Identity tokens (OAuth 2)


def test_an_identity_token_is_posted() -> None:
    world = World().login(identitytoken="identity")
    assert ask(world.authorizer(granted())) == ["", "Bearer t1"]
    (asked,) = world.asked
    assert (asked.method, asked.url, asked.authorization) == ("POST", REALM, "")
    assert asked.fields == {
        "grant_type": ["refresh_token"],
        "service": [REGISTRY],
        "client_id": ["holdfast"],
        "scope": [NGINX],
        "refresh_token": ["identity"],
    }


@pytest.mark.parametrize("status", [404, 405])
def test_a_token_server_without_oauth_is_asked_as_of_old(status: int) -> None:
    world = World().login(username="00000000", identitytoken="identity")
    assert ask(world.authorizer(refused(status), granted())) == ["", "Bearer t1"]
    assert [one.method for one in world.asked] == ["POST", "GET"]
    assert world.asked[1].authorization == "Basic " + b64encode(b"00000000:identity").decode()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_identity_token_that_is_refused(status: int) -> None:
    error = fails(World().login(identitytoken="s3cret").authorizer(refused(status)))
    assert "were refused by auth.example.org" in error.what


def test_a_refresh_token_of_an_answer_gets_the_next_token() -> None:
    world = World().login()
    client = world.authorizer(granted("t1", refresh_token="r1", expires_in=100), granted("t2"))
    ask(client)
    world.now += 100
    assert client.header(NGINX) == "Bearer t2"
    assert world.asked[1].fields["refresh_token"] == ["r1"]


def test_a_refresh_token_that_is_no_longer_good_leaves_it_to_the_credentials() -> None:
    world = World().login()
    client = world.authorizer(granted("t1", refresh_token="r1"), refused(400), granted("t2"))
    ask(client)
    world.now += 100
    assert client.header(NGINX) == "Bearer t2"
    assert [(one.method, one.authorization) for one in world.asked[1:]] == [("POST", ""), ("GET", ALICE)]


def test_a_refresh_token_goes_to_nobody_but_who_gave_it() -> None:
    world = World()
    client = world.authorizer(granted("t1", refresh_token="r1"), granted("t2"))
    ask(client)
    ask(client, 'Bearer realm="https://evil.example.net/token"', accepts=lambda header: header == "Bearer t2")
    assert "r1" not in world.asked[1].url + world.asked[1].body


# --- Token servers that refuse or fail


def test_wrong_credentials_are_said_and_nobody_goes_on_as_anybody() -> None:
    world = World().login()
    error = fails(world.authorizer(refused(), granted()))
    assert "from DOCKER_AUTH_CONFIG were refused by auth.example.org" in error.what
    assert f"docker logout {REGISTRY}" in error.remedy
    assert len(world.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_server_that_wants_credentials_of_which_there_are_none(status: int) -> None:
    error = fails(World().authorizer(refused(status)))
    assert "credentials are wanted for library/nginx, and none are known" in error.what


def test_a_token_that_does_not_suffice_for_anybody() -> None:
    world = World()
    error = fails(world.authorizer(granted()), BEARER + ',error="insufficient_scope"', accepts=never)
    assert "none are known" in error.what
    assert "check the name" in error.remedy


def test_a_token_that_does_not_suffice_for_this_user() -> None:
    world = World().login()
    error = fails(world.authorizer(granted()), accepts=never)
    assert "from DOCKER_AUTH_CONFIG do not suffice for library/nginx" in error.what


def test_a_registry_that_always_wants_another_scope_is_given_up() -> None:
    world = World()
    client = world.authorizer(granted())
    for number in range(2):
        client.header(NGINX)
        assert client.challenged([f'Bearer realm="{REALM}",scope="a:{number}:pull"'], NGINX)
    client.header(NGINX)
    with pytest.raises(AuthError):
        client.challenged([f'Bearer realm="{REALM}",scope="a:2:pull"'], NGINX)
    assert len(world.asked) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_a_token_server_that_fails(status: int) -> None:
    with pytest.raises(SourceError, match=f"HTTP {status}") as caught:
        ask(World().authorizer(refused(status)))
    assert not isinstance(caught.value, AuthError)


def test_a_token_server_that_cannot_be_reached() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        ask(World().authorizer(SourceError("auth.example.org cannot be reached")))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"{}", b"<html>", b'{"token": null}', b'{"token": 5}', b'{"token": "a\\nb"}',
        b'{"token": "' + b"x" * 70_000 + b'"}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_hostile_answer_is_an_error_and_no_header(body: bytes) -> None:
    client = World().authorizer((200, {}, body))
    with pytest.raises(SourceError):
        ask(client)


@pytest.mark.parametrize(
    "answer", [(200, {}, b'{"token": "' + b"x" * 10_000_000 + b'"}'), LimitError("longer than allowed")]
)
def test_a_token_of_10_mb(answer: Any) -> None:
    with pytest.raises(LimitError):
        ask(World().authorizer(answer))


def test_after_a_failure_it_is_tried_anew() -> None:
    client = World().authorizer(SourceError("no proper answer"), granted())
    with pytest.raises(SourceError):
        ask(client)
    assert ask(client, accepts=bool) == ["Bearer t1"]


# --- In the course of time


def test_a_token_is_fetched_once_for_a_scope() -> None:
    world = World()
    client = world.authorizer(granted())
    ask(client)
    assert {client.header(NGINX) for _ in range(50)} == {"Bearer t1"}
    assert len(world.asked) == 1


def test_another_scope_has_its_own_token_without_another_refusal() -> None:
    world = World()
    client = world.authorizer(granted("t1"), granted("t2"))
    ask(client)
    assert client.header(REDIS) == "Bearer t2"
    assert world.asked[1].fields["scope"] == [REDIS]
    assert client.header(NGINX) == "Bearer t1"


@pytest.mark.parametrize(
    ("stated", "still", "renewed"),
    [
        pytest.param({}, 49, 50, id="a minute where nothing is said"),
        pytest.param({"expires_in": 300}, 289, 290, id="ten seconds before the end"),
        pytest.param({"expires_in": 4}, 2, 3, id="a quarter before the end of a short life"),
        pytest.param({"expires_in": "300"}, 289, 290, id="a number as a string"),
        pytest.param({"expires_in": None}, 49, 50, id="null"),
        pytest.param({"expires_in": -1}, 49, 50, id="in the past"),
        pytest.param({"expires_in": 10**12}, 86389, 86390, id="never for more than a day"),
    ],
)
def test_a_token_is_renewed_before_it_ends(stated: dict[str, object], still: float, renewed: float) -> None:
    world = World()
    client = world.authorizer(granted("t1", **stated), granted("t2"))
    ask(client)
    world.now += still
    assert client.header(NGINX) == "Bearer t1"
    world.now += renewed - still
    assert client.header(NGINX) == "Bearer t2"


def test_a_token_that_is_refused_in_the_midst_is_renewed() -> None:
    client = World().authorizer(granted("t1"), granted("t2"))
    ask(client)
    assert ask(client, accepts=lambda header: header == "Bearer t2") == ["Bearer t1", "Bearer t2"]


def test_it_may_be_refused_in_the_midst_again_and_again() -> None:
    client = World().authorizer(*[granted(f"t{count}") for count in range(10)])
    for count in range(10):
        assert ask(client, accepts=lambda header, count=count: header == f"Bearer t{count}")  # type: ignore[misc]


def test_a_token_that_no_longer_suffices_is_an_error() -> None:
    client = World().login().authorizer(granted("t1"), granted("t2"))
    ask(client)
    assert "do not suffice" in fails(client, accepts=never).what


def test_a_registry_that_wants_another_scope_in_the_midst_gets_it() -> None:
    world = World()
    client = world.authorizer(granted("t1"), granted("t2"))
    ask(client, f'Bearer realm="{REALM}"')
    ask(client, f'Bearer realm="{REALM}",scope="other:x:pull"', accepts=lambda header: header == "Bearer t2")
    assert world.asked[1].fields["scope"] == ["other:x:pull"]


def test_a_registry_that_moves_its_token_server() -> None:
    world = World()
    client = world.authorizer(granted("t1"), granted("t2"))
    ask(client)
    ask(client, 'Bearer realm="https://new.example.org/t"', accepts=lambda header: header == "Bearer t2")
    assert world.asked[1].url.startswith("https://new.example.org/t?")


def test_a_token_server_that_refuses_in_the_midst() -> None:
    world = World().login()
    client = world.authorizer(granted("t1"), refused())
    ask(client)
    world.now += 3600
    with pytest.raises(AuthError, match="were refused"):
        client.header(NGINX)


def test_tokens_of_so_many_scopes_are_kept_and_no_more() -> None:
    world = World()
    client = world.authorizer(granted())
    ask(client)
    for number in range(2000):
        client.header(f"repository:a{number}:pull")
    assert len(client._grants) <= 512


# --- Helpers, whose secrets last for a while


def with_helper(home: Path, script: str) -> World:
    """A user whose credentials a helper has."""
    program = home / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return World(PATH=f"{home}:/usr/bin:/bin", LOG=str(home / "log"), DOCKER_AUTH_CONFIG='{"credsStore": "test"}')


COUNTING = """echo x >> "$LOG"; printf '{"Username": "AWS", "Secret": "%s"}' "$(wc -l < "$LOG" | tr -d ' ')" """


def aws(password: str) -> str:
    return "Basic " + b64encode(f"AWS:{password}".encode()).decode()


def test_a_helper_is_asked_again_where_what_it_gave_ran_out(tmp_path: Path) -> None:
    client = with_helper(tmp_path, COUNTING).authorizer()
    assert ask(client, "Basic realm=x") == ["", aws("1")]
    assert ask(client, "Basic realm=x", accepts=lambda header: header == aws("2")) == [aws("1"), aws("2")]


def test_a_helper_is_asked_again_where_the_token_server_refuses(tmp_path: Path) -> None:
    world = with_helper(tmp_path, COUNTING)
    assert ask(world.authorizer(refused(), granted())) == ["", "Bearer t1"]
    assert [one.authorization for one in world.asked] == [aws("1"), aws("2")]
    assert "were refused" in fails(world.authorizer(refused())).what


def test_a_helper_that_gives_the_same_again_is_not_tried_again(tmp_path: Path) -> None:
    world = with_helper(tmp_path, """printf '{"Username": "AWS", "Secret": "s3cret"}'""")
    error = fails(world.authorizer(refused()))
    assert "from helper docker-credential-test were refused" in error.what
    assert len(world.asked) == 1
    assert "were refused" in fails(world.authorizer(), "Basic realm=x", accepts=never).what


# --- Plain http, and realms


HERE = "http://127.0.0.1:5000"
HERE_REALM = 'Bearer realm="http://127.0.0.1:5001/token"'


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        pytest.param(HERE, "Basic realm=x", id="basic, to this machine"),
        pytest.param(HERE, HERE_REALM, id="for a token, to this machine"),
        pytest.param(HERE, BEARER, id="for a token that would go unencrypted, to this machine"),
        pytest.param("http://registry.example.org", "Basic realm=x", id="basic, to another"),
        pytest.param("http://registry.example.org", BEARER, id="for a token that would go unencrypted, to another"),
    ],
)
def test_credentials_never_go_unencrypted_unless_told(origin: str, wanted: str) -> None:
    world = World().login(urlsplit(origin).netloc)
    error = fails(world.authorizer(granted(), origin=origin), wanted)
    assert "--plain-http" in error.remedy
    assert world.asked == []


def test_credentials_go_unencrypted_where_told() -> None:
    world = World().login("127.0.0.1:5000")
    assert ask(world.authorizer(origin=HERE, plain_http=True), "Basic realm=x") == ["", ALICE]
    assert ask(world.authorizer(granted(), origin=HERE, plain_http=True), HERE_REALM) == ["", "Bearer t1"]
    assert world.asked[0].authorization == ALICE


def test_an_anonymous_token_on_this_machine_needs_no_telling() -> None:
    assert ask(World().authorizer(granted(), origin=HERE), HERE_REALM) == ["", "Bearer t1"]


def test_without_credentials_there_is_none_to_send_unencrypted() -> None:
    assert "none are known" in fails(World().authorizer(origin=HERE), "Basic realm=x").what


def test_an_open_registry_by_plain_http_has_no_credentials_looked_up() -> None:
    world = World(DOCKER_AUTH_CONFIG="{")
    client = world.authorizer(origin=HERE)
    client.header(NGINX)
    assert client._keychain.problems == []


@pytest.mark.parametrize(
    "realm",
    [
        "https://127.0.0.1/token",
        "https://[::1]/token",
        "http://169.254.169.254/latest/meta-data",
        "http://auth.example.org/token",
        "https://alice:x@auth.example.org/token",
        "file:///etc/passwd",
        "token",
    ],
)
def test_a_realm_that_is_not_trusted_is_not_asked(realm: str) -> None:
    world = World().login()
    error = fails(world.authorizer(granted()), f'Bearer realm="{realm}"')
    assert "the token server that the registry names" in error.what
    assert world.asked == []


# --- Several threads


def together(count: int, do: Callable[[], object]) -> list[object]:
    """What as many threads as said get, begun at the same moment."""
    results: list[object] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(do())
        except HoldfastError as error:
            results.append(type(error))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(results) == count
    return results


def test_threads_share_one_token() -> None:
    world = World()
    client = world.authorizer(granted())
    results = together(8, lambda: ask(client)[-1])
    assert results == ["Bearer t1"] * 8
    assert len(world.asked) == 1


def test_threads_renew_a_refused_token_together() -> None:
    world = World()
    client = world.authorizer(granted("t1"), granted("t2"))
    ask(client)
    assert together(8, lambda: ask(client, accepts=lambda header: header == "Bearer t2")[-1]) == ["Bearer t2"] * 8
    assert len(world.asked) == 2


def test_threads_of_several_scopes_do_not_disturb_one_another() -> None:
    world = World()
    client = world.authorizer(lambda asked: granted(asked.fields["scope"][0]))
    scopes = iter([NGINX, REDIS] * 4)

    def one() -> bool:
        scope = next(scopes)
        return ask(client, f'Bearer realm="{REALM}"', scope=scope)[-1] == f"Bearer {scope}"

    assert together(8, one) == [True] * 8
    assert len(world.asked) == 2


def test_threads_that_are_all_refused_all_end() -> None:
    client = World().login().authorizer(granted())
    assert together(6, lambda: ask(client, accepts=never)) == [AuthError] * 6


def test_nothing_secret_is_in_what_it_shows() -> None:
    world = World().login()
    client = world.authorizer(granted("s3cret-token", refresh_token="s3cret-refresh"))
    ask(client)
    shown = [client, *vars(client).values(), *client._grants.values(), client._server]
    assert not any("s3cret" in repr(one) for one in shown if one is not client._fetch)
