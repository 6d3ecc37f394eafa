"""Layers on top of each other: named cases, and a brute-force file system as the oracle."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.fs.overlay import Changes, ChangesCollector, Overlay
from holdfast.fs.tar import TarTree
from holdfast.model.file import Entry, FileType
from world import Thing, directory, file, hard_link, layer, opaque, symlink, whiteout

Files = dict[str, Thing | str | bytes]


def overlay(*layers: Files) -> Overlay:
    return Overlay([changes(layer(files)) for files in layers])


def changes(tar: bytes) -> Changes:
    collector = ChangesCollector()
    for one in TarTree([tar]).walk():
        collector.add(one.entry)
    encoded = msgspec.msgpack.encode(collector.changes())
    return msgspec.msgpack.decode(encoded, type=Changes)


def test_the_highest_layer_that_wrote_a_path_is_on_top() -> None:
    union = overlay({"a": "1", "b": "1"}, {"a": "2"}, {"a": "3"})
    assert (union.top("a"), union.history("a")) == (2, (0, 1, 2))
    assert (union.top("b"), union.history("b")) == (0, (0,))
    assert (union.top("c"), union.history("c"), union.exists("c")) == (None, (), False)


def test_a_whiteout_deletes_a_file_or_a_whole_directory_of_lower_layers() -> None:
    union = overlay({"d/a": "1", "d/b": "1", "e/x/y": ""}, {"d/a": whiteout(), "e": whiteout()})
    assert [union.top(path) for path in ("d/a", "d/b", "e", "e/x", "e/x/y")] == [None, 0, None, None, None]


def test_what_is_written_again_after_a_deletion_has_no_older_history() -> None:
    union = overlay({"a": "1"}, {"a": "2"}, {"a": whiteout()}, {"a": "3"}, {"a": "4"})
    assert union.history("a") == (3, 4)


def test_a_whiteout_does_not_touch_its_own_layer() -> None:
    union = overlay({"a": "1", "d/old": "1"}, {"a": whiteout(), "d": opaque(), "d/new": "2"})
    assert [union.top(path) for path in ("a", "d", "d/old", "d/new")] == [None, 1, None, 1]
    both = Overlay([changes(layer({"a": "1"})), changes(layer([("a", whiteout()), ("a", "2")]))])
    assert both.history("a") == (1,)


def test_an_opaque_root_hides_all_that_is_below() -> None:
    union = overlay({"a": "1", "d/b": ""}, {".wh..wh..opq": "", "c": ""})
    assert [union.top(path) for path in ("a", "d", "d/b", "c")] == [None, None, None, 1]


@pytest.mark.parametrize("name", [".wh..wh.plnk", ".wh..wh.aufs", ".wh.", ".wh..", ".wh...", "d/.wh.."])
def test_reserved_and_malformed_whiteouts_mean_nothing(name: str) -> None:
    union = overlay({"a": "1", "d/x": ""}, {name: ""})
    assert [union.top(path) for path in ("a", "d/x", name)] == [0, 0, None]


def test_a_file_in_the_place_of_a_directory_hides_what_was_in_it() -> None:
    union = overlay({"d": directory(), "d/x": ""}, {"d": "now a file"}, {"other": ""})
    assert (union.top("d"), union.top("d/x")) == (1, None)


def test_a_directory_without_an_entry_of_its_own_exists_and_replaces_a_file_but_no_symlink() -> None:
    union = overlay({"a/b/c": "", "f": "", "l": symlink("a")}, {"f/x": "", "l/x": ""})
    assert [union.top(path) for path in ("a", "a/b", "f", "f/x", "l", "l/x")] == [0, 0, 1, 1, 0, 1]
    assert union.history("a/b") == (0,)


def test_paths_that_are_not_utf_8_are_told_apart() -> None:
    union = overlay({"caf\udce9": "", "café": ""}, {"caf\udce9": whiteout()})
    assert (union.top("caf\udce9"), union.top("café")) == (None, 0)


def test_links_are_told_as_written() -> None:
    union = overlay({"f": "", "s": symlink("../f"), "h": hard_link("f"), "hs": hard_link("s")}, {"h": "replaced"})
    assert (union.symlink("s"), union.symlink("f"), union.symlink("none")) == ("../f", None, None)
    assert union.hard_link("h") is None
    assert (union.hard_link("hs"), union.symlink("hs")) == ("s", "../f")


# Symlinks.

LINKS = overlay(
    {
        "usr/lib/os-release": "",
        "etc/os-release": symlink("../usr/lib/os-release"),
        "lib": symlink("usr/lib"),
        "abs": symlink("/usr/lib"),
        "up": symlink("../../../../usr"),
        "loop": symlink("loop"),
        "ping": symlink("pong"),
        "pong": symlink("ping"),
        "dangling": symlink("nowhere"),
        "self": symlink("."),
        "root": symlink("/"),
        "file/": directory(),
        "plain": "",
        **{f"chain{number}": symlink(f"chain{number + 1}") for number in range(50)},
        "chain50": "",
    },
    {"var": symlink("/usr"), "gone": "", "usr/lib/new": ""},
)


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("etc/os-release", "usr/lib/os-release"),
        ("lib/os-release", "usr/lib/os-release"),
        ("abs/os-release", "usr/lib/os-release"),
        ("up/lib/os-release", "usr/lib/os-release"),
        ("var/lib/new", "usr/lib/new"),
        ("self/self/root/self/lib/new", "usr/lib/new"),
        ("lib/../../..", ""),
        ("usr/lib/../../etc/os-release", "usr/lib/os-release"),
        ("", ""),
        ("chain20", "chain50"),
        ("chain0", None),
        ("loop", None),
        ("loop/x", None),
        ("ping", None),
        ("dangling", None),
        ("missing/../lib", None),
        ("plain/x", None),
        ("plain/../lib", None),
    ],
)
def test_links_are_followed_inside_the_root_and_nowhere_else(path: str, resolved: str | None) -> None:
    assert LINKS.resolve(path) == resolved


def test_a_chain_of_ever_longer_targets_is_given_up() -> None:
    files: Files = {f"l{number}": symlink("/".join([f"l{number + 1}"] * 300)) for number in range(40)}
    assert overlay(files).resolve("l0") is None


def test_where_too_much_is_looked_up_links_are_no_longer_followed_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("holdfast.fs.overlay._MAX_LOOKUPS", 100)
    union = overlay({f"d{number}/{'x/' * 20}f": "" for number in range(9)})
    followed = [union.resolve(f"d{number}/{'x/' * 20}f") is not None for number in range(9)]
    assert (followed[0], followed[-1]) == (False, False)
    assert [problem.code for problem in union.problems] == ["overlay.too-many-links"]


def test_directories_that_many_links_share_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.fs.overlay._MAX_LOOKUPS", 300)
    union = overlay({f"{'x/' * 19}f": "", **{f"l{number}": symlink(f"{'x/' * 19}f") for number in range(50)}})
    assert {union.resolve(f"l{number}") for number in range(50)} == {f"{'x/' * 19}f"}
    assert union.problems == []


# The oracle: a file system made of nested dictionaries, to which the layers are applied one by one.

Node = dict[str, "Node"] | int  # a directory, or the layer that wrote the file


def apply(root: dict[str, Node], number: int, entries: Sequence[Entry]) -> None:
    def parent_of(path: str, *, make: bool) -> dict[str, Node] | None:
        node = root
        for part in path.split("/")[:-1]:
            below = node.get(part)
            if not isinstance(below, dict):
                if not make:
                    return None
                below = node[part] = {}
            node = below
        return node

    for entry in entries:  # deletions concern lower layers only: first
        name = entry.path.rpartition("/")[2]
        holder = parent_of(entry.path, make=False)
        if holder is None:
            continue
        if name == ".wh..wh..opq":
            holder.clear()
        elif name.startswith(".wh."):
            holder.pop(name[4:], None)
    for entry in entries:
        name = entry.path.rpartition("/")[2]
        if not name.startswith(".wh."):
            holder = parent_of(entry.path, make=True)
            assert holder is not None
            if entry.type is FileType.DIRECTORY:
                if not isinstance(holder.get(name), dict):
                    holder[name] = {}
            else:
                holder[name] = number


def files_of(node: dict[str, Node], prefix: str = "") -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, below in node.items():
        if isinstance(below, dict):
            found[prefix + name] = None
            found |= files_of(below, f"{prefix}{name}/")
        else:
            found[prefix + name] = below
    return found


part = st.sampled_from(["a", "b", "c"])
path = st.lists(part, min_size=1, max_size=3).map("/".join)
kind = st.sampled_from(["file", "file", "directory", "whiteout", "opaque"])


@st.composite
def one_layer(draw: st.DrawFn) -> list[Entry]:
    """A layer that does not contradict itself: no file is also a directory of the same layer."""
    entries: dict[str, Entry] = {}
    for where, what in draw(st.lists(st.tuples(path, kind), max_size=6)):
        above, slash, name = where.rpartition("/")
        written = {
            "whiteout": f"{above}{slash}.wh.{name}",
            "opaque": f"{where}/.wh..wh..opq",
        }.get(what, where)
        entries[written] = Entry(written, FileType.DIRECTORY if what == "directory" else FileType.FILE)
    files = [one.path for one in entries.values() if one.type is FileType.FILE and ".wh." not in one.path]
    return [one for one in entries.values() if not any(one.path.startswith(f"{above}/") for above in files)]


@settings(max_examples=500, deadline=None)
@given(st.lists(one_layer(), min_size=1, max_size=5))
def test_the_union_is_what_applying_the_layers_one_by_one_gives(layers: list[list[Entry]]) -> None:
    root: dict[str, Node] = {}
    collected = []
    for number, entries in enumerate(layers):
        apply(root, number, entries)
        collector = ChangesCollector()
        for entry in entries:
            collector.add(entry)
        collected.append(collector.changes())
    union = Overlay(collected)
    expected = files_of(root)
    every = [f"{a}{b}{c}" for a in "abc" for b in ("", "/a", "/b", "/c") for c in ("", "/a", "/b", "/c")]
    for where in every:
        top = union.top(where)
        assert (top is not None) == (where in expected), where
        if expected.get(where) is not None:
            assert top == expected[where], where
        assert union.resolve(where) == (where if where in expected else None)
        history = union.history(where)
        assert (history[-1] if history else None) == top
        assert list(history) == sorted(set(history))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(path, st.lists(st.sampled_from(["a", "b", "c", "..", ".", ""]), max_size=4).map("/".join))))
def test_any_tangle_of_links_resolves_to_something_visible_or_to_nothing(links: list[tuple[str, str]]) -> None:
    union = Overlay([changes(layer([("a", file("x")), *((where, symlink(to)) for where, to in links if to)]))])
    for where, _ in links:
        resolved = union.resolve(where)
        assert resolved is None or (union.exists(resolved) and union.symlink(resolved) is None)
