"""Tables of cases, of which a few are run at every commit and all in the whole suite."""

from collections.abc import Mapping
from typing import Any

import pytest


def cases(table: Mapping[str, Any], *quick: str) -> list[Any]:
    """The rows of a table as parameters, named by their keys; all but the `quick` ones are marked slow."""
    assert set(quick) <= set(table), set(quick) - set(table)
    return [
        pytest.param(
            *(row if isinstance(row, tuple) else (row,)),
            id=name,
            marks=() if name in quick else pytest.mark.slow,
        )
        for name, row in table.items()
    ]
