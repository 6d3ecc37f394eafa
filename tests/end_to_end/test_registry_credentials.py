"""Where secrets go: every byte that left to anybody is read, and so is every file and line that was written."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemons.authority import Authority
from daemons.behaviours import redirect, unauthorized
from daemons.fake import fake
from daemons.listener import heard, listen
from daemons.meddler import BLOBS, MANIFESTS, meddler
from daemons.message import Answer
from daemons.proxy import proxy
from daemons.token import token_server
from end_to_end.cases import cases
from end_to_end.command import Holdfast, Outcome
from end_to_end.shop import ONLY, configure, layers, node, packages, scan
from world import image, layer

USER, PASSWORD = "ci", "s3cret-Of+the/registry=="
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
FOREIGN = "signed-s3cret-of-the-storage"


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return image(tmp_path, [*layers(), layer(node("private"))])


def log_in(holdfast: Holdfast, **auths: str) -> None:
    """What `docker login` leaves, with a password for each host given."""
    folder = holdfast.home / ".docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth} for host, auth in auths.items()}}))


def kept(holdfast: Holdfast, *secrets: str) -> list[str]:
    """Which files of the user's, except those in which secrets are meant to be, hold one; raw or in base64."""
    forms = [form for one in secrets for form in (one.encode(), b64encode(one.encode()).rstrip(b"="))]
    ours = (holdfast.home / ".docker", holdfast.home / "bin")
    return [
        str(path.relative_to(holdfast.home))
        for path in holdfast.home.rglob("*")
        if path.is_file() and not any(path.is_relative_to(one) for one in ours)
        if any(form in path.read_bytes() for form in forms)
    ]


def tells_nothing(holdfast: Holdfast, outcome: Outcome, *secrets: str) -> None:
    for secret in secrets:
        assert secret not in outcome.out + outcome.err
        assert b64encode(secret.encode()).decode().rstrip("=") not in outcome.out + outcome.err
    assert kept(holdfast, *secrets) == []


def everything(holdfast: Holdfast, target: str, *flags: str) -> Outcome:
    """A scan whose every format is written below the user's home, where it is looked at."""
    forms = ("table", "sarif", "cyclonedx")
    outputs = [part for form in forms for part in ("-o", f"{form}={holdfast.home / f'report.{form}'}")]
    return scan(holdfast, target, *ONLY, *flags, *outputs)


@contextmanager
def by_docker_login(holdfast: Holdfast, host: str) -> Iterator[None]:
    log_in(holdfast, **{host: BASIC})
    yield


@contextmanager
def by_the_environment(holdfast: Holdfast, host: str) -> Iterator[None]:
    said = {"HOLDFAST_REGISTRY": host, "HOLDFAST_USERNAME": USER, "HOLDFAST_PASSWORD": PASSWORD}
    holdfast.environment |= said
    yield


@contextmanager
def by_podman_login(holdfast: Holdfast, host: str) -> Iterator[None]:
    path = holdfast.home / ".docker/auth.json"  # a place that `kept` knows
    path.parent.mkdir()
    path.write_text(json.dumps({"auths": {f"{host}/team": {"auth": BASIC}}}))
    holdfast.environment["REGISTRY_AUTH_FILE"] = str(path)
    yield


@contextmanager
def by_a_helper(holdfast: Holdfast, host: str) -> Iterator[None]:
    folder = holdfast.home / "bin"
    folder.mkdir()
    helper = folder / "docker-credential-vault"
    answer = json.dumps({"ServerURL": host, "Username": USER, "Secret": PASSWORD})
    arguments, asked = folder / "arguments", folder / "asked"
    helper.write_text(
        f"#!/bin/sh\ntr '\\0' ' ' < /proc/$PPID/cmdline > {arguments}\necho \"$@\" >> {arguments}\n"
        f"cat > {asked}\necho '{answer}'\n"
    )
    helper.chmod(0o755)
    holdfast.environment["PATH"] = f"{folder}:{holdfast.environment['PATH']}"
    config = holdfast.home / ".docker/config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"credHelpers": {host: "vault"}}))
    yield
    assert asked.read_text() == host
    assert "get" in arguments.read_text()
    assert PASSWORD not in arguments.read_text()


WAYS = (by_docker_login, by_podman_login, by_the_environment, by_a_helper)


@pytest.mark.parametrize("way", cases({way.__name__: way for way in WAYS}, "by_docker_login", "by_a_helper"))
@pytest.mark.parametrize("bearer", [False, True], ids=["basic", "bearer"])
def test_secrets_go_where_they_belong_and_stay_nowhere(
    tmp_path: Path, holdfast: Holdfast, layout: Path, way: object, *, bearer: bool
) -> None:
    authority = Authority(tmp_path / "ca")
    users = {USER: PASSWORD}
    with (
        token_server(users=users, authority=authority, host="127.0.0.2") as token,
        listen(Answer(404), host="127.0.0.3", authority=authority) as mirror,
        fake({"team/app": layout}, authority=authority, **({"token": token} if bearer else {"users": users})) as it,
        way(holdfast, it.host),  # type: ignore[operator]
    ):
        configure(holdfast, f'ca_bundle = "{authority.bundle}"\n[registries."{it.host}"]\nmirrors = ["{mirror.url}"]\n')
        outcome = everything(holdfast, f"{it.host}/team/app")
        assert (outcome.code, outcome.err) == (0, "")
        assert "private" in packages(outcome)
        assert mirror.requests
        assert heard(PASSWORD, mirror) == []
        if bearer:
            assert heard(PASSWORD, it) == []
            assert heard(PASSWORD, token)
            assert heard(token.issued[-1], it)
            assert not any(heard(one, mirror, token) for one in token.issued)
        else:
            assert heard(PASSWORD, it)
            assert token.requests == []
        tells_nothing(holdfast, outcome, PASSWORD, *token.issued)
        shown = holdfast("inspect", f"{it.host}/team/app")
        pulled = holdfast("pull", f"{it.host}/team/app", f"oci:{holdfast.home / 'pulled'}")
        assert (shown.code, pulled.code) == (0, 0)
        tells_nothing(holdfast, shown, PASSWORD, *token.issued)
        tells_nothing(holdfast, pulled, PASSWORD, *token.issued)


def test_an_identity_token_and_what_it_is_exchanged_for(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    authority = Authority(tmp_path / "ca")
    configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
    with (
        token_server(users={USER: PASSWORD}, authority=authority) as token,
        fake({"app": layout}, authority=authority, token=token) as it,
    ):
        identity = token.identity_token(USER)
        folder = holdfast.home / ".docker"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"auths": {it.host: {"identitytoken": identity}}}))
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 0
        assert heard(identity, it) == []
        assert heard(identity, token)
        tells_nothing(holdfast, outcome, identity, *token.issued, *token.refresh_tokens)


def test_a_token_that_is_sent_as_it_is(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    authority = Authority(tmp_path / "ca")
    configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
    with (
        token_server(users={USER: PASSWORD}, authority=authority) as token,
        fake({"app": layout}, authority=authority, token=token) as it,
    ):
        issued = token.issue(USER, ["repository:app:pull"])
        holdfast.environment |= {"HOLDFAST_REGISTRY": it.host, "HOLDFAST_TOKEN": issued}
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 0
        assert token.requests == []
        tells_nothing(holdfast, outcome, issued)


# Plain http.


@pytest.mark.parametrize("bearer", [False, True], ids=["basic", "bearer"])
def test_plain_http_is_sent_no_secret_unless_told(holdfast: Holdfast, layout: Path, *, bearer: bool) -> None:
    users = {USER: PASSWORD}
    with (
        token_server(users=users) as token,
        fake({"app": layout}, **({"token": token} if bearer else {"users": users})) as it,
    ):
        log_in(holdfast, **{it.host: BASIC})
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 4
        assert "plain http" in outcome.err
        assert "--plain-http" in outcome.err
        assert heard(PASSWORD, it, token) == []
        tells_nothing(holdfast, outcome, PASSWORD)
        told = everything(holdfast, f"{it.host}/app", "--plain-http")
        assert told.code == 0
        assert heard(PASSWORD, it, token)
        tells_nothing(holdfast, told, PASSWORD, *token.issued)


def test_what_everybody_may_have_is_had_without_a_secret(holdfast: Holdfast, layout: Path) -> None:
    with fake({"app": layout}) as it:
        log_in(holdfast, **{it.host: BASIC})
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 0
        assert heard(PASSWORD, it) == []
        assert not any(request.header("Authorization") for request in it.requests)


def test_a_registry_that_says_it_is_another_gets_nothing(holdfast: Holdfast, layout: Path) -> None:
    """Credentials are kept by name: a registry that has none is told of no other's."""
    with fake({"app": layout}, users={USER: PASSWORD}) as it, listen(host="127.0.0.2") as other:
        log_in(holdfast, **{other.host: BASIC, "docker.io": BASIC})
        outcome = everything(holdfast, f"{it.host}/app", "--plain-http")
        assert outcome.code == 4
        assert heard(PASSWORD, it, other) == []
        assert it.host in outcome.err


# Elsewhere.


def secured(tmp_path: Path, holdfast: Holdfast) -> Authority:
    authority = Authority(tmp_path / "ca")
    configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
    return authority


@pytest.mark.parametrize("bearer", [False, True], ids=["basic", "bearer"])
@pytest.mark.parametrize("what", cases({"blobs": BLOBS, "manifests": MANIFESTS}, "blobs"))
def test_a_redirection_elsewhere_takes_no_secret_along(
    tmp_path: Path, holdfast: Holdfast, layout: Path, what: str, *, bearer: bool
) -> None:
    authority, users = secured(tmp_path, holdfast), {USER: PASSWORD}
    with (
        token_server(users=users, authority=authority) as token,
        fake({"app": layout}, authority=authority, **({"token": token} if bearer else {"users": users})) as it,
        fake({"app": layout}, authority=authority, host="127.0.0.2") as storage,
        meddler(it, authority=authority) as front,
    ):
        log_in(holdfast, **{front.host: BASIC})
        front.on(what, redirect(storage.url))
        outcome = everything(holdfast, f"{front.host}/app")
        assert (outcome.code, outcome.err) == (0, "")
        assert "private" in packages(outcome)
        assert storage.requests
        assert heard(PASSWORD, storage) == []
        assert not any(heard(one, storage) for one in token.issued)
        assert not any(request.header("Authorization") for request in storage.requests)


def test_a_redirection_to_plain_http_is_not_followed(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    authority = secured(tmp_path, holdfast)
    with (
        fake({"app": layout}, authority=authority, users={USER: PASSWORD}) as it,
        fake({"app": layout}, host="127.0.0.2") as storage,
        meddler(it, authority=authority) as front,
    ):
        log_in(holdfast, **{front.host: BASIC})
        front.on(BLOBS, redirect(storage.url))
        outcome = everything(holdfast, f"{front.host}/app")
        assert outcome.code == 3
        assert storage.requests == []


def test_what_a_redirection_s_address_holds_is_not_shown(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    """A storage's address is signed: whoever has it may read the blob, and more with some storages."""
    authority = secured(tmp_path, holdfast)
    with (
        fake({"app": layout}, authority=authority) as it,
        listen(authority=Authority(tmp_path / "of nobody we know")) as stranger,
        listen(Answer(403), authority=authority) as refusing,
        meddler(it, authority=authority) as front,
    ):
        for what, code in ((BLOBS, 3), (MANIFESTS, 4)):
            for storage in (stranger.url, refusing.url, "https://127.0.0.9:1", "http://127.0.0.2:1", "https://[x"):
                front.on(what, redirect(f"{storage}/x?X-Amz-Signature={FOREIGN}"))
                outcome = everything(holdfast, f"{front.host}/app")
                assert outcome.code == code
                tells_nothing(holdfast, outcome, FOREIGN)
            front.forget()


REALMS = {
    "plain http on another host": "http://{plain}/token",
    "plain http, upper case": "HTTP://{plain}/token",
    "a user in it": "https://me:you@{secure}/token",
    "a file": "file:///etc/passwd",
    "nothing": "",
    "no address": "https://[::1",
    "very long": "https://{secure}/" + "x" * 10_000,
}


@pytest.mark.parametrize("realm", cases(REALMS, "plain http on another host", "a user in it"))
def test_a_token_server_that_is_not_to_be_trusted(tmp_path: Path, holdfast: Holdfast, layout: Path, realm: str) -> None:
    authority = secured(tmp_path, holdfast)
    with (
        fake({"app": layout}, authority=authority, users={USER: PASSWORD}) as it,
        listen(Answer(200, body=b'{"token": "x"}'), host="127.0.0.2") as plain,
        listen(Answer(200, body=b'{"token": "x"}'), host="127.0.0.2", authority=authority) as secure,
        meddler(it, authority=authority) as front,
    ):
        log_in(holdfast, **{front.host: BASIC})
        address = realm.format(plain=plain.host, secure=secure.host)
        front.on("*", unauthorized(f'Bearer realm="{address}",service="s",scope="repository:app:pull"'))
        outcome = everything(holdfast, f"{front.host}/app")
        assert outcome.code == 4
        assert len(outcome.err.splitlines()) <= 2
        assert heard(PASSWORD, plain, secure) == []
        assert plain.requests == []
        tells_nothing(holdfast, outcome, PASSWORD)


def test_a_proxy_sees_its_own_password_only(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    authority = Authority(tmp_path / "ca").naming("registry.test", "127.0.0.1")
    configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
    with (
        fake({"app": layout}, authority=authority, users={USER: PASSWORD}) as it,
        proxy({"registry.test:443": it}, auth=("me", "past-the-s3cret-proxy")) as between,
    ):
        log_in(holdfast, **{"registry.test": BASIC})
        holdfast.environment["HTTPS_PROXY"] = between.url.replace("//", "//me:past-the-s3cret-proxy@")
        outcome = everything(holdfast, "registry.test/app")
        assert (outcome.code, outcome.err) == (0, "")
        assert heard(PASSWORD, between) == []
        assert heard("past-the-s3cret-proxy", between)
        assert heard("past-the-s3cret-proxy", it) == []
        tells_nothing(holdfast, outcome, PASSWORD, "past-the-s3cret-proxy")
        between.routes.clear()
        failed = everything(holdfast, "registry.test/app")
        between.auth = ("me", "another")
        refused = everything(holdfast, "registry.test/app")
    for outcome in (failed, refused):
        assert outcome.code == 4
        tells_nothing(holdfast, outcome, PASSWORD, "past-the-s3cret-proxy")


# What goes wrong.


@pytest.mark.parametrize("bearer", [False, True], ids=["basic", "bearer"])
def test_a_wrong_password_is_not_shown_either(
    tmp_path: Path, holdfast: Holdfast, layout: Path, *, bearer: bool
) -> None:
    authority, users = secured(tmp_path, holdfast), {USER: "another"}
    with (
        token_server(users=users, authority=authority) as token,
        fake({"app": layout}, authority=authority, **({"token": token} if bearer else {"users": users})) as it,
    ):
        log_in(holdfast, **{it.host: BASIC})
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 4
        assert "~/.docker/config.json" in outcome.err
        assert it.host in outcome.err
        tells_nothing(holdfast, outcome, PASSWORD)


def test_a_registry_that_says_our_password_back(tmp_path: Path, holdfast: Holdfast) -> None:
    """What a registry answers is shown; but not what was secret before."""
    authority = secured(tmp_path, holdfast)

    def answer(request: object) -> Answer:
        said = getattr(request, "basic", None)
        if said is None:
            return Answer(401, [("WWW-Authenticate", 'Basic realm="x"')])
        echo = {"errors": [{"code": "DENIED", "message": f"no: {said[1]} / {BASIC}"}]}
        return Answer(403, [], json.dumps(echo).encode())

    with listen(answer, authority=authority) as it:
        log_in(holdfast, **{it.host: BASIC})
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 4
        tells_nothing(holdfast, outcome, PASSWORD)


DAMAGED = {
    "half": b"{",
    "a list": b"[]",
    "not UTF-8": b"\xff\xfe",
    "a number": b'{"auths": 7}',
    "no base64": b'{"auths": {"%s": {"auth": "%s!"}}}',
    "other types": b'{"auths": {"%s": {"auth": 5, "password": "%s"}}}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", cases(DAMAGED, "half", "no base64"))
def test_a_damaged_file_of_credentials_is_said_and_not_shown(
    tmp_path: Path, holdfast: Holdfast, layout: Path, content: bytes
) -> None:
    authority = secured(tmp_path, holdfast)
    with fake({"app": layout}, authority=authority, users={USER: PASSWORD}) as it:
        folder = holdfast.home / ".docker"
        folder.mkdir()
        named = content % (it.host.encode(), BASIC.encode()) if content.count(b"%s") == 2 else content
        (folder / "config.json").write_bytes(named)
        outcome = everything(holdfast, f"{it.host}/app")
        assert outcome.code == 4
        assert len(outcome.err.splitlines()) <= 2
        tells_nothing(holdfast, outcome, PASSWORD, BASIC)


def test_the_arguments_of_no_process_hold_a_secret(tmp_path: Path, holdfast: Holdfast, layout: Path) -> None:
    authority = secured(tmp_path, holdfast)
    with fake({"app": layout}, authority=authority, users={USER: PASSWORD}) as it:
        log_in(holdfast, **{it.host: BASIC})
        arguments = b""
        with subprocess.Popen(
            [str(holdfast.path), "scan", f"{it.host}/app", "-q", *ONLY], env=holdfast.environment, cwd=holdfast.home,
            stdout=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while process.poll() is None:
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        arguments += path.read_bytes() if f"/{process.pid}/" in str(path) else b""
                    except OSError:
                        continue
        assert it.host.encode() in arguments
        assert PASSWORD.encode() not in arguments
        assert BASIC.encode() not in arguments
