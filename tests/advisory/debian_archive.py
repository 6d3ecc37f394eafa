"""A small Debian archive made in the test: packages with changelogs, indices, and a signed Release file.

files = archive({"bookworm": [deb("libexpat1", "2.5.0-1+deb12u2", source="expat", changelog=...)]}, sign=key.sign)
with serve(files) as server: ...
"""

import gzip
import hashlib
import io
import lzma
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transport.loopback import Behaviour

SUITE_OF_SECURITY = "bookworm-security"


def stanza(version: str, *items: str, source: str = "expat", urgency: str = "medium") -> str:
    """One entry of a changelog."""
    lines = "".join(f"  * {item}\n" for item in items)
    trailer = " -- A Maintainer <a@example.org>  Wed, 21 Oct 2026 16:54:24 +0700\n"
    return f"{source} ({version}) bookworm-security; urgency={urgency}\n\n{lines}\n{trailer}\n"


def ar(members: Mapping[str, bytes]) -> bytes:
    """An ar archive."""
    body = b"!<arch>\n"
    for name, content in members.items():
        body += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        body += content + b"\n" * (len(content) % 2)
    return body


def tar(files: Mapping[str, bytes | str]) -> bytes:
    """A tar of files, and of symlinks where the content is text."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo("./" + name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


@dataclass(frozen=True)
class Deb:
    """A package of the archive: its paragraph in the index, and its file."""

    name: str
    version: str
    source: str
    content: bytes
    source_version: str = ""
    architecture: str = "amd64"

    @property
    def path(self) -> str:
        return f"pool/main/{self.source[0]}/{self.source}/{self.name}_{self.version}_{self.architecture}.deb"

    @property
    def paragraph(self) -> str:
        source = f"{self.source} ({self.source_version})" if self.source_version else self.source
        return (
            f"Package: {self.name}\n"
            + (f"Source: {source}\n" if source != self.name else "")
            + f"Version: {self.version}\nArchitecture: {self.architecture}\nDescription: a package\n of the archive\n"
            f"Filename: {self.path}\nSize: {len(self.content)}\nSHA256: {hashlib.sha256(self.content).hexdigest()}\n"
        )


def deb(
    name: str,
    version: str,
    changelog: str | None = None,
    *,
    source: str = "",
    source_version: str = "",
    files: Mapping[str, bytes | str] | None = None,
    pad: int = 0,
) -> Deb:
    """A package; without a changelog its doc folder is a link, as Debian does for packages of one source."""
    doc = f"usr/share/doc/{name}"
    inside: dict[str, bytes | str] = {"usr/bin/" + name: b"\x7fELF" + bytes(range(256)) * (pad // 256)}
    if changelog is None:
        inside[doc] = "other-package"
    else:
        inside[doc + "/changelog.Debian.gz"] = gzip.compress(changelog.encode(), mtime=0)
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": lzma.compress(tar({"control": f"Package: {name}\n".encode()})),
        "data.tar.xz": lzma.compress(tar(inside | dict(files or {}))),
    }
    return Deb(name, version, source or name, ar(members), source_version)


def release(suite: str, indices: Mapping[str, bytes], **fields: str) -> bytes:
    """A Release file over these indices."""
    stated = {
        "Origin": "Debian",
        "Codename": suite,
        "Date": "Sat, 21 Nov 2026 00:53:02 UTC",
        "Valid-Until": "Sat, 28 Nov 2099 00:53:02 UTC",
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in stated.items() if value]
    lines += ["SHA256:"]
    lines += [f" {hashlib.sha256(body).hexdigest()} {len(body):>8} {path}" for path, body in indices.items()]
    return ("\n".join(lines) + "\n").encode()


def archive(
    suites: Mapping[str, Iterable[Deb]], sign: Callable[[bytes], bytes] = lambda content: content, **fields: str
) -> dict[str, Behaviour | bytes]:
    """The files of a mirror, by the path at which a server has them."""
    served: dict[str, Behaviour | bytes] = {}
    for suite, debs in suites.items():
        base = "/debian-security" if suite.endswith("-security") else "/debian"
        packages = lzma.compress("\n".join(one.paragraph for one in debs).encode())
        indices = {"main/binary-amd64/Packages.xz": packages}
        served[f"{base}/dists/{suite}/InRelease"] = sign(release(suite, indices, **fields))
        served |= {f"{base}/dists/{suite}/{path}": body for path, body in indices.items()}
        served |= {f"{base}/{one.path}": one.content for one in debs}
    return served


@dataclass(frozen=True)
class Key:
    """A throw-away key, in the form of a keyring that gpgv reads."""

    home: Path
    keyring: Path

    def sign(self, content: bytes) -> bytes:
        """The content, clear-signed."""
        return _gpg(self.home, "--clear-sign", stdin=content)


@contextmanager
def signing_key() -> Iterator[Key]:
    """A key that lives as long as the block. The home has a short path, because gpg-agent's socket stands in it."""
    home = Path(tempfile.mkdtemp(prefix="hf"))
    try:
        _gpg(home, "--passphrase", "", "--quick-generate-key", "a@example.org", "ed25519", "sign", "never")
        keyring = home / "archive.gpg"
        keyring.write_bytes(_gpg(home, "--export"))
        yield Key(home, keyring)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _gpg(home: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--quiet", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
