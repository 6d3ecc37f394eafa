"""Hostile and damaged input: a clear problem, exit 3 or 4, no traceback, bounded time and memory, nothing written."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from end_to_end.command import Holdfast
from world import OCI, Thing, device, fifo, file, hard_link, image, layer, symlink, write

STATUS = (
    "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\nMaintainer: D <d@debian.org>\n"
)
GOOD: dict[str, Thing | str | bytes] = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "var/lib/dpkg/status": STATUS,
}  # fmt: skip
MEMORY = 400  # mebibytes, the bar for images of any size


def scan(holdfast: Holdfast, path: Path) -> Any:
    outcome = holdfast("scan", f"oci:{path}", "--only", "packages", "-f", "json", "-q")
    assert outcome.memory < MEMORY
    return outcome


def layout(where: Path, layers: list[tuple[bytes, bytes, str]], diff_ids: list[str] | None = None) -> Path:
    """An OCI layout of layers given as (stored blob, uncompressed or empty, media type)."""
    files: dict[str, bytes | Thing] = {}

    def put(data: bytes, media: str) -> dict[str, Any]:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        files["blobs/" + digest.replace(":", "/")] = data
        return {"mediaType": media, "digest": digest, "size": len(data)}

    descriptors = [put(blob, media) for blob, _, media in layers]
    ids = diff_ids or ["sha256:" + hashlib.sha256(plain).hexdigest() for _, plain, _ in layers]
    config = put(
        json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ids}}).encode(),
        OCI + "config.v1+json",
    )
    manifest = put(
        json.dumps({"schemaVersion": 2, "config": config, "layers": descriptors}).encode(), OCI + "manifest.v1+json"
    )
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()
    return write(where, "image", files, archive=False)


def first_layer_kept(report: Mapping[str, Any]) -> bool:
    return [package["name"] for package in report["packages"]] == ["bash"]


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[: len(data) // 2], lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], lambda _: b"",
     lambda _: b"garbage" * 1000],
    ids=["truncated", "bit flipped", "empty", "garbage"],
)  # fmt: skip
def test_a_damaged_layer_is_said_and_the_others_are_read(
    tmp_path: Path, holdfast: Holdfast, damage: Callable[[bytes], bytes]
) -> None:
    plain = layer({f"srv/{number}": bytes(100) for number in range(50)})
    good, bad = gzip.compress(layer(GOOD), mtime=0), damage(gzip.compress(plain, mtime=0))
    path = layout(tmp_path, [(good, layer(GOOD), OCI + "layer.v1.tar+gzip"), (bad, plain, OCI + "layer.v1.tar+gzip")])
    outcome = scan(holdfast, path)
    assert outcome.code == 3
    assert outcome.report["status"] == "partial"
    assert first_layer_kept(outcome.report)


def test_a_bomb_of_zeros_ends_early(tmp_path: Path, holdfast: Holdfast) -> None:
    member = gzip.compress(bytes(1 << 28), mtime=0)  # 256 MiB of zeros, 400 of them make 100 GiB
    path = layout(
        tmp_path,
        [(gzip.compress(layer(GOOD), mtime=0), layer(GOOD), OCI + "layer.v1.tar+gzip"),
         (member * 400, b"", OCI + "layer.v1.tar+gzip")],
    )  # fmt: skip
    outcome = scan(holdfast, path)
    assert outcome.code == 3
    assert first_layer_kept(outcome.report)


def test_a_bomb_inside_one_file_ends_early(tmp_path: Path, holdfast: Holdfast) -> None:
    info = tarfile.TarInfo("var/lib/dpkg/status")
    info.size = 100 << 30
    member = gzip.compress(bytes(1 << 28), mtime=0)
    blob = gzip.compress(info.tobuf(), mtime=0) + member * 400
    outcome = scan(holdfast, layout(tmp_path, [(blob, b"", OCI + "layer.v1.tar+gzip")]))
    assert outcome.code == 3


@pytest.mark.slow
def test_a_million_empty_entries(tmp_path: Path, holdfast: Holdfast) -> None:
    plain = b"".join(tarfile.TarInfo(f"d/{number % 997}").tobuf(tarfile.USTAR_FORMAT) for number in range(1000)) * 1000
    blob = gzip.compress(plain, 1, mtime=0)
    outcome = scan(holdfast, layout(tmp_path, [(blob, plain, OCI + "layer.v1.tar+gzip")]))
    assert outcome.code in (0, 3)


def test_ten_thousand_layers(tmp_path: Path, holdfast: Holdfast) -> None:
    blob = layer({"a": "b"})
    path = layout(tmp_path, [(blob, blob, OCI + "layer.v1.tar")] * 10_000)
    outcome = holdfast("scan", f"oci:{path}", "--only", "packages", "-q")
    assert outcome.code in (3, 4)


@pytest.mark.parametrize(
    "files",
    [
        {"../../../../tmp/outside": "x"},
        {"/etc/passwd": "x"},
        {"a\udcffb": "x", "c\udc80/package.json": "{}"},
        {"d/" * 4_900 + "f": "x"},
        {"a": symlink("b"), "b": symlink("a"), "etc/os-release": symlink("../a")},
        {"a": hard_link("a"), "b": hard_link("nowhere")},
        {"dev/sda": device(8, 0, block=True), "dev/null": device(), "pipe": fifo()},
        {"var/lib/dpkg/status/x": "x"},
        {"a" * 300: "x"},
        {"etc/os-release": bytes(3_000_000), "usr/lib/os-release": "\x1b]0;owned\x07=\nID=\x1b[31m\n"},
        {"node_modules/x/package.json": "[" * 100_000, "go.mod": b"\xff\xfe" * 1000, "poetry.lock": "a=[" * 5000},
        {"node_modules/x/package.json": '{"name": "x\\u001b[31m", "version": "1' + "0" * 5000 + '"}'},
    ],
    ids=["dot-dot", "absolute", "not UTF-8", "long path", "link loop", "hard links", "devices", "folder for a file",
         "long name", "bad os-release", "nested documents", "hostile package"],
)  # fmt: skip
def test_odd_entries_do_no_harm(tmp_path: Path, holdfast: Holdfast, files: dict[str, Thing | str | bytes]) -> None:
    outcome = scan(holdfast, image(tmp_path, [layer(GOOD), layer(files)]))
    assert outcome.code in (0, 3)
    assert outcome.report["layers"]
    assert not Path("/tmp/outside").exists()
    table = holdfast("scan", f"oci:{tmp_path / 'image'}", "--only", "packages", "-q")
    assert "\x1b" not in table.out


def test_a_name_with_a_nul_byte(tmp_path: Path, holdfast: Holdfast) -> None:
    plain = bytearray(layer({"etc/abc": "x", **GOOD}))
    plain[4:5] = b"\0"
    outcome = scan(holdfast, layout(tmp_path, [(bytes(plain), bytes(plain), OCI + "layer.v1.tar")]))
    assert outcome.code in (0, 3)


@pytest.mark.parametrize(
    "size", [b"77777777777\0", b"-0000000001\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"zzzzzzzzzzz\0"]
)
def test_a_lying_size(tmp_path: Path, holdfast: Holdfast, size: bytes) -> None:
    plain = bytearray(layer({"srv/x": "x"}))
    plain[124:136] = size
    plain[148:156] = b" " * 8
    plain[148:156] = b"%06o\0 " % sum(plain[:512])
    blob = bytes(plain)
    outcome = scan(
        holdfast,
        layout(tmp_path, [(layer(GOOD), layer(GOOD), OCI + "layer.v1.tar"), (blob, blob, OCI + "layer.v1.tar")]),
    )
    assert outcome.code == 3
    assert first_layer_kept(outcome.report)


def test_a_blob_that_is_not_there(tmp_path: Path, holdfast: Holdfast) -> None:
    path = image(tmp_path, [layer(GOOD), layer({"srv/x": "y" * 5000})], compression="none")
    max((path / "blobs/sha256").iterdir(), key=lambda one: b"yyyy" in one.read_bytes()).unlink()
    outcome = scan(holdfast, path)
    assert outcome.code == 3
    assert first_layer_kept(outcome.report)


def test_a_corrupt_dpkg_status_keeps_what_can_be_read(tmp_path: Path, holdfast: Holdfast) -> None:
    status = STATUS + "\nPackage\0: half\xff\n\nVersion: 1\n\n" + STATUS.replace("bash", "zsh")
    outcome = scan(holdfast, image(tmp_path, [layer({**GOOD, "var/lib/dpkg/status": status})]))
    assert outcome.code == 3
    assert {package["name"] for package in outcome.report["packages"]} == {"bash", "zsh"}


@pytest.mark.parametrize("document", ["index.json", "manifest", "config"])
@pytest.mark.parametrize("content", [b"[" * 100_000, b"{}", b"null", b'{"schemaVersion": 1e999}', b"\xff\xfe", b""])
def test_foreign_documents_of_an_image(tmp_path: Path, holdfast: Holdfast, document: str, content: bytes) -> None:
    path = image(tmp_path, [layer(GOOD)])
    index = json.loads((path / "index.json").read_bytes())
    manifest = path / "blobs" / index["manifests"][0]["digest"].replace(":", "/")
    config = path / "blobs" / json.loads(manifest.read_bytes())["config"]["digest"].replace(":", "/")
    {"index.json": path / "index.json", "manifest": manifest, "config": config}[document].write_bytes(content)
    outcome = holdfast("scan", f"oci:{path}", "--only", "packages", "-q")
    assert outcome.code in (3, 4)
    assert outcome.err or outcome.out


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b'{"bomFormat": "CycloneDX"', b'{"bomFormat": "SPDX"}', b"{" + b'"a":{' * 100_000],
)
def test_a_bill_of_materials_that_is_none(tmp_path: Path, holdfast: Holdfast, content: bytes) -> None:
    (tmp_path / "bom.json").write_bytes(content)
    outcome = holdfast("scan", f"sbom:{tmp_path / 'bom.json'}", "-q", "--offline")
    assert outcome.code == 4
    assert outcome.err.startswith("holdfast: ")


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive", "docker-archive-old"])
def test_a_cut_archive(tmp_path: Path, holdfast: Holdfast, form: str) -> None:
    path = image(tmp_path, [layer(GOOD), layer({"srv/x": bytes(100_000)})], form=form, compression="none")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcome = holdfast("scan", f"{form.removesuffix('-old')}:{path}", "--only", "packages", "-q")
    assert outcome.code in (3, 4)
    assert outcome.err or outcome.out


def test_nothing_is_written_outside_cache_and_data(tmp_path: Path, holdfast: Holdfast) -> None:
    before = set(holdfast.home.rglob("*"))
    path = image(tmp_path, [layer(GOOD), layer({"../../escape": "x", "/abs": "y"})])
    scan(holdfast, path)
    written = {one.relative_to(holdfast.home).parts[0] for one in holdfast.home.rglob("*") if one not in before}
    assert written <= {"cache", "data", "out", "err"}


def test_a_target_that_is_no_image(tmp_path: Path, holdfast: Holdfast) -> None:
    (tmp_path / "text").write_bytes(io.BytesIO(b"plain text").getvalue())
    for target in (tmp_path / "text", tmp_path / "nowhere", "oci:", f"docker-archive:{tmp_path / 'text'}"):
        outcome = holdfast("scan", target, "-q", "--offline")
        assert outcome.code == 4
        assert outcome.err.startswith("holdfast: ")
    assert file().content == b""
