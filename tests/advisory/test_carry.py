"""A database that travels by hand arrives whole, or not at all."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from advisory.test_update import FEEDS, osv
from holdfast.advisory.carry import export, import_
from holdfast.advisory.database import Database
from holdfast.advisory.places import database_path
from holdfast.advisory.update import update
from holdfast.model.errors import InputError, NotFound, StoreError
from holdfast.settings import Settings
from holdfast.transport.client import Client


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """An installation with a database."""
    (tmp_path / "from/osv/PyPI").mkdir(parents=True)
    (tmp_path / "from/osv/PyPI/all.zip").write_bytes(osv(3))
    settings = Settings(tmp_path / "cache", tmp_path / "data")
    update(settings, Client(offline=True), feeds=FEEDS, folder=tmp_path / "from")
    return settings


@pytest.fixture
def there(here: Settings, tmp_path: Path) -> Path:
    """Where the database of another installation will stand."""
    return database_path(replace(here, data=tmp_path / "other"))


def test_out_and_in_again(here: Settings, there: Path, tmp_path: Path) -> None:
    digest = export(database_path(here), tmp_path / "carried")
    assert (tmp_path / "carried.sha256").read_text() == f"{digest}  carried\n"
    info = import_(tmp_path / "carried", there)
    with Database.open(there) as database:
        assert database.info() == info
    assert there.read_bytes() == database_path(here).read_bytes()


def test_without_the_digest_beside_it(here: Settings, there: Path, tmp_path: Path) -> None:
    digest = export(database_path(here), tmp_path / "carried")
    (tmp_path / "carried.sha256").unlink()
    import_(tmp_path / "carried", there)
    import_(tmp_path / "carried", there, sha256=digest.upper())
    with pytest.raises(InputError, match="SHA-256"):
        import_(tmp_path / "carried", there, sha256="0" * 64)


@pytest.mark.parametrize("how", ["changed", "cut", "garbage", "digest"])
def test_what_was_damaged_on_the_way_is_refused(here: Settings, there: Path, tmp_path: Path, how: str) -> None:
    carried = tmp_path / "carried"
    export(database_path(here), carried)
    import_(carried, there)
    before = there.read_bytes()
    content = bytearray(carried.read_bytes())
    content[-10] ^= 0xFF
    match how:
        case "changed":
            carried.write_bytes(content)
        case "cut":
            carried.write_bytes(content[: len(content) // 2])
            (tmp_path / "carried.sha256").unlink()
        case "garbage":
            carried.write_bytes(b"garbage")
            (tmp_path / "carried.sha256").unlink()
        case "digest":
            (tmp_path / "carried.sha256").write_bytes(b"\xff")
    with pytest.raises((InputError, StoreError)):
        import_(carried, there)
    assert there.read_bytes() == before


def test_what_is_absent(here: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        import_(tmp_path / "none", database_path(here))
    with pytest.raises(StoreError):
        export(tmp_path / "none", tmp_path / "carried")
    with pytest.raises(StoreError):
        export(database_path(here), tmp_path / "no" / "such" / "folder")
