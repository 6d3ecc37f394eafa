"""The image that the demo scans: a Debian or Ubuntu base without security updates, and a shop with old libraries."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from holdfast.model.artifact import Platform
from holdfast.model.errors import PrivilegeError, SourceError
from holdfast.range.layout import LayoutWriter
from holdfast.range.planted import PLANTED, history, planted_layers, run_configuration

BASE_PACKAGES = ("ca-certificates", "curl", "libexpat1", "libxml2", "openssl")
PYTHON_PACKAGES = (
    "requests==2.19.1", "urllib3==1.24.1", "jinja2==2.10", "flask==0.12.2", "werkzeug==0.14.1", "django==2.2.3",
    "certifi==2018.4.16", "idna==2.7",
)  # fmt: skip
NODE_PACKAGES = ("lodash@4.17.15", "minimist@1.2.0", "express@4.16.0", "axios@0.21.0", "ws@7.4.0", "node-forge@0.9.0")
_APPLICATION = '''"""A very small shop."""
import flask

app = flask.Flask(__name__)


@app.route("/")
def home():
    return "Welcome to the shop"
'''
_CHUNK = 1 << 20
_TIMEOUT = 170

Say = Callable[[str], None]


def build(folder: Path, mirror: str, suite: str, say: Say) -> tuple[str, ...]:
    """Build the shop's image as an OCI layout in `folder`; returns what had to be left out, in words.

    `mirror` and `suite` name a Debian or Ubuntu archive, as the host's apt sources do. Needs root and mmdebstrap.
    """
    if os.geteuid() != 0:
        raise PrivilegeError("building a base image needs root", remedy="run as root, or: holdfast scan dir:/")
    if shutil.which("mmdebstrap") is None:
        raise SourceError("mmdebstrap is not installed", remedy="apt-get install mmdebstrap")
    shutil.rmtree(folder, ignore_errors=True)
    writer = LayoutWriter(folder, Platform.of_host().architecture)
    left_out = []
    with tempfile.TemporaryDirectory(prefix="holdfast-range-") as scratch:
        say(f"base: {suite} from its archive, without the security suite")
        writer.add_layer(_bootstrap(mirror, suite), "ADD rootfs.tar / # buildkit")
        writer.add_history('CMD ["bash"]')
        libraries = Path(scratch, "libraries")
        say(f"libraries: {len(PYTHON_PACKAGES)} old Python packages from PyPI, {len(NODE_PACKAGES)} from npm")
        _install_python(libraries / "usr/local/lib/python3/dist-packages")
        if not _install_node(libraries / "srv/shop"):
            left_out.append("the npm packages: npm is not installed")
        writer.add_layer(_tar_of(libraries), "RUN pip install -r requirements.txt && npm ci # buildkit")
        application = Path(scratch, "application")
        (application / "srv/shop").mkdir(parents=True)
        (application / "srv/shop/app.py").write_text(_APPLICATION)
        writer.add_layer(_tar_of(application), "COPY app.py /srv/shop/ # buildkit")
        say(f"planted: {len(PLANTED)} harmless examples of what should not be in an image")
        for layer in planted_layers():
            writer.add_layer([layer.tar], layer.created_by)
        for line in history():
            writer.add_history(line)
        writer.finish("latest", run_configuration())
    return tuple(left_out)


def _bootstrap(mirror: str, suite: str) -> Iterator[bytes]:
    command = [
        "mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", f"--include={','.join(BASE_PACKAGES)}",
        suite, "-", f"deb {mirror} {suite} main",
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        while chunk := process.stdout.read(_CHUNK):
            yield chunk
        if process.wait() != 0:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise SourceError(f"mmdebstrap failed: {' '.join(last)}", where=suite)


def _install_python(folder: Path) -> None:
    _run([
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
        "--only-binary=:all:", "--root-user-action=ignore", f"--target={folder}", *PYTHON_PACKAGES,
    ])  # fmt: skip


def _install_node(folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "shop", "version": "1.0.0", "private": true}\n')
    _run([
        npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder),
        *NODE_PACKAGES,
    ])  # fmt: skip
    return True


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"took longer than {_TIMEOUT} seconds", where=Path(command[0]).name) from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise SourceError(f"failed: {' '.join(last)}", where=" ".join(Path(part).name for part in command[:3]))


def _tar_of(root: Path) -> Iterator[bytes]:
    """A folder as a tar with stable order, owner and times, file by file."""
    sink = _Sink()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            info = archive.gettarinfo(path, arcname=str(path.relative_to(root)))
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = "root"
            if info.isreg():
                with path.open("rb") as stream:
                    archive.addfile(info, stream)
            else:
                archive.addfile(info)
            yield sink.take()
    yield sink.take()


class _Sink(io.BytesIO):
    """What tarfile writes into, emptied between entries."""

    def take(self) -> bytes:
        """What was written since the last time."""
        data = self.getvalue()
        self.seek(0)
        self.truncate()
        return data
