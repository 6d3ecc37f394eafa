"""A server that speaks gRPC as containerd does, and answers as each test wants it to.

    with fake(tmp_path, {"images.v1.Images/List": images(...)}) as it:
        Containerd(it.address).open("app")
        it.asked                               # (method, namespace, request) of every call

An answer is bytes, or a function of the request and the context that returns bytes (or, for streams, yields them).
What is not given is answered as by a containerd that has one namespace and nothing in it.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from holdfast.runtime.containerd.protobuf import Message, encode

grpc = pytest.importorskip("grpc")

Answer = bytes | Callable[[bytes, Any], Any]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_STREAMS = ("content.v1.Content/Read", "content.v1.Content/List")
_EMPTY: dict[str, Answer] = {
    "namespaces.v1.Namespaces/List": encode((1, encode((1, "default")))),
    "images.v1.Images/List": b"",
    "tasks.v1.Tasks/List": b"",
}


@dataclass
class Fake:
    """A running server: where it listens, and what it was asked."""

    address: str
    answers: dict[str, Answer]
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def service(self, details: Any) -> Any:
        """What grpcio asks for each call."""
        method = details.method.removeprefix("/containerd.services.")
        answer = self.answers.get(method, _EMPTY.get(method))
        if answer is None:
            return None
        namespace = dict(details.invocation_metadata).get("containerd-namespace", "")

        def unary(request: bytes, context: Any) -> bytes:
            self.asked.append((method, namespace, request))
            return answer if isinstance(answer, bytes) else answer(request, context)

        def stream(request: bytes, context: Any) -> Iterator[bytes]:
            self.asked.append((method, namespace, request))
            context.add_callback(self.cancelled.set)
            yield from [answer] if isinstance(answer, bytes) else answer(request, context)

        if method in _STREAMS:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)


@contextmanager
def fake(answers: Mapping[str, Answer] | None = None) -> Iterator[Fake]:
    """A running server on a socket of its own."""
    with TemporaryDirectory(prefix="holdfast-") as folder:  # a socket's path is short
        it = Fake(f"unix://{folder}/s", dict(answers or {}))
        server = grpc.server(ThreadPoolExecutor(8), (it,), options=[("grpc.max_send_message_length", -1)])
        server.add_insecure_port(f"unix:{folder}/s")
        server.start()
        try:
            yield it
        finally:
            server.stop(0).wait()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def image_record(name: str, target: bytes, kind: str = MANIFEST, size: int | None = None) -> bytes:
    """A field of an image list's answer: a name for the document `target`."""
    descriptor = encode((1, kind), (2, digest(target)), (3, len(target) if size is None else size))
    return encode((1, encode((1, name), (3, descriptor))))


def info(data: bytes, size: int | None = None, named: str = "") -> bytes:
    """The answer about a blob."""
    return encode((1, encode((1, named or digest(data)), (2, len(data) if size is None else size))))


def refuse(code: str, words: str = "no") -> Callable[[bytes, Any], Any]:
    """An answer that is one of gRPC's errors."""

    def answer(_request: bytes, context: Any) -> Any:
        context.abort(getattr(grpc.StatusCode, code), words)

    return answer


def store(*blobs: bytes, **others: Answer) -> dict[str, Answer]:
    """The answers of a content store that has these blobs. It sends them in pieces."""
    kept = {digest(blob): blob for blob in blobs}

    def about(request: bytes, context: Any) -> bytes:
        asked = Message(request).text(1)
        if asked not in kept:
            context.abort(grpc.StatusCode.NOT_FOUND, f"content {asked}: not found")
        return info(kept[asked], named=asked)

    def read(request: bytes, _context: Any) -> Iterator[bytes]:
        message = Message(request)
        offset, size = message.integer(2), message.integer(3)
        data = kept[message.text(1)][offset : offset + size]
        for at in range(0, len(data), 1000):
            yield encode((1, at), (2, data[at : at + 1000]))

    return {
        "content.v1.Content/Info": about,
        "content.v1.Content/Read": read,
        "content.v1.Content/List": b"",
        **others,
    }


def documents(*layers: bytes, **configuration: Any) -> tuple[bytes, bytes]:
    """The manifest and the configuration of an image with these layers, stored as they are."""
    stated = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
    }
    config = json.dumps({**stated, **configuration}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers],
    }
    return json.dumps(manifest).encode(), config


def _descriptor(data: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}
