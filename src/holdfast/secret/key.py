"""The key of an installation, with which the ids of secrets are made."""

import contextlib
import os
import secrets
from pathlib import Path

from holdfast.fs.whole import PART
from holdfast.model.status import Gravity, Problem

KEY_BYTES = 32


def fingerprint_key(data: Path) -> tuple[bytes, Problem | None]:
    """The key in `data/keys/fingerprint`, made when it is first needed: 32 random bytes, mode 0600.

    Two processes that make it at once get the same. Where it cannot be kept it lives as long as the process, and a
    Problem says so: the ids of secrets are then others the next time.
    """
    path = data / "keys" / "fingerprint"
    try:
        if (key := _read(path)) is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(path)
            key = _read(path)
    except OSError as error:
        return secrets.token_bytes(KEY_BYTES), _problem(path, error.strerror or type(error).__name__)
    if key is None:
        return secrets.token_bytes(KEY_BYTES), _problem(path, "what stands there is no key")
    return key, None


def _read(path: Path) -> bytes | None:
    try:
        # A link or a pipe in its place is not followed nor waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as stream:  # noqa: PTH123
        data = stream.read(KEY_BYTES + 1)
    return data if len(data) == KEY_BYTES else None


def _make(path: Path) -> None:
    """Write the key beside and link it: the first one to link wins, and nobody ever sees half of it."""
    part = path.with_name(f"{PART}{secrets.token_hex(8)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:  # noqa: PTH123
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _problem(path: Path, why: str) -> Problem:
    return Problem(
        "secret.no-key",
        f"the key for the ids of secrets cannot be kept ({why}): they will be others in the next scan",
        Gravity.NOTE,
        where=str(path),
        remedy="let HOLDFAST_DATA be a folder that can be written",
    )
