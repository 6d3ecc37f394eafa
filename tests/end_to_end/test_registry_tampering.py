"""A man in the middle is noticed, whatever he changes, and no report is ever about the bytes that he sent instead."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemons.behaviours import (
    content_range,
    cut,
    digest_header,
    flip,
    gzipped,
    instead,
    misplaced,
    replay,
    shorten,
    status,
    stretch,
    swap,
    truncate,
    whole,
)  # fmt: skip
from daemons.meddler import BLOBS, MANIFESTS, Behaviour, Meddler, meddler
from daemons.message import Answer
from daemons.push import Pushed, attach, push
from daemons.registry import Registry, registry
from end_to_end.cases import cases
from end_to_end.command import Holdfast, Outcome
from end_to_end.shop import ONLY, base, configure, node, packages, rules, scan
from world import Thing, compress, digest, image, index, layer, spec, symlink

EVIL = "evil-twin"
GENUINE = {"libc6", "base", "app-of-ours"}
FORGED = layer({**node(EVIL), "srv/data": bytes(range(256)) * 500})
OURS = layer({**node("app-of-ours"), "srv/data": bytes(range(255, -1, -1)) * 500})
CRITICAL = ["image.layer-digest-mismatch"]


@dataclass
class World:
    """An image in a registry, a forged one and an older one beside it, and somebody on the way to them."""

    real: Registry
    middle: Meddler
    ours: Pushed
    forged: Pushed
    layout: Path

    @property
    def tagged(self) -> str:
        return f"{self.middle.host}/app:1.0"

    @property
    def pinned(self) -> str:
        return f"{self.middle.host}/app@{self.ours.digest}"

    @property
    def top(self) -> str:
        """The path of the layer that will be forged."""
        return f"/v2/app/blobs/{self.ours.layers[1]}"

    def config(self, of: Pushed) -> str:
        found: str = json.loads(self.real.blob(of.digest).read_bytes())["config"]["digest"]
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    layout = image(tmp_path, [base(), OURS], compression="none")
    forged = image(tmp_path, [base(), FORGED], compression="none", name="forged", history=[EVIL, EVIL])
    with registry(tmp_path / "registry") as real, meddler(real) as middle:
        other = push(real, forged, "app:forged")
        yield World(real, middle, push(real, layout, "app:1.0"), other, layout)


def forged_config(world: World) -> bytes:
    return world.real.blob(world.config(world.forged)).read_bytes()


def forged_manifest(world: World) -> bytes:
    return world.real.blob(world.forged.digest).read_bytes()


def is_right(outcome: Outcome) -> None:
    """Complete, with no finding, and about the genuine image."""
    assert (outcome.code, outcome.report["status"], outcome.err) == (0, "complete", "")
    assert packages(outcome) == GENUINE
    assert outcome.report["findings"] == []
    assert outcome.report["problems"] == []


LAYER_ATTACKS: dict[str, Callable[[World], tuple[Behaviour, ...]]] = {
    "another layer": lambda _: (swap(compress(FORGED, "gzip")),),
    "another layer of the same size": lambda _: (swap(FORGED),),
    "another layer, honestly named": lambda _: (swap(FORGED, honest=True),),
    "another genuine layer": lambda world: (instead(world.forged.layers[1], honest=False),),
    "another genuine layer, honestly named": lambda world: (instead(world.forged.layers[1]),),
    "one bit, first": lambda _: (flip(0),),
    "one bit, last": lambda _: (flip(-1),),
    "one bit, in a package's name": lambda _: (flip(OURS.index(b"app-of-ours")),),
    "nothing": lambda _: (swap(b""),),
    "an end too early": lambda _: (shorten(2048),),
    "an end too late": lambda _: (swap(OURS + FORGED),),
    "a part that is another one": lambda _: (swap(OURS[:1024] + FORGED[1024:]), cut(100_000)),
}


@pytest.mark.parametrize(
    "attack",
    cases(LAYER_ATTACKS, "another layer of the same size", "another genuine layer", "one bit, last", "an end too late"),
)
def test_a_layer_that_is_another(world: World, holdfast: Holdfast, attack: Callable[[World], tuple[Behaviour]]) -> None:
    rule = world.middle.on(world.top, *attack(world))
    outcome = scan(holdfast, world.pinned, *ONLY)
    assert rule.met >= 2
    assert (outcome.code, outcome.report["status"], outcome.err) == (3, "partial", "")
    assert "image.layer-digest-mismatch" in rules(outcome)
    (finding,) = (one for one in outcome.report["findings"] if one["rule"] in CRITICAL)
    assert finding["severity"] == "critical"
    assert finding["location"]["layer"] == world.ours.layers[1]
    assert EVIL not in outcome.out
    assert packages(outcome) == GENUINE - {"app-of-ours"}
    world.middle.forget()
    is_right(scan(holdfast, world.pinned, *ONLY))


DOCUMENT_ATTACKS: dict[str, tuple[str, str, Callable[[World], Behaviour]]] = {
    "the manifest, by digest": ("pinned", MANIFESTS, lambda world: swap(forged_manifest(world))),
    "the manifest, honestly named": ("pinned", MANIFESTS, lambda world: swap(forged_manifest(world), honest=True)),
    "a bit of the manifest": ("pinned", MANIFESTS, lambda _: flip(40)),
    "the tag's manifest": ("tagged", MANIFESTS, lambda world: instead("forged", honest=False)),
    "the tag's digest": ("tagged", MANIFESTS, lambda _: digest_header(digest(b""))),
    "the tag's manifest, in another algorithm": (
        "tagged", MANIFESTS, lambda _: digest_header(f"sha512:{'0' * 128}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "where", "attack"),
    cases(DOCUMENT_ATTACKS, "the manifest, honestly named", "the tag's manifest", "the tag's digest"),
)
def test_a_manifest_that_is_another(
    world: World, holdfast: Holdfast, name: str, where: str, attack: Callable[[World], Behaviour]
) -> None:
    world.middle.on(where, attack(world))
    outcome = scan(holdfast, getattr(world, name), *ONLY)
    assert (outcome.code, outcome.report["status"], outcome.err) == (3, "failed", "")
    assert rules(outcome) == ["image.manifest-digest-mismatch"]
    assert packages(outcome) == set()
    assert EVIL not in outcome.out
    assert world.forged.layers[1] not in outcome.out
    world.middle.forget()
    is_right(scan(holdfast, getattr(world, name), *ONLY))


CONFIGURATION_ATTACKS: dict[str, Callable[[World], Behaviour]] = {
    "another": lambda world: swap(forged_config(world)),
    "another, honestly named": lambda world: swap(forged_config(world), honest=True),
    "one bit": lambda _: flip(30),
}


@pytest.mark.parametrize("attack", cases(CONFIGURATION_ATTACKS, "another"))
def test_a_configuration_that_is_another(
    world: World, holdfast: Holdfast, attack: Callable[[World], Behaviour]
) -> None:
    world.middle.on(f"/v2/app/blobs/{world.config(world.ours)}", attack(world))
    outcome = scan(holdfast, world.pinned, *ONLY)
    assert (outcome.code, outcome.report["status"], outcome.err) == (3, "partial", "")
    assert rules(outcome) == ["image.config-digest-mismatch"]
    assert EVIL not in outcome.out
    assert packages(outcome) == GENUINE
    world.middle.forget()
    is_right(scan(holdfast, world.pinned, *ONLY))


def test_an_index_and_what_it_names(tmp_path: Path, holdfast: Holdfast) -> None:
    images = [spec([layer(node(name))], platform=f"linux/{name}", tag=()) for name in ("amd64", "arm64")]
    evil = index(tmp_path, [spec([layer(node(EVIL))], platform="linux/amd64", tag=())], name="evil")
    layout = index(tmp_path, images)
    with registry(tmp_path / "registry") as real, meddler(real) as middle:
        forged, ours = push(real, evil, "app:evil"), push(real, layout, "app:1.0")
        pinned = f"{middle.host}/app@{ours.digest}"
        for path in (f"/v2/app/manifests/{ours.digest}", f"/v2/app/manifests/{ours.manifests[0]}"):
            middle.on(path, instead(forged.digest, honest=False))
            outcome = scan(holdfast, pinned, "--platform", "linux/amd64", *ONLY)
            assert (outcome.code, outcome.report["status"], outcome.err) == (3, "failed", "")
            assert rules(outcome) == ["image.manifest-digest-mismatch"]
            assert EVIL not in outcome.out
            middle.forget()
        assert packages(scan(holdfast, pinned, "--platform", "linux/amd64", *ONLY)) == {"amd64"}


def test_a_registry_whose_images_contradict_themselves(tmp_path: Path, holdfast: Holdfast) -> None:
    """Every digest holds, and the configuration speaks of another content: nobody ran into this by accident."""
    config = {"rootfs": {"type": "layers", "diff_ids": [digest(base()), digest(OURS)]}}
    layout = image(tmp_path, [base(), FORGED], config=config)
    assert scan(holdfast, f"oci:{image(tmp_path, [base(), OURS], name='genuine')}", *ONLY).code == 0
    with registry(tmp_path / "registry") as it:
        outcome = scan(holdfast, push(it, layout, "app:1.0").tagged, *ONLY)
    assert (outcome.code, rules(outcome)) == (3, ["image.diff-id-mismatch"])
    assert packages(outcome) == {"libc6", "base"}


ACCIDENTS: dict[str, Callable[[], Behaviour]] = {
    "one bit": lambda: flip(30),
    "short": lambda: shorten(200),
    "truncated": lambda: truncate(200),
    "reset": lambda: cut(200),
    "another": lambda: swap(FORGED),
    "empty": lambda: swap(b""),
    "not available": lambda: status(503),
}


@pytest.mark.parametrize(
    ("where", "path"),
    [("tagged", "manifest"), ("pinned", "manifest"), ("pinned", "configuration"), ("tagged", "layer")],
)
@pytest.mark.parametrize("behaviour", cases(ACCIDENTS, "one bit", "reset"))
def test_what_goes_wrong_once_is_mended(
    world: World, holdfast: Holdfast, where: str, path: str, behaviour: Callable[[], Behaviour]
) -> None:
    paths = {"manifest": MANIFESTS, "configuration": f"/v2/app/blobs/{world.config(world.ours)}", "layer": world.top}
    rule = world.middle.on(paths[path], behaviour(), times=1, method="GET")
    is_right(scan(holdfast, getattr(world, where), *ONLY))
    assert rule.met == 1


RANGES: dict[str, Behaviour] = {
    "not known": whole(),
    "of the wrong place": misplaced(),
    "stated wrongly": content_range("bytes 7-8/9"),
    "not stated": content_range(None),
    "not satisfiable": lambda request, forward: Answer(416) if request.header("Range") else forward(request),
}


@pytest.mark.parametrize("behaviour", cases(RANGES, "not known", "of the wrong place"))
def test_the_rest_of_a_layer_that_was_cut(world: World, holdfast: Holdfast, behaviour: Behaviour) -> None:
    world.middle.on(world.top, behaviour)
    world.middle.on(world.top, cut(50_000), times=1)
    outcome = scan(holdfast, world.pinned, *ONLY)
    assert EVIL not in outcome.out
    is_right(outcome)


def test_a_layer_in_an_encoding_that_was_not_asked_for(world: World, holdfast: Holdfast) -> None:
    world.middle.on(world.top, gzipped())
    outcome = scan(holdfast, world.pinned, *ONLY)
    assert outcome.code == 3
    assert packages(outcome) == GENUINE - {"app-of-ours"}


@pytest.mark.parametrize("length", [10, 10 << 20])
def test_a_layer_whose_length_is_stated_wrongly(world: World, holdfast: Holdfast, length: int) -> None:
    world.middle.on(world.top, stretch(length), times=1)
    is_right(scan(holdfast, world.pinned, *ONLY))


ODD = {
    "none": "",
    "half": "sha256:",
    "unknown": "sha1:00",
    "path": "md5:../../etc/passwd",
    "Latin": "\xff",
    "long": "x" * 10_000,
}


@pytest.mark.parametrize("stated", cases(ODD, "unknown"))
def test_a_digest_that_is_none_is_passed_over(world: World, holdfast: Holdfast, stated: str) -> None:
    world.middle.on(MANIFESTS, digest_header(stated))
    for _ in range(2):
        is_right(scan(holdfast, world.tagged, *ONLY))


def linked(name: str) -> list[bytes]:
    """A link in the upper layer leads to a file of the lower one, for which that has to be read a second time."""
    status = b"Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n" % name.encode()
    release = 'ID=debian\nVERSION_ID="12"\n'
    lower: dict[str, Thing | str | bytes] = {
        "etc/os-release": release,
        "usr/share/dpkg/status": status,
        "srv/data": bytes(range(256)) * 500,
    }
    return [layer(lower), layer({"var/lib/dpkg": symlink("/usr/share/dpkg")})]


def test_a_layer_that_is_right_once_and_wrong_then(tmp_path: Path, holdfast: Holdfast) -> None:
    layout = image(tmp_path, linked("genuine"), compression="none")
    with registry(tmp_path / "registry") as real, meddler(real) as middle:
        pushed = push(real, layout, "app:1.0")
        pinned = f"{middle.host}/app@{pushed.digest}"
        rule = middle.on(f"/v2/app/blobs/{pushed.layers[0]}", swap(linked(EVIL + "--")[0].ljust(20)), skip=1)
        outcome = scan(holdfast, pinned, *ONLY)
        assert rule.met
        assert outcome.code == 3
        assert rules(outcome)
        assert EVIL not in outcome.out
        middle.forget()
        assert packages(scan(holdfast, pinned, *ONLY)) == {"genuine"}


def test_a_layer_that_is_wrong_on_one_of_several_readings(tmp_path: Path, holdfast: Holdfast) -> None:
    layout = image(tmp_path, linked("genuine"), compression="none")
    with registry(tmp_path / "registry") as real, meddler(real) as middle:
        pushed = push(real, layout, "app:1.0")
        middle.on(f"/v2/app/blobs/{pushed.layers[0]}", flip(600), skip=1, times=1)
        outcome = scan(holdfast, f"{middle.host}/app@{pushed.digest}", *ONLY)
    assert (outcome.code, outcome.report["problems"]) == (0, [])
    assert packages(outcome) == {"genuine"}


# Tags.


def test_an_old_manifest_that_is_replayed(world: World, holdfast: Holdfast) -> None:
    old = scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)
    assert packages(old) == {"libc6", "base", EVIL}
    world.middle.on("/v2/app/manifests/forged", replay())
    scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)  # what will be replayed
    push(world.real, world.layout, "app:forged")
    world.middle.forget()
    new = scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)
    assert rules(new) == []
    assert packages(new) == GENUINE
    world.middle.on("/v2/app/manifests/forged", instead(world.forged.digest))
    for _ in range(2):  # it is not over with the first scan that says so
        back = scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)
        assert rules(back) == ["image.tag-moved-back"]
        (finding,) = back.report["findings"]
        assert finding["evidence"]["now"] == world.forged.digest
        assert finding["evidence"]["before"] == world.ours.digest
    world.middle.forget()
    assert rules(scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)) == []


def test_a_tag_that_is_said_to_lead_to_another_repository(world: World, holdfast: Holdfast) -> None:
    """Whoever answers for a tag may choose any image. Its digest stands in the report; by digest nobody chooses."""
    scan(holdfast, world.tagged, *ONLY)
    scan(holdfast, f"{world.middle.host}/app:forged", *ONLY)
    world.middle.on("/v2/app/manifests/1.0", digest_header(world.forged.digest), method="HEAD")
    outcome = scan(holdfast, world.tagged, *ONLY)
    assert outcome.report["target"]["digest"] == world.forged.digest
    assert packages(outcome) == {"libc6", "base", EVIL}
    is_right(scan(holdfast, world.pinned, *ONLY))
    is_right(scan(holdfast, f"{world.tagged}@{world.ours.digest}", *ONLY))


# Mirrors.


LIES: dict[str, tuple[str, Callable[[], Behaviour]]] = {
    "another layer": (BLOBS, lambda: swap(FORGED)),
    "one bit of a layer": (BLOBS, lambda: flip(30)),
    "half a layer": (BLOBS, lambda: shorten(100)),
    "an empty layer": (BLOBS, lambda: swap(b"")),
    "no layer": (BLOBS, lambda: status(404)),
    "another manifest": (MANIFESTS, lambda: swap(b"{}")),
    "one bit of a manifest": (MANIFESTS, lambda: flip(30)),
    "a page": (MANIFESTS, lambda: swap(b"<html>")),
    "refused": (MANIFESTS, lambda: status(403)),
    "out of order": ("*", lambda: status(500)),
}


@pytest.mark.parametrize(("where", "behaviour"), cases(LIES, "another layer", "one bit of a manifest"))
def test_a_mirror_that_lies_is_passed_over(
    world: World, holdfast: Holdfast, where: str, behaviour: Callable[[], Behaviour]
) -> None:
    configure(holdfast, f'[registries."{world.real.host}"]\nmirrors = ["http://{world.middle.host}"]\n')
    rule = world.middle.on(where, behaviour())
    is_right(scan(holdfast, world.ours.pinned, *ONLY))
    assert rule.met


def test_a_mirror_that_sends_another_manifest_for_a_tag(world: World, holdfast: Holdfast) -> None:
    configure(holdfast, f'[registries."{world.real.host}"]\nmirrors = ["http://{world.middle.host}"]\n')
    world.middle.on("/v2/app/manifests/1.0", instead("forged", honest=False))
    is_right(scan(holdfast, world.ours.tagged, *ONLY))


# What is attached.


def test_a_forged_bill_of_materials_is_not_used(world: World, holdfast: Holdfast) -> None:
    bill = {"spdxVersion": "SPDX-2.3", "name": "app", "SPDXID": "SPDXRef-DOCUMENT", "packages": []}
    forged = bill | {"packages": [{"name": EVIL, "SPDXID": "SPDXRef-1", "versionInfo": "1"}]}
    data = json.dumps(bill).encode()
    attach(world.real, "app", world.ours.digest, "application/spdx+json", [("application/spdx+json", data)])
    world.middle.on(f"/v2/app/blobs/{digest(data)}", swap(json.dumps(forged).encode()))
    outcome = scan(holdfast, world.pinned, "--attested", *ONLY)
    assert EVIL not in outcome.out
    assert packages(outcome) == GENUINE
    assert "attachment.unusable" in outcome.problems
