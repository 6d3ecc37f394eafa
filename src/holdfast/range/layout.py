"""Writing an image as an OCI layout, layer by layer, without ever holding one in memory."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from isal import isal_zlib

_MEDIA = "application/vnd.oci.image."


class LayoutWriter:
    """An OCI image layout (image-spec, image-layout.md) for one linux image."""

    def __init__(self, folder: Path, architecture: str) -> None:
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._architecture = architecture
        self._layers: list[dict[str, object]] = []
        self._diff_ids: list[str] = []
        self._history: list[dict[str, object]] = []

    def add_layer(self, tar: Iterable[bytes], created_by: str) -> None:
        """Compress a tar stream into the next layer."""
        inner, outer, size = hashlib.sha256(), hashlib.sha256(), 0
        compressor = isal_zlib.compressobj(2, zlib.DEFLATED, 31)
        part = self._blobs / ".part"
        with part.open("wb") as stream:
            for chunk in tar:
                inner.update(chunk)
                data = compressor.compress(chunk)
                outer.update(data)
                size += stream.write(data)
            data = compressor.flush()
            outer.update(data)
            size += stream.write(data)
        part.replace(self._blobs / outer.hexdigest())
        self._layers.append(_descriptor("layer.v1.tar+gzip", outer.hexdigest(), size))
        self._diff_ids.append(f"sha256:{inner.hexdigest()}")
        self._history.append({"created_by": created_by})

    def add_history(self, created_by: str) -> None:
        """A line that makes no layer: CMD, ENV, LABEL."""
        self._history.append({"created_by": created_by, "empty_layer": True})

    def finish(self, tag: str, run: Mapping[str, object]) -> None:
        """Write configuration, manifest and index. `run` is how containers run (config.md, `config`)."""
        config = self._put({
            "architecture": self._architecture, "os": "linux",
            "config": dict(run),
            "rootfs": {"type": "layers", "diff_ids": self._diff_ids}, "history": self._history,
        }, "config.v1+json")  # fmt: skip
        manifest = self._put({
            "schemaVersion": 2, "mediaType": f"{_MEDIA}manifest.v1+json", "config": config, "layers": self._layers,
        }, "manifest.v1+json")  # fmt: skip
        manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
        manifest["platform"] = {"architecture": self._architecture, "os": "linux"}
        (self._folder / "oci-layout").write_bytes(b'{"imageLayoutVersion": "1.0.0"}')
        (self._folder / "index.json").write_bytes(msgspec.json.encode({"schemaVersion": 2, "manifests": [manifest]}))

    def _put(self, document: object, media: str) -> dict[str, object]:
        data = msgspec.json.encode(document)
        digest = hashlib.sha256(data).hexdigest()
        (self._blobs / digest).write_bytes(data)
        return _descriptor(media, digest, len(data))


def _descriptor(media: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": _MEDIA + media, "digest": f"sha256:{digest}", "size": size}
