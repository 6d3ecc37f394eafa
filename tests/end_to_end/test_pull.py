"""`holdfast pull`: what skopeo would have copied, readable by others, resumed, and never a byte under a wrong name."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemons.behaviours import cut, drip, flip, html, instead, shorten, silence, status, swap, truncate
from daemons.listener import listen
from daemons.meddler import BLOBS, MANIFESTS, Behaviour, meddler
from daemons.message import Answer
from daemons.program import need
from daemons.push import Pushed, attach, push
from daemons.registry import Registry, registry
from daemons.skopeo import pull as skopeo_pull
from daemons.skopeo import skopeo
from end_to_end.cases import cases
from end_to_end.command import Holdfast, Outcome
from end_to_end.shop import HISTORY, ONLY, lasting, layers, node, packages, scan
from world import blob, digest, image, index, layer, spec


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry") as it:
        yield it


@pytest.fixture
def shop(tmp_path: Path, real: Registry) -> Pushed:
    return push(real, image(tmp_path, layers(), history=HISTORY), "team/shop:1.0")


def pull(holdfast: Holdfast, target: str, into: Path, *flags: str) -> Outcome:
    return holdfast("pull", target, f"oci:{into}", "-q", *flags)


def blobs(layout: Path) -> set[str]:
    """The digests of the blobs, each of which is what its name says."""
    found = set()
    for path in (layout / "blobs/sha256").iterdir():
        if not path.name.startswith(".part-"):
            assert path.name == hashlib.sha256(path.read_bytes()).hexdigest()
            found.add(f"sha256:{path.name}")
    return found


def parts(layout: Path) -> list[Path]:
    """What has begun to come."""
    return sorted((layout / "blobs").rglob(".part-*"))


def entries(layout: Path) -> list[tuple[str, str]]:
    """Tag and digest of each image in the index."""
    listed = json.loads((layout / "index.json").read_text())["manifests"]
    return [(one["annotations"]["org.opencontainers.image.ref.name"], one["digest"]) for one in listed]


def test_it_gives_what_skopeo_gives(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    outcome = pull(holdfast, shop.tagged, tmp_path / "pulled")
    assert (outcome.code, outcome.err) == (0, "")
    assert shop.digest in outcome.out
    copied = skopeo_pull(real.host, "team/shop:1.0", folder=tmp_path)
    assert blobs(tmp_path / "pulled") == blobs(copied)
    assert entries(tmp_path / "pulled") == [("1.0", entries(copied)[0][1])] == [("1.0", shop.digest)]
    expected = scan(holdfast, f"oci:{tmp_path / 'image'}", *ONLY)
    assert lasting(scan(holdfast, f"oci:{tmp_path / 'pulled'}:1.0", *ONLY).report) == lasting(expected.report)


SORTS: dict[str, dict[str, Any]] = {
    "Docker": {"docker": True},
    "zstd": {"compression": "zstd"},
    "not compressed": {"compression": "none"},
}


@pytest.mark.parametrize("fields", cases(SORTS, "Docker"))
def test_other_sorts_of_images(tmp_path: Path, holdfast: Holdfast, real: Registry, fields: dict[str, Any]) -> None:
    pushed = push(real, image(tmp_path, layers(), **fields), "app:1")
    assert pull(holdfast, pushed.pinned, tmp_path / "pulled").code == 0
    assert blobs(tmp_path / "pulled") >= {pushed.digest, *pushed.layers}
    expected = scan(holdfast, f"oci:{tmp_path / 'image'}", *ONLY)
    assert lasting(scan(holdfast, f"oci:{tmp_path / 'pulled'}", *ONLY).report) == lasting(expected.report)


def test_others_read_it(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    assert pull(holdfast, shop.tagged, tmp_path / "pulled").code == 0
    said = json.loads(skopeo("inspect", f"oci:{tmp_path / 'pulled'}:1.0", folder=tmp_path))
    assert said["Layers"] == shop.layers
    skopeo("copy", f"oci:{tmp_path / 'pulled'}:1.0", f"dir:{tmp_path / 'dir'}", folder=tmp_path)
    skopeo(
        "copy", "--dest-tls-verify=false", f"oci:{tmp_path / 'pulled'}:1.0", f"docker://{real.host}/again:1",
        folder=tmp_path,
    )  # fmt: skip
    assert real.blob(shop.digest).exists()
    umoci = (need("umoci"), "--log=error")
    listed = subprocess.run([*umoci, "list", "--layout", tmp_path / "pulled"], check=True, capture_output=True)
    assert listed.stdout == b"1.0\n"
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    bundle = tmp_path / "bundle"
    subprocess.run(
        [*umoci, "unpack", *rootless, "--image", f"{tmp_path / 'pulled'}:1.0", bundle], check=True, capture_output=True
    )
    assert (bundle / "rootfs/srv/node_modules/shop/package.json").exists()
    assert not (bundle / "rootfs/srv/node_modules/minimist").exists()


def two_platforms(where: Path) -> Path:
    images = [spec([layer(node(name))], platform=f"linux/{name}", tag=()) for name in ("amd64", "arm64")]
    return index(where, images)


def test_one_platform_or_all(tmp_path: Path, holdfast: Holdfast, real: Registry) -> None:
    pushed = push(real, two_platforms(tmp_path), "app:1")
    one, every = tmp_path / "one", tmp_path / "every"
    assert pull(holdfast, pushed.tagged, one, "--platform", "linux/arm64").code == 0
    assert pull(holdfast, pushed.tagged, every, "--all-platforms").code == 0
    assert packages(scan(holdfast, f"oci:{one}", *ONLY)) == {"arm64"}
    assert entries(every) == [("1", pushed.digest)]
    assert blobs(every) > blobs(one)
    for name in ("amd64", "arm64"):
        assert packages(scan(holdfast, f"oci:{every}", "--platform", f"linux/{name}", *ONLY)) == {name}
    skopeo("copy", "--all", f"oci:{every}:1", f"dir:{tmp_path / 'dir'}", folder=tmp_path)


def test_several_images_share_a_folder(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    other = push(real, image(tmp_path, [*layers(), layer(node("more"))], name="other"), "team/other:2")
    into = tmp_path / "pulled"
    assert pull(holdfast, shop.tagged, into).code == 0
    seen = len(real.asked())
    outcome = pull(holdfast, other.tagged, into)
    assert outcome.code == 0
    asked = [target for _, target, _ in real.asked()[seen:] if "/blobs/" in target]
    assert len(asked) == 2  # a layer and the configuration
    assert entries(into) == [("1.0", shop.digest), ("2", other.digest)]
    assert "more" in packages(scan(holdfast, f"oci:{into}:2", *ONLY))


def test_pulled_again_nothing_is_fetched(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    assert pull(holdfast, shop.tagged, tmp_path / "pulled").code == 0
    seen = len(real.asked())
    assert pull(holdfast, shop.tagged, tmp_path / "pulled").code == 0
    assert not [target for _, target, _ in real.asked()[seen:] if "/blobs/" in target]
    assert entries(tmp_path / "pulled") == [("1.0", shop.digest)]


def test_a_blob_that_was_damaged_since_is_fetched_again(tmp_path: Path, holdfast: Holdfast, shop: Pushed) -> None:
    into = tmp_path / "pulled"
    assert pull(holdfast, shop.tagged, into).code == 0
    (into / blob(shop.layers[0])).write_bytes(b"not what it was")
    assert pull(holdfast, shop.tagged, into).code == 0
    assert blobs(into) >= set(shop.layers)


def test_what_is_attached_comes_along(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    bill = json.dumps({"spdxVersion": "SPDX-2.3", "name": "shop", "packages": []}).encode()
    carrier = attach(real, "team/shop", shop.digest, "application/spdx+json", [("application/spdx+json", bill)])
    assert pull(holdfast, shop.tagged, tmp_path / "without").code == 0
    assert pull(holdfast, shop.tagged, tmp_path / "with", "--attachments").code == 0
    assert carrier not in blobs(tmp_path / "without")
    assert blobs(tmp_path / "with") >= {carrier, digest(bill), shop.digest}


# Somebody in the middle, and a registry that is of no use.

SWAPPED = layer(node("evil-twin"))
ATTACKS: dict[str, tuple[str, Callable[[], Behaviour]]] = {
    "layer swapped": (BLOBS, lambda: swap(SWAPPED)),
    "layer swapped, honestly named": (BLOBS, lambda: swap(SWAPPED, honest=True)),
    "a bit flipped": (BLOBS, lambda: flip(3)),
    "layer shortened": (BLOBS, lambda: shorten(100)),
    "layer empty": (BLOBS, lambda: swap(b"")),
    "layer too long": (BLOBS, lambda: swap(SWAPPED * 100)),
    "a page instead of a layer": (BLOBS, html),
    "a page instead of a manifest": (MANIFESTS, html),
    "manifest swapped": (MANIFESTS, lambda: swap(b'{"schemaVersion": 2}')),
    "manifest of another": (MANIFESTS, lambda: instead("other", honest=False)),
    "nothing there": (BLOBS, lambda: status(404)),
    "not for us": (BLOBS, lambda: status(403)),
}


@pytest.mark.parametrize(
    ("where", "behaviour"),
    cases(ATTACKS, "layer swapped", "layer too long", "manifest of another", "a page instead of a layer"),
)
def test_no_blob_has_a_name_that_is_not_its_digest(
    tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed, where: str, behaviour: Callable[[], Behaviour]
) -> None:
    push(real, image(tmp_path, [SWAPPED], name="other"), "team/shop:other")
    into = tmp_path / "pulled"
    with meddler(real) as middle:
        middle.on(where, behaviour())
        outcome = pull(holdfast, f"{middle.host}/team/shop:1.0", into)
        assert outcome.code == 4
        assert outcome.err.startswith("holdfast: ")
        assert len(outcome.err.splitlines()) <= 2
        assert not (into / "index.json").exists()
        if (into / "blobs").exists():
            assert digest(SWAPPED) not in blobs(into)
        middle.forget()
        assert pull(holdfast, f"{middle.host}/team/shop:1.0", into).code == 0
    assert blobs(into) >= {shop.digest, *shop.layers}
    assert parts(into) == []


ACCIDENTS: dict[str, Callable[[], Behaviour]] = {
    "truncated": lambda: truncate(900),
    "reset": lambda: cut(900),
    "one bit": lambda: flip(900),
    "not available": lambda: status(503),
    "empty": lambda: swap(b""),
}


@pytest.mark.parametrize("behaviour", cases(ACCIDENTS, "reset", "one bit"))
def test_what_goes_wrong_once_is_mended(
    tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed, behaviour: Callable[[], Behaviour]
) -> None:
    with meddler(real) as middle:
        rule = middle.on(f"*/{shop.layers[2]}", behaviour(), times=1)
        outcome = pull(holdfast, f"{middle.host}/team/shop:1.0", tmp_path / "pulled")
        assert rule.met
    assert (outcome.code, outcome.err) == (0, "")
    assert blobs(tmp_path / "pulled") >= {shop.digest, *shop.layers}


def test_killed_in_the_middle_it_goes_on_from_there(tmp_path: Path, holdfast: Holdfast, real: Registry) -> None:
    content = os.urandom(3 << 20)
    pushed = push(real, image(tmp_path, [layer(node("app")), layer({"srv/data": content})], compression="none"), "a:1")
    into = tmp_path / "pulled"
    with meddler(real) as middle:
        target = f"{middle.host}/a:1"
        middle.on(f"*/{pushed.layers[1]}", drip(0.02, 64 << 10))
        with holdfast.start("pull", target, f"oci:{into}", "-q") as process:
            end = time.monotonic() + 20
            part = into / "blobs/sha256" / f".part-{pushed.layers[1].partition(':')[2]}"
            while time.monotonic() < end and not (part.exists() and part.stat().st_size > 1 << 20):
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        come = part.stat().st_size
        assert 1 << 20 < come < 3 << 20
        assert pushed.layers[1] not in blobs(into)
        assert not (into / "index.json").exists()
        middle.forget()
        middle.requests.clear()
        assert pull(holdfast, target, into).code == 0
        ranges = [request.header("Range") for request in middle.requests if request.path.endswith(pushed.layers[1])]
        assert ranges == [f"bytes={come}-"]
    assert blobs(into) >= {pushed.digest, *pushed.layers}
    assert parts(into) == []


def test_a_part_left_behind_that_is_wrong_does_no_harm(tmp_path: Path, holdfast: Holdfast, shop: Pushed) -> None:
    into = tmp_path / "pulled"
    assert pull(holdfast, shop.tagged, into).code == 0
    for of, left in ((shop.layers[0], b"x"), (shop.layers[1], b"x" * 100), (shop.layers[2], b"x" * 10_000_000)):
        path = into / blob(of)
        path.unlink()
        path.with_name(f".part-{path.name}").write_bytes(left)
    assert pull(holdfast, shop.tagged, into).code == 0
    assert blobs(into) >= set(shop.layers)
    assert parts(into) == []


def test_two_at_once_into_one_folder(tmp_path: Path, holdfast: Holdfast, real: Registry) -> None:
    big = layer({"srv/data": os.urandom(2 << 20)})
    pushed = [
        push(real, image(tmp_path, [big, layer(node(name))], name=name, compression="none"), f"{name}:1")
        for name in ("one", "two")
    ]
    into = tmp_path / "pulled"
    with meddler(real) as middle:
        middle.on(f"*/{pushed[0].layers[0]}", drip(0.02, 64 << 10))
        running = [holdfast.start("pull", f"{middle.host}/{one.repository}:1", f"oci:{into}", "-q") for one in pushed]
        codes = [process.wait(60) for process in running]
    assert codes == [0, 0]
    assert blobs(into) >= {pushed[0].digest, pushed[1].digest, *pushed[0].layers, *pushed[1].layers}
    assert {of for _, of in entries(into)} == {one.digest for one in pushed}
    assert parts(into) == []


def test_a_folder_that_holds_something_else(tmp_path: Path, holdfast: Holdfast, shop: Pushed) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/notes.txt").write_text("mine")
    outcome = pull(holdfast, shop.tagged, tmp_path / "work")
    assert outcome.code == 4
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("app:1", "somewhere"), 2), (("app:1", "oci:"), 2), (("oci:x", "oci:y"), 4), (("docker:app", "oci:y"), 4),
        (("APP:1", "oci:y"), 4), (("app:1", "oci:y", "--platform", "linux/arm64", "--all-platforms"), 2),
        (("app:1", "oci:y", "--platform", "no"), 4),
    ],
)  # fmt: skip
def test_wrong_usage(holdfast: Holdfast, arguments: tuple[str, ...], code: int) -> None:
    outcome = holdfast("pull", *arguments, "--offline")
    assert outcome.code == code
    assert not (holdfast.home / "y").exists()


def test_names_of_digests_that_lead_elsewhere(tmp_path: Path, holdfast: Holdfast) -> None:
    """A manifest may name anything: nothing is written outside of the folder, and nothing asked for."""
    hexadecimal = "../" * 10 + "tmp/outside"
    manifests = set()
    for named in (f"sha256:{hexadecimal}", "sha256:" + "A" * 64, "md5:" + "0" * 32, f"sha512:{'0' * 64}", "", "x:y:z"):
        one = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": named, "size": 10}
        document = json.dumps({"schemaVersion": 2, "config": one, "layers": [one]}).encode()
        manifests.add(digest(document))
        answer = Answer(200, [("Content-Type", "application/vnd.oci.image.manifest.v1+json")], document)
        with listen(answer) as it:
            outcome = pull(holdfast, f"{it.host}/app:1", tmp_path / "pulled")
            assert outcome.code == 4, named
            assert all(re.fullmatch(r"/v2/app/manifests/\S+", request.path) for request in it.requests), it.paths
    assert blobs(tmp_path / "pulled") <= manifests
    assert not (tmp_path / "pulled/index.json").exists()
    assert not Path("/tmp/outside").exists()


@pytest.mark.slow
def test_a_registry_that_says_nothing_is_left(tmp_path: Path, holdfast: Holdfast, real: Registry, shop: Pushed) -> None:
    del shop
    with meddler(real) as middle:
        middle.on("*", silence(), times=1)
        assert pull(holdfast, f"{middle.host}/team/shop:1.0", tmp_path / "pulled").code == 0
