"""Calls to one containerd over gRPC on its Unix socket, and what its answers mean.

Sources: containerd's api/services/*/v1/*.proto (each call names its own), and grpc's status codes.
"""

import errno
import os
import re
from collections.abc import Generator
from typing import Any
from urllib.parse import quote

from holdfast.model.errors import (
    AuthError,
    HoldfastError,
    InputError,
    LimitError,
    NotFound,
    PrivilegeError,
    SourceError,
)
from holdfast.runtime.containerd.protobuf import Message
from holdfast.runtime.place import probe
from holdfast.transport.deadline import Deadline

MESSAGE_BYTES = 16 << 20  # containerd's own bound for what it sends
CALL_SECONDS = 30.0
_PATH_BYTES = 107  # unix(7), sun_path without its NUL
_NAMESPACE = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")  # containerd, pkg/identifiers
_MOST_CHARACTERS = 76
_ABSENT = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ENOTSOCK, errno.ENAMETOOLONG})


class Channel:
    """One connection, made with the first call and shared by all threads.

    `address` is `unix:///path`, or the path itself; InputError for any other. SourceError where grpcio is not
    installed.
    """

    def __init__(self, address: str, deadline: Deadline | None = None) -> None:
        self._path = _path(address)
        self.where = f"unix://{ascii(self._path)[1:-1]}"
        self._deadline = deadline or Deadline()
        self._grpc = _library()
        options = (
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.default_authority", "localhost"),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),  # or a failure elsewhere would delay the next attempt here
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),  # a daemon that starts again is soon back
            ("grpc.max_reconnect_backoff_ms", 1000),
        )
        self._channel = self._grpc.insecure_channel(f"unix:{quote(os.fsencode(self._path))}", options)

    def call(self, method: str, request: bytes = b"", namespace: str = "") -> Message:
        """The answer to one call; `method` is like `images.v1.Images/List`. SourceError, InputError, LimitError."""
        try:
            ask = self._channel.unary_unary(_full(method))
            answer: bytes = ask(request, timeout=self._patience(CALL_SECONDS), metadata=_metadata(namespace))
        except (self._grpc.RpcError, ValueError) as error:
            raise self._failure(error) from error
        return Message(answer, self.where)

    def stream(self, method: str, request: bytes, namespace: str, *, seconds: float) -> Generator[Message, None, None]:
        """The answers to one call, which may take so many seconds altogether. Close it to end the call early."""
        call = None
        try:
            ask = self._channel.unary_stream(_full(method))
            call = ask(request, timeout=self._patience(seconds), metadata=_metadata(namespace))
            for answer in call:
                yield Message(answer, self.where)
        except (self._grpc.RpcError, ValueError) as error:
            raise self._failure(error) from error
        finally:
            if call is not None:
                call.cancel()

    def close(self) -> None:
        """Hang up; calls from other threads end with an error."""
        self._channel.close()

    def _patience(self, seconds: float) -> float:
        self._deadline.check(self.where)
        return min(seconds, self._deadline.remaining)

    def _failure(self, error: Exception) -> HoldfastError:
        """What it means that a call failed."""
        code, where = self._grpc.StatusCode, self.where
        if not isinstance(error, self._grpc.Call):  # grpcio's word for a channel that is closed
            return SourceError("the connection to containerd is closed", where=where)
        told = "".join(one if one.isprintable() else " " for one in (error.details() or "")[:300])
        match error.code():
            case code.NOT_FOUND:
                return NotFound(f"containerd answers: {told}", where=where)
            case code.UNAVAILABLE:
                return self._unavailable()
            case code.DEADLINE_EXCEEDED:
                return SourceError("containerd does not answer in time", where=where, remedy="try again")
            case code.RESOURCE_EXHAUSTED:
                return LimitError(f"containerd sends too much: {told}", where=where)
            case code.PERMISSION_DENIED | code.UNAUTHENTICATED:
                return AuthError(f"containerd refuses: {told}", where=where, remedy="ask whoever runs it")
            case code.UNIMPLEMENTED:
                return InputError(f"does not speak containerd's API: {told}", where=where, remedy=_ANOTHER)
            case code.INVALID_ARGUMENT:
                return InputError(f"containerd does not understand: {told}", where=where)
            case other:
                return SourceError(f"containerd answers: {told or other.name.lower()}", where=where)

    def _unavailable(self) -> HoldfastError:
        number, where = probe(self._path), self.where
        if number in (errno.EACCES, errno.EPERM):
            return PrivilegeError("this user may not speak to containerd", where=where, remedy="run holdfast as root")
        if number in _ABSENT:
            remedy = "start it, or say where it listens"
            # No NotFound: that would read as an answer, of a containerd that has not what was asked for.
            return SourceError("containerd does not listen here", where=where, remedy=remedy)
        remedy = f"it may have been stopped, or started again: try again; {_ANOTHER}"
        return SourceError("the connection to containerd broke off", where=where, remedy=remedy)


_ANOTHER = "is this containerd's socket?"


def is_namespace(name: str) -> bool:
    """Whether it can be the name of one of containerd's namespaces, or of a snapshotter."""
    return len(name) <= _MOST_CHARACTERS and bool(_NAMESPACE.fullmatch(name))


def _library() -> Any:
    try:
        import grpc
    except ImportError as error:
        remedy = "pip install 'holdfast[containerd]'"
        raise SourceError("containerd is asked over gRPC, and grpcio is not installed", remedy=remedy) from error
    return grpc


def _path(address: str) -> str:
    path = address.removeprefix("unix://") if address.startswith("unix://") else address.removeprefix("unix:")
    shown = ascii(address.rpartition("@")[2][:160])[1:-1]
    if not path.startswith("/") or "\0" in path:
        raise InputError("not where containerd listens", where=shown, remedy="write unix:///path/of/containerd.sock")
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError as error:
        raise InputError("not a path", where=shown) from error
    if size > _PATH_BYTES:
        remedy = "make a shorter link to it"
        raise InputError(f"a socket's path has {_PATH_BYTES} bytes at most", where=shown, remedy=remedy)
    return path


def _full(method: str) -> str:
    return f"/containerd.services.{method}"


def _metadata(namespace: str) -> tuple[tuple[str, str], ...]:
    return (("containerd-namespace", namespace),) if namespace else ()
