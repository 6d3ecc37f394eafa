"""The Markdown summary: short, the worst first, never over its size, and nothing foreign is markup."""

import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem
from holdfast.report.markdown import MOST_BYTES, MarkdownWriter, escaped
from report.reports import ALL_ENGINES, deb, digest, finding, malicious, pypi, report, secret, setting, tampered

TAGS = {"table", "tr", "th", "td", "code", "b", "details", "summary"}


def markdown(given: Report) -> str:
    output = io.BytesIO()
    MarkdownWriter().write(given, output)
    return output.getvalue().decode()


class Balanced(HTMLParser):
    """Only our tags, each closed, none with an attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert attrs == []
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


JINJA = pypi("jinja2", "2.10")
FULL = report(
    tampered(),
    finding(JINJA, "CVE-2026-1", "high", fixed="2.10.1", exploited=True),
    secret(deleted_by=digest("app-diff")),
    malicious(),
    setting(),
    *(setting(f"image.rule-{number}", "medium", f"etc/{number}") for number in range(20)),
    packages=(JINJA,),
    engines=ALL_ENGINES,
    problems=(Problem("x", "it ends early", Gravity.PARTIAL, "layer 1", "pull again"),),
)


def test_it_opens_with_the_target_and_the_status() -> None:
    lines = markdown(FULL).splitlines()
    assert lines[0] == "## Holdfast: <code>oci&#58;<!-- -->demo&#58;<!-- -->latest</code>"
    assert lines[2].startswith("**⚠️ partial** · Debian GNU/Linux 12 (bookworm) · 1 package · 2 layers")
    assert "- it ends early in <code>layer 1</code> → pull again" in lines


def test_counts_are_a_table_and_not_looked_for_is_no_nought() -> None:
    assert "| secrets | **1** | · | · | · | · |" in markdown(FULL)
    assert "| secrets (not looked for) | ? | ? | ? | ? | ? |" in markdown(report())


def test_the_ten_worst_stand_open_and_the_rest_is_folded() -> None:
    text = markdown(FULL)
    head, _, folded = text.partition("<details>")
    assert head.count("<tr><td>") == 10
    assert folded.count("<tr><td>") == 15
    assert "15 more findings: configuration findings</summary>" in folded
    assert "<b>deleted, still in the image</b>" in head
    assert "### What to do" in head


def test_nothing_found_is_short() -> None:
    text = markdown(report(engines=ALL_ENGINES))
    assert "worst" not in text
    assert len(text) < 800


def test_it_never_grows_over_its_size_and_says_what_is_left_out() -> None:
    packages = tuple(deb(f"package-{number}", "1") for number in range(100))
    many = [finding(one, f"CVE-2026-{number}") for one in packages for number in range(280)]
    text = markdown(report(*many, *(secret(f"srv/{n}") for n in range(2000)), packages=packages, engines=ALL_ENGINES))
    assert len(text.encode()) <= MOST_BYTES
    Balanced(text)
    assert re.search(r"\n29,\d{3} findings left out: this summary has at most 60 KB\.\n$", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain-1.0/x", "plain-1.0/x"),
        ("@user", "&#64;<!-- -->user"),
        ("#12", "&#35;<!-- -->12"),
        ("a|b*c_d`e", "a&#124;b&#42;c&#95;d&#96;e"),
        ("<b>&amp;", "&#60;b&#62;&#38;amp;"),
        ("https://x.example", "https&#58;<!-- -->//x.example"),
        ("www.x.example", "www&#46;x.example"),
        ("[a](b)", "&#91;a&#93;(b)"),
        ("a\n\n# b", "a\\x0a\\x0a".replace("\\", "&#92;") + "&#35;<!-- --> b"),
        ("日本", "日本"),
    ],
)
def test_markup_mentions_and_links_are_taken_apart(text: str, expected: str) -> None:
    assert escaped(text) == expected


def hostile(*texts: str) -> Report:
    path, title, rule, other, name = texts
    package = pypi(name, other)
    return report(
        *(secret(f"{n}{path}", title=title, redacted=other, place=name) for n in range(12)),
        malicious(path, title=title, inside=other),
        setting(rule, "high", path, title=title, found=other),
        finding(package, rule, title=title, fixed=other),
        packages=(package,),
        target=Target(name, path, digest=other),
        tool=name,
        problems=tuple(Problem(rule, f"{n}{title}", where=path, remedy=other) for n in range(12)),
        not_checked=(name,) * 30,
        engines=ALL_ENGINES,
    )


@pytest.mark.parametrize("character", ["@", "<", "\0", "日", "\U0001f600", "#", "|", "\x1b", "‮"])
def test_endless_hostile_names_fit(character: str) -> None:
    text = markdown(hostile(*[character * 100_000] * 5))
    assert len(text.encode()) <= MOST_BYTES
    Balanced(text)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.text(st.characters(), max_size=60) | st.sampled_from(["</td>", "`", "<!--", "-->", "&lt;"])] * 5))
def test_any_text_leaves_the_document_as_it_is(texts: tuple[str, ...]) -> None:
    text = markdown(hostile(*texts))
    Balanced(text)
    assert all(line.isprintable() for line in text.split("\n"))
