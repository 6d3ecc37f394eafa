"""Requests to one registry: who we say we are, where we let ourselves be sent, how often we ask, what we are told."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemons.authority import Authority
from daemons.behaviours import (
    expired_token,
    garbage,
    hang_up,
    headers,
    redirect,
    redirect_loop,
    redirect_maze,
    status,
    too_many,
    truncate,
    unauthorized,
)
from daemons.fake import Fake, fake
from daemons.listener import heard, listen
from daemons.meddler import ANY, BLOBS, MANIFESTS, Behaviour, Meddler, meddler
from daemons.message import Answer, Hangup, Request
from daemons.proxy import proxy
from daemons.push import push
from daemons.registry import registry
from daemons.token import token_server
from holdfast.model.errors import AuthError, HoldfastError, NotFound, SourceError
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.session import _said
from holdfast.settings import RegistrySettings
from holdfast.transport.proxy import Proxy
from holdfast.transport.retry import Retry
from oci.registry.clients import PULL, QUICK, TOLD, app, client, login

SECRET = "s3cret"


def _faults(text: str) -> bytes:
    """A registry's error with this message."""
    return json.dumps({"errors": [{"message": text}]}).encode()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return app(tmp_path)


@pytest.fixture
def place(layout: Path) -> Iterator[Fake]:
    with fake({"app": layout, "other": layout}) as it:
        yield it


def whole(registry: Registry, repository: str = "app") -> bytes:
    """Everything of an image's first layer, by way of its manifest."""
    manifest = json.loads(registry.manifest(repository, "latest").data)
    blob = manifest["layers"][0]
    return b"".join(registry.blob(repository, blob["digest"], blob["size"]))


def layer_of(place: Fake, repository: str = "app") -> bytes:
    stored = place.repositories[repository]
    manifest = json.loads(stored.manifests[stored.tags["latest"]][1])
    return stored.blob(manifest["layers"][0]["digest"]) or b""


def refusal(do: Callable[[], object]) -> AuthError:
    with pytest.raises(AuthError) as refused:
        do()
    return refused.value


class TestWhoWeAre:
    def test_nobody_where_nobody_asks(self, place: Fake) -> None:
        with client(place.host, environment=login(place.host)) as registry:
            assert whole(registry) == layer_of(place)
        assert not any(request.header("Authorization") for request in place.requests)

    def test_a_user_and_password_at_a_real_registry(self, tmp_path: Path, layout: Path) -> None:
        with registry(tmp_path / "registry", users={"ci": SECRET}) as it:
            push(it, layout, "app:latest", auth=("ci", SECRET))
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                assert len(whole(ours)) > 1000
            statuses = [code for _, target, code in it.asked() if "manifests/latest" in target][-2:]
            assert statuses == [401, 200]

    def test_a_token_at_a_real_registry(self, tmp_path: Path, layout: Path) -> None:
        with token_server(users={"ci": SECRET}) as token, registry(tmp_path / "registry", token=token) as it:
            push(it, layout, "app:latest", auth=("ci", SECRET))
            token.asked.clear()
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                assert len(whole(ours)) > 1000
            assert [(one.user, one.scopes) for one in token.asked] == [("ci", (PULL,))]

    def test_anybodys_token_where_everybody_may_pull(self, layout: Path) -> None:
        with token_server(anonymous=["app"]) as token, fake({"app": layout}, token=token) as it:
            with client(it.host) as ours:
                assert whole(ours) == layer_of(it)
            assert [(one.user, one.scopes) for one in token.asked] == [("", (PULL,))]

    @pytest.mark.parametrize("kind", ["basic", "bearer"])
    def test_wrong_credentials_are_said_and_not_repeated(self, layout: Path, kind: str) -> None:
        with token_server(users={"ci": SECRET}) as token:
            knobs = {"users": {"ci": SECRET}} if kind == "basic" else {"token": token}
            with fake({"app": layout}, **knobs) as it:
                with client(it.host, settings=TOLD, environment=login(it.host, password="guess")) as ours:
                    refused = refusal(lambda: ours.manifest("app", "latest"))
                assert "refused" in refused.what
                assert "guess" not in str(refused)
                assert len(it.requests) + len(token.asked) <= 3

    def test_credentials_for_another_host_stay_at_home(self, layout: Path) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as it:
            with client(it.host, settings=TOLD, environment=login("ghcr.io")) as ours:
                assert "none are known" in refusal(lambda: ours.manifest("app", "latest")).what
            assert heard(SECRET, it) == []

    def test_plain_http_on_this_machine_gets_no_credentials_untold(self, layout: Path) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as it:
            with client(it.host, environment=login(it.host)) as ours:
                assert "plain http" in refusal(lambda: ours.manifest("app", "latest")).what
            assert heard(SECRET, it) == []
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                assert whole(ours) == layer_of(it)

    def test_plain_http_elsewhere_is_refused_untold(self, place: Fake) -> None:
        routes = {"registry.test:80": place, "registry.test:443": place}
        with proxy(routes) as way:
            with (
                client("registry.test", proxy=Proxy(way.url)) as ours,
                pytest.raises(SourceError, match="does not speak https, but plain http") as refused,
            ):
                ours.manifest("app", "latest")
            assert "allow plain http" in refused.value.remedy
            assert not place.requests
            with client("registry.test", settings=TOLD, proxy=Proxy(way.url)) as ours:
                assert whole(ours) == layer_of(place)

    def test_a_token_that_ends_in_mid_pull_is_renewed(self, layout: Path) -> None:
        with (
            token_server(anonymous=["app"]) as token,
            fake({"app": layout}, token=token) as real,
            meddler(real) as it,
        ):
            it.on(BLOBS, truncate(100), times=1)
            it.on(BLOBS, expired_token(), skip=1, times=1)  # the rest is asked for with a token that has ended
            with client(it.host) as ours:
                assert whole(ours) == layer_of(real)
            assert len(token.asked) == 2

    def test_a_token_that_lasts_for_a_moment_is_renewed_before_it_is_used(self, layout: Path) -> None:
        with token_server(anonymous=["app"]) as token, fake({"app": layout}, token=token) as it:
            token.expires_in = 1e-9
            token.lifetime = 300
            with client(it.host) as ours:
                for _ in range(3):
                    ours.manifest("app", "latest")
            assert [request.path for request in it.requests].count("/v2/app/manifests/latest") == 4
            assert len(token.asked) >= 3

    def test_a_password_that_is_refused_in_mid_session_is_said(self, layout: Path) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as real, meddler(real) as it:
            it.on(BLOBS, expired_token(), times=1)
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                # It says `wrong password` to what was right a moment ago: nobody can tell that from a changed password.
                with pytest.raises(AuthError, match="were refused"):
                    whole(ours)
                assert whole(ours) == layer_of(real)

    def test_two_repositories_have_a_token_each(self, layout: Path) -> None:
        with (
            token_server(anonymous=["app", "other"]) as token,
            fake({"app": layout, "other": layout}, token=token) as it,
            client(it.host) as ours,
        ):
            for repository in ("app", "other", "app", "other"):
                assert whole(ours, repository) == layer_of(it)
            assert [one.scopes for one in token.asked] == [(PULL,), ("repository:other:pull",)]

    def test_a_scope_that_is_too_small_is_asked_for_anew_and_then_said(self, layout: Path) -> None:
        with (
            token_server(users={"ci": SECRET}, allow={"ci": ["other"]}) as token,
            fake({"app": layout}, token=token) as it,
            client(it.host, settings=TOLD, environment=login(it.host)) as ours,
        ):
            assert "do not suffice for app" in refusal(lambda: ours.manifest("app", "latest")).what
            assert len(token.asked) <= 3

    def test_the_scope_that_the_registry_names_counts(self, layout: Path) -> None:
        with (
            token_server(anonymous=["app", "big"]) as token,
            fake({"app": layout}, token=token) as real,
            meddler(real) as it,
        ):
            it.on(MANIFESTS, unauthorized(token.challenge("repository:app:pull repository:big:pull")), times=1)
            with client(it.host) as ours:
                ours.manifest("app", "latest")
            assert token.asked[0].scopes == (PULL, "repository:big:pull")

    def test_the_catalog_has_a_scope_of_its_own(self, layout: Path) -> None:
        with (
            token_server(anonymous=["catalog"]) as token,
            fake({"app": layout}, token=token) as it,
            client(it.host) as ours,
        ):
            assert list(ours.catalog()) == ["app"]
            assert [one.scopes for one in token.asked] == [("registry:catalog:*",)]

    def test_a_catalog_that_we_may_not_see(self, layout: Path) -> None:
        with token_server() as token, fake({"app": layout}, token=token) as it, client(it.host) as ours:
            assert "for its catalog" in refusal(lambda: list(ours.catalog())).what

    @pytest.mark.parametrize(
        "challenge",
        ["", "Negotiate", 'Digest realm="x", nonce="y"', "💥", "Bearer", 'Bearer realm="file:///etc/passwd"'],
    )
    def test_a_challenge_that_cannot_be_met(self, place: Fake, challenge: str) -> None:
        value = challenge.encode().decode("latin-1")
        with meddler(place) as it, client(it.host, settings=TOLD, environment=login(it.host)) as ours:
            it.on(ANY, unauthorized(value) if value else status(401))
            refusal(lambda: ours.manifest("app", "latest"))
            assert heard(SECRET, it) == []

    def test_a_forbidden_repository(self, place: Fake) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(ANY, status(403, b'{"errors": [{"code": "DENIED", "message": "not for you"}]}'))
            assert 'the registry says "not for you"' in refusal(lambda: ours.manifest("app", "latest")).what
            assert len(it.requests) == 1

    @pytest.mark.parametrize(
        ("instead", "words"),
        [
            (lambda _: Answer(503), "HTTP 503"),
            (lambda _: Answer(302, [("Location", "https://thief.test/")]), "leads elsewhere"),
            (lambda _: Answer(200, (), b"<html>"), "is not one"),
            (lambda _: Answer(200, (), json.dumps({"token": "x" * (10 << 20)}).encode()), "longer than"),
            (lambda _: Answer(0, (), [Hangup.CLOSE]), "no proper answer"),
        ],
    )
    def test_a_token_server_that_is_not_well(
        self, layout: Path, instead: Callable[[Request], Answer], words: str
    ) -> None:
        with token_server() as token, fake({"app": layout}, token=token) as it, client(it.host) as ours:
            token.instead = instead
            with pytest.raises(HoldfastError, match=words):
                ours.manifest("app", "latest")
            assert len(token.asked) <= QUICK.attempts
            token.instead = None
            token.anonymous = ("app",)
            assert whole(ours) == layer_of(it)


class TestEncrypted:
    """A real registry that speaks https, with an authority of its own, and wants a certificate from its clients."""

    @pytest.mark.parametrize("how", ["settings", "folders"])
    def test_with_a_certificate_of_ours(self, tmp_path: Path, layout: Path, how: str) -> None:
        authority, clients = Authority(tmp_path / "ca"), Authority(tmp_path / "clients")
        me = clients.client("ci")
        with registry(tmp_path / "registry", authority=authority, client_authority=clients) as it:
            push(it, layout, "app:latest")
            settings = RegistrySettings(
                ca_bundle=str(authority.bundle), certificate=str(me.certificate), key=str(me.key)
            )
            if how == "folders":
                folder = tmp_path / "certs.d" / it.host
                folder.mkdir(parents=True)
                for name, source in (("ca.crt", authority.bundle), ("me.cert", me.certificate), ("me.key", me.key)):
                    (folder / name).write_bytes(source.read_bytes())
                settings = RegistrySettings()
            with client(it.host, settings=settings, folders=[tmp_path / "certs.d"]) as ours:
                assert len(whole(ours)) > 1000
            without = RegistrySettings(ca_bundle=str(authority.bundle))
            with client(it.host, settings=without) as ours, pytest.raises(SourceError):
                ours.manifest("app", "latest")

    def test_a_certificate_of_ours_is_not_for_where_it_sends_us(self, tmp_path: Path, layout: Path) -> None:
        authority, clients = Authority(tmp_path / "ca"), Authority(tmp_path / "clients")
        me = clients.client("ci")
        settings = RegistrySettings(ca_bundle=str(authority.bundle), certificate=str(me.certificate), key=str(me.key))
        with (
            fake({"app": layout}, authority=authority) as real,
            meddler(real, authority=authority, client_authority=clients) as it,
            listen(Answer(200, (), layer_of(real)), host="127.0.0.2", authority=authority) as storage,
            client(it.host, settings=settings) as ours,
        ):
            it.on(BLOBS, redirect(storage.url))
            assert whole(ours) == layer_of(real)
            assert {one.certificate for one in it.conversations} == {"ci"}
            assert {one.certificate for one in storage.conversations} == {""}

    def test_credentials_go_by_https_untold(self, tmp_path: Path, layout: Path) -> None:
        authority = Authority(tmp_path / "ca")
        with fake({"app": layout}, users={"ci": SECRET}, authority=authority) as it:
            settings = RegistrySettings(ca_bundle=str(authority.bundle))
            with client(it.host, settings=settings, environment=login(it.host)) as ours:
                assert whole(ours) == layer_of(it)
            assert all(one.encrypted for one in it.conversations)


class TestScheme:
    def test_many_threads_find_plain_http_at_once(self, place: Fake) -> None:
        with client(place.host) as ours, ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: ours.manifest("app", "latest").digest, range(16)))
        assert set(found) == {place.repositories["app"].tags["latest"]}

    def test_where_it_sends_us_says_nothing_of_the_registry_itself(self, tmp_path: Path, layout: Path) -> None:
        """A storage that was to be had by https and is not must not make us speak http to the registry."""
        authority = Authority(tmp_path / "ca")
        settings = RegistrySettings(ca_bundle=str(authority.bundle))
        with (
            fake({"app": layout}, authority=authority) as real,
            listen(host="127.0.0.2") as storage,
            meddler(real, authority=authority) as it,
            client(it.host, settings=settings) as ours,
        ):
            it.on(BLOBS, redirect(f"https://{storage.host}"))
            with pytest.raises(SourceError, match="does not speak https"):
                whole(ours)
            assert ours.own.base.scheme == "https"
            assert ours.manifest("app", "latest")


class TestRedirects:
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_to_another_host_without_what_authorises(self, layout: Path, code: int) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as real:
            content = layer_of(real)
            with meddler(real) as it, listen(Answer(200, (), content), host="127.0.0.2") as storage:
                it.on(BLOBS, redirect(storage.url, code))
                with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                    assert whole(ours) == content
                assert heard(SECRET, it)
                assert storage.requests
                assert not any(request.header("Authorization") for request in storage.requests)
                assert heard(SECRET, storage) == []

    def test_what_a_stranger_wants_is_no_business_of_our_credentials(self, layout: Path) -> None:
        """A storage that asks for a log-in by its own token server would be told the registry's password."""
        with (
            token_server(users={"ci": SECRET}) as thief,
            listen(Answer(401, [("WWW-Authenticate", thief.challenge(PULL))]), host="127.0.0.2") as storage,
            fake({"app": layout}, users={"ci": SECRET}) as real,
            meddler(real) as it,
        ):
            it.on(BLOBS, redirect(storage.url))
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                refusal(lambda: whole(ours))
            assert (thief.requests, heard(SECRET, storage)) == ([], [])

    def test_back_home_with_what_authorises(self, layout: Path) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as real, meddler(real) as it:
            it.on("/v2/app/manifests/latest", redirect("/v2/app/manifests/real", 302), times=1, skip=1)
            it.on("/v2/app/manifests/real", lambda request, forward: forward(_at(request, "latest")))
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                assert ours.manifest("app", "latest").digest == real.repositories["app"].tags["latest"]

    @pytest.mark.parametrize(("hops", "fine"), [(1, True), (5, True), (6, False), (60, False)])
    def test_five_are_followed(self, place: Fake, hops: int, fine: bool) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(MANIFESTS, redirect_maze(), times=hops)
            if fine:
                assert ours.manifest("app", "latest").digest == place.repositories["app"].tags["latest"]
            else:
                with pytest.raises(SourceError, match="redirects more than 5 times"):
                    ours.manifest("app", "latest")
                assert len(it.requests) == 6

    def test_a_loop(self, place: Fake) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(MANIFESTS, redirect_loop())
            with pytest.raises(SourceError, match="redirects more than"):
                ours.manifest("app", "latest")

    @pytest.mark.parametrize(
        ("location", "words"),
        [
            ("http://files.test/x", "from https to http"),
            ("https://127.0.0.1/x", "to this machine"),
            ("https://localhost:6443/x", "to this machine"),
            ("https://2130706433/x", "to this machine"),
            ("https://[::1]/x", "to this machine"),
            ("https://169.254.169.254/latest/meta-data", "to this machine"),
            ("https://0.0.0.0/x", "to this machine"),
            ("file:///etc/passwd", "to file"),
            ("gopher://files.test/", "only https:"),
            ("https://[::1", "no address"),
        ],
    )
    def test_where_none_may_lead(self, tmp_path: Path, layout: Path, location: str, words: str) -> None:
        with elsewhere(tmp_path, layout) as (it, ours):
            it.on(BLOBS, redirect(location))
            with pytest.raises(SourceError, match=words):
                whole(ours)

    def test_none_leads_from_plain_http_that_was_found_to_plain_http_elsewhere(self, place: Fake) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(BLOBS, redirect("http://files.test/x"))
            with pytest.raises(SourceError, match="plain http"):
                whole(ours)

    def test_one_without_a_location(self, place: Fake) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(MANIFESTS, status(307))
            with pytest.raises(SourceError, match="HTTP 307"):
                ours.manifest("app", "latest")

    def test_a_storage_that_is_gone_does_not_make_the_registry_unreachable(self, tmp_path: Path, layout: Path) -> None:
        with elsewhere(tmp_path, layout) as (it, ours):
            before = whole(ours)
            rule = it.on(BLOBS, redirect("https://storage.test"), times=4)
            config = json.loads(ours.manifest("app", "latest").data)["config"]["digest"]
            for _ in range(2):
                with pytest.raises(SourceError, match=r"storage\.test cannot be reached"):
                    ours.document("app", config, 1 << 20)
            assert rule.met == 3  # the second time nobody tried the storage
            it.forget()
            assert whole(ours) == before


class TestConnections:
    def test_one_serves_many_requests(self, place: Fake) -> None:
        with client(place.host, settings=TOLD) as ours:
            for _ in range(20):
                whole(ours)
        assert len(place.conversations) == 1
        assert len(place.requests) == 40

    def test_one_serves_on_after_challenges_refusals_and_redirections(self, layout: Path) -> None:
        with fake({"app": layout}, users={"ci": SECRET}) as real, meddler(real) as it:
            it.on("/v2/app/manifests/old", redirect("/v2/app/manifests/latest"))
            with client(it.host, settings=TOLD, environment=login(it.host)) as ours:
                for _ in range(4):
                    ours.manifest("app", "old")
                    ours.digest("app", "old")
                    with pytest.raises(NotFound):
                        ours.manifest("app", "absent")
            assert len(it.conversations) == 1

    def test_threads_have_one_each_and_use_it_again(self, place: Fake) -> None:
        with client(place.host, settings=TOLD) as ours, ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: whole(ours), range(40))) == {layer_of(place)}
        assert len(place.conversations) <= 4


class TestAgain:
    @pytest.mark.parametrize(
        "fault",
        [
            status(500),
            status(502),
            status(503),
            status(504),
            status(408),
            hang_up(),
            hang_up(Hangup.RESET),
            garbage(b"SSH-2.0-OpenSSH_9.2\r\n"),
            truncate(10),
            headers(200),
            headers(1, 100_000),
            too_many(0),
            too_many(None),
            too_many("soon"),
            too_many(datetime.now(UTC) - timedelta(days=1)),
        ],
    )
    def test_what_fails_for_a_moment_is_asked_again(self, place: Fake, fault: Behaviour) -> None:
        with meddler(place) as it, client(it.host) as ours:
            rule = it.on(MANIFESTS, fault, times=2)
            assert ours.manifest("app", "latest").digest == place.repositories["app"].tags["latest"]
            assert rule.met == 2

    @pytest.mark.parametrize("fault", [status(500), hang_up(Hangup.RESET), headers(10_000), headers(1, 1 << 20)])
    def test_and_not_for_ever(self, place: Fake, fault: Behaviour) -> None:
        with meddler(place) as it, client(it.host) as ours:
            rule = it.on(MANIFESTS, fault)
            with pytest.raises(SourceError):
                ours.manifest("app", "latest")
            assert rule.met == QUICK.attempts

    @pytest.mark.parametrize("code", [400, 403, 404, 405, 410, 418, 451])
    def test_what_is_final_is_not_asked_again(self, place: Fake, code: int) -> None:
        with meddler(place) as it, client(it.host) as ours:
            rule = it.on(MANIFESTS, status(code))
            with pytest.raises(SourceError, match=f"HTTP {code}"):
                ours.manifest("app", "latest")
            assert rule.met == 1

    @pytest.mark.parametrize("moment", [False, True])
    def test_it_waits_as_long_as_it_is_told(self, place: Fake, monkeypatch: pytest.MonkeyPatch, moment: bool) -> None:
        waited: list[float] = []
        monkeypatch.setattr("holdfast.oci.registry.session.time.sleep", waited.append)
        with meddler(place) as it, client(it.host) as ours:
            it.on(MANIFESTS, too_many(datetime.now(UTC) + timedelta(seconds=60) if moment else 60), times=1)
            assert ours.manifest("app", "latest")
        (pause,) = waited
        assert pause == 60 or (moment and 0 < pause < 61)

    @pytest.mark.parametrize("asked", [3600, 10**12, datetime.now(UTC) + timedelta(days=365)])
    def test_it_does_not_wait_for_ever(self, place: Fake, asked: int | datetime) -> None:
        with meddler(place) as it, client(it.host) as ours:
            rule = it.on(MANIFESTS, too_many(asked))
            with pytest.raises(SourceError, match="wants us to wait"):
                ours.manifest("app", "latest")
            assert rule.met == 1

    def test_a_registry_that_goes_and_comes_back(self, tmp_path: Path, layout: Path) -> None:
        with registry(tmp_path / "registry") as it:
            push(it, layout, "app:latest")
            with client(it.host, retry=Retry(attempts=2, first=0.001)) as ours:
                before = whole(ours)
                it.stop()
                with pytest.raises(SourceError, match=r"cannot be reached|no proper answer"):
                    ours.manifest("app", "latest")
                it.start()
                assert whole(ours) == before


class TestWhatWeAreTold:
    def test_the_registrys_own_words(self, place: Fake) -> None:
        with client(place.host) as ours, pytest.raises(NotFound, match='the registry says "manifest_unknown"') as said:
            ours.manifest("app", "absent")
        assert said.value.where == f"{place.host}/v2/app/manifests/absent"

    def test_a_rate_limit_says_what_helps(self, place: Fake) -> None:
        message = "You have reached your pull rate limit."
        body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": message}]}).encode()
        with meddler(place) as it, client(it.host) as ours:
            it.on(ANY, status(429, body, Retry_After="9999"))
            with pytest.raises(SourceError, match="pull rate limit") as refused:
                ours.manifest("app", "latest")
        assert "log in" in refused.value.remedy

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            b'{"errors": null}',
            b'{"errors": [{}]}',
            b"[" * 100_000,
            b'{"errors": [{"message": null, "code": null}]}',
            b'{"errors": "x"}',
            b"x" * (10 << 20),
            b'{"errors": [{"message": "' + b"y" * (10 << 20) + b'"}]}',
            b'{"errors":[' + b"{}," * 10_000 + b"{}]}",
        ],
    )
    def test_a_body_that_says_nothing(self, place: Fake, body: bytes) -> None:
        with meddler(place) as it, client(it.host) as ours:
            it.on(ANY, status(404, body))
            with pytest.raises(NotFound) as said:
                ours.manifest("app", "latest")
        assert said.value.what == "not there (HTTP 404)"

    def test_control_characters_do_nothing_to_a_terminal(self, place: Fake) -> None:
        message = "\x1b]0;owned\x07\x1b[2J\u202e\u0000 gone\n" + "z" * 5000
        with meddler(place) as it, client(it.host) as ours:
            it.on(ANY, status(404, json.dumps({"errors": [{"message": message}]}).encode()))
            with pytest.raises(NotFound) as said:
                ours.manifest("app", "latest")
        assert str(said.value).isprintable()
        assert str(said.value).isascii()
        assert len(str(said.value)) < 500

    @given(some.binary(max_size=200) | some.text().map(_faults))
    def test_any_body_is_words_or_none(self, body: bytes) -> None:
        assert isinstance(_said(body), str)

    @given(some.text(max_size=40))
    def test_what_it_says_is_what_stands_in_it(self, text: str) -> None:
        assert _said(_faults(text)) == text


def test_offline_asks_nobody(place: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, forbidden)
    with client(place.host, offline=True) as ours:
        for ask in (
            lambda: ours.manifest("app", "latest"),
            lambda: ours.digest("app", "latest"),
            lambda: list(ours.blob("app", "sha256:" + "0" * 64, 5)),
            lambda: list(ours.tags("app")),
            lambda: list(ours.catalog()),
        ):
            with pytest.raises(SourceError, match="--offline"):
                ask()


def _at(request: Request, tag: str) -> Request:
    from dataclasses import replace

    return replace(request, target=f"/v2/app/manifests/{tag}")


@contextmanager
def elsewhere(tmp_path: Path, layout: Path) -> Iterator[tuple[Meddler, Registry]]:
    """A registry that is not this machine, spoken to by https; its meddler."""
    authority = Authority(tmp_path / "ca").naming("registry.test")
    with (
        fake({"app": layout}) as real,
        meddler(real, authority=authority) as it,
        proxy({"registry.test:443": it}) as way,
        client(
            "registry.test",
            settings=RegistrySettings(ca_bundle=str(authority.bundle)),
            proxy=Proxy(way.url),
        ) as ours,
    ):
        yield it, ours
