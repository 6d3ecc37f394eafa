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
    assert history.earlier("c") is None


def test_a_tag_that_moves_back_led_there_earlier() -> None:
    before = seen("a", "b").earlier("a")
    assert before is not None
    assert before.last == "2026-01-01"


def test_the_last_sighting_is_no_earlier_one() -> None:
    assert seen("a", "b").earlier("b") is None


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
