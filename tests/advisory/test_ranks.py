"""What ranks a vulnerability and dates a release: KEV, EPSS, endoflife.date."""

import gzip
import json
from pathlib import Path

import pytest

from holdfast.advisory.eol import KNOWN, EndOfLifeFeed
from holdfast.advisory.epss import EpssFeed
from holdfast.advisory.kev import KevFeed
from holdfast.advisory.record import Dated, EpssEntry, KevEntry, Release
from holdfast.model.advisory import Epss, KnownExploited
from holdfast.model.errors import HoldfastError
from holdfast.model.status import Problem


def test_kev(tmp_path: Path) -> None:
    entry = {
        "cveID": "CVE-2021-44228",
        "dateAdded": "2021-12-10",
        "dueDate": "2021-12-24",
        "vulnerabilityName": "Log4Shell",
        "knownRansomwareCampaignUse": "Known",
    }
    (tmp_path / "kev").write_text(json.dumps({"dateReleased": "2026-08-21T17:46:43Z", "vulnerabilities": [entry]}))
    assert list(KevFeed().read("kev", tmp_path / "kev")) == [
        Dated("2026-08-21T17:46:43Z"),
        KevEntry("CVE-2021-44228", KnownExploited("2021-12-10", "2021-12-24", True, "Log4Shell")),
    ]


def epss(tmp_path: Path, text: str) -> list[object]:
    (tmp_path / "epss.csv.gz").write_bytes(gzip.compress(text.encode()))
    return list(EpssFeed().read("epss.csv.gz", tmp_path / "epss.csv.gz"))


HEADER = "#model_version:v2026.06.15,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\n"


def test_epss_names_its_model(tmp_path: Path) -> None:
    assert epss(tmp_path, HEADER + "CVE-1999-0001,0.03351,0.8765\n") == [
        Dated("2026-08-16T00:00:00+0000"),
        EpssEntry("CVE-1999-0001", Epss(0.03351, 0.8765, "v2026.06.15")),
    ]


def test_damaged_lines_are_counted(tmp_path: Path) -> None:
    lines = "CVE-1999-0001,x,y\nCVE-1999-0002,2,0.1\nCVE-1999-0003,nan,0.1\ngarbage\nCVE-1999-0004,0.1,0.2\n"
    _, entry, problem = epss(tmp_path, HEADER + lines)
    assert isinstance(entry, EpssEntry)
    assert isinstance(problem, Problem)
    assert problem.count == 4


def test_without_a_model_it_is_no_epss(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError):
        epss(tmp_path, "cve,epss,percentile\nCVE-1999-0001,0.1,0.2\n")


def test_end_of_life(tmp_path: Path) -> None:
    products = [
        {"name": "debian", "releases": [{"name": "12", "eolFrom": "2026-06-10", "eoesFrom": "2028-06-30"}]},
        {"name": "ubuntu", "releases": [{"name": "22.04", "eolFrom": "2027-04-01", "eoesFrom": "2032-04-09"}]},
        {
            "name": "alpine-linux",
            "releases": [{"name": "3.18", "eolFrom": "2025-05-09"}, {"name": "3.99", "eolFrom": None}],
        },
    ]
    (tmp_path / "full").write_text(json.dumps({"generated_at": "2026-08-01T00:00:00Z", "result": products}))
    assert list(EndOfLifeFeed().read("products/full", tmp_path / "full")) == [
        Dated("2026-08-01T00:00:00Z"),
        Release("debian", "12", "2028-06-30", "2028-06-30"),  # LTS is for everybody
        Release("ubuntu", "22.04", "2027-04-01", "2032-04-09"),  # ESM is not
        Release("alpine", "3.18", "2025-05-09"),
    ]


def test_what_is_known_without_the_feed() -> None:
    ends = {(release.product, release.release): release.end for release in KNOWN}
    assert len(ends) == len(KNOWN)
    assert ends["debian", "11"] == "2026-08-31"
    assert ends["centos", "7"] == "2024-06-30"
    assert all(len(end) == len("2026-08-31") for end in ends.values())
