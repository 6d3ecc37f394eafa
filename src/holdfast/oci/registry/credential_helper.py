"""Credential helpers: programs that Docker and Podman ask for credentials (docker/docker-credential-helpers).

A helper is `docker-credential-NAME`. `get` reads the server from its standard input and writes a JSON object.
"""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.model.errors import InputError, LimitError, SourceError
from holdfast.oci.registry.credential import Credential

if TYPE_CHECKING:
    from subprocess import Popen

SECONDS = 20.0
_OUTPUT_BYTES = 256 << 10
_SETTLE_SECONDS = 0.25  # what a helper that is gone may have left in its pipes comes at once
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NONE = ("credentials not found in native keychain", "no credentials server url", "no credentials username")
# Words that may be secrets: long ones, and what follows such a name.
_SECRET = re.compile(r"(?i)\b(?:secret|password|passwd|token|key)[\"']?\s{0,3}[:=]\s{0,3}\S+|[A-Za-z0-9+=_-]{16,}")


def ask(name: str, server: str, environment: Mapping[str, str], *, seconds: float = SECONDS) -> Credential | None:
    """What a helper knows for a server; None where it knows nothing.

    It is looked up in the PATH of `environment`, and is given that environment and no other. Raises InputError for a
    name that is none, SourceError for a helper that is absent or fails, LimitError for one that is endless.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:64]!a} is no name of a credential helper")
    program = f"docker-credential-{name}"
    path = _found(program, environment.get("PATH", ""))
    if not path:
        remedy = f"install {program}, or take the helper out of the file that names it"
        raise SourceError("the credential helper is not in PATH", where=program, remedy=remedy)
    status, output, errors = _run(path, program, server, environment, seconds)
    if status:
        said = output.decode(errors="replace").strip()
        if any(sign in said.lower() for sign in _NONE):
            return None
        shown = _shown(errors) or _shown(output)
        remedy = f"try `echo {server} | {program} get`"
        raise SourceError(f"the credential helper failed ({status}): {shown}", where=program, remedy=remedy)
    return _understood(output, program)


def _understood(output: bytes, program: str) -> Credential | None:
    try:
        # Go, in which helpers and their users are written, does not mind the case of a name.
        answer = {key.lower(): value for key, value in msgspec.json.decode(output, type=dict[str, Any]).items()}
        username, secret = (msgspec.convert(answer.get(key), str | None) or "" for key in ("username", "secret"))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError("the credential helper's answer is not what one answers", where=program) from error
    return Credential.of(f"helper {program}", username=username, password=secret) if secret else None


def _found(program: str, places: str) -> str:
    """Where a program is. What is relative in PATH depends on where we stand, and is passed over."""
    from shutil import which

    absolute = os.pathsep.join(place for place in places.split(os.pathsep) if place.startswith("/"))
    return which(program, path=absolute) or "" if absolute else ""


def _run(
    path: str, program: str, server: str, environment: Mapping[str, str], seconds: float
) -> tuple[int, bytes, bytes]:
    """Its exit status, and what it wrote. Where it fails us, all that it started is ended with it."""
    import signal
    from contextlib import suppress
    from subprocess import PIPE, Popen

    try:
        process = Popen(  # noqa: S603 - the user's own configuration names it
            [path, "get"], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(environment), start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is a NUL in the environment"
        raise SourceError(f"the credential helper cannot be run: {reason}", where=program) from error
    with process:
        try:
            return _conversation(process, program, server, seconds)
        except BaseException:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _conversation(process: "Popen[bytes]", program: str, server: str, seconds: float) -> tuple[int, bytes, bytes]:
    import selectors
    from contextlib import suppress
    from subprocess import TimeoutExpired

    from holdfast.transport.deadline import Deadline

    deadline = Deadline.after(seconds)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: PT018
    with suppress(BrokenPipeError):
        process.stdin.write(server.encode())
        process.stdin.flush()
    with suppress(BrokenPipeError):
        process.stdin.close()
    written = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in written:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map() and deadline.remaining:
            ready = selector.select(min(_SETTLE_SECONDS, deadline.remaining))
            if not ready and process.poll() is not None:
                break  # something that it left behind holds the pipes open
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    selector.unregister(key.fileobj)
                written[key.fileobj] += piece  # type: ignore[index]
            if max(map(len, written.values())) > _OUTPUT_BYTES:
                raise LimitError(f"the credential helper writes more than {_OUTPUT_BYTES:,} bytes", where=program)
    try:
        status = process.wait(deadline.remaining)
    except TimeoutExpired:
        raise LimitError(f"the credential helper did not answer in {seconds:g} seconds", where=program) from None
    return status, bytes(written[process.stdout]), bytes(written[process.stderr])


def _shown(output: bytes) -> str:
    """The first line of what a helper wrote, without what may be a secret; nothing of a JSON object."""
    line = output[:4096].decode(errors="replace").strip().partition("\n")[0]
    return "" if "{" in line else ascii(_SECRET.sub("…", line))[1:-1].replace("\\u2026", "…")[:160]
