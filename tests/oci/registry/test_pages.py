"""Lists in pages: tags and repositories, and servers that never come to an end."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemons.behaviours import deep_json, endless, ever_new, html, link, link_to_itself, swap, wide_json
from daemons.fake import Fake, Names
from daemons.meddler import CATALOG, TAGS, Behaviour, Meddler
from daemons.message import Answer, Request
from daemons.push import push
from daemons.registry import registry
from holdfast.model.errors import HoldfastError, LimitError, NotFound, SourceError
from holdfast.oci.reference import is_repository, is_tag
from holdfast.oci.registry import pages
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.endpoint import Endpoint
from holdfast.oci.registry.pages import names
from holdfast.transport.address import Address
from oci.registry.clients import app, client


def test_tags_of_several_pages(place: Fake, ours: Registry) -> None:
    place.page, place.tags = 7, {"app": [f"v{number:03}" for number in range(50)]}
    assert list(ours.tags("app")) == place.tags["app"]


def test_the_pages_of_a_real_registry(tmp_path: Path) -> None:
    layout = app(tmp_path)
    with registry(tmp_path / "registry", catalog_max=2) as it:
        for name in ("a", "b/c", "d", "e", "f"):
            push(it, layout, f"{name}:1")
        with client(it.host) as ours:
            assert list(ours.catalog()) == ["a", "b/c", "d", "e", "f"]
            assert list(ours.tags("b/c")) == ["1"]


def test_a_catalog_of_100_000_names(place: Fake, ours: Registry) -> None:
    place.names, place.page = Names(100_000), 10_000
    listed = list(ours.catalog())
    assert len(listed) == 100_000
    assert listed[-1] == "team-0999/service-099999"


def test_a_page_of_100_000_names_from_who_knows_no_pages(place: Fake, ours: Registry) -> None:
    place.names, place.page = Names(100_000), 1 << 30
    place.respond, respond = (lambda request: respond(_without_n(request))), place.respond
    assert len(list(ours.catalog())) == 100_000


def test_no_catalog(place: Fake, ours: Registry) -> None:
    place.catalog = False
    with pytest.raises(NotFound):
        list(ours.catalog())


@pytest.mark.parametrize(
    "document", [b'{"name": "app", "tags": null}', b'{"name": "app"}', b'{"name": "app", "tags": []}']
)
def test_a_repository_without_tags(between: Meddler, ours: Registry, document: bytes) -> None:
    between.on(TAGS, swap(document))
    assert list(ours.tags("app")) == []


class TestLinks:
    @pytest.mark.parametrize(
        "form",
        [
            '</v2/app/tags/list?last=b>; rel="next"',
            "</v2/app/tags/list?last=b>; rel=next",
            '</v2/app/tags/list?last=b>;rel="next"',
            '</v2/app/tags/list?last=b>; REL="Next"; title="a"',
            '</v2/app/tags/list?last=b>; title="a"; rel="next"',
            '</v2/app/tags/list>; rel="first", </v2/app/tags/list?last=b>; rel="next"',
            '<list?last=b>; rel="next"',
            '<?last=b>; rel="next"',
            '<http://{host}/v2/app/tags/list?last=b>; rel="next"',
            '<https://{host}/v2/app/tags/list?last=b>; rel="next"',  # behind a proxy it may not know its scheme
            '<//{host}/v2/app/tags/list?last=b>; rel="next"',
        ],
    )
    def test_to_the_next_page(self, place: Fake, between: Meddler, ours: Registry, form: str) -> None:
        place.tags = {"app": ["a", "b", "c", "d"]}
        first = _only(["a", "b"], form.format(host=between.host))
        between.on(lambda request: "last=b" not in request.target, first)
        assert list(ours.tags("app")) == ["a", "b", "c", "d"]
        assert len(between.requests) == 2

    @pytest.mark.parametrize(
        "form",
        [
            "",
            "nonsense",
            '</v2/app/tags/list?last=a>; rel="prev"',
            '<>; rel="next"',
            '; rel="next"',
            "</x>",
            '</v2/x; rel="next"',
        ],
    )
    def test_that_lead_nowhere(self, between: Meddler, ours: Registry, form: str) -> None:
        between.on(TAGS, _only(["a"], form))
        assert list(ours.tags("app")) == ["a"]

    @pytest.mark.parametrize(
        "to",
        [
            "https://thief.test/v2/app/tags/list?last=a",
            "//thief.test/v2/",
            "http://127.0.0.1:1/v2/",
            "file:///v2/etc/passwd",
            "http://{host}@thief.test/v2/",
            "http://[::1/v2/",
            "http://{host}:99999/v2/",
            "/",
            "/admin",
            "../../../../admin",
            "/v2/app/tags/list?last=\xe9",
        ],
    )
    def test_to_anywhere_else(self, between: Meddler, ours: Registry, to: str) -> None:
        between.on(TAGS, link(to.format(host=between.host)))
        with pytest.raises(SourceError, match="next page is on another server"):
            list(ours.tags("app"))
        assert len(between.requests) == 1

    def test_what_came_before_is_not_lost(self, between: Meddler, ours: Registry) -> None:
        between.on(TAGS, link("https://thief.test/v2/"))
        tags = ours.tags("app")
        assert next(tags) == "latest"
        with pytest.raises(SourceError):
            next(tags)


class TestWithoutEnd:
    def test_a_page_that_leads_to_itself(self, between: Meddler, ours: Registry) -> None:
        between.on(CATALOG, link_to_itself())
        with pytest.raises(LimitError, match="never end"):
            list(ours.catalog())
        assert len(between.requests) == 1

    def test_pages_with_ever_new_names(self, between: Meddler, ours: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pages, "MOST_NAMES", 5000)
        between.on(CATALOG, ever_new())
        with pytest.raises(LimitError, match="more than 5,000 repositories"):
            list(ours.catalog())

    def test_pages_with_a_name_each(self, between: Meddler, ours: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pages, "MOST_PAGES", 30)
        between.on(CATALOG, ever_new(page=1))
        with pytest.raises(LimitError, match="never end"):
            list(ours.catalog())
        assert len(between.requests) == 30

    def test_pages_with_nothing_new(self, between: Meddler, ours: Registry) -> None:
        counter = iter(range(10**6))
        between.on(CATALOG, lambda _request, _forward: _page(["app"], f'</v2/_catalog?x={next(counter)}>; rel="next"'))
        with pytest.raises(LimitError, match="nothing new"):
            list(ours.catalog())
        assert len(between.requests) == 4


class TestContent:
    def test_names_that_lead_elsewhere_are_left_out(self, between: Meddler, ours: Registry) -> None:
        bad = ["../../etc", "a/../b", "A", "a b", "", "/a", "a/", "a//b", "\u202e", "a\n", "a?x=", "a%2f", "x" * 300]
        between.on(CATALOG, swap(json.dumps({"repositories": [*bad, "good", "good", "team/good"]}).encode()))
        assert list(ours.catalog()) == ["good", "team/good"]
        between.on(
            TAGS, swap(json.dumps({"tags": ["..", "-x", "a/b", "a:b", "sha256-x.sig", "\0", "t" * 129, "1"]}).encode())
        )
        assert list(ours.tags("app")) == ["sha256-x.sig", "1"]

    @pytest.mark.parametrize(
        "fault",
        [
            html(),
            swap(b""),
            swap(b"\xff"),
            swap(b"[]"),
            swap(b'"x"'),
            swap(b'{"repositories": {"a": 1}}'),
            swap(b'{"repositories": [1]}'),
            swap(b'{"repositories": [null]}'),
            swap(deep_json(200_000)),
            swap(b'{"repositories": [' + b"[" * 200_000),
            swap(b'{"repositories": ' + b"9" * 10_000 + b"}"),
        ],
    )
    def test_what_is_no_list(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(CATALOG, fault)
        with pytest.raises(SourceError):
            list(ours.catalog())

    @pytest.mark.parametrize("fault", [endless(), endless(b'"a",' * 16384)])
    def test_a_page_without_end(self, between: Meddler, ours: Registry, fault: Behaviour) -> None:
        between.on(CATALOG, fault)
        with pytest.raises(LimitError, match="longer than"):
            list(ours.catalog())

    def test_a_page_of_a_million_nothings(self, between: Meddler, ours: Registry) -> None:
        between.on(CATALOG, swap(wide_json("repositories", 1_000_000)))
        assert list(ours.catalog()) == []


class _Session:
    """A session that gives one page, and then an empty one."""

    def __init__(self, body: bytes, link: str) -> None:
        self.endpoint, self.base = Endpoint("r.test", "r.test"), Address.parse("https://r.test")
        self._answers: list[tuple[bytes, dict[str, str]]] = [(body, {"Link": link}), (b"{}", {})]

    def read(self, path: str, *_: Any) -> tuple[bytes, dict[str, str]]:
        assert path.startswith("/v2/")
        assert Address.parse(f"https://r.test{path}").host == "r.test"
        return self._answers.pop(0)


_LISTS = some.fixed_dictionaries(
    {},
    optional={
        name: some.lists(some.text(max_size=20) | some.integers()) | some.none() for name in ("tags", "repositories")
    },
).map(lambda document: json.dumps(document).encode())
_LINKS = some.text(max_size=60) | some.text(max_size=60).map(lambda text: f'<{text}>; rel="next"')


@given(some.binary(max_size=100) | _LISTS, _LINKS, some.sampled_from(["tags", "repositories"]))
def test_any_page_gives_names_or_one_of_our_errors(body: bytes, link: str, member: str) -> None:
    valid = is_tag if member == "tags" else is_repository
    try:
        listed = list(names(_Session(body, link), "/v2/x", "", member, lambda _name: None))  # type: ignore[arg-type]
    except HoldfastError:
        return
    assert all(valid(name) for name in listed)
    assert len(set(listed)) == len(listed)


def _page(tags: list[str], link: str = "") -> Answer:
    body = json.dumps({"tags": tags, "repositories": tags}).encode()
    return Answer(200, [("Link", link)] if link else [], body)


def _only(tags: list[str], link: str) -> Behaviour:
    return lambda _request, _forward: _page(tags, link)


def _without_n(request: Request) -> Request:
    from dataclasses import replace

    return replace(request, target=request.path)
