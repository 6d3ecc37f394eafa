"""What a scan rests on: the database, the starter where that has nothing, and never a lost report."""

import json
import zipfile
from pathlib import Path

import pytest

from holdfast.advisory.places import database_path
from holdfast.advisory.update import update
from holdfast.cli.check import AdvisoryCheck, _age
from holdfast.cli.progress import Meter
from holdfast.model.advisory import DatabaseInfo, SourceInfo
from holdfast.model.package import Package
from holdfast.scan.options import Checked
from holdfast.settings import Settings
from holdfast.transport.client import Client
from packs import with_packs

DJANGO = Package("django", "2.2.3", "pypi", purl="pkg:pypi/django@2.2.3")
LODASH = Package("lodash", "4.17.15", "npm", purl="pkg:npm/lodash@4.17.15")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A database that holds npm alone, with one made-up advisory."""
    folder = tmp_path / "feeds/osv/npm"
    folder.mkdir(parents=True)
    events = [{"introduced": "0"}, {"fixed": "4.17.16"}]
    affected = {"package": {"ecosystem": "npm", "name": "lodash"}, "ranges": [{"type": "SEMVER", "events": events}]}
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("X-1.json", json.dumps({"id": "X-1", "modified": "2026-01-01", "affected": [affected]}))
    here = Settings(cache=tmp_path / "cache", data=with_packs(tmp_path / "data"), offline=True)
    update(here, Client(offline=True), folder=tmp_path / "feeds")
    return here


def checked(settings: Settings, *packages: Package) -> Checked:
    return AdvisoryCheck(settings, Meter(quiet=True))(packages, None, {})


def rules(result: Checked) -> set[str]:
    return {finding.rule for finding in result.findings}


def test_the_starter_speaks_where_the_database_has_nothing(settings: Settings) -> None:
    result = checked(settings, DJANGO, LODASH)
    assert "X-1" in rules(result)
    assert "CVE-2022-28346" in rules(result), "django's, from the starter"
    assert result.checked == ("npm",)
    assert any("PyPI" in name for name in result.not_checked)
    assert "database.starter" in {problem.code for problem in result.problems}


def test_the_starter_keeps_silent_where_the_database_speaks(settings: Settings) -> None:
    result = checked(settings, LODASH)
    assert rules(result) == {"X-1"}
    assert "database.starter" not in {problem.code for problem in result.problems}


def test_a_database_damaged_in_its_middle_leaves_a_report(settings: Settings) -> None:
    path = database_path(settings)
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 1024):
        data[at : at + 512] = bytes(byte ^ 0x5A for byte in data[at : at + 512])
    path.write_bytes(data)
    result = checked(settings, LODASH)
    assert "database.unreadable" in {problem.code for problem in result.problems}
    assert "CVE-2021-23337" in rules(result), "lodash's, from the starter"


def test_age_is_judged_by_the_sources_that_the_scan_rests_on() -> None:
    sources = (SourceInfo("osv/npm", "2022-05-17"), SourceInfo("kev", "2999-01-01"), SourceInfo("alpine", ""))
    told = {problem.where: problem.code for problem in _age(DatabaseInfo(sources=sources), ("npm", "Alpine:v3.20"))}
    assert told == {"osv/npm": "database.old", "alpine": "database.undated"}
    assert not list(_age(DatabaseInfo(sources=sources), ("PyPI",)))
