"""Opening images in all their forms: which one is meant, what its documents say, and what is wrong with them."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.fs.tar import TarTree
from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound, SourceError
from holdfast.model.status import Gravity
from holdfast.oci.budget import ImageBudget
from holdfast.oci.image import ImageSource
from holdfast.oci.open import detect, open_image
from world import (
    DOCKER,
    OCI,
    Thing,
    blob,
    compress,
    digest,
    hard_link,
    image,
    index,
    layer,
    opaque,
    put,
    spec,
    symlink,
    whiteout,
    write,
)

BASE = layer({"etc/os-release": "ID=debian\n", "big": b"x" * 300_000})
TOP = layer({"etc/os-release": whiteout(), "srv": opaque(), "srv/app.py": "print()"})
LAYERS = [BASE, TOP, BASE]
FORMS = {
    "oci": "oci",
    "oci-archive": "oci-archive",
    "docker-archive": "docker-archive",
    "docker-archive-old": "docker-archive",
}


def paths(source: ImageSource) -> list[list[str]]:
    """Every layer's paths, each layer having been verified."""
    found = []
    for number in range(len(source.image.layers)):
        with source.open_layer(number) as stream:
            found.append([one.entry.path for one in TarTree(stream.chunks()).walk()])
            stream.drain()
            assert stream.verified, (stream.problems, stream.integrity)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("outer", ["none", "gzip", "zstd"])
def test_every_form_says_the_same(tmp_path: Path, form: str, compression: str, outer: str) -> None:
    if form == "oci" and outer != "none":
        pytest.skip("a directory has no compression of its own")
    path = image(
        tmp_path, LAYERS, form=form, compression=compression, outer=outer, labels={"a": "b"}, user="app",
        history=["ADD rootfs", "#ENV A=b", "COPY app", "COPY again"],
    )  # fmt: skip
    assert detect(path) == FORMS[form]
    with open_image(FORMS[form], path) as source:
        one = source.image
        assert (source.problems, source.integrity) == ([], [])
        assert [each.diff_id for each in one.layers] == [digest(tar) for tar in LAYERS]
        assert [each.created_by for each in one.layers] == ["ADD rootfs", "COPY app", "COPY again"]
        assert (one.labels, one.user, one.platform) == ({"a": "b"}, "app", Platform("linux", "amd64"))
        assert (len(one.history), one.created) == (4, "2026-01-02T03:04:05Z")
        assert one.config_digest.startswith("sha256:")
        if form != "docker-archive-old":
            assert [each.digest for each in one.layers] == [digest(compress(tar, compression)) for tar in LAYERS]
            assert one.digest.startswith("sha256:")
        bottom, top, _ = paths(source)
        assert bottom == ["etc/os-release", "big"]
        assert top == ["etc/.wh.os-release", "srv", "srv/.wh..wh..opq", "srv/app.py"]


def test_layers_are_read_in_any_order_and_at_the_same_time(tmp_path: Path) -> None:
    for outer in ("none", "gzip"):
        path = image(tmp_path, LAYERS, form="docker-archive-old", outer=outer, compression="none")
        with open_image("docker-archive", path) as source:
            streams = [source.open_layer(number) for number in (2, 1, 0)]
            walks = [stream.chunks() for stream in streams]
            got = [b"", b"", b""]
            for _ in range(100):
                got = [before + next(walk, b"") for before, walk in zip(got, walks, strict=True)]
            assert got == [BASE, TOP, BASE]


def test_dockers_own_media_types_are_understood(tmp_path: Path) -> None:
    with open_image("oci", image(tmp_path, LAYERS, docker=True)) as source:
        assert source.image.layers[0].media_type == DOCKER + "image.rootfs.diff.tar.gzip"
        assert len(paths(source)) == 3


def test_closing_ends_streams_that_are_still_open(tmp_path: Path) -> None:
    with open_image("oci", image(tmp_path, LAYERS)) as source:
        stream = source.open_layer(0)
        next(stream.chunks())
    assert [problem.code for problem in stream.problems] == ["layer.unverified"]


# Looking.


def test_looking_finds_nothing_where_there_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "tar").write_bytes(layer({"etc/passwd": ""}))
    (tmp_path / "gz").write_bytes(compress(b"no tar", "gzip"))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("text", "tar", "gz", "empty", "directory", "fifo", "missing"):
        assert detect(tmp_path / name) == "", name


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive"])
def test_what_holds_no_image_is_an_error_that_says_where(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, "thing", {"etc/passwd": b""}, archive=kind != "oci")
    with pytest.raises(InputError, match=r"thing.*no container image"):
        open_image(kind, path)
    with pytest.raises(SourceError):
        open_image(kind, tmp_path / "missing")


# Which one is meant.

AMD, ARM6, ARM7, ARM64 = "linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(Platform, "of_host", lambda: Platform.parse(text))


def several(where: Path, *platforms: str, **how: Any) -> Path:
    return index(where, [spec([layer({name: ""})], platform=name) for name in platforms], nested=True, **how)


@pytest.mark.parametrize("attestation", [False, True])
@pytest.mark.parametrize(
    ("on", "asked", "expected"),
    [
        ("linux/amd64", None, AMD),
        ("linux/arm64", None, ARM64),
        ("linux/arm/v7", None, ARM7),
        ("linux/amd64", "linux/arm64", ARM64),
        ("linux/amd64", "linux/arm64/v8", ARM64),
        ("linux/amd64", "linux/arm", ARM7),
        ("linux/amd64", "linux/arm/v6", ARM6),
    ],
)
def test_the_hosts_platform_or_the_one_asked_for_is_taken(
    tmp_path: Path, host: Callable[[str], None], on: str, asked: str | None, expected: str, attestation: bool
) -> None:
    host(on)
    path = several(tmp_path, ARM6, AMD, ARM7, ARM64, attestation=attestation)
    with open_image("oci", path, platform=Platform.parse(asked) if asked else None) as source:
        assert str(source.image.platform) == expected
        assert source.image.index_digest.startswith("sha256:")
        assert paths(source) == [[expected]]


def test_a_platform_that_is_not_there_is_an_error_that_lists_those_that_are(
    tmp_path: Path, host: Callable[[str], None]
) -> None:
    host("linux/s390x")
    path = several(tmp_path, AMD, ARM64, attestation=True)
    with pytest.raises(InputError, match="no image for linux/s390x") as error:
        open_image("oci", path)
    assert error.value.remedy == "use --platform with one of: linux/amd64, linux/arm64/v8"
    with pytest.raises(InputError, match="no image for linux/arm/v5"):
        open_image("oci", path, platform=Platform.parse("linux/arm/v5"))


@pytest.mark.parametrize("form", FORMS)
def test_a_single_image_for_another_platform_is_opened_unless_one_is_asked_for(
    tmp_path: Path, host: Callable[[str], None], form: str
) -> None:
    host("linux/amd64")
    path = image(tmp_path, [BASE], platform=ARM64, form=form)
    with open_image(FORMS[form], path) as source:
        assert str(source.image.platform) == ARM64
    with pytest.raises(InputError, match="no image for linux/amd64"):
        open_image(FORMS[form], path, platform=Platform.parse(AMD))


def test_a_platform_that_only_the_configuration_tells_is_found(tmp_path: Path, host: Callable[[str], None]) -> None:
    host(ARM64)
    path = index(tmp_path, [spec([layer({name: ""})], platform=name, tag=()) for name in (AMD, ARM64)])
    document = json.loads((path / "index.json").read_text())
    for descriptor in document["manifests"]:
        del descriptor["platform"]
    (path / "index.json").write_text(json.dumps(document))
    with open_image("oci", path) as source:
        assert paths(source) == [[ARM64]]


def test_a_platform_whose_manifest_was_not_stored_is_passed_over(tmp_path: Path, host: Callable[[str], None]) -> None:
    host(AMD)
    path = several(tmp_path, AMD, ARM64)
    inner = json.loads(
        (path / blob(json.loads((path / "index.json").read_text())["manifests"][0]["digest"])).read_text()
    )
    (path / blob(inner["manifests"][0]["digest"])).unlink()
    with open_image("oci", path) as source:
        assert str(source.image.platform) == ARM64


@pytest.mark.parametrize("form", FORMS)
def test_one_of_several_images_has_to_be_named(tmp_path: Path, form: str) -> None:
    path = index(tmp_path, [spec([layer({tag: ""})], tag=tag) for tag in ("one", "two")], form=form)
    with pytest.raises(InputError, match="several images") as error:
        open_image(FORMS[form], path)
    assert all(tag in error.value.remedy for tag in ("one", "two"))
    with open_image(FORMS[form], path, "two") as source:
        assert paths(source) == [["two"]]
    with open_image(FORMS[form], path, "app:one") as source:
        assert paths(source) == [["one"]]
    with pytest.raises(NotFound, match="three") as missing:
        open_image(FORMS[form], path, "three")
    assert "one" in missing.value.remedy


def test_indexes_in_indexes_are_bounded(tmp_path: Path) -> None:
    files: dict[str, bytes | Thing] = {}
    descriptor: dict[str, Any] = {"mediaType": OCI + "manifest.v1+json", "digest": digest(b""), "size": 0}
    for _ in range(10):
        document = {"schemaVersion": 2, "manifests": [descriptor]}
        descriptor = put(files, json.dumps(document).encode(), OCI + "index.v1+json")
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
    with pytest.raises(LimitError, match="too deep"):
        open_image("oci", write(tmp_path, "deep", files, archive=False))
    wide = {
        "manifests": [{"digest": digest(b"%d" % number), "mediaType": OCI + "index.v1+json"} for number in range(5000)]
    }
    with pytest.raises(LimitError, match="too many"):
        open_image("oci", write(tmp_path, "wide", {"index.json": json.dumps(wide).encode()}, archive=False))


def test_an_artifact_that_is_no_image_is_refused_by_its_type(tmp_path: Path) -> None:
    config = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(b""), "size": 0}
    with pytest.raises(InputError, match="helm"):
        open_image("oci", image(tmp_path, [BASE], manifest={"config": config}))


# What is wrong with it.


def test_a_manifest_or_configuration_that_was_changed_is_a_mismatch_and_read_all_the_same(tmp_path: Path) -> None:
    path = image(tmp_path, [BASE], user="app")
    with open_image("oci", path) as source:
        one = source.image
    for what in (one.digest, one.config_digest):
        stored = path / blob(what)
        stored.write_bytes(stored.read_bytes() + b"\n")
    with open_image("oci", path) as source:
        assert [(each.what, each.expected) for each in source.integrity] == [
            ("manifest digest", one.digest),
            ("manifest size", source.integrity[1].expected),
            ("configuration digest", one.config_digest),
        ]
        assert source.image.user == "app"
        assert len(paths(source)) == 1


def test_a_layer_that_was_changed_is_a_mismatch(tmp_path: Path) -> None:
    path = image(tmp_path, [BASE], compression="none")
    with open_image("oci", path) as source:
        (path / blob(source.image.layers[0].digest)).write_bytes(layer({"evil": ""}))
        with source.open_layer(0) as stream:
            assert [one.entry.path for one in TarTree(stream.chunks()).walk()] == ["evil"]
            stream.drain()
        assert [one.what for one in stream.integrity] == ["blob digest", "blob size", "diff ID"]


@pytest.mark.parametrize("form", ["oci", "oci-archive"])
def test_a_missing_layer_is_a_problem_of_its_own_and_the_others_are_read(tmp_path: Path, form: str) -> None:
    files = image_files(tmp_path, [BASE, TOP])
    del files[blob(digest(compress(BASE, "gzip")))]
    path = write(tmp_path, "without", files, archive=form != "oci")
    with open_image(form, path) as source:
        assert len(source.image.layers) == 2
        with source.open_layer(0) as stream:
            assert list(stream.chunks()) == []
        assert [problem.code for problem in stream.problems] == ["layer.missing"]
        with source.open_layer(1) as stream:
            stream.drain()
        assert stream.verified


def test_a_missing_layer_of_docker_save_is_a_problem(tmp_path: Path) -> None:
    manifest = [
        {"Config": "c.json", "Layers": ["gone/layer.tar", "loop/layer.tar", "../../etc/passwd"], "RepoTags": None}
    ]
    files: dict[str, bytes | Thing] = {
        "c.json": spec([BASE, TOP, TOP]).config_bytes(),
        "manifest.json": json.dumps(manifest).encode(),
        "loop/layer.tar": symlink("layer.tar"),
    }
    with open_image("docker-archive", write(tmp_path, "docker", files, archive=True)) as source:
        for number in range(3):
            with source.open_layer(number) as stream:
                assert list(stream.chunks()) == []
            assert [problem.code for problem in stream.problems] == ["layer.missing"]


def test_links_between_layers_of_docker_save_are_followed_inside_the_archive(tmp_path: Path) -> None:
    manifest = [{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"], "RepoTags": None}]
    files: dict[str, bytes | Thing] = {
        "c.json": spec([BASE, BASE, BASE]).config_bytes(),
        "manifest.json": json.dumps(manifest).encode(),
        "a/layer.tar": BASE,
        "b/layer.tar": hard_link("a/layer.tar"),
        "c/layer.tar": symlink("../../../b/layer.tar"),
    }
    with open_image("docker-archive", write(tmp_path, "docker", files, archive=True)) as source:
        assert paths(source) == [["etc/os-release", "big"]] * 3


def test_a_missing_or_damaged_configuration_is_a_problem_and_the_layers_are_read(tmp_path: Path) -> None:
    for number, damage in enumerate([None, b"not json", b"[" * 100_000]):
        files = image_files(tmp_path, [BASE])
        config = blob(json.loads(manifest_of(files))["config"]["digest"])
        if damage is None:
            del files[config]
        else:
            files[config] = damage
        with open_image("oci", write(tmp_path, f"without{number}", files, archive=False)) as source:
            assert [problem.code for problem in source.problems] == ["image.configuration-unreadable"]
            with source.open_layer(0) as stream:
                assert b"".join(stream.chunks()) == BASE
            assert (stream.verified, stream.integrity) == (False, [])


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    files = image_files(tmp_path, [BASE])
    digest_of = json.loads(_bytes(files["index.json"]))["manifests"][0]["digest"]
    del files[blob(digest_of)]
    with pytest.raises(NotFound, match="missing"):
        open_image("oci", write(tmp_path, "without", files, archive=False))


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ({"mediaType": DOCKER + "image.rootfs.foreign.diff.tar.gzip", "urls": ["https://x/"]}, "layer.foreign"),
        ({"mediaType": OCI + "layer.nondistributable.v1.tar+gzip"}, "layer.foreign"),
        ({"mediaType": OCI + "layer.v1.tar+gzip+encrypted"}, "layer.unsupported"),
        ({"mediaType": "application/vnd.in-toto+json"}, "layer.unsupported"),
        ({"digest": "sha256:../../../../etc/passwd"}, "layer.bad-digest"),
        ({"digest": "../../etc/passwd"}, "layer.bad-digest"),
        ({"digest": "md5:d41d8cd98f00b204e9800998ecf8427e"}, "layer.bad-digest"),
    ],
)
def test_layers_that_cannot_be_read_here_are_problems(tmp_path: Path, member: dict[str, Any], code: str) -> None:
    layers = [{"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest(b"elsewhere"), "size": 9} | member]
    with (
        open_image("oci", image(tmp_path, [BASE], manifest={"layers": layers})) as source,
        source.open_layer(0) as stream,
    ):
        assert list(stream.chunks()) == []
    assert [problem.code for problem in stream.problems] == [code]


def test_a_blob_that_is_a_symlink_a_fifo_or_a_directory_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(BASE)
    instead: list[Callable[[Path], None]] = [lambda at: at.symlink_to(tmp_path / "secret"), os.mkfifo, Path.mkdir]
    for number, make in enumerate(instead):
        path = image(tmp_path, [BASE], name=f"image{number}")
        stored = path / blob(digest(compress(BASE, "gzip")))
        stored.unlink()
        make(stored)
        with open_image("oci", path) as source, source.open_layer(0) as stream:
            assert list(stream.chunks()) == []
        assert [problem.code for problem in stream.problems] == ["layer.unreadable"]


def test_a_blobs_folder_that_is_a_symlink_is_not_followed(tmp_path: Path) -> None:
    path = image(tmp_path, [BASE])
    shutil.move(path / "blobs", tmp_path / "elsewhere")
    (path / "blobs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError):
        open_image("oci", path)


def test_history_that_tells_of_another_number_of_layers_is_a_note(tmp_path: Path) -> None:
    with open_image("oci", image(tmp_path, [BASE, TOP], history=["ADD", "RUN", "#ENV", "COPY"])) as source:
        assert [each.created_by for each in source.image.layers] == ["ADD", "RUN"]
    assert [(one.code, one.gravity) for one in source.problems] == [("image.history-mismatch", Gravity.NOTE)]
    with open_image("oci", image(tmp_path, [BASE, TOP], history=[], name="none")) as source:
        assert ([each.created_by for each in source.image.layers], source.problems) == (["", ""], [])


def test_diff_ids_that_are_too_few_or_no_digests_are_problems(tmp_path: Path) -> None:
    rootfs = {"type": "layers", "diff_ids": ["sha256:short"]}
    with open_image("oci", image(tmp_path, [BASE, TOP], config={"rootfs": rootfs})) as source:
        assert [problem.code for problem in source.problems] == ["image.layer-count", "image.bad-digest"]
        assert [each.diff_id for each in source.image.layers] == ["", ""]


def test_10_000_layers_are_cut_at_the_budget_and_told(tmp_path: Path) -> None:
    members = [{"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest(compress(BASE, "gzip")), "size": 1}] * 10_000
    rootfs = {"type": "layers", "diff_ids": [digest(BASE)] * 10_000}
    path = image(tmp_path, [BASE], manifest={"layers": members}, config={"rootfs": rootfs, "history": []})
    with open_image("oci", path) as source:
        assert len(source.image.layers) == 1000
    assert [problem.code for problem in source.problems] == ["image.too-many-layers"]


def test_a_document_larger_than_its_budget_is_refused(tmp_path: Path) -> None:
    path = image(tmp_path, [BASE])
    (path / "index.json").write_bytes(b" " * (9 << 20))
    with pytest.raises(LimitError):
        open_image("oci", path)


def test_an_archive_that_is_cut_keeps_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = image(tmp_path, [BASE, TOP], form="docker-archive-old", compression="none")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"manifest.json") - 100])
    with pytest.raises(InputError, match="no container image"):
        open_image("docker-archive", path)
    manifest_first = write(tmp_path, "first", dict(reversed(archive_files([BASE, TOP]).items())), archive=True)
    whole = manifest_first.read_bytes()
    manifest_first.write_bytes(whole[: len(whole) - 320_000])
    with open_image("docker-archive", manifest_first) as source:
        assert "archive.truncated" in [problem.code for problem in source.problems]


def test_an_outer_bomb_ends_at_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    header = layer({"blobs/big": b""})[:512]
    path.write_bytes(compress(header + bytes(40 << 20), "gzip"))
    assert detect(path) == ""
    budget = ImageBudget(inflated_bytes=1 << 20, ratio=1, image_factor=2)
    lying = bytearray(header)
    lying[124:136] = b"%011o\0" % (1 << 32)
    lying[148:156] = b" " * 8
    lying[148:156] = b"%06o\0 " % sum(lying)
    path.write_bytes(compress(bytes(lying) + bytes(40 << 20), "gzip"))
    with pytest.raises(LimitError):
        open_image("oci-archive", path, budget=budget)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(list(FORMS)),
    st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 3000),
)
def test_mutated_images_open_or_say_why_not(
    tmp_path: Path, form: str, changes: list[tuple[int, int]], cut: int
) -> None:
    small = [layer({"a": "x"}), layer({"b": "y"})]
    if form == "oci":
        files = dict(image_files(tmp_path, small))
        for at, value in changes:
            name = sorted(files)[at % len(files)]
            data = bytearray(_bytes(files[name]))
            if data:
                data[at % len(data)] = value
            files[name] = bytes(data)
        path = write(tmp_path, "mutated", files, archive=False)
    else:
        path = image(tmp_path, small, form=form, compression="none")
        archive = bytearray(path.read_bytes())
        for at, value in changes:
            archive[at % len(archive)] = value
        path.write_bytes(archive[: len(archive) - cut])
    detect(path)
    with contextlib.suppress(HoldfastError), open_image(FORMS[form], path) as source:
        for number in range(len(source.image.layers)):
            with source.open_layer(number) as stream:
                for one in TarTree(stream.chunks()).walk():
                    b"".join(one.chunks())
                stream.drain()
                assert msgspec.json.encode((stream.problems, stream.integrity))
        assert msgspec.json.encode((source.image, source.problems, source.integrity))


def image_files(where: Path, layers: list[bytes]) -> dict[str, bytes | Thing]:
    """The files of an OCI layout, to be damaged and written again."""
    path = image(where, layers, name="whole")
    files: dict[str, bytes | Thing] = {
        str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()
    }
    shutil.rmtree(path)
    return files


def archive_files(layers: list[bytes]) -> dict[str, bytes | Thing]:
    files: dict[str, bytes | Thing] = {f"{number}/layer.tar": data for number, data in enumerate(layers)}
    files["c.json"] = spec(layers).config_bytes()
    files["manifest.json"] = json.dumps(
        [{"Config": "c.json", "Layers": [f"{n}/layer.tar" for n in range(len(layers))]}]
    ).encode()
    return files


def manifest_of(files: dict[str, bytes | Thing]) -> bytes:
    return _bytes(files[blob(json.loads(_bytes(files["index.json"]))["manifests"][0]["digest"])])


def _bytes(content: bytes | Thing) -> bytes:
    assert isinstance(content, bytes)
    return content


def test_images_of_several_platforms_under_one_name_are_one_image(tmp_path: Path) -> None:
    path = index(tmp_path, [spec([layer({"a": "b"})], platform=f"linux/{one}") for one in ("amd64", "arm64")])
    for asked in ("linux/amd64", "linux/arm64"):
        with open_image("oci", path, platform=Platform.parse(asked)) as source:
            assert str(source.image.platform) == asked
