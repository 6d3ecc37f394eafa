"""Reading: what is looked up, what is told of a database, and what is no database."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisory.records import CRITICAL, database, osv, tracker
from holdfast.advisory.database import Database
from holdfast.advisory.record import EpssEntry, KevEntry, Release
from holdfast.advisory.schema import VERSION, Writer, create, cve_number, pack_epss, unpack_epss
from holdfast.model.advisory import Epss, FixState, KnownExploited, SourceInfo
from holdfast.model.errors import HoldfastError, StoreError


def on_disk(path: Path) -> Path:
    """A small database file."""
    with sqlite3.connect(path) as connection:
        create(connection)
        writer = Writer(connection)
        writer.add(osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2023-30861"]))
        writer.describe(SourceInfo("osv/PyPI", "2026-01-01", 1))
        writer.finish()
    connection.close()
    return path


def test_rows_by_ecosystem_and_name() -> None:
    world = database(
        tracker("bash", "CVE-2022-1000", fixed="5.2-1", urgency="low"), tracker("bash", "CVE-2022-1001", release="11")
    )
    (row,) = world.lookup("Debian:12", "bash")
    assert (row.fixed, row.state, row.urgency) == ("5.2-1", FixState.FIXED, "low")
    assert not world.lookup("Debian:12", "dash")
    assert not world.lookup("Debian:99", "bash")
    assert world.holds("Debian:11")
    assert not world.holds("Debian:99")


def test_many_names_at_once() -> None:
    world = database(osv("GHSA-1", "PyPI", "flask", fixed="1"), osv("GHSA-2", "PyPI", "ruamel.yaml", fixed="1"))
    assert set(world.lookup_many("PyPI", ["Flask", "Ruamel_Yaml", "other"])) == {"flask", "ruamel-yaml"}


def test_an_advisory_whole() -> None:
    told = osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2023-30861"], vector=CRITICAL, summary="Cookies")
    world = database(told)
    assert world.advisory("GHSA-1") == world.advisory("CVE-2023-30861") == (told,)
    assert world.advisory("CVE-1999-0001") == ()


def test_one_cve_of_many_packages_is_one_advisory() -> None:
    (advisory,) = database(tracker("bash", "CVE-2022-1000"), tracker("dash", "CVE-2022-1000")).advisory("CVE-2022-1000")
    assert [row.name for row in advisory.affected] == ["bash", "dash"]


def test_ranks_and_dates() -> None:
    exploited = KnownExploited("2024-01-01", "2024-02-01", True, "A name")
    world = database(
        KevEntry("CVE-2024-1000", exploited),
        EpssEntry("CVE-2024-1000", Epss(0.12345, 0.99999, "v5")),
        Release("debian", "12", "2028-06-30"),
    )
    assert world.known_exploited(["CVE-2024-1000", "GHSA-1"]) == {"CVE-2024-1000": exploited}
    assert world.epss(["CVE-2024-1000", "CVE-2024-1001"]) == {"CVE-2024-1000": Epss(0.12345, 0.99999, "v5")}
    assert world.release("debian", "12") == Release("debian", "12", "2028-06-30")
    assert world.release("debian", "1") is None


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_epss_keeps_its_five_decimals(probability: int, percentile: int) -> None:
    assert unpack_epss(pack_epss(probability / 1e5, percentile / 1e5)) == (probability / 1e5, percentile / 1e5)


def test_cves_sort_as_numbers() -> None:
    numbers = [cve_number(text) for text in ("CVE-1999-0001", "CVE-2019-1020001", "CVE-2024-0001", "CVE-2024-12345678")]
    assert numbers == sorted(number for number in numbers if number is not None)
    assert cve_number("CVE-2024-１２３４") is cve_number("GHSA-1") is cve_number("CVE-2024-123456789") is None


def test_adding_to_a_database_repeats_nothing(tmp_path: Path) -> None:
    """The archive's file only grows: what is there already stays one row."""
    path = on_disk(tmp_path / "a.db")
    for _ in range(2):
        with sqlite3.connect(path) as connection:
            writer = Writer(connection)
            writer.ecosystem("Debian:12")
            writer.add(tracker("bash", "CVE-2022-1000", fixed="5.2-1", source="archive"))
            writer.add(osv("GHSA-1", "PyPI", "flask", fixed="2.2.5", aliases=["CVE-2023-30861"]))
            writer.finish()
        connection.close()
    with Database.open(path, immutable=False) as world:
        assert len(world.lookup("PyPI", "flask")) == len(world.lookup("Debian:12", "bash")) == 1
        assert len(world.advisory("GHSA-1")) == 1


def test_an_ecosystem_without_a_row_is_held() -> None:
    assert database(ecosystems=["Debian:12"]).holds("Debian:12")


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no advisory database") as caught:
        Database.open(tmp_path / "absent.db")
    assert "holdfast db update" in caught.value.remedy


def test_a_file_of_another_program(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE t (x); PRAGMA user_version = 1").close()
    with pytest.raises(StoreError, match="is not an advisory database"):
        Database.open(tmp_path / "other.db")


@pytest.mark.parametrize(("version", "words"), [(VERSION + 1, "newer"), (VERSION - 1, "older")])
def test_a_file_of_another_version(tmp_path: Path, version: int, words: str) -> None:
    path = on_disk(tmp_path / "a.db")
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StoreError, match=words):
        Database.open(path)


def test_a_place_with_odd_characters(tmp_path: Path) -> None:
    (tmp_path / "a?b %20#").mkdir()
    with Database.open(on_disk(tmp_path / "a?b %20#" / "x.db")) as world:
        assert world.lookup("PyPI", "flask")


def test_reading_changes_nothing_and_needs_no_leave_to_write(tmp_path: Path) -> None:
    path = on_disk(tmp_path / "a.db")
    before = path.read_bytes()
    path.chmod(0o400)
    with Database.open(path) as world:
        world.advisory("GHSA-1")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.db"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), content=st.binary(min_size=1, max_size=64), cut=st.booleans())
def test_a_damaged_file_is_a_store_error(tmp_path: Path, place: int, content: bytes, cut: bool) -> None:
    good = on_disk(tmp_path / "good.db") if not (tmp_path / "good.db").exists() else tmp_path / "good.db"
    original = good.read_bytes()
    place %= len(original)
    damaged = original[:place] if cut else original[:place] + content + original[place + len(content) :]
    (tmp_path / "bad.db").write_bytes(damaged)
    try:
        with Database.open(tmp_path / "bad.db") as world:
            world.lookup("PyPI", "flask")
            world.advisory("GHSA-1")
            world.info()
    except HoldfastError:
        return
