"""The layout that the demo writes is one that the scanner, and umoci, take for an image."""

import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.oci.open import open_image
from holdfast.range.layout import LayoutWriter
from world import layer


@pytest.fixture
def written(tmp_path: Path) -> Path:
    writer = LayoutWriter(tmp_path / "image", "amd64")
    writer.add_layer(iter([layer({"etc/os-release": "ID=debian\n"})]), "ADD rootfs")
    writer.add_history('CMD ["bash"]')
    data = layer({"srv/app": "x" * 3_000_000})
    writer.add_layer((data[at : at + 1000] for at in range(0, len(data), 1000)), "COPY app")
    writer.finish("latest", {"Cmd": ["true"], "Labels": {"title": "test"}})
    return tmp_path / "image"


def test_every_digest_in_it_is_true(written: Path) -> None:
    with open_image("oci", written) as source:
        assert [item.created_by for item in source.image.history] == ["ADD rootfs", 'CMD ["bash"]', "COPY app"]
        for index in range(2):
            stream = source.open_layer(index)
            stream.drain()
            assert stream.verified
        assert source.integrity == []
        assert source.problems == []


@pytest.mark.root
@pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")
def test_another_tool_unpacks_it(written: Path, tmp_path: Path) -> None:
    command = ["umoci", "raw", "unpack", "--rootless", "--image", f"{written}:latest", str(tmp_path / "root")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "root/srv/app").stat().st_size == 3_000_000
