"""Rules for certain files are found by a file's path."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.fs.select import compile_glob
from holdfast.secret.paths import PathRules

GLOBS = [
    "**/.netrc", "etc/app/*.conf", "**/*.p12", "**/.env.*", "**/token_cache*", "**/legacy/**", "**/.*_history", "**/*",
    "root/*", "**/a*b/*c", "*.tf", "x",
]  # fmt: skip
paths = st.lists(
    st.sampled_from([".netrc", "etc", "app", "a.conf", "b.p12", ".env.local", ".env", "token_cache.bin", "legacy", "x",
                     "root", ".bash_history", "a1b", "1c", "main.tf", "", "é\n", ".", "*"]), max_size=5
).map("/".join)  # fmt: skip


@given(st.sets(st.integers(0, len(GLOBS) - 1)), paths | st.text(max_size=30))
def test_the_same_rules_as_if_every_glob_were_tried(chosen: set[int], path: str) -> None:
    rules = PathRules((GLOBS[number], number) for number in chosen)
    assert rules.of(path) == {number for number in chosen if compile_glob(GLOBS[number]).fullmatch(path)}


def test_a_rule_may_have_many_globs() -> None:
    rules = PathRules([("**/.netrc", 1), ("**/netrc", 1), ("**/.netrc", 2)])
    assert rules.of("root/.netrc") == {1, 2}
    assert rules.of("netrc") == {1}
    assert rules.of("root/other") == frozenset()
