"""The page: whole without JavaScript, nothing loaded, nothing hostile becomes markup, usable however much there is."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Layer, Side
from holdfast.model.finding import Location
from holdfast.model.report import Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.html import HtmlWriter
from holdfast.report.picture import MOST_LAYERS
from report.reports import (
    ALL_ENGINES,
    deb,
    digest,
    finding,
    malicious,
    misstated,
    pypi,
    report,
    secret,
    setting,
    tampered,
)

VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """What a browser makes of it: elements with their attributes, texts, and whether every element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.raw[self._open[-1]] = data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def html(given: Report) -> str:
    output = io.BytesIO()
    HtmlWriter().write(given, output)
    return output.getvalue().decode()


OPENSSL, JINJA = deb("openssl", "3.0.1", licenses=("Apache-2.0",)), pypi("jinja2", "2.10")
FULL = report(
    tampered(),
    misstated(),
    finding(OPENSSL, "CVE-2026-1", "critical", fixed="3.0.2", exploited=True, epss=0.99, score=9.8),
    finding(JINJA, "CVE-2026-2", "low", state="will-not-fix"),
    secret(deleted_by=digest("app-diff")),
    malicious(),
    setting(),
    setting("image.setuid-file", "medium", "usr/bin/su", found="mode 4755"),
    packages=(OPENSSL, JINJA),
    engines=ALL_ENGINES,
    problems=(
        Problem("layer.truncated", "it ends early", Gravity.PARTIAL, "layer 1", "pull it again"),
        Problem("a.note", "something to know", Gravity.NOTE),
    ),
)
TEXT = html(FULL)
PAGE = Page(TEXT)


class TestPolicy:
    def test_nothing_may_be_loaded_and_only_our_script_and_style_run(self) -> None:
        (policy,) = (one["content"] for one in PAGE.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for kind in ("script", "style"):
            expected = base64.b64encode(hashlib.sha256(PAGE.raw[kind].encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{expected}'" in policy

    def test_nothing_points_outside_but_links_to_click(self) -> None:
        for tag, attributes in PAGE.elements:
            assert tag not in ("link", "img", "iframe", "object", "embed", "base", "audio", "video", "source")
            assert not {"src", "srcset", "data", "action", "formaction", "background", "ping", "style"} & set(
                attributes
            )
            assert not any(name.startswith("on") for name in attributes)
            if "href" in attributes:
                assert tag == "a"
                assert attributes["href"].startswith(("https://", "#"))
        assert "url(" not in TEXT
        assert "@import" not in TEXT
        assert len(PAGE.all("script")) == len(PAGE.all("style")) == 1

    def test_links_send_no_referrer(self) -> None:
        assert all("noreferrer" in one["rel"] for one in PAGE.all("a") if one["href"].startswith("https"))

    def test_the_script_builds_no_markup(self) -> None:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch|XMLHttp", TEXT)


class TestContent:
    def test_status_and_problems_come_before_everything(self) -> None:
        order = [
            PAGE.text.index(word) for word in ("it ends early", "pull it again", "Summary", "What to do", "Findings ")
        ]
        assert order == sorted(order)
        assert "Something was not seen" in PAGE.text

    def test_every_kind_has_its_tile(self) -> None:
        for words in ("2 tampered parts", "1 malware", "1 secret", "2 vulnerabilities", "2 broken rules"):
            assert words in PAGE.text

    def test_what_was_not_looked_for_is_no_nought(self) -> None:
        text = Page(html(report(engines=("packages",), database=None, checked=()))).text
        assert "– vulnerabilities not looked for" in text
        assert "– secrets not looked for" in text
        assert "0 tampered parts none found" in text

    def test_without_javascript_every_finding_is_there_and_can_be_opened(self) -> None:
        assert len([one for one in PAGE.all("li") if "data-order" in one]) == 8
        assert not any("hidden" in one for one in PAGE.all("li"))
        (form,) = PAGE.all("form")
        assert "hidden" in form  # it would do nothing without the script
        for words in ("Promised", "AKIA…7QZX", "mode 4755", "stratum+tcp://", "< 3.0.2", "known since 2026-01-02"):
            assert words in PAGE.text

    def test_findings_are_sorted_most_urgent_first(self) -> None:
        kinds = [one["data-kind"] for one in PAGE.all("li") if "data-kind" in one]
        assert kinds == [
            "integrity", "integrity", "malware", "vulnerability", "secret", "configuration", "configuration",
            "vulnerability",
        ]  # fmt: skip

    def test_where_layer_fix_and_deletion_are_told(self) -> None:
        assert "→ 3.0.2" in PAGE.text
        assert "will not be fixed" in PAGE.text
        assert "deleted, still in the image" in PAGE.text
        assert "by layer #2: it is still in the image" in PAGE.text
        assert "srv/app/.env:3" in PAGE.text

    def test_packages_are_listed(self) -> None:
        assert "2 packages found" in PAGE.text
        assert "openssl 3.0.1 deb #1 Apache-2.0" in PAGE.text

    def test_an_empty_report_is_a_page_too(self) -> None:
        assert "No findings." in Page(html(report())).text
        failed = html(report(status=Status.FAILED, layers=(), distribution=None, target=Target("", "dir")))
        assert "The target could not be read." in Page(failed).text

    def test_it_is_for_screen_readers_and_keyboards(self) -> None:
        assert PAGE.all("html") == [{"lang": "en"}]
        assert next(one["href"] for one in PAGE.all("a")) == "#findings"
        ids = [attributes["id"] for _, attributes in PAGE.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in PAGE.elements:
            assert attributes.get("aria-labelledby", ids[0]) in ids
        assert all(one.get("aria-label") for one in PAGE.all("svg"))
        assert any(one.get("role") == "status" for one in PAGE.all("p"))


class TestPicture:
    def test_each_layer_says_its_size_packages_and_findings(self) -> None:
        labels = [one["aria-label"] for one in PAGE.all("svg")]
        assert labels[0] == "The layers by size, 57.0 MB in all: base image 48.0 MB, application 9.0 MB"
        assert labels[1].startswith("Layer 1: 48.0 MB, 1 package, 2 findings: 1 critical, 1 medium")
        assert labels[2].startswith("Layer 2: 9.0 MB, 1 package, ")

    def test_bars_stay_within_the_picture(self) -> None:
        for bar in PAGE.all("rect"):
            assert 0 <= float(bar["x"]) <= 100
            assert 0 < float(bar["width"]) <= 100
            assert float(bar["x"]) + float(bar["width"]) <= 100.01

    def test_without_sizes_or_layers_there_is_none(self) -> None:
        assert "What each layer brought" not in html(report(layers=()))
        engine = report(layers=(Layer(digest("a")), Layer(digest("b"))))
        assert "size not known" in html(engine)
        assert 'class="strip"' not in html(engine)

    def test_of_very_many_layers_the_rest_is_counted(self) -> None:
        layers = tuple(Layer(digest(str(n)), size=n, side=Side.APPLICATION) for n in range(MOST_LAYERS + 40))
        page = Page(html(report(layers=layers)))
        assert len([one for one in page.all("svg") if one["class"] == "bars"]) == MOST_LAYERS
        assert "and 40 more layers" in page.text

    def test_empty_layers_of_one_diff_id_are_not_counted_twice(self) -> None:
        empty = Layer(digest("empty"), size=32)
        one = secret(location=Location("x", diff_id=empty.diff_id))
        labels = [svg["aria-label"] for svg in Page(html(report(one, layers=(empty, empty)))).all("svg")]
        assert sum(", 1 finding: 1 critical" in label for label in labels) == 1


def test_of_very_many_findings_the_most_urgent_are_shown_and_the_rest_is_said() -> None:
    packages = tuple(deb(f"package-{number}", "1") for number in range(100))
    many = [finding(one, f"CVE-2026-{n}", "low") for one in packages for n in range(280)]
    text = html(report(*many, secret(), packages=packages, engines=ALL_ENGINES))
    page = Page(text)
    assert len([one for one in page.all("li") if "data-order" in one]) == 2000
    assert "Only the 2,000 most urgent of 28,001 findings are on this page; 26,001 are left out" in page.text
    assert "AKIA…7QZX" in text
    assert len(text) < 6_000_000


def test_places_of_one_rule_are_one_entry() -> None:
    many = [setting("image.setuid-file", "medium", f"usr/bin/{number}") for number in range(10_000)]
    page = Page(html(report(*many, engines=ALL_ENGINES)))
    assert len([one for one in page.all("li") if "data-order" in one]) == 1
    assert "+9999 more" in page.text
    assert "and 9,970 more" in page.text


def hostile_report(*texts: str) -> Report:
    name, version, path, title, advice, other = texts
    package = type(JINJA)(name, version, "pypi", other, locations=(path,), licenses=(title,), namespace=other)
    layers = (Layer(digest("x"), created_by=title, size=3), Layer(path, name, created_by=advice, size=5))
    fields: dict[str, Any] = {"references": (other, f"https://x.example/{title}"), "controls": (advice,)}
    return report(
        finding(package, other, fixed=version, title=title, **fields),
        secret(path, title=title, redacted=name, place=other, places=(advice,), checks=(name,), **fields),
        malicious(path, title=title, inside=other, matched=(advice, name), rules=title, **fields),
        setting(name, "high", path, title=title, found=advice, expected=other, **fields),
        packages=(package,),
        layers=layers,
        target=Target(name, path, digest=version),
        problems=(Problem(title, advice, where=path, remedy=other), Problem(title, advice, Gravity.NOTE, where=path)),
        not_checked=(name,),
        distribution=type(report().distribution)(name, version, path),  # type: ignore[misc]
        engines=ALL_ENGINES,
    )


class TestHostileNames:
    ATTACKS = (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style><script>",
        "{{ 7*7 }}",
        "javascript:alert(1)",
    )

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_markup_is_text(self, attack: str) -> None:
        text = html(hostile_report(*[attack] * 6))
        page = Page(text)
        assert len(page.all("script")) == 1
        assert not page.all("img")
        assert all(one["href"].startswith(("https://", "#")) for one in page.all("a"))
        assert attack in page.text

    def test_controls_and_overrides_are_shown_as_escapes(self) -> None:
        text = html(hostile_report(*["a\0b\x1b[2J\x9b‮gnp"] * 6))
        assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f‪-‮⁦-⁩]", text)
        assert "a\\x00b\\x1b[2J\\x9b\\u202egnp" in text

    def test_endless_names_are_cut(self) -> None:
        assert len(html(hostile_report(*["A" * 3_000_000] * 6))) < 200_000

    @settings(max_examples=40, deadline=None)
    @given(st.tuples(*[st.text(st.characters(), max_size=40)] * 6))
    def test_any_text_leaves_the_page_as_it_is(self, texts: tuple[str, ...]) -> None:
        text = html(hostile_report(*texts))
        page = Page(text)
        assert len(page.all("script")) == len(page.all("style")) == 1
        assert {tag for tag, _ in page.elements} <= {tag for tag, _ in PAGE.elements} | {"svg", "rect"}
        assert all(line.isprintable() for line in text.split("\n"))
