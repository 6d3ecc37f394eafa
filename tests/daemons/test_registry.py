"""The real registry, its token server, and what is pushed into it, with skopeo as the client that we did not write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemons.authority import Authority
from daemons.listener import heard
from daemons.message import Answer
from daemons.program import need, program
from daemons.push import ACCEPT, Pusher, attach, push
from daemons.registry import Registry, registry
from daemons.skopeo import pull, refused, skopeo
from daemons.token import TokenServer, token_server
from world import image, index, layer, spec

LAYER = layer({"etc/os-release": "ID=debian\n"})
OTHER = layer({"srv/app.py": "print()"})


@pytest.fixture(scope="module")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as it:
        yield it


class TestRegistry:
    def test_skopeo_pushes_into_it(self, open_registry: Registry, tmp_path: Path) -> None:
        layout = image(tmp_path, [LAYER, OTHER])
        target = f"docker://{open_registry.host}/skopeo:1"
        skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:latest", target, folder=tmp_path)
        tags = json.loads(Pusher(open_registry).do(200, "GET", "/v2/skopeo/tags/list").body)
        assert tags == {"name": "skopeo", "tags": ["1"]}
        assert ("PUT", "/v2/skopeo/manifests/1", 201) in open_registry.asked()

    def test_it_goes_and_comes_back_with_what_it_stores(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry") as it:
            pushed = push(it, image(tmp_path, [LAYER]), "app:1.0")
            host = it.host
            it.stop()
            with pytest.raises(ConnectionRefusedError):
                Pusher(it).ask("GET", "/v2/")
            it.start()
            assert it.host == host
            assert Pusher(it).has(f"/v2/app/manifests/{pushed.digest}")

    def test_what_it_stores_can_be_tampered_with(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry") as it:
            pushed = push(it, image(tmp_path, [LAYER]), "app:1.0")
            stored = it.blob(pushed.layers[0])
            stored.write_bytes(b"x" * stored.stat().st_size)
            assert set(Pusher(it).do(200, "GET", f"/v2/app/blobs/{pushed.layers[0]}").body) == {ord("x")}

    def test_its_catalog_has_pages(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry", catalog_max=2) as it:
            layout = image(tmp_path, [LAYER])
            for name in ("a", "b", "c"):
                push(it, layout, f"{name}:1")
            first = Pusher(it).do(200, "GET", "/v2/_catalog?n=2")
        assert json.loads(first.body) == {"repositories": ["a", "b"]}
        assert 'rel="next"' in first.headers["link"]

    def test_users_are_let_in_by_their_password(self, tmp_path: Path) -> None:
        with registry(tmp_path / "registry", users={"ci": "s3cret"}) as it:
            push(it, image(tmp_path, [LAYER]), "app:1.0", auth=("ci", "s3cret"))
            pull(it.host, "app:1.0", "--src-creds=ci:s3cret", folder=tmp_path)
            assert "authentication required" in refused(it.host, "app:1.0", "--src-creds=ci:wrong", folder=tmp_path)
            assert Pusher(it).ask("GET", "/v2/").status == 401

    def test_it_speaks_tls_and_may_want_a_certificate(self, tmp_path: Path) -> None:
        authority, clients = Authority(tmp_path / "ca"), Authority(tmp_path / "clients")
        with registry(tmp_path / "registry", authority=authority, client_authority=clients) as it:
            push(it, image(tmp_path, [LAYER]), "app:1.0")
            me = clients.client("skopeo")
            trusted = tmp_path / "certs"
            trusted.mkdir()
            for name, path in (("ca.crt", authority.bundle), ("me.cert", me.certificate), ("me.key", me.key)):
                (trusted / name).write_bytes(path.read_bytes())
            target = f"oci:{tmp_path / 'copy'}:copied"
            skopeo("copy", f"--src-cert-dir={trusted}", f"docker://{it.host}/app:1.0", target, folder=tmp_path)
            refused(it.host, "app:1.0", folder=tmp_path)


class TestToken:
    @pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
    def test_the_real_registry_takes_its_tokens(self, tmp_path: Path, algorithm: str) -> None:
        with (
            token_server(users={"ci": "s3cret"}, algorithm=algorithm) as token,
            registry(tmp_path / "registry", token=token) as it,
        ):
            push(it, image(tmp_path, [LAYER]), "app:1.0", auth=("ci", "s3cret"))
            pull(it.host, "app:1.0", "--src-creds=ci:s3cret", folder=tmp_path)
            assert "unauthorized" in refused(it.host, "app:1.0", "--src-creds=ci:wrong", folder=tmp_path)
            assert token.asked[-1].refused
        assert ("repository:app:pull",) in [asked.scopes for asked in token.asked]
        assert {asked.service for asked in token.asked} == {token.service}
        assert heard("s3cret", token)

    def test_who_may_what_is_what_the_test_says(self, tmp_path: Path) -> None:
        layout = image(tmp_path, [LAYER])
        with (
            token_server(
                users={"admin": "a", "ci": "c"}, allow={"ci": ["team/*"]}, anonymous=["public/*"]
            ) as token,
            registry(tmp_path / "registry", token=token) as it,
        ):  # fmt: skip
            for name in ("team/app", "public/app", "secret"):
                push(it, layout, f"{name}:1", auth=("admin", "a"))

            def status(name: str, auth: tuple[str, str] | None) -> int:
                return Pusher(it, auth).ask("HEAD", f"/v2/{name}/manifests/1", Accept=ACCEPT).status

            assert [status(name, None) for name in ("public/app", "team/app", "secret")] == [200, 401, 401]
            assert [status(name, ("ci", "c")) for name in ("team/app", "secret")] == [200, 401]
            assert Pusher(it, ("admin", "a")).ask("GET", "/v2/_catalog").status == 200
            assert Pusher(it).ask("GET", "/v2/_catalog").status == 401

    def test_a_token_that_has_ended_is_refused(self, tmp_path: Path) -> None:
        with token_server(users={"ci": "s"}) as token, registry(tmp_path / "registry", token=token) as it:
            token.lifetime = -3600
            reply = Pusher(it, ("ci", "s")).ask("GET", "/v2/_catalog")
            assert reply.status == 401
            assert 'error="invalid_token"' in reply.headers["www-authenticate"]

    def test_oauth(self) -> None:
        with token_server(users={"ci": "s3cret"}) as token:
            form = b"grant_type=password&username=ci&password=s3cret"
            form += b"&service=s&client_id=me&access_type=offline&scope=x:y:z"
            first = json.loads(_post(token, form, 200))
            again = b"grant_type=refresh_token&service=s&refresh_token=" + first["refresh_token"].encode()
            second = json.loads(_post(token, again, 200))
            assert second["refresh_token"] == first["refresh_token"]
            assert {first["access_token"], second["access_token"]} == set(token.issued)
            assert first["expires_in"] == 300
            _post(token, b"grant_type=refresh_token&refresh_token=unknown", 401)
            _post(token, b"grant_type=password&username=ci&password=wrong", 401)
            assert [(one.grant, one.user, one.refused) for one in token.asked] == [
                ("password", "ci", False), ("refresh_token", "ci", False), ("refresh_token", "", True),
                ("password", "ci", True),
            ]  # fmt: skip
            assert (token.asked[0].client, token.asked[0].offline, token.asked[0].scopes) == ("me", True, ("x:y:z",))
            assert token.refresh_tokens[token.identity_token("ci")] == "ci"
            token.oauth = False
            _post(token, form, 405)

    def test_it_says_what_a_test_wants_instead(self) -> None:
        with token_server() as token:
            token.instead = lambda _: Answer(503, (), b"later")
            assert Pusher(token).ask("GET", "/token").body == b"later"
            token.instead, token.members, token.expires_in = None, ("access_token",), None
            assert set(json.loads(Pusher(token).ask("GET", "/token").body)) == {"access_token"}
            assert Pusher(token).ask("GET", "/elsewhere").status == 404


def _post(token: TokenServer, form: bytes, status: int) -> bytes:
    return Pusher(token).do(status, "POST", "/token", form, Content_Type="application/x-www-form-urlencoded").body


class TestPush:
    def test_skopeo_pulls_what_was_pushed(self, open_registry: Registry, tmp_path: Path) -> None:
        pushed = push(open_registry, image(tmp_path, [LAYER, OTHER], annotations={"a": "b"}), "team/app:1.0")
        pull(open_registry.host, "team/app:1.0", "--preserve-digests", folder=tmp_path)
        entry = json.loads((tmp_path / "copied/index.json").read_text())["manifests"][0]
        assert entry["digest"] == pushed.digest == pushed.tags["1.0"]
        assert pushed.tagged == f"{open_registry.host}/team/app:1.0"
        assert pushed.pinned == f"{open_registry.host}/team/app@{pushed.digest}"

    @pytest.mark.parametrize(("nested", "name"), [(True, "app"), (False, "app:latest")])
    def test_all_platforms_and_attestations_go_along(
        self, open_registry: Registry, tmp_path: Path, nested: bool, name: str
    ) -> None:
        specs = [spec([LAYER]), spec([OTHER], platform="linux/arm64")]
        layout = index(tmp_path, specs, nested=nested, attestation=True)
        pushed = push(open_registry, layout, f"platforms-{str(nested).lower()}/{name}")
        document = _manifest(open_registry, pushed.repository, "latest")
        assert [entry["platform"]["architecture"] for entry in document["manifests"]] == [
            "amd64", "unknown", "arm64", "unknown",
        ]  # fmt: skip
        assert len(pushed.manifests) == 5
        pull(open_registry.host, f"{pushed.repository}:latest", "--all", "--preserve-digests", folder=tmp_path)

    def test_each_tag_of_a_layout_is_one(self, open_registry: Registry, tmp_path: Path) -> None:
        pushed = push(open_registry, index(tmp_path, [spec([LAYER], tag="a"), spec([OTHER], tag="b")]), "tags")
        assert sorted(pushed.tags) == ["a", "b"]
        assert _tags(open_registry, "tags") == ["a", "b"]

    def test_docker_types_when_asked(self, open_registry: Registry, tmp_path: Path) -> None:
        layout = index(tmp_path, [spec([LAYER]), spec([OTHER], platform="linux/arm64")], nested=True, attestation=True)
        pushed = push(open_registry, layout, "docker:1", docker=True)
        document = _manifest(open_registry, "docker", pushed.digest)
        assert document["mediaType"] == "application/vnd.docker.distribution.manifest.list.v2+json"
        first, attestation = document["manifests"][:2]
        assert attestation["annotations"]["vnd.docker.reference.digest"] == first["digest"]
        manifest = _manifest(open_registry, "docker", first["digest"])
        assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
        assert manifest["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"
        assert manifest["layers"][0]["mediaType"] == "application/vnd.docker.image.rootfs.diff.tar.gzip"
        pull(open_registry.host, "docker:1", folder=tmp_path)

    def test_referrers_stand_under_the_fallback_tag(self, open_registry: Registry, tmp_path: Path) -> None:
        pushed = push(open_registry, image(tmp_path, [LAYER]), "attached:1")
        digests = [
            attach(open_registry, "attached", pushed.digest, kind, [(kind, b"{}")], {"made": "now"})
            for kind in ("application/spdx+json", "application/vnd.openvex+json")
        ]
        fallback = _manifest(open_registry, "attached", pushed.digest.replace(":", "-"))
        assert [entry["digest"] for entry in fallback["manifests"]] == digests
        assert fallback["manifests"][0]["artifactType"] == "application/spdx+json"
        manifest = _manifest(open_registry, "attached", digests[0])
        assert manifest["subject"]["digest"] == pushed.digest
        assert manifest["annotations"] == {"made": "now"}
        assert Pusher(open_registry).ask("GET", f"/v2/attached/referrers/{pushed.digest}").status == 404


def _manifest(place: Registry, repository: str, selector: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        Pusher(place).do(200, "GET", f"/v2/{repository}/manifests/{selector}", Accept=ACCEPT).body
    )
    return document


def _tags(place: Registry, repository: str) -> list[str]:
    return sorted(json.loads(Pusher(place).do(200, "GET", f"/v2/{repository}/tags/list").body)["tags"])


class TestProgram:
    def test_one_that_is_absent_skips(self) -> None:
        with pytest.raises(pytest.skip.Exception, match="no-such-daemon is not installed"):
            need("no-such-daemon")

    def test_it_is_waited_for_and_ended(self, tmp_path: Path) -> None:
        with program("sh", "-c", "echo ready 42; exec sleep 600", folder=tmp_path) as it:
            assert it.wait_for(r"ready (\d+)")[1] == "42"
            assert it.is_running
        assert not it.is_running

    def test_one_that_ends_early_shows_its_log(self, tmp_path: Path) -> None:
        shell = program("sh", "-c", "echo no such thing; exit 1", folder=tmp_path)
        with shell as it, pytest.raises(AssertionError, match="no such thing"):
            it.wait_for("ready")
