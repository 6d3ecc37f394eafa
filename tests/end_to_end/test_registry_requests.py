"""What a scan asks a registry for: only what is not known yet."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.push import Pushed, push
from daemons.registry import Registry, registry
from end_to_end.command import Holdfast
from end_to_end.shop import ONLY, base, forget, node, packages, pulls, scan
from world import image, layer


@pytest.fixture
def open_registry(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry") as it:
        yield it


class Asked:
    """What the registry was asked for since the last look."""

    def __init__(self, it: Registry) -> None:
        self._registry = it
        self._seen = len(it.asked())

    def __call__(self) -> list[str]:
        found = self._registry.asked()
        new, self._seen = found[self._seen :], len(found)
        return pulls(new)

    def blobs(self) -> set[str]:
        """The blobs alone, each of which may be asked for once."""
        blobs = [target.rpartition("/")[2] for target in self() if "/blobs/" in target]
        assert len(blobs) == len(set(blobs))
        return set(blobs)


def an_image(where: Path, name: str, *above: str, compression: str = "gzip") -> Path:
    """An image with a base that others share, and a layer for each package above."""
    layers = [base(), *(layer(node(one)) for one in above)]
    return image(where, layers, name=name, compression=compression)


def config_of(pushed: Pushed, it: Registry) -> str:
    found = re.search(rb'"config": \{[^}]*"digest": "([^"]+)"', it.blob(pushed.digest).read_bytes())
    assert found
    return found[1].decode()


def test_an_unchanged_image_costs_one_request(tmp_path: Path, holdfast: Holdfast, open_registry: Registry) -> None:
    pushed = push(open_registry, an_image(tmp_path, "a", "app"), "app:1.0")
    asked = Asked(open_registry)
    first = scan(holdfast, pushed.tagged, *ONLY)
    assert asked()[0] == "GET /v2/app/manifests/1.0"
    second = scan(holdfast, pushed.tagged, *ONLY)
    assert asked() == ["HEAD /v2/app/manifests/1.0"]
    assert packages(second) == packages(first) == {"libc6", "base", "app"}
    assert second.report["statistics"]["layers_cached"] == 2


def test_a_known_digest_costs_none(tmp_path: Path, holdfast: Holdfast, open_registry: Registry) -> None:
    pushed = push(open_registry, an_image(tmp_path, "a", "app"), "app:1.0")
    scan(holdfast, pushed.tagged, *ONLY)
    asked = Asked(open_registry)
    assert packages(scan(holdfast, pushed.pinned, *ONLY)) == {"libc6", "base", "app"}
    assert asked() == []
    open_registry.stop()
    assert scan(holdfast, pushed.pinned, *ONLY).code == 0


def test_on_a_known_base_only_what_is_new_is_fetched(
    tmp_path: Path, holdfast: Holdfast, open_registry: Registry
) -> None:
    first = push(open_registry, an_image(tmp_path, "a", "one"), "team/one:1")
    second = push(open_registry, an_image(tmp_path, "b", "two"), "other/two:1")
    scan(holdfast, first.tagged, *ONLY)
    asked = Asked(open_registry)
    assert packages(scan(holdfast, second.tagged, *ONLY)) == {"libc6", "base", "two"}
    assert asked.blobs() == {second.layers[1], config_of(second, open_registry)}


def test_of_a_tag_that_moved_only_what_is_new_is_fetched(
    tmp_path: Path, holdfast: Holdfast, open_registry: Registry
) -> None:
    old = push(open_registry, an_image(tmp_path, "a", "one"), "app:1")
    scan(holdfast, old.tagged, *ONLY)
    new = push(open_registry, an_image(tmp_path, "b", "one", "more"), "app:1")
    asked = Asked(open_registry)
    outcome = scan(holdfast, new.tagged, *ONLY)
    assert packages(outcome) == {"libc6", "base", "one", "more"}
    assert outcome.report["findings"] == []
    requests = asked()
    assert requests[:2] == ["HEAD /v2/app/manifests/1", f"GET /v2/app/manifests/{new.digest}"]
    assert len(requests) == len(set(requests))
    blobs = {target.rpartition("/")[2] for target in requests if "/blobs/" in target}
    assert blobs == {new.layers[2], config_of(new, open_registry)}


def test_a_layer_known_from_disk_is_not_fetched(tmp_path: Path, holdfast: Holdfast, open_registry: Registry) -> None:
    layout = an_image(tmp_path, "a", "one")
    pushed = push(open_registry, layout, "app:1")
    assert scan(holdfast, f"oci:{layout}", *ONLY).code == 0
    asked = Asked(open_registry)
    assert packages(scan(holdfast, pushed.tagged, *ONLY)) == {"libc6", "base", "one"}
    assert asked.blobs() == {config_of(pushed, open_registry)}


def test_the_same_content_packed_otherwise_is_fetched(
    tmp_path: Path, holdfast: Holdfast, open_registry: Registry
) -> None:
    """Another blob has to be looked at before it may stand for what is known: its packing could lie."""
    scan(holdfast, f"oci:{an_image(tmp_path, 'a', 'one')}", *ONLY)
    pushed = push(open_registry, an_image(tmp_path, "b", "one", compression="zstd"), "app:1")
    asked = Asked(open_registry)
    assert scan(holdfast, pushed.tagged, *ONLY).code == 0
    assert asked.blobs() == {*pushed.layers, config_of(pushed, open_registry)}


def test_two_scans_at_once_fetch_their_base_once(tmp_path: Path, holdfast: Holdfast, open_registry: Registry) -> None:
    big = layer({**node("big"), "srv/data": bytes(range(251)) * 200_000})
    targets = [
        push(open_registry, image(tmp_path, [big, layer(node(name))], name=name), f"{name}:1")
        for name in ("one", "two")
    ]
    asked = Asked(open_registry)
    running = [
        subprocess.Popen(
            [str(holdfast.path), "scan", pushed.tagged, "-q", *ONLY, "-f", "json", "-o", f"json={pushed.repository}"],
            env=holdfast.environment, cwd=holdfast.home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for pushed in targets
    ]  # fmt: skip
    for process in running:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    assert [target.rpartition("/")[2] for target in asked()].count(targets[0].layers[0]) == 1


def test_a_scan_again_with_another_cache_asks_for_everything(
    tmp_path: Path, holdfast: Holdfast, open_registry: Registry
) -> None:
    """The measure for what stands above: without a cache, all of it is fetched."""
    pushed = push(open_registry, an_image(tmp_path, "a", "app"), "app:1.0")
    scan(holdfast, pushed.tagged, *ONLY)
    forget(holdfast)
    asked = Asked(open_registry)
    scan(holdfast, pushed.tagged, *ONLY)
    assert asked.blobs() == {*pushed.layers, config_of(pushed, open_registry)}
