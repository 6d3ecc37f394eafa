"""What tags led to, over time."""

from pathlib import Path

from holdfast.scan.sightings import History, Sightings

NAME = "docker.io/library/nginx:1"


def seen(*digests: str) -> History:
    history = History(NAME)
    for day, digest in enumerate(digests, 1):
        history = history.with_sighting(digest, f"2026-01-{day:02}")
    return history


def test_a_tag_that_stays_is_one_sighting() -> None:
    history = seen("a", "a", "a")
    assert [(one.digest, one.first, one.last) for one in history.sightings] == [("a", "2026-01-01", "2026-01-03")]


def test_a_tag_that_moves_on_led_nowhere_earlier() -> None:
    history = seen("a", "b")
    assert history.last is not None
    assert history.last.digest == "b"
    assert history.before("b") is None
    assert history.before("c") is None


def test_a_tag_that_moves_back_led_there_before() -> None:
    for history in (seen("a", "b"), seen("a", "b", "a"), seen("a", "b", "a", "a")):
        found = history.before("a")
        assert found is not None
        earlier, newest = found
        assert (earlier.last, newest.digest) == ("2026-01-01", "b")


def test_a_tag_that_comes_back_to_the_newest_is_where_it_belongs() -> None:
    assert seen("a", "b", "a").before("b") is None
    assert seen("a", "b", "a", "b").before("b") is None
    assert seen("a", "b", "a", "c").before("b") is not None


def test_what_was_never_seen_has_nothing_before_it() -> None:
    assert seen().before("a") is None
    assert seen("a").before("a") is None
    assert seen("a").before("b") is None


def test_old_sightings_are_forgotten() -> None:
    assert len(seen(*map(str, range(200))).sightings) == 50


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    Sightings(tmp_path / "tags").put(seen("a", "b"))
    assert Sightings(tmp_path / "tags").of(NAME) == seen("a", "b")
    assert Sightings(tmp_path / "tags").last_digest(NAME) == "b"
    assert Sightings(tmp_path / "tags").last_digest("docker.io/library/other:1") == ""


def test_a_damaged_file_counts_as_absent(tmp_path: Path) -> None:
    sightings = Sightings(tmp_path)
    sightings.put(seen("a"))
    for damage in (b"", b"{", b"[]", b"\xff" * 100, b'{"reference": "another"}', b"[" * 100_000):
        next(tmp_path.glob("*.json")).write_bytes(damage)
        assert sightings.of(NAME) == History(NAME)


def test_a_folder_that_cannot_be_written_loses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Sightings(tmp_path / "file").put(seen("a"))
