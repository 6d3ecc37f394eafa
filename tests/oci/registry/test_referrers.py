"""What refers to an image: by the registry's own list, by the tag that stands in for it, and by cosign's tags."""

import json
from pathlib import Path

import pytest

from daemons.behaviours import deep_json, html, link_to_itself, status, swap
from daemons.fake import Fake
from daemons.meddler import REFERRERS, Behaviour, Meddler
from daemons.message import Answer
from daemons.push import Pusher, attach, push
from daemons.registry import registry
from holdfast.model.errors import AuthError, HoldfastError, LimitError, SourceError
from holdfast.oci.registry import referrers as referrers_module
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.referrers import referrers, tagged
from oci.registry.clients import app, client
from world import OCI

SPDX, VEX = "application/spdx+json", "application/vnd.openvex+json"
INDEX = OCI + "index.v1+json"


def subject(place: Fake) -> str:
    return place.repositories["app"].tags["latest"]


def found(ours: Registry, of: str) -> list[str]:
    return [descriptor.digest for descriptor in referrers(ours, "app", of)]


def test_none(place: Fake, ours: Registry) -> None:
    assert found(ours, subject(place)) == []


def test_the_registrys_own_list(place: Fake, between: Meddler, ours: Registry) -> None:
    made = [attach(place, "app", subject(place), kind, [(kind, b"{}")]) for kind in (SPDX, VEX)]
    listed = referrers(ours, "app", subject(place))
    assert [one.digest for one in listed] == made
    assert [one.artifact_type for one in listed] == [SPDX, VEX]
    assert f"GET /v2/app/referrers/{subject(place)}" in between.paths


def test_a_list_of_several_pages(place: Fake, between: Meddler, ours: Registry) -> None:
    made = [attach(place, "app", subject(place), SPDX, [(SPDX, b"%d" % number)]) for number in range(3)]

    def paged(request: object, forward: object) -> Answer:
        at = int(request.query.get("at", ["0"])[0])  # type: ignore[attr-defined]
        answer = between.forward(request)  # type: ignore[arg-type]
        document = json.loads(answer.whole)
        document["manifests"] = document["manifests"][at : at + 1]
        more = {"Link": f'<{request.path}?at={at + 1}>; rel="next"'} if at < 2 else {}  # type: ignore[attr-defined]
        return Answer(200, answer.headers, json.dumps(document).encode()).having(Content_Length=None, **more)

    between.on(REFERRERS, paged)
    assert found(ours, subject(place)) == made


def test_the_tag_that_stands_in_at_a_real_registry(tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as it:
        pushed = push(it, app(tmp_path), "app:1")
        made = [attach(it, "app", pushed.digest, kind, [(kind, b"{}")]) for kind in (SPDX, VEX)]
        with client(it.host) as ours:
            assert found(ours, pushed.digest) == made


@pytest.mark.parametrize("kind", ["sig", "att", "sbom"])
@pytest.mark.parametrize("knows", [True, False])
def test_cosigns_older_tags_are_listed_apart(place: Fake, ours: Registry, kind: str, knows: bool) -> None:
    place.referrers = knows
    made = attach(place, "app", subject(place), VEX, [(VEX, b"{}")], fallback=False)
    place.repositories["app"].tags[f"{subject(place).replace(':', '-')}.{kind}"] = made
    assert found(ours, subject(place)) == ([made] if knows else [])
    (one,) = tagged(ours, "app", subject(place))
    assert (one.digest, one.artifact_type) == (made, f"application/vnd.dev.cosign.artifact.{kind}.v1+json")


@pytest.mark.parametrize(
    "fault", [status(404), status(400), status(405), status(501), html(), swap(b"[]"), swap(deep_json(100_000))]
)
def test_a_registry_that_knows_no_such_list(place: Fake, between: Meddler, ours: Registry, fault: Behaviour) -> None:
    made = attach(place, "app", subject(place), SPDX, fallback=True)
    between.on(REFERRERS, fault)
    assert found(ours, subject(place)) == [made]


@pytest.mark.parametrize("fault", [status(500), status(503), status(429)])
def test_one_that_has_a_list_and_is_not_well_is_no_registry_without(
    place: Fake, between: Meddler, ours: Registry, fault: Behaviour
) -> None:
    """Else whoever answers 500 hides what is attached."""
    attach(place, "app", subject(place), SPDX)
    between.on(REFERRERS, fault)
    with pytest.raises(SourceError, match="HTTP"):
        found(ours, subject(place))


def test_a_list_that_we_may_not_see(place: Fake, between: Meddler, ours: Registry) -> None:
    between.on(REFERRERS, status(403))
    with pytest.raises(AuthError):
        found(ours, subject(place))


def test_a_list_without_end(place: Fake, between: Meddler, ours: Registry) -> None:
    attach(place, "app", subject(place), SPDX)
    between.on(REFERRERS, link_to_itself())
    with pytest.raises(LimitError, match="never end"):
        found(ours, subject(place))


def test_a_list_that_is_too_long_is_cut_one_behind_the_most(place: Fake, between: Meddler, ours: Registry) -> None:
    entries = [{"mediaType": INDEX, "digest": f"sha256:{number:064}", "size": 1} for number in range(10_000)]
    between.on(REFERRERS, swap(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()))
    assert len(found(ours, subject(place))) == referrers_module.MOST + 1


def test_garbage_under_the_tag_that_stands_in(place: Fake, ours: Registry) -> None:
    place.referrers = False
    Pusher(place).blob("app", b"{}")
    place.repositories["app"].manifests["sha256:" + "9" * 64] = INDEX, b"{}"
    place.repositories["app"].tags[subject(place).replace(":", "-")] = "sha256:" + "9" * 64
    with pytest.raises(HoldfastError):
        found(ours, subject(place))
