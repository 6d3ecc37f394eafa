"""The shell reader: which commands a script holds, how they are joined, and where they stand."""

import pytest

from holdfast.misconfig.dockerfile.budget import DockerfileBudget
from holdfast.misconfig.dockerfile.shell import Meter, read_script, read_words


def commands(text: str) -> list[str]:
    return [" ".join(word.text for word in command.words) for command in read_script(text).commands]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b && c || d; e | f & g\nh", ["a b", "c", "d", "e", "f", "g", "h"]),
        ("a 'b c' \"d e\" f\\ g", ["a b c d e f g"]),
        ("if a; then b; elif c; then d; else e; fi; f", ["a", "b", "c", "d", "e", "f"]),
        ("for x in 1 2; do a $x; done; b", ["a $x", "b"]),
        ("while a | b; do c; done", ["a", "b", "c"]),
        ("case $x in a) b;; c|d) e; f;; *) g;; esac; h", ["b", "e", "f", "g", "h"]),
        ("case $x in\n  (a) b ;;\nesac\nc", ["b", "c"]),
        ("(a; b) && { c; d; }", ["a", "b", "c", "d"]),
        ("f() { a; }; f", ["a", "f"]),
        ("function f { a; }; f", ["a", "f"]),
        ("! a && b", ["a", "b"]),
        ("a # b; c\nd", ["a", "d"]),
        ("a#b 'c#d'", ["a#b c#d"]),
        ("a 2>&1 >/dev/null <in b", ["a b"]),
        ("a \\\n b", ["a b"]),
        ("cat <<EOF\nx; y\nEOF\nb", ["cat", "b"]),
        ("cat <<-'E' | c\n\tx\n\tE\nb", ["cat", "c", "b"]),
        ("sh -c 'a && b' c", ["sh -c a && b c", "a", "b"]),
        ('bash -euxc "a | b"', ["bash -euxc a | b", "a", "b"]),
        ("sudo -u x -E a b", ["sudo -u x -E a b", "a b"]),
        ("env A=1 -i b c", ["env A=1 -i b c", "b c"]),
        ("xargs -n 1 rm -f", ["xargs -n 1 rm -f", "rm -f"]),
        ("timeout 5 a", ["timeout 5 a", "a"]),
        ("eval 'a; b'", ["eval a; b", "a", "b"]),
        ("a $(b; c) `d`", ["a $(b; c) `d`", "b", "c", "d"]),
        ('a "$(b "$(c)")"', ['a $(b "$(c)")', "b $(c)", "c"]),
        ("diff <(a) <(b)", ["diff <(a) <(b)", "a", "b"]),
        ("a $((1 + 2)) b", ["a $((1 + 2)) b"]),
        ("a |\n  b &&\n  c", ["a", "b", "c"]),
        ("X=1 Y='2 3' a", ["a"]),
        ("a ${b:-c d} e", ["a ${b:-c d} e"]),
        ("[ -f a ] && b", ["[ -f a ]", "b"]),
    ],
)
def test_commands_of_a_script(script: str, expected: list[str]) -> None:
    assert commands(script) == expected


def test_pipes_hold_the_commands_that_feed_each_other() -> None:
    script = read_script("a | sudo b |& c; d")
    assert [[command.name for command in pipe] for pipe in script.pipes()] == [["a", "sudo", "b", "c"], ["d"]]


def test_operators_around_a_command() -> None:
    assert [(c.before, c.name, c.after) for c in read_script("a && b || c; d").commands] == [
        ("", "a", "&&"),
        ("&&", "b", "||"),
        ("||", "c", ";"),
        (";", "d", ""),
    ]


def test_assignments_and_redirections() -> None:
    command = read_script('A=1 B="$C" run x > /y 2>> "/z"').commands[0]
    assert [(name, word.text) for name, word in command.assignments] == [("A", "1"), ("B", "$C")]
    assert [(redirect.operator, redirect.target.text) for redirect in command.redirects] == [(">", "/y"), (">>", "/z")]


def test_variables_inside_and_outside_of_quotes() -> None:
    word = read_script("a $B\"${C:-x}\"'$D'").commands[0].words[1]
    assert (word.variables, word.bare, word.quoted) == (("B", "C"), ("B",), True)


def test_groups_and_conditions() -> None:
    found = [(c.name, c.depth, c.condition) for c in read_script("a; if b; then (c); fi; d").commands]
    assert found == [("a", 0, False), ("b", 1, True), ("c", 2, False), ("d", 0, False)]


def test_offsets_lead_back_to_the_text() -> None:
    text = "first && second | third"
    assert [text[c.offset :].split()[0] for c in read_script(text).commands] == ["first", "second", "third"]


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a $(b", "a `b", "a ${b"])
def test_what_is_not_closed_is_said(text: str) -> None:
    assert read_script(text).fault


def test_exec_form_is_not_read_by_a_shell() -> None:
    assert [c.name for c in read_words(("a", "&&", "$(b)")).commands] == ["a"]
    assert [c.name for c in read_words(("sh", "-c", "a && b")).commands] == ["sh", "a", "b"]


def test_a_budget_ends_the_reading() -> None:
    script = read_script("a; " * 100, Meter(DockerfileBudget(commands=10)))
    assert script.cut
    assert len(script.commands) < 10


def test_shells_inside_each_other_end_somewhere() -> None:
    assert len(read_script("sudo " * 5000 + "a").commands) < 50
    assert len(read_script("$(" * 5000 + "a" + ")" * 5000).commands) < 50
