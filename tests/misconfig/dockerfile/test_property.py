"""Whatever the bytes are, reading them ends, raises nothing, and keeps to its budget."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.misconfig.dockerfile.assess import assess, looks_like_dockerfile
from holdfast.misconfig.dockerfile.budget import DockerfileBudget
from holdfast.misconfig.dockerfile.context import Context
from holdfast.misconfig.dockerfile.expand import TooLarge, expand
from holdfast.misconfig.dockerfile.parse import parse
from holdfast.misconfig.dockerfile.shell import read_script, read_words
from holdfast.misconfig.dockerfile.words import SyntaxFault

_FILES = [path.read_bytes() for path in sorted((Path(__file__).parent / "files").iterdir())]
_PIECES = r"""FROM RUN COPY ADD ENV ARG ONBUILD HEALTHCHECK CMD NONE SHELL EXPOSE USER LABEL AS scratch a b:1 --from=a
--mount=type=secret --chmod=777 $A ${A:-b} ${A#*} ${A/b/c} " ' \ # <<EOF EOF [ ] , = && || | ; ( ) { } ` $( curl apt-get
install -y sudo sh -c rm -rf cd if then fi for do done case in esac ;; > < 2>&1 chmod 4755 http://e.org 22 99999 é ١
https://u:p@h #escape=`"""
_WORDS = st.sampled_from([*_PIECES.split(), "\n", "\\\n", "\t", "\r\n", "\ud800", "\x00"])
_TEXTS = st.lists(_WORDS, max_size=60).map(lambda words: " ".join(words))
_SMALL = DockerfileBudget(
    data=2000, lines=40, instructions=20, stages=4, value=200, expanded=2000, commands=50, words=200
)


def _lines(data: bytes) -> int:
    return data.count(b"\n") + 1


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), _TEXTS.map(lambda text: text.encode(errors="surrogatepass"))))
def test_any_bytes(data: bytes) -> None:
    for content in (data, b"FROM a\n" + data):
        assessed = assess(content, "Dockerfile", Context((".git",)))
        for finding in assessed.findings:
            assert 1 <= finding.location.line <= _lines(content)
            assert len(finding.fingerprint) == 32
            finding.subject.name.encode()
    looks_like_dockerfile("x", data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(_FILES), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), _TEXTS), max_size=4))
def test_real_files_with_holes_and_insertions(data: bytes, edits: list[tuple[int, int, str]]) -> None:
    for place, cut, text in edits:
        data = data[:place] + text.encode(errors="surrogatepass") + data[place + cut :]
    file = parse(data)
    for instruction in file.instructions:
        assert 1 <= instruction.line <= instruction.last <= _lines(data)
        assert instruction.line <= instruction.line_at(len(instruction.text)) <= instruction.last
    assess(data, "Dockerfile")


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_a_small_budget_holds(text: str) -> None:
    file = parse(("FROM a\n" + text).encode(errors="surrogatepass"), _SMALL)
    assert len(file.stages) <= 4
    assert len(file.instructions) <= 20
    assess(text.encode(errors="surrogatepass"), "Dockerfile", budget=_SMALL)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), _TEXTS))
def test_any_script(text: str) -> None:
    script = read_script(text)
    assert all(0 <= command.offset <= len(text) for command in script.commands)
    assert len(script.commands) <= 20_000
    read_words(tuple(text.split(" ")))


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=80), _TEXTS), st.dictionaries(st.sampled_from("Ab"), st.text(max_size=20), max_size=2)
)
def test_any_expansion(text: str, values: dict[str, str]) -> None:
    try:
        found = expand(text, dict(values), budget=_SMALL)
    except (SyntaxFault, TooLarge):
        return
    assert len(found.text) <= 400
    if not set("$'\"\\") & set(text):
        assert found.text == text


@settings(max_examples=100, deadline=None)
@given(st.text("ab*?/!.#\n", max_size=60), st.text("ab/.", min_size=1, max_size=40))
def test_any_ignore_pattern(ignore: str, path: str) -> None:
    Context((path,), ignore).sent(path)


_SHAPES = {
    "brackets": "RUN " + "(" * 20_000,
    "substitutions": "RUN " + "$(" * 20_000,
    "quotes in substitutions": "RUN " + '"$(' * 20_000,
    "shells in shells": "RUN " + 'sh -c "' * 10_000,
    "runners": "RUN " + "sudo " * 20_000,
    "cases": "RUN " + "case x in " * 10_000,
    "one long pipe": "RUN a" + " | a" * 20_000,
    "removals": "RUN a" + "; rm -rf $X/*" * 5_000,
    "downloads": "RUN a" + "; curl http://e.org" * 5_000,
    "ports": "EXPOSE " + "1-65535 " * 10_000,
    "defaults in defaults": "ENV A=" + "${A:-" * 20_000,
    "patterns": "ENV A=" + "a" * 50_000 + "\nWORKDIR /${A//*a*a*a*b/c}" * 500,
    "doubling": "ENV A=aaaaaaaaaa" + "\nENV A=$A$A" * 2_000,
    "tokens": "ENV A=" + "eyJaaaaaaaa." * 10_000,
    "logins": "LABEL a=" + "a://:" * 20_000,
    "arrays": "CMD " + "[" * 50_000,
    "heredocs": "RUN " + "<<A " * 20_000,
    "comments": "# hadolint ignore=DL3002\nUSER root\n" * 3_000,
    "stages": "FROM a AS a\nCOPY --from=a / /\n" * 3_000,
    "escapes": "RUN a\\\n" * 20_000,
}


@pytest.mark.parametrize("shape", sorted(_SHAPES))
def test_shapes_made_to_blow_up_end(shape: str) -> None:
    assessed = assess(("FROM debian:12\n" + _SHAPES[shape]).encode(), "Dockerfile")
    assert len(assessed.findings) < 1000
    assert len(assessed.problems) < 100
