"""Images to measure on: the demo's shop, and big ones made of nothing in particular."""

import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

from holdfast.range.layout import LayoutWriter

_BLOCK = 64 << 10


def big(folder: Path, gibibytes: float, *, layers: int = 4, file_size: int = 256 << 10) -> Path:
    """An OCI layout whose layers inflate to about that many GiB in all, as compressible as real files (about 3 : 1).

    The files are a Debian-like tree of names with a dpkg database; the content is drawn from a seeded pool.
    """
    if not (folder / "index.json").exists():
        writer = LayoutWriter(folder, "amd64")
        for number in range(layers):
            writer.add_layer(_tar(int(gibibytes * (1 << 30) / layers), file_size, number), f"RUN step {number}")
        writer.finish("latest", {})
    return folder


def _tar(size: int, file_size: int, number: int) -> Iterator[bytes]:
    generator = random.Random(number)
    # A third noise and two thirds repetition compress about as real binaries do.
    pool = [generator.randbytes(_BLOCK // 3) + bytes([index]) * (_BLOCK - _BLOCK // 3) for index in range(64)]
    if number == 0:
        yield _entry("etc/os-release", b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
        yield _entry("var/lib/dpkg/status", _status())
    for index in range(size // file_size):
        blocks = [generator.choice(pool) for _ in range(file_size // _BLOCK)]
        yield _header(f"usr/share/layer{number}/{index // 200}/file-{index}.bin", file_size)
        yield from blocks
    yield bytes(1024)


def _status() -> bytes:
    paragraph = (
        "Package: library{0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.{0}-1\n"
        "Maintainer: Debian <debian@example.org>\nDescription: a library\n"
    )
    return "\n".join(paragraph.format(index) for index in range(400)).encode()


def _entry(path: str, content: bytes) -> bytes:
    return _header(path, len(content)) + content + bytes(-len(content) % 512)


def _header(path: str, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)
