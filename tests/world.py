"""Builders of the worlds that tests speak of: layers and images as they really lie on disk.

    path = image(
        tmp_path,
        layers=[
            layer({"etc/os-release": "ID=debian\n", "usr/bin/su": file(b"", mode=0o4755), "lib": symlink("usr/lib")}),
            layer({"etc/os-release": whiteout(), "srv": opaque(), "srv/app.py": "print()"}),
        ],
        compression="gzip",                      # or "zstd", "none", or one of them for each layer
        history=["ADD rootfs /", "#ENV A=b", "COPY app.py /srv"],   # a leading # : this line made no layer
        labels={"org.opencontainers.image.base.name": "debian:12"},
        platform="linux/amd64",
    )   # an OCI layout; or form= "oci-archive" | "docker-archive" | "docker-archive-old"
    index(tmp_path, [spec([layer({...})]), spec([...], platform="linux/arm64")], nested=True, attestation=True)

A layer is just the bytes of a tar, so that a broken one is `layer({...})[:700]` or `b"garbage"`.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."


@dataclass(frozen=True)
class Thing:
    """What stands at a path of a layer: `type` as tarfile names it, or `whiteout` and `opaque`."""

    type: bytes | str
    content: bytes = b""
    link: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    device: tuple[int, int] = (0, 0)
    pax: Mapping[str, str] = field(default_factory=dict)


def file(
    content: str | bytes = b"", mode: int = 0o644, uid: int = 0, gid: int = 0, pax: Mapping[str, str] = {}
) -> Thing:
    return Thing(tarfile.REGTYPE, _bytes(content), mode=mode, uid=uid, gid=gid, pax=pax)


def directory(mode: int = 0o755, uid: int = 0, gid: int = 0) -> Thing:
    return Thing(tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid)


def symlink(target: str) -> Thing:
    return Thing(tarfile.SYMTYPE, link=target, mode=0o777)


def hard_link(target: str) -> Thing:
    """Another name of `target`, a path in the same layer as tar writes it (relative to the root, no leading slash)."""
    return Thing(tarfile.LNKTYPE, link=target)


def device(major: int = 1, minor: int = 3, *, block: bool = False) -> Thing:
    return Thing(tarfile.BLKTYPE if block else tarfile.CHRTYPE, device=(major, minor))


def fifo() -> Thing:
    return Thing(tarfile.FIFOTYPE)


def whiteout() -> Thing:
    """The path is deleted: written as `.wh.<name>` beside it."""
    return Thing("whiteout")


def opaque() -> Thing:
    """The directory hides what lower layers have in it: written as `.wh..wh..opq` inside, after the directory."""
    return Thing("opaque")


def layer(
    files: Mapping[str, Thing | str | bytes] | Sequence[tuple[str, Thing | str | bytes]],
    *,
    format: int = tarfile.PAX_FORMAT,
    parents: bool = False,
) -> bytes:
    """The uncompressed tar of a layer. `parents` writes the directories above each entry too, as real layers have."""
    buffer = io.BytesIO()
    seen: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=format, errors="surrogateescape") as archive:
        for path, thing in files.items() if isinstance(files, Mapping) else files:
            if parents:
                parts = path.split("/")[:-1]
                for above in ("/".join(parts[: i + 1]) for i in range(len(parts))):
                    if above not in seen:
                        seen.add(above)
                        _add(archive, above, directory())
            seen.add(path)
            _add(archive, path, thing if isinstance(thing, Thing) else file(thing))
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, path: str, thing: Thing) -> None:
    parent, slash, name = path.rpartition("/")
    if thing.type == "whiteout":
        return _add(archive, f"{parent}{slash}.wh.{name}", file())
    if thing.type == "opaque":
        _add(archive, path, directory())
        return _add(archive, f"{path}/.wh..wh..opq", file())
    info = tarfile.TarInfo(path)
    assert isinstance(thing.type, bytes)
    info.type, info.mode, info.uid, info.gid = thing.type, thing.mode, thing.uid, thing.gid
    info.linkname, info.size, info.pax_headers = thing.link, len(thing.content), dict(thing.pax)
    info.devmajor, info.devminor = thing.device
    archive.addfile(info, io.BytesIO(thing.content))
    return None


@dataclass(frozen=True)
class Spec:
    """One image for one platform, before it is written anywhere. See `spec` and `image` for the fields."""

    layers: Sequence[bytes]
    compression: Sequence[str]
    history: Sequence[str] | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    platform: str
    tags: Sequence[str]
    user: str
    created: str
    docker: bool
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]

    def diff_ids(self) -> list[str]:
        return [digest(data) for data in self.layers]

    def config_bytes(self) -> bytes:
        os, architecture, variant = (*self.platform.split("/"), "")[:3]
        lines = [f"layer {number}" for number in range(len(self.layers))] if self.history is None else self.history
        history: list[dict[str, Any]] = [
            {"created_by": line[1:], "empty_layer": True} if line.startswith("#") else {"created_by": line}
            for line in lines
        ]
        document = {
            "created": self.created,
            "architecture": architecture,
            "os": os,
            **({"variant": variant} if variant else {}),
            "config": {"Labels": dict(self.labels), **({"User": self.user} if self.user else {})},
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids()},
            "history": history,
        }
        return json.dumps(document | dict(self.config)).encode()


def spec(
    layers: Sequence[bytes] = (),
    *,
    compression: str | Sequence[str] = "gzip",
    history: Sequence[str] | None = None,
    labels: Mapping[str, str] = {},
    annotations: Mapping[str, str] = {},
    platform: str = "linux/amd64",
    tag: str | Sequence[str] = "latest",
    user: str = "",
    created: str = "2026-01-02T03:04:05Z",
    docker: bool = False,
    config: Mapping[str, Any] = {},
    manifest: Mapping[str, Any] = {},
) -> Spec:
    """One image of an `index`. `config` and `manifest` overwrite top-level members of those documents."""
    each = [compression] * len(layers) if isinstance(compression, str) else compression
    tags = [tag] if isinstance(tag, str) else tag
    return Spec(
        layers, each, history, labels, annotations, platform, tags, user, created, docker, config, manifest
    )  # fmt: skip


def image(
    where: Path,
    layers: Sequence[bytes] = (),
    *,
    form: str = "oci",
    name: str = "image",
    outer: str = "none",
    **fields: Any,
) -> Path:
    """One image, written as `where/name`, in one of four forms; `outer` compresses the archive itself.

    The forms are `oci` (a directory), `oci-archive`, `docker-archive` (Docker 25 and later: OCI blobs with a
    manifest.json) and `docker-archive-old`. Other fields are those of `spec`.
    """
    return index(where, [spec(layers, **fields)], form=form, name=name, outer=outer)


def index(
    where: Path,
    images: Sequence[Spec],
    *,
    form: str = "oci",
    name: str = "image",
    outer: str = "none",
    attestation: bool = False,
    nested: bool = False,
) -> Path:
    """Several images in one place.

    `nested` puts them behind one index under the first one's tag, as a multi-platform image is stored; otherwise each
    stands in index.json with its own tag. `attestation` adds a BuildKit attestation manifest to each of them.
    """
    if form == "docker-archive-old":
        return write(where, name, docker_files(images), archive=True, outer=outer)
    files: dict[str, bytes | Thing] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    descriptors: list[dict[str, Any]] = []
    legacy: list[dict[str, Any]] = []
    for one in images:
        descriptor, entry = _manifest(files, one)
        descriptors.append(descriptor)
        legacy.append(entry)
        if attestation:
            descriptors.append(_attestation(files, descriptor["digest"]))
    if nested:
        inner = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": descriptors}
        top = put(files, json.dumps(inner).encode(), OCI + "index.v1+json")
        descriptors = [top | {"annotations": _names(images[0].tags[0])}] if images[0].tags else [top]
    else:
        pairs = [(d, one) for d, one in zip([d for d in descriptors if "annotations" not in d], images, strict=True)]
        for descriptor, one in pairs:
            if one.tags:
                descriptor["annotations"] = _names(one.tags[0])
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": descriptors}).encode()
    if form == "docker-archive":
        files["manifest.json"] = json.dumps(legacy).encode()
    return write(where, name, files, archive=form != "oci", outer=outer)


def _names(tag: str) -> dict[str, str]:
    return {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": f"docker.io/library/app:{tag}"}


def _manifest(files: dict[str, bytes | Thing], one: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    manifest_type = DOCKER + "distribution.manifest.v2+json" if one.docker else OCI + "manifest.v1+json"
    layers = [
        put(files, compress(data, how), _layer_type(how, one.docker))
        for data, how in zip(one.layers, one.compression, strict=True)
    ]
    config = put(
        files, one.config_bytes(), DOCKER + "container.image.v1+json" if one.docker else OCI + "config.v1+json"
    )
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": layers}
    if one.annotations:
        document["annotations"] = dict(one.annotations)
    descriptor = put(files, json.dumps(document | dict(one.manifest)).encode(), manifest_type)
    os, architecture, variant = (*one.platform.split("/"), "")[:3]
    descriptor["platform"] = {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}
    legacy = {
        "Config": blob(config["digest"]),
        "RepoTags": [f"app:{tag}" for tag in one.tags] or None,
        "Layers": [blob(item["digest"]) for item in layers],
    }
    return descriptor, legacy


def _layer_type(compression: str, docker: bool) -> str:
    if docker:
        return DOCKER + "image.rootfs.diff.tar" + {"gzip": ".gzip", "zstd": ".zstd"}.get(compression, "")
    return OCI + "layer.v1.tar" + {"gzip": "+gzip", "zstd": "+zstd"}.get(compression, "")


def _attestation(files: dict[str, bytes | Thing], subject: str) -> dict[str, Any]:
    config = put(files, b"{}", OCI + "config.v1+json")
    statement = put(files, b'{"_type": "https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json")
    document = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [statement]}
    return put(files, json.dumps(document).encode(), OCI + "manifest.v1+json") | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": subject,
        },
    }


def docker_files(images: Sequence[Spec]) -> dict[str, bytes | Thing]:
    """What `docker save` wrote before Docker 25: a folder a layer, a repeated layer as a symlink to the first."""
    files: dict[str, bytes | Thing] = {}
    manifest: list[dict[str, Any]] = []
    repositories: dict[str, dict[str, str]] = {"app": {}}
    for one in images:
        config = one.config_bytes()
        config_name = hashlib.sha256(config).hexdigest() + ".json"
        files[config_name] = config
        paths: list[str] = []
        for number, (data, how) in enumerate(zip(one.layers, one.compression, strict=True)):
            identity = hashlib.sha256(f"{number}{config_name}".encode()).hexdigest()
            first = next((path for path, content in files.items() if content == data and path.endswith(".tar")), "")
            files[f"{identity}/VERSION"] = b"1.0"
            files[f"{identity}/json"] = json.dumps({"id": identity}).encode()
            files[f"{identity}/layer.tar"] = symlink(f"../{first}") if first else compress(data, how)
            paths.append(f"{identity}/layer.tar")
            repositories["app"] |= dict.fromkeys(one.tags, identity)
        tags = [f"app:{tag}" for tag in one.tags]
        manifest.append({"Config": config_name, "RepoTags": tags or None, "Layers": paths})
    return files | {
        "manifest.json": json.dumps(manifest).encode(),
        "repositories": json.dumps(repositories).encode(),
    }


def put(files: dict[str, bytes | Thing], data: bytes, media_type: str) -> dict[str, Any]:
    """Store a blob in `files` (a layout by path) and return its descriptor."""
    files[blob(digest(data))] = data
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def write(where: Path, name: str, files: Mapping[str, bytes | Thing], *, archive: bool, outer: str = "none") -> Path:
    """Write a layout by path as a directory, or as one tar compressed as `outer` says."""
    path = where / name
    if archive:
        path.write_bytes(compress(layer(files), outer))
        return path
    for relative, content in files.items():
        target = path / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(content, bytes)
        target.write_bytes(content)
    return path


def blob(of: str) -> str:
    """Where a layout keeps the blob with this digest, as a relative path."""
    return "blobs/" + of.replace(":", "/")


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compress(data: bytes, how: str) -> bytes:
    """`data` as `gzip`, `zstd` or `none`; the same input gives the same bytes."""
    if how == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if how == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(data)
    assert how == "none", how
    return data


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
