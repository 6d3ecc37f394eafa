"""What apt's source lists say, in both forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.advisory.aptsources import AptSource, parse

MIRROR = "http://mirror.example.org/debian"


def one_line(text: str) -> list[AptSource]:
    return parse({"etc/apt/sources.list": text.encode()})


def deb822(text: str) -> list[AptSource]:
    return parse({"etc/apt/sources.list.d/debian.sources": text.encode()})


def test_one_line() -> None:
    text = f"# a comment\ndeb {MIRROR}/ bookworm main contrib # why\ndeb-src {MIRROR} bookworm main\n"
    assert one_line(text) == [AptSource(MIRROR, ("bookworm",), ("main", "contrib"))]


def test_options_in_brackets() -> None:
    text = f"deb [ arch=amd64 signed-by=/usr/share/keyrings/a.gpg,/etc/b.gpg ] {MIRROR} bookworm main"
    assert one_line(text)[0].signed_by == ("/usr/share/keyrings/a.gpg", "/etc/b.gpg")


@pytest.mark.parametrize(
    "line",
    [
        "deb cdrom:[Debian 12]/ bookworm main",
        "deb mirror+file:/etc/apt/mirrors bookworm main",
        "deb file:/srv/mirror bookworm main",
        "deb http://flat.example.org/repo ./",
        "#deb http://mirror.example.org/debian bookworm main",
        "deb",
        "deb [unclosed http://mirror.example.org/debian bookworm main",
    ],
)
def test_what_leads_nowhere_from_here(line: str) -> None:
    assert one_line(line) == []


def test_deb822() -> None:
    text = f"""\
Types: deb deb-src
URIs: {MIRROR} https://other.example.org/debian
# between the fields
Suites: bookworm bookworm-updates
Components: main
  contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main
"""
    first, second = deb822(text)
    assert first.suites == ("bookworm", "bookworm-updates")
    assert first.components == ("main", "contrib")
    assert first.signed_by == ("/usr/share/keyrings/debian-archive-keyring.gpg",)
    assert second.uri == "https://other.example.org/debian"


def test_a_stanza_without_suites_is_left_out() -> None:
    assert deb822(f"Types: deb\nURIs: {MIRROR}\nComponents: main\n") == []


def test_a_key_in_the_stanza_itself_is_no_file() -> None:
    text = f"Types: deb\nURIs: {MIRROR}\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n .\n abc\n"
    assert deb822(text)[0].signed_by == ()


def test_the_same_source_twice_is_one() -> None:
    line = f"deb {MIRROR} bookworm main".encode()
    assert len(parse({"a.list": line, "b.list": line})) == 1


_WORDS = st.sampled_from(
    ["deb", "deb-src", "[", "]", "arch=a", "signed-by=/k", MIRROR, "x", "main", "\n", " ", "#", ":"]
)


@given(st.binary(max_size=300) | st.lists(_WORDS).map(lambda words: " ".join(words).encode()))
@settings(max_examples=200)
def test_any_bytes_are_sources_or_nothing(content: bytes) -> None:
    for source in parse({"a.list": content, "b.sources": content, "c": b"Types: deb\nURIs: " + content}):
        assert source.uri.startswith("http")
        assert source.components
        assert source.suites
