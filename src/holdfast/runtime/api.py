"""Requests to one engine over HTTP, and what its answers mean."""

import errno
from collections.abc import Generator
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import quote

from msgspec import Struct

from holdfast.model.errors import AuthError, HoldfastError, InputError, NotFound, PrivilegeError, SourceError
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.manifest import parse
from holdfast.runtime.place import Place
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import Transient
from holdfast.transport.stream import READ_BYTES, chunks, read
from holdfast.transport.trust import Trust
from holdfast.transport.wire import READ_SECONDS, Wire

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_T = TypeVar("_T")

# Docker's classic store and Podman write an export to their own disk as a whole before its first byte is sent.
EXPORT_PATIENCE = 600.0
_ERROR_BYTES = 64 << 10
_ABSENT = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ENOTSOCK, errno.ENAMETOOLONG})


class _Told(Struct):
    message: str = ""


class Api:
    """One engine's HTTP API. `title` is the engine's name for people. Nothing is asked before it has to be."""

    def __init__(self, title: str, place: Place, wire: Wire, deadline: Deadline) -> None:
        self.title, self.place = title, place
        self._wire, self._deadline = wire, deadline

    def get(self, path: str, type_: type[_T], *, limit: int = IMAGE_BUDGET.document_bytes) -> _T:
        """A JSON document; InputError where it is none, LimitError where it is longer than `limit` bytes."""
        where = self.place.name
        try:
            data = self._read(path, limit)
        except Transient:
            # The engine may have been restarted since the last request on this connection.
            data = self._mended(path, limit)
        return parse(data, type_, where)

    def stream(self, path: str) -> Generator[bytes, None, None]:
        """A long answer, piece by piece; SourceError where it breaks off. Close it to hang up."""
        where = self.place.name
        try:
            response = self._open(path, EXPORT_PATIENCE)
            try:
                # The engine may take its time to begin; from then on it should not.
                first = response.read1(READ_BYTES, decode_content=False)
            except Exception as error:
                response.close()
                raise Transient(SourceError("sent nothing", where=where)) from error
            if first:
                yield first
            yield from chunks(response, where, self._deadline)
        except Transient as error:
            raise self._failure(error) from error

    def _mended(self, path: str, limit: int) -> bytes:
        try:
            return self._read(path, limit)
        except Transient as error:
            raise self._failure(error) from error

    def _read(self, path: str, limit: int) -> bytes:
        return read(self._open(path), self.place.name, self._deadline, limit)

    def _open(self, path: str, patience: float = READ_SECONDS) -> "BaseHTTPResponse":
        address = self.place.address(path)
        response = self._wire.ask(
            "GET",
            address,
            {"Accept-Encoding": "identity"},
            self._deadline,
            trust=self.place.trust or Trust(),
            patience=patience,
        )
        if response.status != 200:
            self._refuse(response)
        return response

    def _refuse(self, response: "BaseHTTPResponse") -> NoReturn:
        status, where = response.status, self.place.name
        try:
            message = parse(read(response, where, self._deadline, _ERROR_BYTES), _Told, where).message
        except (HoldfastError, Transient):
            message = ""
        told = "".join(one if one.isprintable() else " " for one in message[:300]) or f"HTTP {status}"
        if status == 404:
            remedy = "name it as the engine lists it; what it does not have can be scanned as registry:NAME"
            raise NotFound(f"{self.title} answers: {told}", where=where, remedy=remedy)
        if status in (401, 403):
            raise AuthError(f"{self.title} refuses: {told}", where=where, remedy="ask whoever runs the engine")
        if status == 400:
            raise InputError(f"{self.title} does not understand: {told}", where=where)
        raise SourceError(f"{self.title} answers: {told}", where=where)

    def _failure(self, error: Transient) -> HoldfastError:
        """What it means that nothing, or not all, came."""
        number, where = _errno(error), self.place.name
        if number in (errno.EACCES, errno.EPERM):
            remedy = "run holdfast as root, or as a user who may (for Docker: of the group docker)"
            return PrivilegeError(f"this user may not speak to {self.title}", where=where, remedy=remedy)
        if number in _ABSENT:
            remedy = "start it, or say where it listens"
            return NotFound(f"{self.title} does not listen here", where=where, remedy=remedy)
        remedy = "the engine may have been stopped, or started again: try again"
        return SourceError(error.error.what, where=where, remedy=error.error.remedy or remedy)


def quoted(name: str, title: str) -> str:
    """An image's name as part of a request's path; InputError for one that would lead to another path."""
    parts = name.split("/")
    if not name.isprintable() or any(part in ("", ".", "..") for part in parts) or len(name) > 1024:
        remedy = "write it as repository:tag, repository@digest or an id"
        raise InputError(f"not the name of an image: {name[:80]!a}", where=title, remedy=remedy)
    return quote(name, safe="/:@")


def _errno(error: BaseException) -> int:
    """The operating system's number of an error, wherever the libraries have put it; 0 where there is none."""
    for _ in range(8):
        cause = next((one for one in error.args if isinstance(one, OSError)), error.__cause__)
        if isinstance(error, OSError) and error.errno:
            return error.errno
        if cause is None:
            break
        error = cause
    return 0
