"""What every cataloger holds to, whoever wrote it."""

import importlib
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdfast.catalog
from holdfast.catalog import CATALOGERS
from holdfast.catalog.cataloger import Cataloger
from holdfast.catalog.document import DocumentCataloger
from holdfast.fs.memory import MemoryFile
from holdfast.fs.select import Selector, compile_glob
from holdfast.model.errors import LimitError
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Found

NAMES = [cataloger.name for cataloger in CATALOGERS]
each = pytest.mark.parametrize("cataloger", CATALOGERS, ids=NAMES)


def file(path: str, content: bytes, mode: int = 0o755) -> MemoryFile:
    return MemoryFile(Entry(path, FileType.FILE, len(content), mode), content)


def path_for(cataloger: Cataloger) -> str:
    """A path that the cataloger's first pattern names."""
    if not cataloger.patterns:
        return "usr/bin/program"
    return cataloger.patterns[0].replace("**/", "srv/app/").replace("*", "thing")


def test_every_cataloger_of_the_room_is_listed() -> None:
    listed = {id(cataloger) for cataloger in CATALOGERS} | {type(cataloger).__name__ for cataloger in CATALOGERS}
    forgotten = []
    for module in pkgutil.iter_modules(holdfast.catalog.__path__):
        members = vars(importlib.import_module(f"holdfast.catalog.{module.name}"))
        for name, value in members.items():
            if isinstance(value, DocumentCataloger) and id(value) not in listed:
                forgotten.append(f"{module.name}.{name}")
            is_own_class = isinstance(value, type) and value.__module__ == f"holdfast.catalog.{module.name}"
            if is_own_class and name.endswith("Cataloger") and name not in ("Cataloger", "DocumentCataloger"):
                forgotten += [] if name in listed else [f"{module.name}.{name}"]
    assert forgotten == []


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@each
def test_it_is_found_by_its_own_patterns_or_magic(cataloger: Cataloger) -> None:
    selector = Selector(CATALOGERS)
    assert cataloger.patterns or cataloger.magic
    for pattern in cataloger.patterns:
        path = pattern.replace("**/", "srv/app/").replace("*", "thing")
        assert compile_glob(pattern).fullmatch(path)
        assert cataloger in selector.by_path(path)
    for magic in cataloger.magic:
        assert cataloger in selector.by_head(magic + b"\0" * 60)


@each
def test_an_empty_file_shows_no_package(cataloger: Cataloger) -> None:
    found = cataloger.read(file(path_for(cataloger), b""))
    assert found.packages == ()


@each
def test_a_file_over_its_budget_is_a_problem_or_a_limit_error(cataloger: Cataloger) -> None:
    class Endless(MemoryFile):
        def read(self, limit: int) -> bytes:
            raise LimitError(f"longer than {limit} bytes")

    endless = Endless(Entry(path_for(cataloger), FileType.FILE, 1 << 40, 0o755), b"not ELF")
    try:
        found = cataloger.read(endless)
    except LimitError:
        return
    if cataloger.patterns and cataloger.name != "unread":  # That one reads nothing.
        assert [problem.code for problem in found.problems] == [f"catalog.{cataloger.name}.too-large"]


@each
@given(content=st.binary(max_size=400), keep=st.booleans())
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_give_a_result(cataloger: Cataloger, content: bytes, keep: bool) -> None:
    content = b"".join(cataloger.magic[:1]) + content if keep else content
    subject = file(path_for(cataloger), content)
    found = cataloger.read(subject)
    assert isinstance(found, Found)
    assert cataloger.read(subject) == found
    for package in found.packages:
        assert package.name
        assert package.locations == ()
