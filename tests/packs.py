"""The compiled rule packs that tests share: to compile them anew in every test would take longer than the tests."""

import os
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.gettempdir()) / f"holdfast-test-packs-{os.getuid()}"


def with_packs(data: Path) -> Path:
    """A data folder whose packs are the shared ones; whoever needs one first compiles it for all."""
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "packs").exists():
        (data / "packs").symlink_to(_FOLDER)
    return data
