"""The contract of every writer: the room's tuple holds it, it takes any report, and says the same thing twice."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdfast.report
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem
from holdfast.report import WRITERS, writer
from holdfast.report.writer import Writer
from report.reports import (
    ALL_ENGINES,
    DEBIAN,
    deb,
    declared,
    finding,
    malicious,
    pypi,
    report,
    secret,
    setting,
    tampered,
)

# What the writers are made of; every other file of the room is a format and belongs into WRITERS.
_PARTS = {
    "__init__", "columns", "entries", "inspection", "inventory", "licences", "malware", "picture", "preface", "remedy",
    "rows", "secrets", "settings", "survey", "text", "todo", "verdict", "words", "writer",
}  # fmt: skip


def written(one: Writer, given: Report, *, width: int = 80) -> bytes:
    output = io.BytesIO()
    one.write(given, output, width=width)
    return output.getvalue()


def test_every_format_of_the_room_is_in_the_tuple() -> None:
    files = {path.stem for path in Path(holdfast.report.__file__).parent.glob("*.py")}
    assert {type(one).__module__.rpartition(".")[2] for one in WRITERS} == files - _PARTS


def test_names_are_unique_and_lead_to_their_writer() -> None:
    assert len({one.name for one in WRITERS}) == len(WRITERS)
    assert [writer(one.name) for one in WRITERS] == list(WRITERS)
    assert writer("pdf") is None


def test_every_format_is_described() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    assert [one.name for one in WRITERS if f"`{one.name}`" not in text] == []


REPORTS = {
    "nothing": report(packages=()),
    "no image": report(target=Target("dir:/", "dir"), layers=(), distribution=None),
    "full": report(
        tampered(),
        finding(deb("openssl", "3.0.1"), "CVE-2026-1", "critical", fixed="3.0.2", exploited=True, epss=0.99, score=9.8),
        finding(pypi("jinja2", "2.10"), "GHSA-1", "low", state="will-not-fix"),
        packages=(deb("openssl", "3.0.1"), pypi("jinja2", "2.10"), declared("django", "1")),
        problems=(Problem("layer.truncated", "it ends early", Gravity.PARTIAL, "layer 1", "pull it again"),),
    ),
    "every kind": report(secret(), malicious(), setting(), engines=ALL_ENGINES),
}


@pytest.mark.parametrize("one", WRITERS, ids=lambda one: one.name)
@pytest.mark.parametrize("name", REPORTS)
class TestEveryWriter:
    def test_says_the_same_twice(self, one: Writer, name: str) -> None:
        assert written(one, REPORTS[name]) == written(one, REPORTS[name])

    def test_writes_the_same_to_text_and_to_bytes(self, one: Writer, name: str) -> None:
        text = io.StringIO()
        one.write(REPORTS[name], text)
        assert text.getvalue().encode() == written(one, REPORTS[name])

    def test_ends_with_a_newline(self, one: Writer, name: str) -> None:
        assert written(one, REPORTS[name]).endswith(b"\n")


# Any text that could come out of an image: every character, lone surrogates and escapes included.
hostile = st.text(st.characters(), max_size=40) | st.sampled_from(["\x1b[2J", "a\udcff", "‮", "\ud800", "日本" * 30, ""])


@pytest.mark.parametrize("one", WRITERS, ids=lambda one: one.name)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_an_image_holds_is_written_as_utf8(one: Writer, data: st.DataObject) -> None:
    name, version, path, rule = (data.draw(hostile) for _ in range(4))
    package = pypi("x", "1", locations=(path,), vendor=name, licenses=(version,))
    package = type(package)(name, version, "pypi", data.draw(hostile), locations=(path,), licenses=(rule, version))
    made = report(
        finding(package, rule, fixed=version, title=name),
        secret(path, title=name, redacted=version, place=rule, places=(name, path)),
        malicious(path, title=name, inside=version, matched=(rule,), deleted_by=name),
        setting(rule, "high", path, title=name, found=version, places=(name,)),
        packages=(package, package),
        target=Target(name, path),
        problems=(Problem("x.y", rule, where=path, remedy=version),),
        distribution=DEBIAN if data.draw(st.booleans()) else type(DEBIAN)(name, version, path, rule, (name,)),
    )
    assert written(one, made).decode()
