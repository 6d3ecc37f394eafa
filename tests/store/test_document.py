"""What is kept comes back as it was, or is said to be damaged."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import LimitError, StoreError
from holdfast.model.report import Report
from holdfast.store import document
from holdfast.store.document import pack, portable, unpack
from report.reports import deb, finding, report

REPORT = report(finding(deb("openssl", "1"), "CVE-2026-0001"))


def test_a_report_is_plain_json_in_a_frame() -> None:
    text = zstandard.ZstdDecompressor().decompress(pack(REPORT))
    assert msgspec.json.decode(text, type=Report) == REPORT


@given(st.dictionaries(st.text(st.characters(exclude_categories=())), st.binary()))
def test_any_name_and_any_bytes_come_back(sources: dict[str, bytes]) -> None:
    assert unpack(pack(sources), dict[str, bytes]) == sources


@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 20))
def test_whatever_is_changed_in_a_document_is_noticed(middle: bytes, at: int, cut: int) -> None:
    whole = pack(REPORT)
    changed = whole[:at] + middle + whole[at + cut :]
    try:
        assert unpack(changed, Report) == REPORT
    except StoreError as error:
        assert "damaged" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text", [b"[" * 500_000, b'{"target": ' * 100_000, b"9" * 10_000, b"null", b"{}", b"\xff", b'"\\ud800"']
)
def test_json_that_is_no_report_is_damage(text: bytes) -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(zstandard.compress(text), Report)


def test_a_frame_that_would_grow_without_bound_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LIMIT", 100_000)
    with pytest.raises(StoreError, match="no size that can be"):
        unpack(zstandard.compress(b" " * 100_001), Report)
    with pytest.raises(LimitError):
        pack({"a": b"b" * 100_000})


@given(st.text(st.characters(exclude_categories=())))
def test_portable_text_has_neither_surrogates_nor_nul(text: str) -> None:
    shown = portable(text)
    assert "\0" not in shown
    shown.encode()
    assert shown == text or set(text) & {"\0", *map(chr, range(0xD800, 0xE000))}
