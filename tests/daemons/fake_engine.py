"""An engine on a Unix socket that answers as Dockers do that cannot be run here, or as none should.

    with fake_engine(folder) as it:                            # Docker 29: API 1.44 to 1.52
        it.has("app:1", spec([...], compression="none"))       # the classic store of Docker 25 and later
        it.has("app:1", spec([...], compression="gzip"), store="containerd")
        it.has("app:1", spec([...]), spec([...], platform="linux/arm64"), store="containerd")    # behind an index
        Docker(it.url, wire).open("app:1")
        it.paths                                               # what was asked for
        it.routes["/v1.51/images/app:1/json"] = b"{"           # bytes, or a function of the Exchange

What it exports is `it.export`, bytes that may be changed before they are asked for. Shapes: moby/moby api/swagger.yaml
(ImageInspect, HistoryResponseItem, ContainerSummary) and daemon/containerd/image_inspect.go, image_exporter.go.
"""

import io
import json
import socket
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from transport.loopback import Behaviour, Exchange, Loopback
from world import Spec, blob, digest, index, layer


class FakeEngine(Loopback):
    """See the module."""

    address_family = socket.AF_UNIX

    def __init__(self, path: Path, newest: str, oldest: str, version: str) -> None:
        ThreadingHTTPServer.__init__(self, str(path), Exchange)  # type: ignore[arg-type]
        self.socket_path = path
        self.asked = []
        self.prefix = f"/v{version}"
        self.export = b""
        self.routes: dict[str, Behaviour | bytes] = {
            "/version": dumps({"ApiVersion": newest, "MinAPIVersion": oldest, "Version": "29.0.0"}),
            f"{self.prefix}/containers/json": b"[]",
        }

    def server_bind(self) -> None:
        self.socket.bind(str(self.server_address))
        self.server_name, self.server_port = "localhost", 0

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    def has(self, name: str, *images: Spec, store: str = "classic", **changed: Any) -> dict[str, Any]:
        """Give it an image; what it answers to its inspection, with `changed` members, is returned too."""
        where = self.socket_path.parent
        path = index(where, images, form="docker-archive", name=f"{len(self.routes)}.tar", nested=len(images) > 1)
        self.export = path.read_bytes()
        one, files = images[0], members(self.export)
        target = json.loads(files["index.json"])["manifests"][0]
        listed = json.loads(files[blob(target["digest"])]).get("manifests") or [target]
        inspection = describe(one) | {"Id": digest(one.config_bytes()), "RepoDigests": []}
        if store == "containerd":
            described = {key: target[key] for key in ("mediaType", "digest", "size")}
            inspection |= {
                "Id": target["digest"], "RepoDigests": [f"app@{target['digest']}"], "Descriptor": described,
            }  # fmt: skip
        inspection |= changed

        def inspect(exchange: Exchange) -> None:
            asked = parse_qs(exchange.path.partition("?")[2]).get("platform")
            if not asked or store != "containerd":
                return exchange.answer(dumps(inspection))
            platform = json.loads(asked[0])
            for image, descriptor in zip(images, listed, strict=True):
                if descriptor["platform"] == platform:
                    return exchange.answer(dumps(inspection | describe(image) | {"Descriptor": descriptor}))
            message = f"image with reference {name} was found but does not provide the specified platform"
            return exchange.answer(dumps({"message": message}), 404)

        def get(exchange: Exchange) -> None:
            exchange.head(200, Transfer_Encoding="chunked")
            for at in range(0, len(self.export), 100_000):
                chunk(exchange, self.export[at : at + 100_000])
            exchange.wfile.write(b"0\r\n\r\n")

        identity = inspection["Id"]
        for known in (name, identity):
            self.routes[f"{self.prefix}/images/{known}/json"] = inspect
        self.routes[f"{self.prefix}/images/{identity}/history"] = dumps(history(one))
        self.routes[f"{self.prefix}/images/{identity}/get"] = get
        return inspection


def chunk(exchange: Exchange, data: bytes) -> None:
    """One chunk of a chunked answer."""
    exchange.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def describe(one: Spec) -> dict[str, Any]:
    """The members of an inspection that come from an image's configuration."""
    os, architecture, variant = (*one.platform.split("/"), "")[:3]
    return {
        "Created": one.created, "Os": os, "Architecture": architecture, "Variant": variant,
        "Config": {"User": one.user, "Labels": dict(one.labels)}, "Size": sum(map(len, one.layers)),
        "RootFS": {"Type": "layers", "Layers": one.diff_ids()},
    }  # fmt: skip


def history(one: Spec) -> list[dict[str, Any]]:
    """As `docker history` has it: the newest first, and no word of which line made a layer but its size."""
    sizes = iter(map(len, one.layers))
    lines = json.loads(one.config_bytes())["history"]
    return [
        {
            "Id": "<missing>", "Created": 1767323045, "CreatedBy": line["created_by"], "Comment": "", "Tags": None,
            "Size": 0 if line.get("empty_layer") else next(sizes),
        }
        for line in lines
    ][::-1]  # fmt: skip


def members(archive: bytes) -> dict[str, bytes]:
    """The files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        found = ((member.name, opened.extractfile(member)) for member in opened)
        return {name: file.read() for name, file in found if file is not None}


def packed(files: dict[str, bytes]) -> bytes:
    """The reverse of `members`."""
    return layer(files)


def dumps(document: Any) -> bytes:
    return json.dumps(document).encode()


@contextmanager
def fake_engine(
    folder: Path, *, newest: str = "1.52", oldest: str = "1.44", version: str = "1.51"
) -> Iterator[FakeEngine]:
    """A running engine; `version` is the API that it is going to be asked with."""
    server = FakeEngine(folder / "engine.sock", newest, oldest, version)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
