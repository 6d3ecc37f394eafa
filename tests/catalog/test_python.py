"""Python distributions that are installed."""

import pytest

from catalog.samples import METADATA, listed, read
from holdfast.catalog.python import PYTHON
from holdfast.fs.select import Selector

PATH = "usr/lib/python3.11/site-packages/x-1.dist-info/METADATA"


def test_metadata_gives_the_normalised_name_and_ends_at_the_first_empty_line() -> None:
    found = read(PYTHON, PATH, METADATA)
    assert listed(found) == [("zope-interface", "5.4.0")]
    assert found.packages[0].licenses == ("Zope Public License",)


@pytest.mark.parametrize(
    ("lines", "licenses"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: x\n", ("MIT OR Apache-2.0",)),
        ("License: BSD\n", ("BSD",)),
        ("License: UNKNOWN\n", ()),
        ("Classifier: License :: OSI Approved\nLicense: MIT\n", ("MIT",)),
        ("License: " + "all of the text " * 20 + "\n", ()),
    ],
)
def test_the_most_precise_licence_counts(lines: str, licenses: tuple[str, ...]) -> None:
    assert read(PYTHON, PATH, f"Name: a\nVersion: 1\n{lines}\n").packages[0].licenses == licenses


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        "usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO",
        "usr/lib/python3/dist-packages/six-1.16.0.egg-info",
        "opt/venv/lib/python3.9/site-packages/setuptools/_vendor/packaging-21.3.dist-info/METADATA",
    ],
)
def test_it_is_looked_for_wherever_installers_put_it(path: str) -> None:
    assert Selector([PYTHON]).by_path(path) == (PYTHON,)


def test_metadata_without_a_version_is_a_problem() -> None:
    found = read(PYTHON, PATH, "Name: a\n")
    assert (found.packages, [problem.code for problem in found.problems]) == ((), ["catalog.python.corrupt"])
