"""The files that `docker login` and `podman login` write: config.json, auth.json, and the old .dockercfg.

Sources: docker/cli's cli/config, containers-auth.json(5). What else is in them is ignored.
"""

import binascii
import os
from base64 import b64decode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
from msgspec import Struct, field

from holdfast.model.errors import InputError, LimitError, SourceError
from holdfast.oci.reference import DOCKER_HUB, registry_named
from holdfast.oci.registry.credential import Credential

_FILE_BYTES = 1 << 20
_T = TypeVar("_T")


class _Entry(Struct):
    """What `auths` has for one registry, or for a path in it."""

    auth: str | None = None
    username: str | None = None
    password: str | None = None
    identity_token: str | None = field(default=None, name="identitytoken")
    registry_token: str | None = field(default=None, name="registrytoken")

    def __repr__(self) -> str:
        return "_Entry()"


class AuthFile(Struct, frozen=True):
    """One such file. Entries are looked at when they are asked for: a damaged one spoils no other.

    `store` names the credential helper for every registry, `helpers` those for some; `where` is the file.
    """

    where: str
    auths: dict[str, Any] | None = None
    helpers: dict[str, str] | None = None
    store: str = ""

    @classmethod
    def read(cls, path: Path, where: str, *, required: bool = False) -> Self | None:
        """A file, which is shown as `where`; None where there is none and none is `required`.

        Raises InputError, LimitError, SourceError.
        """
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError) and not required:
                return None
            raise SourceError(f"cannot be read: {_reason(error)}", where=where) from error
        try:
            with os.fdopen(handle, "rb") as stream:
                data = stream.read(_FILE_BYTES + 1) or b""
        except OSError as error:
            raise SourceError(f"cannot be read: {_reason(error)}", where=where) from error
        if len(data) > _FILE_BYTES:
            raise LimitError(f"longer than {_FILE_BYTES:,} bytes, so no file of credentials", where=where)
        return cls.parse(data, where)

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """A file from its content; an empty one knows nobody. InputError."""
        if not data.strip():
            return cls(where)
        try:
            content = msgspec.json.decode(data, type=dict[str, Any])
            if not {"auths", "credHelpers", "credsStore"} & content.keys():
                # The old form has no more than the entries; other members of config.json are no objects with `auth`.
                return cls(where, {key: entry for key, entry in content.items() if _is_entry(entry)})
            helpers = msgspec.convert(content.get("credHelpers"), dict[str, str] | None)
            store = msgspec.convert(content.get("credsStore"), str | None)
            return cls(where, msgspec.convert(content.get("auths"), dict[str, Any] | None), helpers, store or "")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            # Of the text itself nothing may be shown.
            raise InputError("not the JSON of a file of credentials", where=where, remedy="log in again") from error

    def helper(self, registry: str, repository: str) -> str:
        """The name of the helper to ask; empty where it is for the file itself to say."""
        named = _best(self.helpers or {}, registry, repository)
        return self.store if named is None else named

    def credential(self, registry: str, repository: str) -> Credential | None:
        """What the file itself has for a repository; InputError where its entry is damaged."""
        value = _best(self.auths or {}, registry, repository)
        if value is None:
            return None
        try:
            entry = msgspec.convert(value, _Entry)
            username, password = _unpacked(entry.auth or "")
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            remedy = f"log in again: `docker login {registry}`"
            raise InputError(f"its entry for {registry} is damaged", where=self.where, remedy=remedy) from error
        return Credential.of(
            self.where,
            username=entry.username or username,
            password=entry.password or password,
            identity_token=entry.identity_token or "",
            registry_token=entry.registry_token or "",
        )

    def __repr__(self) -> str:
        return f"AuthFile(where={self.where!r})"


def canonical(registry: str) -> str:
    """The name that a registry is known by here, whatever it was called."""
    try:
        return registry_named(registry)
    except InputError:
        return registry.lower()


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and not {"auth", "username", "identitytoken"}.isdisjoint(value)


def _unpacked(auth: str) -> tuple[str, str]:
    """User name and password out of their base64, which some write on several lines or without its padding."""
    packed = "".join(auth.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if not packed:
        return "", ""
    try:
        text = b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64 of UTF-8") from error
    username, colon, password = text.partition(":")
    if not colon:
        raise ValueError("no password in it")
    return username, password.strip("\0")  # old files are padded with NULs


def _best(entries: Mapping[str, _T], registry: str, repository: str) -> _T | None:
    """The entry for a repository: the one with the longest path, and among those one that is plainly written."""
    fitting = [
        (len(path), "://" not in key, key)
        for key in entries
        for host, path in [_place(key)]
        if host == registry and _within(path, repository)
    ]
    return entries[max(fitting)[2]] if fitting else None


def _within(path: str, repository: str) -> bool:
    return not path or repository == path or repository.startswith(f"{path}/")


def _place(key: str) -> tuple[str, str]:
    """The registry and the path in it that a key stands for.

    Docker writes a host or, of old, an address whose path says nothing: `https://index.docker.io/v1/`. Podman's keys
    have no scheme, and their path is a repository or a folder of them.
    """
    _, scheme, rest = key.strip().rpartition("://")
    host, _, path = rest.partition("/")
    registry = canonical(host)
    if scheme or path in ("v1/", "v2/") or (registry == DOCKER_HUB and path in ("v1", "v2")):
        path = ""
    return registry, path.strip("/")


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else "no path of a file"


def known_places(environment: Mapping[str, str], home: Path) -> Iterable[Path]:
    """Where Podman keeps such files, then Docker: a folder that the environment names stands for the usual one."""
    # Where nobody has logged in to a session, as root often has not, Podman has a folder for each user.
    runtime = environment.get("XDG_RUNTIME_DIR")
    yield (Path(runtime) / "containers" if runtime else Path(f"/run/containers/{os.getuid()}")) / "auth.json"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    yield home / ".dockercfg"
