from pathlib import Path

import pytest

from end_to_end.command import Holdfast


@pytest.fixture
def holdfast(tmp_path: Path) -> Holdfast:
    home = tmp_path / "home"
    home.mkdir()
    return Holdfast(home)
