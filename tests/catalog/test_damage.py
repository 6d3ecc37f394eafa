"""Valid files, damaged: every cataloger gives a result, keeps its texts short, and never raises."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.samples import SAMPLES, read
from holdfast.catalog import CATALOGERS
from holdfast.catalog.assemble import assemble
from holdfast.model.artifact import Side
from holdfast.model.found import Found
from holdfast.model.package import Distribution

BY_NAME = {cataloger.name: cataloger for cataloger in CATALOGERS}
edits = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 40), st.binary(max_size=12) | st.just(b"\n\n") | st.just(b"\0")),
    max_size=6,
)


def damaged(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, new in changes:
        at = place % (len(content) + 1)
        content = content[:at] + new + content[at + length :]
    return content


def test_there_is_a_sample_for_every_cataloger() -> None:
    assert BY_NAME.keys() - {name for name, *_ in SAMPLES} == {"apt", "unread"}


@pytest.mark.parametrize(("name", "path", "content"), SAMPLES, ids=[f"{name}-{path}" for name, path, _ in SAMPLES])
def test_the_sample_itself_shows_something_and_no_problem(name: str, path: str, content: bytes) -> None:
    found = read(BY_NAME[name], path, content, 0o755)
    assert found != Found()
    assert found.problems == ()


@pytest.mark.parametrize(("name", "path", "content"), SAMPLES, ids=[f"{name}-{path}" for name, path, _ in SAMPLES])
@given(changes=edits)
@settings(max_examples=80, deadline=None)
def test_damage_never_raises(name: str, path: str, content: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    found = read(BY_NAME[name], path, damaged(content, changes), 0o755)
    assert all(
        problem.code.startswith(f"catalog.{name.partition('-')[0]}") or problem.code for problem in found.problems
    )
    assert all(len(package.name) <= 1_000 and len(package.version) <= 1_000 for package in found.packages)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Found) == found
    packages = assemble([(path, "sha256:0", Side.BASE, found)], Distribution("debian", "12"))
    assert all(package.purl and package.locations == (path,) for package in packages)


@pytest.mark.parametrize("name", ["node", "node-lock", "pipfile", "pnpm", "poetry", "uv", "yarn"])
def test_deep_nesting_is_a_problem_or_nothing(name: str) -> None:
    path = next(path for sample, path, _ in SAMPLES if sample == name)
    for content in (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"a = " + b"[" * 100_000,
        b"".join(b" " * i + b"a:\n" for i in range(300)),
    ):
        assert read(BY_NAME[name], path, content).packages == ()


@pytest.mark.parametrize("name", sorted(BY_NAME))
@pytest.mark.parametrize(
    "filler", [b" ", b"\n", b"a", b"=", b"(", b"\t\n", b"- ", b"\xff", b"'", b"\xff Go buildinf:\x08\x02"]
)
def test_long_runs_of_one_thing_take_linear_time(name: str, filler: bytes) -> None:
    """Quadratic work on these megabytes would not end within the life of the test run."""
    start = b"\x7fELF\x02\x01" + b"\0" * 58 if name == "golang" else b"Name"
    path = next((path for sample, path, _ in SAMPLES if sample == name), "etc/apt/sources.list")
    found = read(BY_NAME[name], path, (start + filler * ((600 << 10) // len(filler)))[: 900 << 10], 0o755)
    assert isinstance(found, Found)
