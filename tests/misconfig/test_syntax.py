"""The forms that settings are written in: what a tolerant reader makes of them."""

from holdfast.misconfig.image.instruction import instructions
from holdfast.misconfig.syntax import ini, lines, markup, outline, sections
from holdfast.misconfig.syntax.braces import statements
from holdfast.misconfig.syntax.shell import commands
from misconfig.scenes import image


def test_lines_have_their_numbers_and_words_no_quotes() -> None:
    found = list(lines.directives("# no\n\n  Bind 127.0.0.1  \"a b\" 'c' # comment\n;no\nx#y z\n"))
    assert [(one.name, one.words, one.line) for one in found] == [
        ("bind", ("127.0.0.1", "a b", "c"), 3),
        ("x#y", ("z",), 5),
    ]


def test_a_line_that_ends_in_a_backslash_goes_on() -> None:
    assert list(lines.joined("a \\\n b\nc\\")) == [(1, "a  b"), (3, "c")]


def test_sections_and_settings() -> None:
    text = "a=1 ; comment\n[S x]\nKey = 'v ; w' # c\nflag\nurl=http://a#b\n"
    found = [(one.section, one.key, one.value, one.line) for one in ini.settings(text)]
    assert found == [
        ("", "a", "1", 1), ("s x", "key", "v ; w", 3), ("s x", "flag", None, 4), ("s x", "url", "http://a#b", 5),
    ]  # fmt: skip


def test_statements_know_the_blocks_around_them() -> None:
    text = 'http {\n  # no;\n  server { listen 80; location ~ "a{2};" {\n root /x;} }\n}\nuser a;'
    found = {one.name: one for one in statements(text)}
    root = found["root"]
    assert [outer.name for outer in root.within] == ["http", "server", "location"]
    assert (root.words, root.line) == (("/x",), 4)
    assert found["location"].words == ("~", "a{2};")
    assert found["user"].within == ()
    assert statements("// a;\nb;", slashes=True)[0].name == "b"
    assert statements("set $a ${b}c;")[0].words == ("$a", "${b}c")


def test_directives_know_their_sections() -> None:
    text = (
        '<VirtualHost *:80>\n <Directory "/a b">\nOptions \\\n Indexes\n</Directory>\n</VirtualHost>\n</Nothing>\nX y'
    )
    found = {one.directive.name: one for one in sections.directives(text)}
    assert [(outer.name, outer.value) for outer in found["options"].within] == [
        ("virtualhost", "*:80"),
        ("directory", "/a b"),
    ]
    assert found["x"].within == ()


def test_elements_outside_comments() -> None:
    text = "<?xml?>\n<a x='1' y=\"a>b\">t<!-- <b/> --><![CDATA[<c/>]]>\n<d z = 'q'/>"
    found = [(one.name, one.attributes, one.text, one.line) for one in markup.elements(text)]
    assert found == [("a", {"x": "1", "y": "a>b"}, "t", 2), ("d", {"z": "q"}, "", 3)]


def test_an_outline_has_dotted_keys() -> None:
    text = "a:\n  b: '1' # c\n  # d: 2\n  e:\n  - x\n  - f: 3\n---\ng.h: on # no\n"
    found = [(one.key, one.value, one.line) for one in outline.leaves(text) if one.value]
    assert found == [("a.b", "1", 2), ("a.e", "x", 5), ("a.e.f", "3", 6), ("g.h", "on", 8)]


def test_commands_of_a_shell() -> None:
    text = "set -eux; A=b curl -fsSL \"a|b\" | /bin/sh -s; if true; then x && y || z; fi # end; no\n$(w 'q r')"
    found = [(one.name, one.piped) for one in commands(text)]
    assert ("curl", False) in found
    assert ("sh", True) in found
    assert {"x", "y", "z", "w"} <= {name for name, _ in found}
    assert "no" not in {name for name, _ in found}


def test_the_history_of_every_builder_reads_alike() -> None:
    made = image(
        "/bin/sh -c #(nop) ADD file:1 in / ",
        '#/bin/sh -c #(nop)  CMD ["sh"]',
        "/bin/sh -c apk add tar",
        "RUN |1 TOKEN=a b /bin/sh -c apk add tar # buildkit",
        "|1 TOKEN=/bin/x /bin/sh -c apk add tar",
        "RUN /bin/bash -o pipefail -c apk add tar # buildkit",
        "COPY a /b # buildkit",
    )
    found = [(one.name, one.text) for one in instructions(made)]
    assert found == [
        ("ADD", "file:1 in /"), ("CMD", '["sh"]'), ("RUN", "apk add tar"), ("RUN", "apk add tar"),
        ("RUN", "apk add tar"), ("RUN", "apk add tar"), ("COPY", "a /b"),
    ]  # fmt: skip
    assert [one.layer is None for one in instructions(made)] == [False, True, False, False, False, False, False]
