"""Dockers that cannot be run here: newer ones, both image stores, and hostile ones (a fake on a Unix socket)."""

import errno
import json
import ssl
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemons.authority import Authority
from daemons.docker import short_folder
from daemons.fake_engine import FakeEngine, chunk, dumps, fake_engine, members, packed
from holdfast.fs.tar import TarTree
from holdfast.model.artifact import Platform
from holdfast.model.errors import (
    AuthError,
    HoldfastError,
    InputError,
    LimitError,
    NotFound,
    PrivilegeError,
    SourceError,
)
from holdfast.oci.budget import ImageBudget
from holdfast.oci.integrity import Mismatch
from holdfast.runtime.docker.engine import Docker
from holdfast.runtime.engine import Running
from holdfast.runtime.find import open_engine
from holdfast.runtime.image import ExportedImage
from holdfast.transport.wire import Wire
from transport.loopback import Behaviour, Exchange, serve
from world import Spec, blob, digest, layer, spec, symlink

ONE, TWO = layer({"etc/os-release": "ID=debian\n"}), layer({"srv/app": "x" * 3000})
PLAIN = spec([ONE, TWO, TWO], compression="none", labels={"a": "b"}, user="app", history=["ADD /", "#ENV A", "C", "D"])
PACKED = spec([ONE, TWO], compression=["gzip", "zstd"])


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as it:
        yield it


@pytest.fixture
def engine(folder: Path) -> Iterator[FakeEngine]:
    with fake_engine(folder) as it:
        yield it


def opened(engine: FakeEngine, wire: Wire, name: str = "app:1", platform: str = "") -> ExportedImage:
    return Docker(engine.url, wire).open(name, Platform.parse(platform) if platform else None)


def files_of(source: ExportedImage) -> dict[str, list[str]]:
    """The paths in each layer that arrives, by the diff ID that it turns out to have; nothing may be wrong with it."""
    found = {}
    for stream in source.arrivals():
        found[stream.diff_id or "?"] = paths = [file.entry.path for file in TarTree(stream.chunks()).walk()]
        stream.drain()
        found[stream.diff_id] = paths
        assert (stream.problems, stream.integrity) == ([], [])
    found.pop("?", None)
    return found


EXPECTED = {digest(ONE): ["etc/os-release"], digest(TWO): ["srv/app"]}


# Versions of the API


@pytest.mark.parametrize(
    ("newest", "oldest", "version"),
    [("1.24", "1.12", "1.24"), ("1.41", "1.12", "1.41"), ("1.51", "1.24", "1.51"), ("1.55", "1.44", "1.51")],
)
def test_the_newest_version_that_both_know_is_spoken(
    folder: Path, wire: Wire, newest: str, oldest: str, version: str
) -> None:
    with fake_engine(folder, newest=newest, oldest=oldest, version=version) as it:
        it.has("app:1", PLAIN)
        assert files_of(opened(it, wire)) == EXPECTED
        assert {path.split("/")[1] for path in it.paths} == {"version", f"v{version}"}


@pytest.mark.parametrize(("newest", "oldest", "says"), [("1.23", "1.12", "too old"), ("1.60", "1.52", "too new")])
def test_an_engine_that_has_no_version_in_common_says_what_to_do(
    folder: Path, wire: Wire, newest: str, oldest: str, says: str
) -> None:
    with fake_engine(folder, newest=newest, oldest=oldest) as it, pytest.raises(InputError, match=says) as caught:
        opened(it, wire)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b"<html>", b'{"ApiVersion": "one"}', b'{"ApiVersion": "1.' + b"9" * 5000 + b'"}']
)
def test_what_is_no_docker_says_so(engine: FakeEngine, wire: Wire, answer: bytes) -> None:
    engine.routes["/version"] = answer
    with pytest.raises(InputError):
        opened(engine, wire)


# Both stores


def test_the_classic_store_of_docker_25_and_later(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PLAIN, RepoDigests=[f"app@sha256:{'1' * 64}"])
    source = opened(engine, wire)
    image = source.image
    assert (image.config_digest, image.digest) == (digest(PLAIN.config_bytes()), f"sha256:{'1' * 64}")
    assert (image.labels, image.user, image.platform) == ({"a": "b"}, "app", Platform("linux", "amd64"))
    assert [(one.diff_id, one.created_by) for one in image.layers] == [
        (digest(ONE), "ADD /"), (digest(TWO), "C"), (digest(TWO), "D"),
    ]  # fmt: skip
    assert [line.empty for line in image.history] == [False, True, False, False]
    # Its blobs are named by diff ID, so that a layer that is known already need not be read.
    assert {stream.layer.diff_id for stream in source.arrivals()} == {*EXPECTED}
    assert files_of(source) == EXPECTED
    assert (source.problems, source.integrity) == ([], [])


def test_the_store_of_containerd_has_layers_as_they_were_pulled(engine: FakeEngine, wire: Wire) -> None:
    inspection = engine.has("app:1", PACKED, store="containerd")
    source = opened(engine, wire)
    assert source.image.digest == inspection["Id"]
    assert (source.image.config_digest, source.image.index_digest) == ("", "")
    assert {stream.layer.diff_id for stream in source.arrivals()} == {""}
    assert files_of(source) == EXPECTED
    assert (source.problems, source.integrity) == ([], [])


def test_the_store_of_containerd_before_it_described_its_images(folder: Path, wire: Wire) -> None:
    with fake_engine(folder, newest="1.44", oldest="1.24", version="1.44") as it:
        inspection = it.has("app:1", PACKED, store="containerd", Descriptor=None)
        source = opened(it, wire)
        assert source.image.digest == inspection["Id"]
        assert files_of(source) == EXPECTED
        assert source.integrity == []


def test_an_image_without_a_name_in_that_older_store_is_no_mismatch(folder: Path, wire: Wire) -> None:
    with fake_engine(folder, newest="1.44", oldest="1.24", version="1.44") as it:
        it.has("app:1", PACKED, store="containerd", Descriptor=None, RepoDigests=[])
        source = opened(it, wire)
        assert files_of(source) == EXPECTED
        assert source.integrity == []


ARM = spec([layer({"arm": "1"}), TWO], platform="linux/arm64", compression="gzip")


@pytest.mark.parametrize(("platform", "first"), [("", "etc/os-release"), ("linux/arm64", "arm")])
def test_an_index_is_asked_for_one_platform(engine: FakeEngine, wire: Wire, platform: str, first: str) -> None:
    inspection = engine.has("app:1", PACKED, ARM, store="containerd")
    source = opened(engine, wire, platform=platform)
    files = members(engine.export)
    manifests = json.loads(files[blob(inspection["Id"])])["manifests"]
    assert source.image.index_digest == inspection["Id"]
    assert source.image.digest == manifests[1 if platform else 0]["digest"]
    diff_ids = [one.diff_id for one in source.image.layers]
    arrived = files_of(source)
    assert [arrived[diff_id] for diff_id in diff_ids] == [[first], ["srv/app"]]
    (asked,) = (path for path in engine.paths if "/get" in path)
    assert "platform=%7B" in asked
    assert source.integrity == []


def test_a_platform_that_is_not_there(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PACKED, ARM, store="containerd")
    with pytest.raises(NotFound, match="does not provide the specified platform"):
        opened(engine, wire, platform="linux/s390x")
    engine.has("old:1", PLAIN)
    with pytest.raises(InputError, match="no image for linux/s390x"):
        opened(engine, wire, "old:1", "linux/s390x")


def test_a_name_whose_content_is_not_in_the_store(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PACKED, store="containerd", Os="", Architecture="", RootFS={"Type": ""})
    with pytest.raises(NotFound, match="content for no platform"):
        opened(engine, wire)


def test_a_history_that_cannot_be_had_is_a_note(engine: FakeEngine, wire: Wire) -> None:
    inspection = engine.has("app:1", PACKED, store="containerd")
    del engine.routes[f"/v1.51/images/{inspection['Id']}/history"]
    source = opened(engine, wire)
    assert [problem.code for problem in source.problems] == ["image.history-unreadable"]
    assert files_of(source) == EXPECTED


def test_a_layer_behind_a_link_is_found_by_another_export(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PACKED, store="containerd")
    source = opened(engine, wire)
    with source.open_layer(1) as stream:
        assert [file.entry.path for file in TarTree(stream.chunks()).walk()] == ["srv/app"]
        stream.drain()
        assert stream.verified
    assert sum("/get" in path for path in engine.paths) == 2


# Containers


def test_what_runs(engine: FakeEngine, wire: Wire) -> None:
    manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(b"m"), "size": 3}
    engine.routes["/v1.51/containers/json"] = dumps(
        [
            {
                "Id": "c" * 64, "Names": ["/web"], "Image": "app:1", "ImageID": digest(b"i"), "Labels": {"a": "b"},
                "State": "running", "ImageManifestDescriptor": manifest,
            },
            {"Id": "d" * 64, "Names": None, "Image": None, "ImageID": None, "Labels": None},
        ]
    )  # fmt: skip
    assert Docker(engine.url, wire).running() == [
        Running("docker", "c" * 64, "web", "app:1", digest(b"i"), digest(b"m"), labels={"a": "b"}),
        Running("docker", "d" * 64, "d" * 12, ""),
    ]


# Names


@pytest.mark.parametrize(
    "name", ["../containers/json?x=", "a/../../info", "/info", "a//b", "./a", "", "a\nb", "\udc80"]
)
def test_a_name_that_leads_to_another_path_is_refused_before_anything_is_asked(
    engine: FakeEngine, wire: Wire, name: str
) -> None:
    with pytest.raises(InputError, match="not the name of an image"):
        opened(engine, wire, name)
    assert [path for path in engine.paths if path != "/version"] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("host:5000/team/app:1", "host:5000/team/app:1"),
        ("app@sha256:00", "app@sha256:00"),
        ("app?all=1", "app%3Fall%3D1"),
        ("app#x%2e%2e", "app%23x%252e%252e"),
        ("äpp:1", "%C3%A4pp:1"),
    ],
)
def test_odd_characters_stay_in_the_name(engine: FakeEngine, wire: Wire, name: str, path: str) -> None:
    with pytest.raises(NotFound):
        opened(engine, wire, name)
    assert engine.paths[-1] == f"/v1.51/images/{path}/json"


# What engines refuse


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (400, InputError), (403, AuthError), (500, SourceError), (301, SourceError)]
)
def test_an_engines_refusal_is_told_in_its_own_words(
    engine: FakeEngine, wire: Wire, status: int, kind: type[HoldfastError]
) -> None:
    told = dumps({"message": "no\x1b[31m such \u202eimage" + "!" * 5000})
    engine.routes["/v1.51/images/app:1/json"] = lambda exchange: exchange.answer(told, status, Location="/info")
    with pytest.raises(kind, match="such") as caught:
        opened(engine, wire)
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 400
    assert "/info" not in engine.paths


@pytest.mark.parametrize(
    "answer",
    [
        b"[" * 100_000, b'{"Id": 1}', b"null", b'{"Id": "x", "Os": "linux", "Architecture": "amd64", "Size": 1e400}',
        b'{"Id": "x", "Os": "linux", "Architecture": "amd64", "RootFS": {"Layers": ["../../etc"]}}',
        b'{"Id": "../x", "Os": "linux", "Architecture": "amd64"}', b'{"Id": "x", "Size": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_hostile_description_is_an_error_in_words(engine: FakeEngine, wire: Wire, answer: bytes) -> None:
    engine.routes["/v1.51/images/app:1/json"] = answer
    with pytest.raises(InputError):
        opened(engine, wire)


def test_a_description_without_end_and_too_many_layers_are_refused(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PLAIN, RootFS={"Layers": [digest(b"")] * 1001})
    with pytest.raises(LimitError, match="1001 layers"):
        opened(engine, wire)
    engine.routes["/v1.51/images/app:1/json"] = b" " * (9 << 20)
    with pytest.raises(LimitError, match="longer than"):
        opened(engine, wire)


# Exports that are not what was promised


def export(engine: FakeEngine, wire: Wire, data: bytes, image: Spec = PLAIN) -> ExportedImage:
    engine.has("app:1", image)
    engine.export = data or engine.export
    return opened(engine, wire)


def changed(engine: FakeEngine, changes: dict[str, bytes | None]) -> bytes:
    """An export of PLAIN with other files."""
    engine.has("app:1", PLAIN)
    files = members(engine.export) | changes
    return packed({name: data for name, data in files.items() if data is not None})


def seen(source: ExportedImage) -> list[Mismatch]:
    """Everything that contradicts a promise once all has been read."""
    found = []
    for stream in source.arrivals():
        for _ in stream.chunks():
            pass
        found += stream.integrity
    return [*found, *source.integrity]


def test_a_layer_with_other_bytes_than_its_name(engine: FakeEngine, wire: Wire) -> None:
    evil = layer({"srv/app": "evil"})
    source = export(engine, wire, changed(engine, {blob(digest(TWO)): evil}))
    assert Mismatch("diff ID", digest(TWO), digest(evil)) in seen(source)


def test_another_configuration_than_the_one_promised(engine: FakeEngine, wire: Wire) -> None:
    other = spec(PLAIN.layers, user="root").config_bytes()
    promised = digest(PLAIN.config_bytes())
    source = export(engine, wire, changed(engine, {blob(promised): other}))
    assert seen(source) == [
        Mismatch("blob digest", promised, digest(other)),
        Mismatch("configuration digest", promised, digest(other)),
    ]


def test_a_configuration_that_nothing_promised_leads_to(engine: FakeEngine, wire: Wire) -> None:
    """containerd's store: the image is named by a manifest, and that one is not in the export."""
    engine.has("other:1", spec(PACKED.layers, compression=PACKED.compression, user="root"), store="containerd")
    other = engine.export
    engine.has("app:1", PACKED, store="containerd")
    engine.export = other
    assert [mismatch.what for mismatch in seen(opened(engine, wire))] == ["configuration digest"]


def test_other_diff_ids_than_the_configuration_has(engine: FakeEngine, wire: Wire) -> None:
    lie = [digest(ONE), digest(b"never"), digest(TWO)]
    engine.has("app:1", PLAIN, RootFS={"Layers": lie})
    assert seen(opened(engine, wire)) == [Mismatch("diff ID", digest(b"never"), digest(TWO))]


def test_a_layer_that_does_not_come_and_one_too_many(engine: FakeEngine, wire: Wire) -> None:
    extra = layer({"extra": "1"})
    data = changed(engine, {blob(digest(TWO)): None, blob(digest(extra)): extra})
    source = export(engine, wire, data)
    assert set(files_of(source)) == {digest(ONE), digest(extra)}
    with source.open_layer(1) as stream:
        assert [problem.code for problem in stream.problems] == ["layer.missing"]


def test_a_layer_that_is_json_to_begin_with_is_a_layer_where_the_manifest_says_so(
    engine: FakeEngine, wire: Wire
) -> None:
    odd = layer({"{}": "looks like a document", "etc/shadow": "root::"}, format=tarfile.USTAR_FORMAT)
    image = spec([ONE, odd], compression="none")
    engine.has("app:1", image)
    old = {"layer.tar": ONE, "odd": odd}
    config = image.config_bytes()
    engine.export = packed(
        {
            "a/layer.tar": old["layer.tar"], "b/layer.tar": old["odd"], "c.json": config,
            "manifest.json": dumps([{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar", "b/layer.tar"]}]),
        }
    )  # fmt: skip
    source = opened(engine, wire)
    assert files_of(source)[digest(odd)] == ["{}", "etc/shadow"]
    assert source.integrity == []


@pytest.mark.parametrize("missing", ["manifest.json", blob(digest(PLAIN.config_bytes()))])
def test_an_export_without_its_documents_is_incomplete(engine: FakeEngine, wire: Wire, missing: str) -> None:
    source = export(engine, wire, changed(engine, {missing: None}))
    assert files_of(source) == EXPECTED
    assert [problem.code for problem in source.problems] == ["image.configuration-unreadable"]


def test_a_layer_that_stands_twice_is_a_symlink_to_the_first(engine: FakeEngine, wire: Wire) -> None:
    paths = ["a/layer.tar", "b/layer.tar", "c/layer.tar"]
    engine.has("app:1", PLAIN)
    engine.export = layer(
        {
            "a/layer.tar": ONE, "b/layer.tar": TWO, "c/layer.tar": symlink("../b/layer.tar"),
            "x.json": PLAIN.config_bytes(),
            "manifest.json": dumps([{"Config": "x.json", "Layers": paths}]),
        }
    )  # fmt: skip
    source = opened(engine, wire)
    assert files_of(source) == EXPECTED
    assert (source.problems, source.integrity) == ([], [])


# Exports that break off, or never end


def drained(source: ExportedImage) -> list[str]:
    """The codes of the layers' problems."""
    codes = []
    for stream in source.arrivals():
        for _ in stream.chunks():
            pass
        codes += [problem.code for problem in stream.problems]
        assert stream.integrity == []
    return codes


@pytest.mark.parametrize("kept", [0, 100, 700, 2000, 4000])
def test_an_export_that_is_cut_on_its_way(engine: FakeEngine, wire: Wire, kept: int) -> None:
    identity = engine.has("app:1", PLAIN)["Id"]

    def cut(exchange: Exchange) -> None:
        exchange.head(200, Transfer_Encoding="chunked")
        if kept:
            chunk(exchange, engine.export[:kept])
        exchange.cut()

    engine.routes[f"/v1.51/images/{identity}/get"] = cut
    with pytest.raises(SourceError):
        drained(opened(engine, wire))


@pytest.mark.parametrize("kept", [100, 512, 700, 2000, 4000])
def test_an_export_that_ends_too_early_accuses_nobody(engine: FakeEngine, wire: Wire, kept: int) -> None:
    """Docker ends an export that fails with a message in JSON, and the answer as if it were whole."""
    engine.has("app:1", PLAIN)
    engine.export = engine.export[:kept] + b'{"errorDetail":{"message":"disk full"},"error":"disk full"}'
    source = opened(engine, wire)
    codes = drained(source) + [problem.code for problem in source.problems]
    assert codes
    assert source.integrity == []


def test_an_export_of_more_bytes_than_any_image(engine: FakeEngine, wire: Wire) -> None:
    identity = engine.has("app:1", PLAIN)["Id"]

    def endless(exchange: Exchange) -> None:
        header = tarfile.TarInfo(f"blobs/sha256/{'0' * 64}")
        header.size = 1 << 50
        exchange.head(200, Transfer_Encoding="chunked")
        chunk(exchange, header.tobuf(tarfile.GNU_FORMAT))
        while True:
            chunk(exchange, bytes(1 << 16))

    engine.routes[f"/v1.51/images/{identity}/get"] = endless
    budget = ImageBudget(inflated_bytes=1 << 20, image_factor=2)
    source = Docker(engine.url, wire).open("app:1", budget=budget)
    with pytest.raises(SourceError, match="exports more than"):
        for _ in source.arrivals():
            pass


def test_an_export_of_too_many_layers_or_entries(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", PLAIN)
    engine.export = packed({f"{number}/layer.tar": ONE for number in range(30)})
    with pytest.raises(SourceError, match="more than 20 layers"):
        for _ in Docker(engine.url, wire).open("app:1", budget=ImageBudget(layers=20)).arrivals():
            pass
    source = Docker(engine.url, wire).open("app:1", budget=ImageBudget(archive_entries=20))
    assert len([*source.arrivals()]) == 20
    assert "archive.too-many-entries" in [problem.code for problem in source.problems]


def test_documents_beyond_their_budget_are_not_kept(engine: FakeEngine, wire: Wire) -> None:
    data = changed(engine, {f"blobs/sha256/{number:064}": b"{" * 4000 for number in range(50)})
    engine.has("app:1", PLAIN)
    engine.export = data
    source = Docker(engine.url, wire).open("app:1", budget=ImageBudget(document_bytes=8000))
    drained(source)
    assert sum(mismatch.what == "blob digest" for mismatch in source.integrity) <= 8


def test_a_consumer_that_stops_early_leaves_nothing_open(engine: FakeEngine, wire: Wire) -> None:
    engine.has("app:1", spec([layer({"a": "x" * 3_000_000}), TWO], compression="none"))
    arriving = opened(engine, wire).arrivals()
    stream = next(arriving)
    next(stream.chunks())
    arriving.close()  # type: ignore[attr-defined]
    assert [problem.code for problem in stream.problems] in (["layer.unverified"], [])
    engine.has("app:1", PLAIN)
    assert files_of(opened(engine, wire)) == EXPECTED


def test_an_engine_that_is_gone(folder: Path, wire: Wire) -> None:
    with fake_engine(folder) as it:
        it.has("app:1", PLAIN)
        opened(it, wire)
    with Wire(offline=True) as anew, pytest.raises(NotFound, match="does not listen") as caught:
        opened(it, anew)
    assert caught.value.remedy


def test_an_engine_that_was_started_again_in_between(folder: Path, wire: Wire) -> None:
    """The connection that was kept leads nowhere; the same request is made on another."""
    with fake_engine(folder) as it:
        it.has("app:1", PLAIN)
        inspect = it.routes["/v1.51/images/app:1/json"]
        assert callable(inspect)

        def once(exchange: Exchange) -> None:
            it.routes["/v1.51/images/app:1/json"] = inspect
            exchange.cut()

        it.routes["/v1.51/images/app:1/json"] = once
        assert files_of(opened(it, wire)) == EXPECTED


def test_a_socket_that_is_not_for_us(engine: FakeEngine, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("holdfast.transport.pool._Local._new_conn", refused)  # root may speak to every socket
    with pytest.raises(PrivilegeError, match="may not speak to Docker") as caught:
        Docker(engine.url, wire).running()
    assert "group docker" in caught.value.remedy


# Over TCP


def routes() -> dict[str, Behaviour | bytes]:
    return {"/version": dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}), "/v1.41/containers/json": b"[]"}


def test_a_plain_engine_on_this_machine_is_spoken_to_unless_offline(wire: Wire) -> None:
    with serve(routes()) as server:
        address = server.url.replace("http", "tcp")
        with Wire() as online:
            assert Docker(address, online).running() == []
        with pytest.raises(SourceError, match="--offline"):
            Docker(address, wire).running()


def test_an_engine_behind_tls_wants_our_certificate(folder: Path) -> None:
    servers, clients = Authority(folder / "servers"), Authority(folder / "clients")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(clients.bundle))
    context.load_cert_chain(servers.server.certificate, servers.server.key)
    context.verify_mode = ssl.CERT_REQUIRED
    me = clients.client("me")
    for part, path in (("ca", servers.bundle), ("cert", me.certificate), ("key", me.key)):
        (folder / f"{part}.pem").write_bytes(path.read_bytes())
    with serve(routes()) as server, Wire() as online:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        environment = {"DOCKER_HOST": f"tcp://127.0.0.1:{server.server_port}", "DOCKER_CERT_PATH": str(folder)}
        assert open_engine("docker", "", environment, folder, online).running() == []
        with pytest.raises(HoldfastError):
            Docker(f"https://127.0.0.1:{server.server_port}", online).running()
