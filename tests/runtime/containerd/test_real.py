"""A real containerd: the same image, packages and findings as from the OCI layout, and the containers that it runs."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from daemons.containerd import Daemon, containerd
from daemons.program import need
from end_to_end.command import Holdfast
from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError, NotFound, SourceError
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.oci.attachment import attachments
from holdfast.oci.open import open_image
from holdfast.scan.options import Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import scan
from holdfast.settings import Settings
from world import Spec, compress, digest, file, image, index, layer, spec

pytest.importorskip("grpc")
from holdfast.runtime.containerd.engine import Containerd
from holdfast.runtime.engine import Running

pytestmark = pytest.mark.root

STATUS = "Package: {0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\nMaintainer: D <d@d>\n"
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'

PACKAGES = Wanted(frozenset({"packages"}))


def layers(package: str = "openssl") -> list[bytes]:
    return [
        layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": STATUS.format(package)}),
        layer({"srv/node_modules/app/package.json": '{"name": "app", "version": "1.0.0"}'}, parents=True),
    ]


def box(name: str = "") -> list[bytes]:
    """The layers of an image that can run."""
    busybox = Path(need("busybox")).read_bytes()
    return [layer({"etc/os-release": OS_RELEASE, "name": name}), layer({"bin/busybox": file(busybox, 0o755)})]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One for all tests: each has a namespace of its own."""
    with containerd() as it:
        yield it


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    return f"n{abs(hash(request.node.name))}"


@pytest.fixture
def engine(daemon: Daemon, namespace: str) -> Iterator[Containerd]:
    with Containerd(daemon.address, namespaces=[namespace]) as it:
        yield it


def both(tmp_path: Path, **fields: Any) -> tuple[Path, Path]:
    """An image as an OCI layout, and the same one as an archive."""
    return image(tmp_path, name="layout", **fields), image(tmp_path, name="archive", form="oci-archive", **fields)


def report_of(engine: Containerd, name: str, tmp_path: Path) -> Report:
    settings = Settings(tmp_path / "cache", tmp_path / "data", offline=True)
    options = Options(open=lambda plan, platform: engine.open(plan.reference, platform))
    return scan(plan(f"containerd:{name}"), settings, structs.replace(options, wanted=PACKAGES))


def verified(engine: Containerd, name: str) -> list[bool]:
    """Whether each layer is what its image promises."""
    found = []
    with engine.open(name) as source:
        for number in range(len(source.image.layers)):
            with source.open_layer(number) as stream:
                stream.drain()
            found.append(stream.verified)
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {"compression": "gzip"},
        {"compression": "none"},
        {"compression": "zstd"},
        {"compression": ["zstd", "gzip"], "labels": {"a": "b"}, "user": "app", "annotations": {"c": "d"}},
        {"docker": True, "history": ["ADD /", "#ENV A=b", "COPY /srv"]},
        {"platform": "linux/arm64"},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_the_same_as_the_layout(
    daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path, fields: dict[str, Any]
) -> None:
    layout, archive = both(tmp_path, layers=layers(), **fields)
    daemon.load(archive, namespace=namespace, platform=fields.get("platform", ""))
    with engine.open("app") as ours, open_image("oci", layout, "", None) as theirs:
        assert structs.replace(ours.image, reference="") == structs.replace(theirs.image, reference="")
        assert (ours.problems, ours.integrity) == ([], [])
    assert verified(engine, "app") == [True, True]
    from_engine = report_of(engine, "app", tmp_path / "engine")
    from_layout = scan(
        plan(f"oci:{layout}"), Settings(tmp_path / "c", tmp_path / "d", offline=True), Options(wanted=PACKAGES)
    )
    assert (from_engine.status, from_engine.packages) == (from_layout.status, from_layout.packages)
    assert {package.name for package in from_engine.packages} == {"app", "openssl"}
    assert (from_engine.findings, from_engine.problems) == (from_layout.findings, from_layout.problems)


def test_found_by_every_name_it_has(daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path) -> None:
    layout, archive = both(tmp_path, layers=layers())
    daemon.load(archive, namespace=namespace)
    with open_image("oci", layout, "", None) as source:
        manifest, config = source.image.digest, source.image.config_digest
    for name in (
        "app", "app:latest", "docker.io/library/app:latest", manifest, f"app@{manifest}", manifest[7:], manifest[7:20],
        config, config[7:],
    ):  # fmt: skip
        with engine.open(name) as found:
            assert (found.image.digest, found.image.config_digest) == (manifest, config), name
    with pytest.raises(NotFound, match="no image of this name") as caught:
        engine.open("ap:latest")
    assert "app:latest" in caught.value.remedy
    with pytest.raises(NotFound, match="no image with this digest"):
        engine.open(f"sha256:{'0' * 64}")
    with pytest.raises(InputError):
        engine.open(digest(compress(layers()[0], "gzip")))


def platforms() -> list[Spec]:
    return [spec(layers("amd"), platform="linux/amd64"), spec(layers("arm"), platform="linux/arm64")]


@pytest.mark.parametrize("nested", [False, True])
def test_a_platform_among_several(
    daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path, nested: bool
) -> None:
    archive = index(tmp_path, platforms(), form="oci-archive", nested=nested, attestation=nested)
    daemon.load(archive, namespace=namespace)
    expected = platforms()
    if not nested:  # the later entry of index.json takes the name
        expected = expected[1:]
    for one in expected:
        with engine.open("app", Platform.parse(one.platform)) as source:
            assert str(source.image.platform) == one.platform
            assert [item.diff_id for item in source.image.layers] == one.diff_ids()
    with pytest.raises(InputError, match="no image for linux/s390x"):
        engine.open("app", Platform.parse("linux/s390x"))


def test_what_stands_beside_it_in_its_index(daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path) -> None:
    archive = index(tmp_path, platforms()[:1], form="oci-archive", nested=True, attestation=True)
    daemon.load(archive, namespace=namespace)
    with engine.open("app") as source:
        found, problems = attachments(source.layout, source.image.digest, source.image.index_digest)
    assert [one.found_by for one in found] == ["index"]
    assert problems == ()


def test_an_index_of_which_only_one_platform_is_there(
    daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path
) -> None:
    archive = index(tmp_path, platforms(), form="oci-archive", nested=True)
    daemon.load(archive, namespace=namespace)
    with engine.open("app", Platform.parse("linux/arm64")) as source:
        arm = source.image
    for blob in (arm.digest, arm.config_digest, *(one.digest for one in arm.layers)):
        # Layers that both platforms have are gone for both: here the first one differs only.
        if blob != source.image.layers[1].digest:
            daemon.ctr("content", "rm", blob, namespace=namespace)
    with engine.open("app") as source:
        assert str(source.image.platform) == "linux/amd64"
        assert source.problems == []
    assert verified(engine, "app") == [True, True]


def test_a_layer_that_was_thrown_away(daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path) -> None:
    daemon.load(image(tmp_path, layers(), form="oci-archive"), namespace=namespace)
    gone = digest(compress(layers()[0], "gzip"))
    daemon.ctr("content", "rm", gone, namespace=namespace)
    report = report_of(engine, "app", tmp_path)
    assert report.status is Status.PARTIAL
    (problem,) = (problem for problem in report.problems if problem.code == "layer.missing")
    assert gone in problem.message
    assert "discard_unpacked_layers" in problem.remedy
    assert [package.name for package in report.packages] == ["app"]


def damage_end(data: bytes) -> bytes:
    return data[:-20] + bytes(20)


def cut(data: bytes) -> bytes:
    return data[:-20]


@pytest.mark.parametrize("damage", [damage_end, cut])
def test_a_blob_that_was_changed_on_disk_is_found_though_the_cache_knows_it(
    daemon: Daemon, engine: Containerd, namespace: str, tmp_path: Path, damage: Any
) -> None:
    own = [layer({"etc/os-release": OS_RELEASE, "of": damage.__name__}), *layers()]
    daemon.load(image(tmp_path, own, form="oci-archive"), namespace=namespace)
    assert report_of(engine, "app", tmp_path).status is Status.COMPLETE
    assert verified(engine, "app") == [True] * 3
    again = report_of(engine, "app", tmp_path)
    assert again.statistics.layers_cached == 3
    blob = daemon.blob(digest(compress(own[0], "gzip")))
    blob.chmod(0o644)
    blob.write_bytes(damage(blob.read_bytes()))
    tampered = report_of(engine, "app", tmp_path)
    assert "image.layer-digest-mismatch" in {finding.rule for finding in tampered.findings}
    assert tampered.statistics.layers_cached == 2


def test_names_in_several_namespaces(daemon: Daemon, tmp_path: Path) -> None:
    one = image(tmp_path, layers("one"), form="oci-archive", name="one")
    other = image(tmp_path, layers("other"), form="oci-archive", name="other", tag="other")
    daemon.load(one, namespace="first")
    daemon.load(one, namespace="second")
    with Containerd(daemon.address, namespaces=["first", "second"]) as engine:
        with engine.open("app") as source:
            same = source.image.digest
        daemon.load(other, namespace="second")
        daemon.ctr("images", "tag", "--force", "docker.io/library/app:other", "docker.io/library/app:latest",
                   namespace="second")  # fmt: skip
        with pytest.raises(InputError, match="several images") as caught:
            engine.open("app")
        assert f"{same} (first)" in caught.value.remedy
        assert verified(engine, same) == [True, True]
    with Containerd(daemon.address, namespaces=["first"]) as engine, engine.open("app") as source:
        assert source.image.digest == same
    with Containerd(daemon.address, namespaces=["none"]) as engine, pytest.raises(NotFound):
        engine.open("app")


def test_nothing_is_written(tmp_path: Path) -> None:
    with containerd() as daemon, Containerd(daemon.address) as engine:
        daemon.load(image(tmp_path, layers(), form="oci-archive"))

        def state() -> object:
            lists = [daemon.ctr(kind, "ls", "-q") for kind in ("images", "content", "leases", "containers")]
            blobs = (daemon.folder / "root/io.containerd.content.v1.content/blobs").rglob("*")
            return lists, {path: path.stat().st_mtime_ns for path in blobs}

        daemon.ctr("content", "prune", "references")  # what it collects by itself sooner or later: the archive's index
        before = state()
        report_of(engine, "app", tmp_path)
        engine.running()
        assert state() == before


def test_the_command_scans_it(daemon: Daemon, tmp_path: Path) -> None:
    daemon.load(image(tmp_path, layers("openssl"), form="oci-archive", tag="cli"), namespace="cli")
    (tmp_path / "home").mkdir()
    holdfast = Holdfast(tmp_path / "home")
    holdfast.environment["CONTAINERD_ADDRESS"] = daemon.address
    outcome = holdfast("scan", "--offline", "--format", "json", "containerd:app:cli")
    assert sorted(package["name"] for package in outcome.report["packages"]) == ["app", "openssl"], outcome.err


def runs(engine: Containerd) -> list[Running]:
    return sorted(engine.running(), key=lambda one: one.name)


LATEST = "docker.io/library/app:latest"


@pytest.fixture
def load(daemon: Daemon, namespace: str, tmp_path: Path) -> Any:
    """Loads and unpacks an image that can run."""

    def loading(content: Sequence[bytes], tag: str = "latest") -> str:
        archive = image(tmp_path, content, form="oci-archive", tag=tag)
        daemon.load(archive, namespace=namespace, unpack=True)
        path = image(tmp_path, content, name="same", tag=tag)
        return str(json.loads((path / "index.json").read_bytes())["manifests"][0]["digest"])

    return loading


def test_what_runs(daemon: Daemon, engine: Containerd, namespace: str, load: Any) -> None:
    assert engine.running() == []
    made_from = load(box("1"))
    pod = ("pod.namespace=shop", "pod.name=web-1", "container.name=app")
    options = tuple(part for label in pod for part in ("--label", f"io.kubernetes.{label}"))
    daemon.run(LATEST, "aaa", "/bin/busybox", "sleep", "300", namespace=namespace)
    daemon.run(LATEST, "bbb", "/bin/busybox", "sleep", "300", namespace=namespace, options=options)
    daemon.run(LATEST, "ended", "/bin/busybox", "true", namespace=namespace)
    daemon.ctr("container", "create", LATEST, "never", "/bin/busybox", "sleep", "300", namespace=namespace)
    daemon.ctr("task", "pause", "aaa", namespace=namespace)
    first, second = runs(engine)
    assert (first.engine, first.id, first.name, first.image) == ("containerd", "aaa", "aaa", LATEST)
    assert (first.image_id, first.digest, first.namespace) == (made_from, made_from, namespace)
    assert (second.id, second.name) == ("bbb", "shop/web-1/app")
    assert second.labels["io.kubernetes.pod.name"] == "web-1"
    assert verified(engine, first.image_id) == [True, True]
    daemon.ctr("task", "resume", "aaa", namespace=namespace)
    daemon.end("aaa", namespace=namespace)
    assert [one.id for one in runs(engine)] == ["bbb"]


def test_a_container_whose_tag_has_moved_is_not_taken_for_the_new_image(
    daemon: Daemon, engine: Containerd, namespace: str, load: Any
) -> None:
    load(box("old"))
    daemon.run(LATEST, "one", "/bin/busybox", "sleep", "300", namespace=namespace)
    load(box("new"))  # with it, the old manifest is garbage
    daemon.run(LATEST, "two", "/bin/busybox", "sleep", "300", namespace=namespace)
    daemon.ctr("content", "prune", "references", namespace=namespace)
    old, new = runs(engine)
    assert old.image == new.image == LATEST
    assert old.digest == ""
    with engine.open(new.image_id) as source:
        assert source.image.layers[0].diff_id == digest(box("new")[0])
    with pytest.raises(NotFound) as caught:
        engine.open(old.image_id)
    assert "name was given to another image" in caught.value.remedy


def test_an_image_that_is_kept_under_another_name_is_found_by_its_layers(
    daemon: Daemon, engine: Containerd, namespace: str, load: Any
) -> None:
    made_from = load(box("old"))
    daemon.ctr("images", "tag", LATEST, "docker.io/library/app:kept", namespace=namespace)
    daemon.run(LATEST, "one", "/bin/busybox", "sleep", "300", namespace=namespace)
    load(box("new"))
    (running,) = runs(engine)
    assert (running.image, running.image_id, running.digest) == (LATEST, made_from, made_from)
    with engine.open(running.image_id) as source:
        assert source.image.layers[0].diff_id == digest(box("old")[0])


def test_it_may_go_and_come_back(tmp_path: Path) -> None:
    with containerd() as daemon, Containerd(daemon.address) as engine:
        daemon.load(image(tmp_path, layers(), form="oci-archive"))
        assert verified(engine, "app") == [True, True]
        daemon.stop()
        with pytest.raises(SourceError):
            engine.open("app")
        daemon.start()
        assert eventually(lambda: verified(engine, "app")) == [True, True]


def eventually(ask: Callable[[], list[bool]]) -> list[bool]:
    """What is answered once the connection is there again."""
    for _ in range(100):
        try:
            return ask()
        except SourceError:
            time.sleep(0.05)
    return ask()
