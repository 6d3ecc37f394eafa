"""Two hundred images that share five bases, as one OCI layout: real Debian packages below, small applications above."""

import gzip
import hashlib
import io
import json
import random
import subprocess
import tarfile
from pathlib import Path

BASES = {"python": "python3-minimal", "perl": "perl", "curl": "curl", "git": "git", "nginx": "nginx-light"}
_MEDIA = "application/vnd.oci.image."


def build(folder: Path, count: int, mirror: str, suite: str) -> list[str]:
    """The names of the images in the layout; bases are set up with mmdebstrap from a mirror, as root."""
    names = [f"app-{number:03}" for number in range(count)]
    if (folder / "index.json").exists():
        return names
    (folder / "blobs" / "sha256").mkdir(parents=True)
    bases = [_base(folder, extra, mirror, suite) for extra in BASES.values()]
    manifests = []
    for number, name in enumerate(names):
        layers = [bases[number % len(bases)], _layer(folder, _application(number))]
        manifests.append(_image(folder, name, layers))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
    return names


def unique_bytes(folder: Path) -> int:
    """All blobs of the layout, each once."""
    return sum(path.stat().st_size for path in (folder / "blobs" / "sha256").iterdir())


def _base(folder: Path, package: str, mirror: str, suite: str) -> tuple[str, str, int]:
    tar = folder / "base.tar"
    options = ["--variant=minbase", f"--include={package}", "--quiet"]
    subprocess.run(["mmdebstrap", *options, suite, str(tar), mirror], check=True)
    layer = _layer(folder, tar.read_bytes())
    tar.unlink()
    return layer


def _application(number: int) -> bytes:
    """A tar of some Python packages by their metadata, and a few hundred kilobytes that no other image has."""
    generator = random.Random(number)
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, version in (("jinja2", "2.10"), ("requests", f"2.{number % 30}.0"), ("flask", "1.0")):
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            _add(archive, f"usr/lib/python3/dist-packages/{name}-{version}.dist-info/METADATA", metadata.encode())
        _add(archive, "srv/app.bin", generator.randbytes(300_000))
    return output.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _layer(folder: Path, tar: bytes) -> tuple[str, str, int]:
    """Digest, diff ID and size of a layer that is now in the layout."""
    data = gzip.compress(tar, 6, mtime=0)
    return _put(folder, data), f"sha256:{hashlib.sha256(tar).hexdigest()}", len(data)


def _image(folder: Path, name: str, layers: list[tuple[str, str, int]]) -> dict[str, object]:
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Labels": {"name": name}},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id, _ in layers]},
    }).encode()  # fmt: skip
    described = [
        {"mediaType": f"{_MEDIA}layer.v1.tar+gzip", "digest": digest, "size": size} for digest, _, size in layers
    ]
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": f"{_MEDIA}manifest.v1+json", "layers": described,
        "config": {"mediaType": f"{_MEDIA}config.v1+json", "digest": _put(folder, config), "size": len(config)},
    }).encode()  # fmt: skip
    return {
        "mediaType": f"{_MEDIA}manifest.v1+json", "digest": _put(folder, manifest), "size": len(manifest),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }  # fmt: skip


def _put(folder: Path, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / "sha256" / digest).write_bytes(data)
    return f"sha256:{digest}"
