"""The table of situations in docs/registries.md names tests that are there."""

import re
from pathlib import Path

_TESTS = Path(__file__).parents[2]
_TABLE = _TESTS.parent / "docs" / "registries.md"
_ROW = re.compile(r"^\| [^|]+ \| [^|]+ \| `([^`:]+\.py)::(?:(\w+)::)?(\w+)` \|$", re.MULTILINE)


def test_each_row_names_a_test() -> None:
    rows = _ROW.findall(_TABLE.read_text())
    assert len(rows) >= 40
    for file, group, name in rows:
        content = (_TESTS / file).read_text()
        assert f"def {name}(" in content, f"{file} has no {name}"
        assert not group or f"class {group}:" in content, f"{file} has no {group}"
    assert len(set(rows)) == len(rows)


def test_no_row_is_overlooked() -> None:
    lines = [line for line in _TABLE.read_text().splitlines() if line.count("|") == 4 and "test_" in line]
    assert len(lines) == len(_ROW.findall(_TABLE.read_text()))
