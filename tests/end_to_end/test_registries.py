"""Every kind of registry, scanned by the real command: the report is that of the layout which was pushed there."""

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemons.authority import Authority
from daemons.fake import fake
from daemons.meddler import meddler
from daemons.proxy import proxy
from daemons.push import push
from daemons.registry import registry
from daemons.skopeo import skopeo
from daemons.token import token_server
from end_to_end.cases import cases
from end_to_end.command import Holdfast
from end_to_end.shop import HISTORY, ONLY, configure, feeds, forget, lasting, layers, node, packages, scan
from end_to_end.test_real_images import Built, real  # noqa: F401 - the fixture
from world import image, index, layer, spec

USER = ("ci", "s3cret-of-the-registry")
Target = tuple[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def advisories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small database."""
    home = tmp_path_factory.mktemp("advisories")
    command = Holdfast(home)
    assert command("db", "update", "--from", feeds(home / "feeds"), "-q").code == 0
    return command.data


@pytest.fixture
def informed(holdfast: Holdfast, advisories: Path) -> Holdfast:
    """The command with that database."""
    shutil.copytree(advisories, holdfast.data, dirs_exist_ok=True, ignore=shutil.ignore_patterns("packs"))
    return holdfast


def log_in(holdfast: Holdfast, host: str, **entry: str) -> None:
    """What `docker login` would have written."""
    entry = entry or {"auth": b64encode(":".join(USER).encode()).decode()}
    folder = holdfast.home / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


@contextmanager
def open_to_all(folder: Path, layout: Path, _: Holdfast) -> Iterator[Target]:
    with registry(folder) as it:
        yield push(it, layout, "team/app:1.0").tagged, ()


@contextmanager
def by_digest(folder: Path, layout: Path, _: Holdfast) -> Iterator[Target]:
    with registry(folder) as it:
        yield push(it, layout, "team/app:1.0").pinned, ()


@contextmanager
def by_tag_and_digest(folder: Path, layout: Path, _: Holdfast) -> Iterator[Target]:
    with registry(folder) as it:
        pushed = push(it, layout, "team/app:1.0")
        yield f"registry:{pushed.tagged}@{pushed.digest}", ()


@contextmanager
def with_a_password(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with registry(folder, users=dict([USER])) as it:
        log_in(holdfast, it.host)
        yield push(it, layout, "team/app:1.0", auth=USER).tagged, ("--plain-http",)


@contextmanager
def with_a_password_over_tls(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    authority = Authority(folder / "ca")
    with registry(folder, users=dict([USER]), authority=authority) as it:
        log_in(holdfast, it.host)
        configure(holdfast, f'[registries."{it.host}"]\nca_bundle = "{authority.bundle}"\n')
        yield push(it, layout, "team/app:1.0", auth=USER).tagged, ()


@contextmanager
def with_tokens(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with token_server(users=dict([USER]), allow={"ci": ["team/*"]}) as token, registry(folder, token=token) as it:
        log_in(holdfast, it.host)
        yield push(it, layout, "team/app:1.0", auth=USER).tagged, ("--plain-http",)
        assert {asked.scopes for asked in token.asked if asked.user and asked.client == ""} >= {
            ("repository:team/app:pull",)
        }


@contextmanager
def with_tokens_for_everybody(folder: Path, layout: Path, _: Holdfast) -> Iterator[Target]:
    with token_server(users=dict([USER]), anonymous=["team/*"]) as token, registry(folder, token=token) as it:
        yield push(it, layout, "team/app:1.0", auth=USER).tagged, ()


@contextmanager
def with_an_identity_token(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with token_server(users=dict([USER])) as token, registry(folder, token=token) as it:
        log_in(holdfast, it.host, identitytoken=token.identity_token(USER[0]))
        yield push(it, layout, "team/app:1.0", auth=USER).tagged, ("--plain-http",)


@contextmanager
def with_an_authority_of_its_own(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    authority = Authority(folder / "ca")
    with registry(folder, authority=authority) as it:
        configure(holdfast, f'[registries."{it.host}"]\nca_bundle = "{authority.bundle}"\n')
        yield push(it, layout, "team/app:1.0").tagged, ()


@contextmanager
def with_the_company_s_authority(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    authority = Authority(folder / "ca")
    with registry(folder, authority=authority) as it:
        configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
        yield push(it, layout, "team/app:1.0").tagged, ()


@contextmanager
def with_a_client_certificate(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    authority, clients = Authority(folder / "ca"), Authority(folder / "clients")
    me = clients.client("ci")
    with registry(folder, authority=authority, client_authority=clients) as it:
        lines = (f'[registries."{it.host}"]', f'ca_bundle = "{authority.bundle}"', f'certificate = "{me.certificate}"')
        configure(holdfast, "\n".join((*lines, f'key = "{me.key}"', "")))
        yield push(it, layout, "team/app:1.0").tagged, ()


@contextmanager
def behind_a_mirror(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with registry(folder) as own, registry(folder / "mirror") as mirror:
        configure(holdfast, f'[registries."{own.host}"]\nmirrors = ["http://{mirror.host}/cached"]\n')
        push(mirror, layout, "cached/team/app:1.0")
        tagged = push(own, layout, "team/app:1.0").tagged
        before = len(own.asked()), len(mirror.asked())
        yield tagged, ()
        theirs, ours = ([target for _, target, _ in it.asked()] for it in (mirror, own))
        assert len([target for target in theirs[before[1] :] if "/blobs/" in target]) == 4
        assert not any("/blobs/" in target or target.endswith("/1.0") for target in ours[before[0] :])


@contextmanager
def behind_a_mirror_that_is_down(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with registry(folder) as own:
        with registry(folder / "mirror") as mirror:
            gone = mirror.host
        configure(holdfast, f'[registries."{own.host}"]\nmirrors = ["http://{gone}"]\n')
        yield push(own, layout, "team/app:1.0").tagged, ()


@contextmanager
def behind_a_proxy(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    authority = Authority(folder / "ca").naming("registry.test", "127.0.0.1")
    with registry(folder, authority=authority) as own, proxy({"registry.test:443": own}) as it:
        push(own, layout, "team/app:1.0")
        configure(holdfast, f'ca_bundle = "{authority.bundle}"\n')
        holdfast.environment["HTTPS_PROXY"] = it.url
        yield "registry.test/team/app:1.0", ()
        assert set(it.paths) == {"CONNECT registry.test:443"}


@contextmanager
def by_plain_http_behind_a_proxy(folder: Path, layout: Path, holdfast: Holdfast) -> Iterator[Target]:
    with registry(folder) as own, proxy({"registry.test:80": own}, auth=("me", "past-the-proxy")) as it:
        push(own, layout, "team/app:1.0")
        holdfast.environment["HOLDFAST_PROXY"] = it.url.replace("//", "//me:past-the-proxy@")
        yield "registry.test/team/app:1.0", ("--plain-http",)
        assert len(it.requests) > 4


@contextmanager
def through_another_server(folder: Path, layout: Path, _: Holdfast) -> Iterator[Target]:
    with registry(folder) as own, meddler(own) as it:
        push(own, layout, "team/app:1.0")
        yield f"{it.host}/team/app:1.0", ()


@contextmanager
def that_knows_referrers(_: Path, layout: Path, __: Holdfast) -> Iterator[Target]:
    with fake({"team/app": layout}) as it:
        yield f"{it.host}/team/app", ()


KINDS = (
    open_to_all, by_digest, by_tag_and_digest, with_a_password, with_a_password_over_tls, with_tokens,
    with_tokens_for_everybody, with_an_identity_token, with_an_authority_of_its_own, with_the_company_s_authority,
    with_a_client_certificate, behind_a_mirror, behind_a_mirror_that_is_down, behind_a_proxy,
    by_plain_http_behind_a_proxy, through_another_server, that_knows_referrers,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_report_is_that_of_the_layout(tmp_path: Path, informed: Holdfast, kind: Any) -> None:
    layout = image(tmp_path, layers(), history=HISTORY)
    expected = scan(informed, f"oci:{layout}")
    assert packages(expected) == {"lodash", "shop"}
    assert len(expected.report["findings"]) == 2
    forget(informed)
    with kind(tmp_path / "registry", layout, informed) as (target, flags):
        outcome = scan(informed, target, *flags)
    assert (outcome.code, outcome.err) == (expected.code, "")
    assert lasting(outcome.report) == lasting(expected.report)
    assert "layers_cached" not in outcome.report["statistics"]


IMAGES: dict[str, dict[str, Any]] = {
    "zstd": {"compression": "zstd"},
    "not compressed": {"compression": "none"},
    "each by itself": {"compression": ("none", "zstd", "gzip")},
    "Docker's media types": {"docker": True},
    "Docker's media types, not compressed": {"docker": True, "compression": "none"},
    "labels": {"labels": {"org.opencontainers.image.base.name": "debian:12"}, "annotations": {"a": "b"}},
    "another platform": {"platform": "linux/arm64/v8"},
    "no history": {"history": ()},
    "the same layer twice": {"layers": (*layers()[:2], layers()[1])},
    "no layer": {"layers": ()},
}


@pytest.mark.parametrize(
    "fields", cases(IMAGES, "zstd", "Docker's media types", "each by itself", "the same layer twice")
)
def test_every_sort_of_image(tmp_path: Path, holdfast: Holdfast, fields: dict[str, Any]) -> None:
    every: dict[str, Any] = {"layers": layers(), "history": HISTORY} | fields
    layout = image(tmp_path, **every)
    expected = scan(holdfast, f"oci:{layout}", *ONLY)
    forget(holdfast)
    with registry(tmp_path / "registry") as it:
        outcome = scan(holdfast, push(it, layout, "app:1.0").tagged, *ONLY)
    assert (outcome.code, outcome.err) == (expected.code, "")
    assert lasting(outcome.report) == lasting(expected.report)


@pytest.mark.parametrize(
    ("nested", "docker"),
    cases(
        {
            "an index": (False, False),
            "an index in an index": (True, False),
            "Docker's list": (False, True),
            "Docker's list in a list": (True, True),
        },
        "an index in an index",
    ),
)
def test_an_index_of_several_platforms(tmp_path: Path, holdfast: Holdfast, *, nested: bool, docker: bool) -> None:
    base = layer(node("base"))
    images = [
        spec([base, layer(node(f"for-{architecture}"))], platform=f"linux/{architecture}", docker=docker, tag=())
        for architecture in ("amd64", "arm64")
    ]
    layout = index(tmp_path, images, nested=nested, attestation=True)
    with registry(tmp_path / "registry") as it:
        pushed = push(it, layout, "app:1.0")
        for architecture in ("amd64", "arm64"):
            platform = ("--platform", f"linux/{architecture}", *ONLY)
            expected = scan(holdfast, f"oci:{layout}", *platform)
            forget(holdfast)
            for target in (pushed.tagged, pushed.pinned):
                outcome = scan(holdfast, target, *platform)
                assert packages(outcome) == packages(expected) == {"base", f"for-{architecture}"}
                assert outcome.code == expected.code
                assert outcome.report["layers"] == expected.report["layers"]
                target_of_it = outcome.report["target"]
                assert target_of_it["index_digest"] == pushed.digest
                assert target_of_it["digest"] == expected.report["target"]["digest"]
                assert target_of_it["platform"] == expected.report["target"]["platform"]
        outcome = scan(holdfast, pushed.tagged, "--platform", "linux/s390x", *ONLY)
        assert outcome.code == 4
        assert "linux/amd64, linux/arm64" in outcome.err
        inspected = holdfast("inspect", pushed.tagged, "--platform", "linux/arm64")
        assert (inspected.code, inspected.err) == (0, "")
        assert expected.report["target"]["digest"] in inspected.out


@pytest.mark.root
@pytest.mark.mirror
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mmdebstrap and umoci make devices and owners")
def test_a_real_debian_that_skopeo_pushed(tmp_path: Path, holdfast: Holdfast, real: Built) -> None:  # noqa: F811
    with registry(tmp_path / "registry") as it:
        tagged = f"{it.host}/debian/app:1.0"
        skopeo("copy", "--dest-tls-verify=false", real.target("app"), f"docker://{tagged}", folder=tmp_path)
        outcome = scan(holdfast, tagged, *ONLY)
        assert (outcome.code, outcome.report["status"], outcome.err) == (0, "complete", "")
        assert len(outcome.report["packages"]) > 80
        again = scan(holdfast, tagged, *ONLY)
        pulled = holdfast("pull", tagged, f"oci:{tmp_path / 'pulled'}", "-q")
        assert (pulled.code, pulled.err) == (0, "")
    assert lasting(again.report) == lasting(outcome.report)
    forget(holdfast)
    assert lasting(scan(holdfast, real.target("app"), *ONLY).report) == lasting(outcome.report)
    assert lasting(scan(holdfast, f"oci:{tmp_path / 'pulled'}", *ONLY).report) == lasting(outcome.report)
