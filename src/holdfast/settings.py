"""One frozen Settings, from a TOML file, the environment and flags, in that order."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.model.errors import InputError


class FeedSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where each feed is fetched from: base addresses, or `file:` folders laid out like upstream."""

    osv: str = "https://osv-vulnerabilities.storage.googleapis.com"
    debian: str = "https://security-tracker.debian.org/tracker"
    alpine: str = "https://secdb.alpinelinux.org"
    kev: str = "https://www.cisa.gov/sites/default/files/feeds"
    epss: str = "https://epss.empiricalsecurity.com"
    endoflife: str = "https://endoflife.date/api/v1"
    ecosystems: tuple[str, ...] = (
        "PyPI", "npm", "Go", "Maven", "NuGet", "RubyGems", "crates.io", "Packagist", "Hackage",
        "AlmaLinux", "Rocky Linux", "Bitnami",
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name in self.ecosystems:
            # Each is a folder of the cache, and a part of an address.
            if not name.isprintable() or not name.strip() or name.startswith(".") or set(name) & {"/", "\\"}:
                raise ValueError(f"{name[:60]!a} is no name of an ecosystem")


class RegistrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How one registry is reached: `mirrors` are addresses asked before it, in order; the rest are PEM files.

    `plain_http` permits it, and credentials over it.
    """

    mirrors: tuple[str, ...] = ()
    plain_http: bool = False
    ca_bundle: str = ""
    certificate: str = ""
    key: str = ""


class EngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the engines listen: `unix:///path`, or `tcp://host:port` for Docker; empty for the usual places."""

    docker: str = ""
    podman: str = ""
    containerd: str = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a command may be told from outside.

    `cache` and `data` are DESIGN's two places; `offline` forbids every internet socket; `first_update_seconds` bounds
    the update that a first scan makes by itself; `proxy` is an address for http and https, empty for none, and
    `no_proxy` says which hosts are reached without it. `registries` has a table for each that needs one, by its name.
    `issuers` says which address to ask, with --verify, in the place of an issuer's host (api.github.com = "https://…").
    `store` is where reports are kept: empty for a file in the data folder, else an SQLAlchemy address of PostgreSQL.
    """

    cache: Path
    data: Path
    offline: bool = False
    proxy: str = ""
    no_proxy: tuple[str, ...] = ()
    ca_bundle: str = ""
    registries: dict[str, RegistrySettings] = {}
    engines: EngineSettings = EngineSettings()
    first_update_seconds: float = 60.0
    store: str = ""
    issuers: dict[str, str] = {}
    bases: tuple[str, ...] = ()
    feeds: FeedSettings = FeedSettings()

    def __post_init__(self) -> None:
        if any("\0" in path for path in (str(self.cache), str(self.data), self.ca_bundle, *self.bases)):
            raise ValueError("a path has no NUL in it")


def load(environment: Mapping[str, str], *, is_root: bool, file: Path | None = None) -> Settings:
    """The settings of this process: `file` (or holdfast.toml in the XDG configuration folder), then HOLDFAST_*."""
    home = Path(environment.get("HOME") or "/")
    configuration = file or Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "holdfast" / "holdfast.toml"
    values: dict[str, object] = {
        "cache": str(Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "holdfast"),
        "data": "/var/lib/holdfast"
        if is_root and not environment.get("XDG_DATA_HOME")
        else str(Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "holdfast"),
        "proxy": environment.get("https_proxy") or environment.get("HTTPS_PROXY") or "",
        "no_proxy": _listed(environment.get("no_proxy") or environment.get("NO_PROXY") or ""),
    }
    if file is not None or _is_there(configuration):
        values |= _read(configuration)
        _convert(values, str(configuration))
    return _convert(values | _from_environment(environment), "the environment (HOLDFAST_…)")


def _listed(text: str) -> list[str]:
    return [entry for part in text.split(",") if (entry := part.strip())]


def _convert(values: Mapping[str, object], where: str) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise InputError(f"a setting is wrong: {error}", where=where) from error


def _is_there(path: Path) -> bool:
    """Whether there is a file that we may read: nobody asked for this one, so another user's is no error."""
    return os.access(path, os.R_OK) and path.is_file()


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str) or not value:
        raise ValueError("expected the path of a folder")
    return Path(value)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot be read: {os.strerror(error.errno or 0)}", where=str(path)) from error
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and brackets without end
        raise InputError(f"not TOML: {error}", where=str(path)) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    names = {
        "HOLDFAST_CACHE": "cache",
        "HOLDFAST_DATA": "data",
        "HOLDFAST_OFFLINE": "offline",
        "HOLDFAST_PROXY": "proxy",
        "HOLDFAST_STORE": "store",
    }
    return {setting: environment[name] for name, setting in names.items() if environment.get(name)}
