"""What a command learns from the process it runs in: settings, terminal, width."""

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import IO

import msgspec.structs

from holdfast.settings import Settings, load


def settings(*, offline: bool = False) -> Settings:
    """The settings from file and environment, with this command's flags on top."""
    file = os.environ.get("HOLDFAST_CONFIG")
    # A service may have no HOME; the places then are those of the user that it runs as.
    environment = {"HOME": pwd.getpwuid(os.geteuid()).pw_dir, **os.environ}
    loaded = load(environment, is_root=os.geteuid() == 0, file=Path(file) if file else None)
    return msgspec.structs.replace(loaded, offline=True) if offline else loaded


def colour(stream: IO[str]) -> bool:
    """Whether to colour: a terminal that is not dumb, and NO_COLOR (no-color.org) is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns to write for: the terminal's, between 60 and 140; 80 where there is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
    return max(60, min(shutil.get_terminal_size().columns, 140))
