import json
from pathlib import Path
from typing import Any

import pytest

from daemons.fake import INDEX, Fake, Names, fake
from daemons.push import Pusher, attach, push
from daemons.skopeo import pull, refused, skopeo
from daemons.token import token_server
from world import image, index, layer, spec

LAYER = layer({"etc/os-release": "ID=debian\n"})
SPDX, VEX = "application/spdx+json", "application/vnd.openvex+json"


def read(place: Fake, target: str, auth: tuple[str, str] | None = None) -> Any:
    return json.loads(Pusher(place, auth).do(200, "GET", target).body)


def test_a_layout_is_served_whole(tmp_path: Path) -> None:
    layout = index(tmp_path, [spec([LAYER]), spec([LAYER], platform="linux/arm64")], nested=True, attestation=True)
    with fake({"team/app": layout}) as it:
        pusher = Pusher(it)
        reply = pusher.do(200, "GET", "/v2/team/app/manifests/latest")
        assert reply.headers["content-type"] == INDEX
        assert reply.headers["docker-content-digest"] == it.repositories["team/app"].tags["latest"]
        for entry in json.loads(reply.body)["manifests"]:
            manifest = read(it, f"/v2/team/app/manifests/{entry['digest']}")
            for blob in (manifest["config"], *manifest["layers"]):
                assert len(pusher.do(200, "GET", f"/v2/team/app/blobs/{blob['digest']}").body) == blob["size"]
        head = pusher.do(200, "HEAD", "/v2/team/app/manifests/latest")
        assert (head.body, head.headers["content-length"]) == (b"", str(len(reply.body)))
        assert pusher.ask("GET", "/v2/").status == 200
        absent = ("app/manifests/latest", "team/app/manifests/1")
        assert [pusher.ask("GET", f"/v2/{path}").status for path in absent] == [404, 404]


def test_it_takes_what_is_pushed(tmp_path: Path) -> None:
    with fake() as it:
        pushed = push(it, image(tmp_path, [LAYER]), "app:1.0")
        assert it.repositories["app"].tags == {"1.0": pushed.digest}
        Pusher(it).do(202, "DELETE", f"/v2/app/manifests/{pushed.digest}")
        assert Pusher(it).ask("GET", "/v2/app/manifests/1.0").status == 404


def test_skopeo_takes_it_for_a_registry(tmp_path: Path) -> None:
    with token_server(users={"ci": "s3cret"}) as token, fake(token=token) as it:
        source, target = f"oci:{image(tmp_path, [LAYER])}:latest", f"docker://{it.host}/team/app:1"
        skopeo("copy", "--dest-tls-verify=false", "--dest-creds=ci:s3cret", source, target, folder=tmp_path)
        pull(it.host, "team/app:1", "--src-creds=ci:s3cret", folder=tmp_path)
        refused(it.host, "team/app:1", folder=tmp_path)


def test_a_part_of_a_blob_where_ranges_are_known(tmp_path: Path) -> None:
    with fake() as it:
        blob = f"/v2/app/blobs/{Pusher(it).blob('app', b'0123456789')}"
        part = Pusher(it).ask("GET", blob, Range="bytes=4-")
        assert (part.status, part.body, part.headers["content-range"]) == (206, b"456789", "bytes 4-9/10")
        assert Pusher(it).ask("GET", blob, Range="bytes=2-3").body == b"23"
        assert Pusher(it).ask("GET", blob, Range="bytes=10-").status == 416
        it.ranges = False
        assert Pusher(it).ask("GET", blob, Range="bytes=4-").body == b"0123456789"


def test_referrers_with_and_without_the_api(tmp_path: Path) -> None:
    with fake({"app": image(tmp_path, [LAYER])}) as it:
        subject = it.repositories["app"].tags["latest"]
        digests = [attach(it, "app", subject, kind, [(kind, b"{}")]) for kind in (SPDX, VEX)]
        path = f"/v2/app/referrers/{subject}"
        assert [entry["digest"] for entry in read(it, path)["manifests"]] == digests
        one = Pusher(it).ask("GET", f"{path}?artifactType={VEX.replace('+', '%2B')}")
        assert [entry["digest"] for entry in json.loads(one.body)["manifests"]] == digests[1:]
        assert one.headers["oci-filters-applied"] == "artifactType"
        it.filters = False
        assert len(read(it, f"{path}?artifactType=x")["manifests"]) == 2
        assert list(it.repositories["app"].tags) == ["latest"]  # no fallback tag was needed
        it.referrers = False
        assert Pusher(it).ask("GET", path).status == 404
        attach(it, "app", subject, SPDX)
        assert subject.replace(":", "-") in it.repositories["app"].tags


def test_lists_have_pages(tmp_path: Path) -> None:
    layout = image(tmp_path, [LAYER])
    with fake(dict.fromkeys("cab", layout), page=2, tags={"a": ["3", "1", "2"]}) as it:
        first = Pusher(it).ask("GET", "/v2/_catalog")
        assert json.loads(first.body) == {"repositories": ["a", "b"]}
        assert first.headers["link"] == '</v2/_catalog?n=2&last=b>; rel="next"'
        assert read(it, "/v2/_catalog?n=2&last=b") == {"repositories": ["c"]}
        assert read(it, "/v2/a/tags/list?n=1&last=1") == {"name": "a", "tags": ["2"]}
        it.catalog = False
        assert Pusher(it).ask("GET", "/v2/_catalog").status == 404


def test_a_catalog_of_names_made_on_the_fly(tmp_path: Path) -> None:
    names = Names(100_000)
    assert list(names[98:101]) == sorted(names[98:101])
    with fake(names=names, everywhere=image(tmp_path, [LAYER])) as it:
        seen = read(it, "/v2/_catalog")["repositories"]
        assert len(seen) == 1000
        assert read(it, f"/v2/_catalog?n=1000&last={names[98_999]}")["repositories"][-1] == names[99_999]
        assert read(it, f"/v2/{seen[7]}/tags/list")["tags"] == ["latest"]
        assert Pusher(it).ask("GET", "/v2/team-0000/none/tags/list").status == 404


def test_basic_authentication(tmp_path: Path) -> None:
    with fake({"app": image(tmp_path, [LAYER])}, users={"ci": "s3cret"}) as it:
        assert Pusher(it, ("ci", "s3cret")).ask("GET", "/v2/app/tags/list").status == 200
        assert [Pusher(it, auth).ask("GET", "/v2/").status for auth in (None, ("ci", "wrong"))] == [401, 401]


def test_bearer_authentication_to_the_second(tmp_path: Path) -> None:
    layout = image(tmp_path, [LAYER])
    with (
        token_server(users={"ci": "s3cret"}, anonymous=["public"]) as token,
        fake({"public": layout, "private": layout}, token=token) as it,
    ):
        assert read(it, "/v2/public/tags/list")["tags"] == ["latest"]
        assert Pusher(it).ask("GET", "/v2/private/tags/list").status == 401
        pusher = Pusher(it, ("ci", "s3cret"))
        assert pusher.ask("GET", "/v2/private/tags/list").status == 200
        token.lifetime = -5
        refused = Pusher(it, ("ci", "s3cret")).ask("GET", "/v2/private/tags/list")
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert token.asked[-1].scopes == ("repository:private:pull",)
        assert not token.permits(token.issued[-1], "repository", "private", "pull")


def test_names_are_a_sequence() -> None:
    names = Names(3)
    assert (len(names), names[2], list(names)) == (3, "team-0000/service-000002", names[0:3])
    with pytest.raises(IndexError):
        names[3]
