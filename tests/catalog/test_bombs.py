"""Small files that would take much memory or time: what bounds them is said, and the rest is kept."""

import struct

import pytest

from catalog.samples import GO_SUM, PNPM_9, UV, elf, listed, read
from holdfast.catalog import apk, declared, document, python_lock, sbom
from holdfast.catalog.apk import APK
from holdfast.catalog.cataloger import Cataloger
from holdfast.catalog.catalogers import CATALOGERS
from holdfast.catalog.deb import DEB
from holdfast.catalog.document import MAX_BYTES, DocumentCataloger, bounded, lines
from holdfast.catalog.go_mod import GO_SUM as GO_SUM_CATALOGER
from holdfast.catalog.golang import MAX_SEGMENTS, _Program
from holdfast.catalog.node_lock import NODE_LOCK
from holdfast.catalog.pnpm import PNPM
from holdfast.catalog.python_lock import PDM, POETRY, REQUIREMENTS
from holdfast.catalog.python_lock import UV as UV_CATALOGER
from holdfast.catalog.sbom import read_cyclonedx
from holdfast.catalog.yarn import YARN
from holdfast.model.errors import LimitError


@pytest.mark.parametrize("cataloger", [POETRY, PDM, UV_CATALOGER], ids=lambda one: one.name)
def test_a_dotted_key_of_too_many_parts_is_refused(cataloger: DocumentCataloger) -> None:
    found = read(cataloger, "srv/x.lock", UV + "a." * 20_000 + "a = 1\n")
    assert [(problem.code, problem.message) for problem in found.problems] == [
        (f"catalog.{cataloger.name}.too-large", "keys of too many parts")
    ]


def test_many_addresses_are_no_dotted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_lock, "_MAX_DOTTED", 200 * 100)
    wheels = "wheels = [\n" + '  { url = "https://files.example.org/a-1.2.3.whl" },\n' * 100 + "]\n"
    assert read(UV_CATALOGER, "srv/uv.lock", UV + wheels).problems == ()


def test_a_pnpm_key_without_end_is_counted_and_the_rest_kept() -> None:
    text = PNPM_9.replace("\nsnapshots:", f"\n  {'a.' * 50_000}/x:\n    x: y\n\nsnapshots:")
    found = read(PNPM, "srv/pnpm-lock.yaml", text)
    assert listed(found) == listed(read(PNPM, "srv/pnpm-lock.yaml", PNPM_9))
    assert [(problem.code, problem.count) for problem in found.problems] == [("catalog.pnpm.corrupt", 1)]


def test_program_headers_smaller_than_they_can_be_are_no_program() -> None:
    head = bytearray(elf())
    struct.pack_into("<HH", head, 54, 0, 65_535)
    assert _Program.of(bytes(head)) is None


def test_no_more_segments_are_read_than_a_program_has() -> None:
    head = bytearray(elf() + bytes(56 * 65_535))
    struct.pack_into("<HH", head, 54, 56, 65_535)
    program = _Program.of(bytes(head))
    assert program is not None
    assert len(program.segments) == MAX_SEGMENTS


@pytest.mark.parametrize(
    ("cataloger", "path", "line"),
    [
        (REQUIREMENTS, "srv/requirements.txt", "a{}==1\n"),
        (GO_SUM_CATALOGER, "srv/go.sum", "a{} v1 h1:x\n"),
        (YARN, "srv/yarn.lock", 'a{}@^1:\n  version "1"\n'),
        (APK, "lib/apk/db/installed", "P:a{}\nV:1\n\n"),
        (DEB, "var/lib/dpkg/status", "Package: a{}\nVersion: 1\n\n"),
    ],
    ids=lambda value: value.name if isinstance(value, DocumentCataloger) else "",
)
def test_parsing_ends_with_more_packages_than_are_kept(
    monkeypatch: pytest.MonkeyPatch, cataloger: DocumentCataloger, path: str, line: str
) -> None:
    for room in ("document", "declared", "go_mod", "apk", "deb"):
        monkeypatch.setattr(f"holdfast.catalog.{room}.MAX_PACKAGES", 5)
    text = "".join(line.format(number) for number in range(20))
    found = read(cataloger, path, text)
    assert len(cataloger.parse(path, text.encode()).packages) == 6
    assert [name for name, _ in listed(found)] == [f"a{number}" for number in range(5)]
    assert [problem.code for problem in found.problems] == [f"catalog.{cataloger.name}.too-large"]


def test_a_json_lock_file_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "MAX_VALUES", 1_000)
    found = read(NODE_LOCK, "srv/package-lock.json", '{"x": [' + "[]," * 1_000 + "[]]}")
    assert [problem.code for problem in found.problems] == ["catalog.node-lock.too-large"]


def test_paths_that_repeat_a_long_folder_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apk, "MAX_PATHS", 1_000)
    found = read(
        APK, "lib/apk/db/installed", "P:a\nV:1\nF:" + "f" * 400 + "\n" + "R:x\n" * 50 + "\nP:b\nV:1\nF:\nR:y\n"
    )
    assert listed(found) == [("a", "1"), ("b", "1")]
    assert [claim.paths.count(b"\n") + 1 for claim in found.claims] == [2, 1]
    assert [problem.code for problem in found.problems] == ["catalog.apk.corrupt"]


def test_a_bill_of_materials_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "MAX_VALUES", 1_000)
    with pytest.raises(LimitError, match="1,000 values"):
        read_cyclonedx(b'{"bomFormat": "CycloneDX", "components": [' + b"{}," * 1_000 + b"{}]}")


def test_a_bill_of_materials_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "MAX_BYTES", 1_000)
    with pytest.raises(LimitError, match="bill of materials"):
        read_cyclonedx(b" " * 1_001)


def test_documents_that_are_parsed_as_a_whole_have_a_budget_of_their_own() -> None:
    bare: list[Cataloger] = [one for one in CATALOGERS if isinstance(one, DocumentCataloger) and one.limit >= MAX_BYTES]
    assert [one.name for one in bare] == ["deb-list"]  # That one is kept as it stands.


def test_lines_end_as_any_system_ends_them() -> None:
    assert list(lines("a\r\n\nb\rc\u2028d")) == ["a", "b", "c\u2028d"]


def test_what_is_within_its_bounds_is_the_same_document() -> None:
    data = GO_SUM.encode()
    assert bounded(data, 0) is data
    assert document.bounded(b"[1,2]", 2) == b"[1,2]"
