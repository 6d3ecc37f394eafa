"""What a command learns from the process it runs in: settings, terminal, width."""

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import IO

import msgspec.structs

from holdfast.settings import RegistrySettings, Settings, load


def settings(*, offline: bool = False, plain_http: str = "") -> Settings:
    """The settings from file and environment, with this command's flags on top.

    `plain_http` names the registry that may be had unencrypted, and be sent credentials so; empty for none.
    """
    file = os.environ.get("HOLDFAST_CONFIG")
    environment = {"HOME": str(home()), **os.environ}
    loaded = load(environment, is_root=os.geteuid() == 0, file=Path(file) if file else None)
    if plain_http:
        known = loaded.registries.get(plain_http, RegistrySettings())
        told = {**loaded.registries, plain_http: msgspec.structs.replace(known, plain_http=True)}
        loaded = msgspec.structs.replace(loaded, registries=told)
    return msgspec.structs.replace(loaded, offline=True) if offline else loaded


def home() -> Path:
    """The user's home. A service may have no HOME; it is then that of the user that it runs as."""
    return Path(os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir)


def colour(stream: IO[str]) -> bool:
    """Whether to colour: a terminal that is not dumb, and NO_COLOR (no-color.org) is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns to write for: the terminal's, between 60 and 140; 80 where there is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
    return max(60, min(shutil.get_terminal_size().columns, 140))
