"""Comparisons written as lines of text: `1.0~rc1 < 1.0 = 1.0-0 < 1.0-1`."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from holdfast.version import load

SHARED_TABLES = Path(__file__).parents[2].parent / "shared" / "version-tables"
SIGNS = {"<": -1, "=": 0, ">": 1}


def chains(text: str) -> list[str]:
    """Return the lines of a specification that state an order; a line that begins with # is a comment."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def holds(ordering: str, chain: str) -> None:
    """Assert that every two versions of a chain compare as the chain says, both ways round."""
    compare = load(ordering).compare
    for left, sign, right in pairs(chain):
        assert compare(left, right) == sign, f"{left} against {right}"
        assert compare(right, left) == -sign, f"{right} against {left}"


def pairs(chain: str) -> Iterator[tuple[str, int, str]]:
    """Yield every two versions of a chain with the order that follows from the chain."""
    words = chain.split()
    steps = [SIGNS[sign] for sign in words[1::2]]
    assert {-1, 1} - set(steps), "a chain goes one way"
    versions = words[::2]
    for left, right in combinations(range(len(versions)), 2):
        between = steps[left:right]
        yield versions[left], next((step for step in between if step), 0), versions[right]


def wrong_lines(ordering: str, table: str) -> list[str]:
    """Return the lines of a shared table that an ordering gets wrong; skip the test where the table is absent."""
    path = SHARED_TABLES / f"{table}-versions-generated.txt"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside the project")
    compare = load(ordering).compare
    wrong = []
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "/"))]
    assert lines
    for line in lines:
        left, sign, right = line.split()
        if compare(left, right) != SIGNS[sign] or compare(right, left) != -SIGNS[sign]:
            wrong.append(line)
    return wrong
