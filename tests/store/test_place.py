"""Where a store is: what is refused, what is brought up to date, and what is never written to."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from daemons.postgresql import Server, postgresql
from holdfast.model.errors import StoreError
from holdfast.store.migrations import REVISIONS
from holdfast.store.migrations.upgrade import configuration, scripts, upgrade
from holdfast.store.open import open_store
from holdfast.store.place import Place, connect, place_of
from holdfast.store.store import Selection
from holdfast.store.tables import METADATA
from report.reports import deb, finding, report

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0001"


def upgrade():
    op.add_column("scan", sa.Column("note", sa.Text, nullable=False, server_default="from before"))
"""
FAILING = NEXT + "    raise RuntimeError('half way')\n"


CONNECTING = """
import sys
from pathlib import Path
from holdfast.store.place import connect, place_of
connect(place_of(sys.argv[1], Path(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as it:
        yield it


@pytest.fixture
def older(tmp_path: Path) -> Place:
    """A store at revision 0001 with a scan in it."""
    with open_store("", tmp_path) as store:
        store.save(report(finding(deb("openssl", "1"), "CVE-2026-0001")), {})
    return place_of("", tmp_path)


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """A folder with a migration that only these tests know."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "r9999_note.py").write_text(NEXT)
    return folder


def test_migrating_gives_what_the_tables_say(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = connect(place_of("", tmp_path))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_migrating_gives_what_the_tables_say_in_postgresql_too(tmp_path: Path, server: Server) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = connect(place_of(server.database(), tmp_path))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_revisions_named_are_those_that_there_are() -> None:
    found = [script.revision for script in scripts(configuration()).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_an_older_store_is_brought_up_to_date_and_backed_up_first(older: Place, more: Path, tmp_path: Path) -> None:
    assert older.file is not None
    engine = connect(older, revisions=(*REVISIONS, "9999"), more=[more])
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT name, note FROM scan")).all() == [("oci:demo:latest", "from before")]
    copy = older.file.with_name("store.db.0001")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT count(*) FROM scan").fetchall() == [(1,)]
    copy.rename(older.file)
    with open_store("", tmp_path) as store:
        assert len(store.findings(Selection())) == 1


def test_a_migration_that_fails_leaves_the_store_as_it_was(older: Place, more: Path, tmp_path: Path) -> None:
    (more / "r9999_note.py").write_text(FAILING)
    with pytest.raises(RuntimeError, match="half way"):
        connect(older, revisions=(*REVISIONS, "9999"), more=[more])
    with open_store("", tmp_path) as store:
        assert len(store.findings(Selection())) == 1


def test_many_that_open_an_old_store_at_once_change_it_once(older: Place, more: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from holdfast.store.place import connect, place_of;"
        "connect(place_of('', Path(sys.argv[1])), revisions=('0001', '9999'), more=[Path(sys.argv[2])])"
    )
    assert older.file is not None
    command = [sys.executable, "-c", program, str(older.file.parent), str(more)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(6)]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 6, said
    with sqlite3.connect(older.file) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("9999",)]


def test_many_that_make_a_store_at_once_make_one(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from holdfast.store.open import open_store;"
        "print(len(open_store('', Path(sys.argv[1])).targets()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True), range(6)))
    assert [(one.returncode, one.stdout) for one in done] == [(0, "0\n")] * 6, done


def test_a_newer_store_is_refused_and_nothing_is_written(older: Place, tmp_path: Path) -> None:
    assert older.file is not None
    with sqlite3.connect(older.file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.close()
    before = older.file.read_bytes(), sorted(os.listdir(tmp_path))
    with pytest.raises(StoreError, match="newer version of Holdfast") as caught:
        open_store("", tmp_path)
    assert caught.value.where == str(older.file)
    assert caught.value.remedy == "use the newer version"
    assert (older.file.read_bytes(), sorted(os.listdir(tmp_path))) == before


def test_a_newer_store_in_postgresql_is_refused_too(tmp_path: Path, server: Server) -> None:
    place = place_of(server.database(), tmp_path)
    with connect(place).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(StoreError, match="newer version of Holdfast"):
        connect(place)


def test_many_that_make_a_store_in_postgresql_at_once_make_one(tmp_path: Path, server: Server) -> None:
    place = place_of(server.database(), tmp_path)
    with ThreadPoolExecutor(4) as pool:
        command = [sys.executable, "-c", CONNECTING, place.url, str(tmp_path)]
        done = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True), range(4)))
    assert [one.returncode for one in done] == [0] * 4, done


@pytest.mark.parametrize(
    "content",
    [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4096, b"{}" * 4096, b"SQLite format 3"],
)
def test_what_is_no_database_is_an_error_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        open_store("", tmp_path)
    assert "move it away" in caught.value.remedy
    assert path.read_bytes() == content


def test_a_damaged_store_is_an_error_wherever_the_damage_is(older: Place, tmp_path: Path) -> None:
    assert older.file is not None
    whole = older.file.read_bytes()
    told = 0
    for page in range(len(whole) // 4096):
        damaged = whole[: page * 4096 + 100] + b"\xff" * 3996 + whole[page * 4096 + 4096 :]
        if page:
            damaged = whole[: page * 4096] + b"\xff" * 4096 + whole[page * 4096 + 4096 :]
        older.file.write_bytes(damaged)
        try:
            with open_store("", tmp_path) as store:
                for one in store.findings(Selection(state=None)):
                    store.detail(one.fingerprint)
                for target in store.targets():
                    for scan in store.scans(target.target):
                        store.report(scan.id)
        except StoreError:
            told += 1
        assert older.file.read_bytes() == damaged
    assert told > 3


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE scan SET name = 'half'")
connection.execute("CREATE TABLE filler AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n "
                   "LIMIT 2000) SELECT i, randomblob(1000) FROM n")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_half_written_is_taken_back(older: Place, tmp_path: Path) -> None:
    assert older.file is not None
    before = older.file.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, str(older.file)])
    assert older.file.with_name("store.db-journal").exists()
    assert older.file.read_bytes() != before
    with open_store("", tmp_path) as store:
        assert [scan.name for scan in store.scans("oci:demo")] == ["oci:demo:latest"]
    assert older.file.read_bytes()[: len(before)] == before


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match="no store of Holdfast"):
        open_store("", tmp_path)
    assert (tmp_path / "store.db").read_bytes() == before


def test_an_empty_file_is_what_a_crash_left_and_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    with open_store("", tmp_path) as store:
        assert store.targets() == ()


def test_a_store_is_for_its_user_alone(tmp_path: Path) -> None:
    with open_store("", tmp_path / "data"):
        assert (tmp_path / "data" / "store.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "location",
    ["nonsense s3cret", "mysql://u:s3cret@h/db", "sqlite://", "sqlite:///:memory:", "postgresql+s3cret://h:x/db",
     "postgresql://u:s3cret@h:port/db", "://s3cret"],
)  # fmt: skip
def test_a_setting_that_is_no_address_is_said_without_its_secrets(tmp_path: Path, location: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(location, tmp_path)
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__} {caught.value!r}"


def test_a_server_out_of_reach_is_said_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    for location in (
        "postgresql://ann:s3cret@127.0.0.1:1/db",
        f"postgresql://ann@/db?host={tmp_path}&password=s3cret",
        "postgresql+psycopg://ann:s3cret@127.0.0.1:1/db?nonsense=s3cret",
    ):
        with pytest.raises(StoreError) as caught:
            open_store(location, tmp_path)
        assert caught.value.where.startswith("postgresql://")
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__} {caught.value!r}"


def test_a_server_that_goes_away_is_an_error_in_words(tmp_path: Path) -> None:
    with postgresql() as server:
        location = server.database()
        with open_store(location, tmp_path) as store:
            assert store.targets() == ()
            server.end()
            with pytest.raises(StoreError, match="cannot be used"):
                store.targets()


def test_an_address_of_a_sqlite_file_is_one(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/other%20place.db", tmp_path) as store:
        assert store.targets() == ()
    assert not (tmp_path / "store.db").exists()


def test_alembic_finds_its_folder_whatever_it_is_called(older: Place) -> None:
    assert "%%" in configuration([Path("/a%b")]).file_config.get("alembic", "version_locations", raw=True)
    assert callable(upgrade)
