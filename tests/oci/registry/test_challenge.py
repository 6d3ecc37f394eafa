"""What registries want, in the words they really use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.oci.registry.challenge import Challenge, parse

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"'
REALM = {"realm": "https://a/t"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            HUB,
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:library/nginx:pull",
                    },
                )
            ],
            id="as Docker Hub sends it",
        ),
        pytest.param('Basic realm="Registry Realm"', [("basic", {"realm": "Registry Realm"})], id="basic"),
        pytest.param("Basic", [("basic", {})], id="a scheme alone"),
        pytest.param('BEARER REALM="https://a/t"', [("bearer", REALM)], id="case"),
        pytest.param("Bearer realm=https://a/t", [("bearer", REALM)], id="an unquoted value"),
        pytest.param("Bearer realm=https://a/t,service=x", [("bearer", {**REALM, "service": "x"})], id="two unquoted"),
        pytest.param(
            'Bearer   realm = "https://a/t" ,, service= "x" ', [("bearer", {**REALM, "service": "x"})], id="odd spacing"
        ),
        pytest.param('Bearer realm="https://a/t" service="x"', [("bearer", {**REALM, "service": "x"})], id="no commas"),
        pytest.param('Bearer realm="a\\"b\\\\c"', [("bearer", {"realm": 'a"b\\c'})], id="escapes"),
        pytest.param('Bearer scope="a:b:pull,push"', [("bearer", {"scope": "a:b:pull,push"})], id="a comma in quotes"),
        pytest.param('Bearer realm="https://a/t', [("bearer", REALM)], id="an open quotation"),
        pytest.param('Bearer realm="a\\', [("bearer", {"realm": "a"})], id="an escape of nothing"),
        pytest.param("Bearer realm=", [("bearer", {})], id="no value, which reads as token68"),
        pytest.param('Bearer realm="",service=x', [("bearer", {"realm": "", "service": "x"})], id="an empty value"),
        pytest.param(
            'Basic realm="x", Bearer realm="https://a/t"',
            [("basic", {"realm": "x"}), ("bearer", REALM)],
            id="two challenges in one header",
        ),
        pytest.param(
            'Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})], id="a bare one before another"
        ),
        pytest.param(
            'Negotiate YWJj==, Bearer realm="https://a/t"', [("negotiate", {}), ("bearer", REALM)], id="token68"
        ),
        pytest.param('Basic Bearer realm="https://a/t"', [("basic", {}), ("bearer", REALM)], id="a comma forgotten"),
        pytest.param("Negotiate Basic", [("negotiate", {}), ("basic", {})], id="two words"),
        pytest.param(
            'Bearer realm="https://a/t",error="insufficient_scope"',
            [("bearer", {**REALM, "error": "insufficient_scope"})],
            id="insufficient scope",
        ),
        pytest.param('Bearer realm="1",realm="2"', [("bearer", {"realm": "1"})], id="the first realm counts"),
        pytest.param('realm="x"', [], id="a parameter of nobody"),
        pytest.param("", [], id="empty"),
        pytest.param(' , ,"= ', [], id="nothing but marks"),
    ],
)
def test_forms(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(one.scheme, one.parameters) for one in parse([header])] == expected


def test_several_headers_are_read_in_order() -> None:
    assert [one.scheme for one in parse(['Basic realm="x"', HUB])] == ["basic", "bearer"]


def test_scopes_are_apart_by_spaces_or_given_several_times() -> None:
    assert Challenge("bearer", {"scope": " a:b:pull  c:d:pull"}).scopes == ("a:b:pull", "c:d:pull")
    assert parse(['Bearer scope="a:b:pull",scope="c:d:pull"'])[0].scopes == ("a:b:pull", "c:d:pull")
    assert parse(["Bearer realm=x"])[0].scopes == ()


def test_only_so_many_challenges_and_characters_are_read() -> None:
    assert len(parse(["Basic, " * 5000])) == 32
    assert len(parse(["Basic"] * 5000)) == 32
    assert parse(["," * (1 << 16) + "Basic"]) == ()
    assert len(parse(["Bearer " + ",".join(f"p{number}=1" for number in range(5000))])[0].parameters) == 64


@given(st.lists(st.text(), max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_challenges(headers: list[str]) -> None:
    for challenge in parse(headers):
        assert challenge.scheme == challenge.scheme.lower() != ""


@given(st.integers(0, len(HUB)), st.integers(0, len(HUB)), st.text(alphabet=' ,="\\aB/:\n\0', max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_damaged_challenge_gives_challenges(start: int, end: int, inserted: str) -> None:
    parse([HUB[:start] + inserted + HUB[end:]])


_VALUES = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(st.dictionaries(st.sampled_from(["realm", "service", "scope", "error"]), _VALUES, min_size=1))
@settings(max_examples=100, deadline=None)
def test_whatever_is_quoted_properly_is_read_as_it_was(parameters: dict[str, str]) -> None:
    quoted = ", ".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in parameters.items()
    )
    assert parse([f"Bearer {quoted}"]) == (Challenge("bearer", parameters),)
