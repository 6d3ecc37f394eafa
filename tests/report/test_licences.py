"""Which licences are SPDX ids, which expressions, which only names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.licences import Form, form_of, spdx_ids


@pytest.mark.parametrize("licence", ["MIT", "Apache-2.0", "GPL-2.0-only", "0BSD"])
def test_ids_of_the_list(licence: str) -> None:
    assert form_of(licence) is Form.ID


@pytest.mark.parametrize(
    "licence",
    [
        "MIT OR Apache-2.0",
        "(MIT AND (BSD-3-Clause OR ISC))",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "LicenseRef-ours AND MIT",
        "DocumentRef-x:LicenseRef-y",
        "Apache-2.0+",
    ],
)
def test_expressions(licence: str) -> None:
    assert form_of(licence) is Form.EXPRESSION


@pytest.mark.parametrize(
    "licence",
    [
        "", "GPL-2+", "mit", "MIT OR", "OR MIT", "MIT Apache-2.0", "(MIT", "MIT)", "()", "MIT WITH", "MIT AND Foo-1.0",
        "BSD License", "MIT/X11", "GPL-2.0-only WITH (MIT)", "MIT OR Apache-2.0\x00", "(" * 10_000,
        "MIT OR " * 1000 + "MIT", "Classpath-exception-2.0",
    ],
)  # fmt: skip
def test_everything_else_is_a_name(licence: str) -> None:
    assert form_of(licence) is Form.NAME


def test_the_list_is_all_there() -> None:
    assert len(spdx_ids()) > 700
    assert "Linux-syscall-note" not in spdx_ids()


@given(st.text(alphabet="()MIT ANDORWH+-.:", max_size=60))
def test_any_text_has_a_form(text: str) -> None:
    assert form_of(text) in Form
