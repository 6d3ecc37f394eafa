"""Text for a terminal: what a name holds is shown, never obeyed."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.text import columns, cut, cut_front, listed, pad, paint, paragraph, printable, wrap


def test_what_a_terminal_would_obey_is_written_as_an_escape() -> None:
    assert printable("a\x1b[31mb") == "a\\x1b[31mb"
    assert printable("name\u202egnp.exe") == "name\\u202egnp.exe"
    assert printable("zero\u200bwidth") == "zero\\u200bwidth"
    assert printable("line\nfeed\x9b") == "line\\x0afeed\\x9b"
    assert printable("byte\udcff lone\ud800 tag\U000e0041") == "byte\\xff lone\\ud800 tag\\U000e0041"


def test_plain_and_foreign_letters_stay() -> None:
    assert printable("ünïcode 日本語 ~ok") == "ünïcode 日本語 ~ok"


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert cut("日本語", 5) == "日本…"
    assert pad("日本", 6) == "日本  "


def test_of_a_path_the_end_is_what_is_kept() -> None:
    assert cut_front("usr/lib/app", 8) == "…lib/app"
    assert cut_front("usr/lib/app", 11) == "usr/lib/app"
    assert cut_front("日本語", 5) == "…本語"
    assert cut_front("anything", 0) == ""


def test_a_text_of_combining_marks_alone_ends() -> None:
    assert len(cut("e" + "\u0301" * 10_000, 10)) <= 41


def test_words_are_wrapped_and_long_ones_broken_and_in_the_end_cut() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert len(wrap("x" * 10_000, 10)) == 3
    assert wrap("", 10) == []


def test_a_paragraph_keeps_its_lead_on_the_first_line() -> None:
    assert list(paragraph("- ", "a b\nc", 5, "dim")) == [[("- ", "dim"), ("a b", "dim")], [("  ", "dim"), ("c", "dim")]]


def test_colour_only_where_asked_for() -> None:
    spans = [("bad", "critical"), (" and more", "")]
    assert paint(spans, 80, colour=False) == "bad and more"
    assert paint(spans, 80, colour=True) == "\x1b[1;31mbad\x1b[0m and more"
    assert paint(spans, 6, colour=False) == "bad a…"


def test_a_list_says_how_many_it_leaves_out() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a", "b"], 2) == "a, b"


@given(st.text(st.characters(), max_size=80), st.integers(1, 40))
def test_any_text_fits_its_columns_and_holds_nothing_to_obey(text: str, width: int) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert columns(cut(shown, width)) <= width
    assert columns(pad(shown, width)) == width
    assert all(columns(line) <= max(width, 2) for line in wrap(shown, width))
    assert len(paint([(shown, "")], width, colour=False)) <= 4 * width + 1
