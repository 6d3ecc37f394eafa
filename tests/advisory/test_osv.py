"""OSV records become advisories: ranges, names, words, and what is no vulnerability."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from holdfast.advisory.osv import OsvFeed, decode
from holdfast.advisory.record import Dated
from holdfast.advisory.wording import MALICIOUS
from holdfast.model.advisory import Advisory, FixState, Score
from holdfast.model.errors import InputError, SourceError
from holdfast.model.status import Problem
from holdfast.settings import FeedSettings

FEED = OsvFeed()


def record(*events: dict[str, str], identity: str = "GHSA-1", kind: str = "ECOSYSTEM", **other: Any) -> Advisory | None:
    """An advisory about PyPI's `x` with these events in one range, and other fields of the record or its `affected`."""
    affected: dict[str, Any] = {"package": {"ecosystem": other.pop("ecosystem", "PyPI"), "name": "x"}}
    if events:
        affected["ranges"] = [{"type": kind, "events": list(events)}]
    for key in ("versions", "ecosystem_specific", "affected_specific"):
        if key in other:
            affected[key.replace("affected_", "database_")] = other.pop(key)
    return decode(json.dumps({"id": identity, "affected": [affected]} | other).encode(), "osv/PyPI")


def bounds(advisory: Advisory | None) -> list[tuple[str, str, str]]:
    assert advisory is not None
    return [(row.introduced, row.fixed, row.last_affected) for row in advisory.affected]


def test_one_stretch() -> None:
    advisory = record({"introduced": "0"}, {"fixed": "1.2"})
    assert bounds(advisory) == [("", "1.2", "")]
    assert advisory is not None
    assert advisory.affected[0].state is FixState.FIXED


def test_several_stretches_of_one_range() -> None:
    events = [
        {"introduced": "1.0"},
        {"fixed": "1.5"},
        {"introduced": "2.0"},
        {"last_affected": "2.3"},
        {"introduced": "3"},
    ]
    assert bounds(record(*events)) == [("1.0", "1.5", ""), ("2.0", "", "2.3"), ("3", "", "")]


def test_events_in_any_order() -> None:
    events = [{"fixed": "2.3"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"introduced": "0"}]
    assert bounds(record(*events)) == [("", "1.5", ""), ("2.0", "2.3", "")]


def test_a_second_end_says_nothing_and_the_listed_versions_do() -> None:
    advisory = record(
        {"introduced": "0"}, {"last_affected": "19.0.0"}, {"last_affected": "19.0.1"}, versions=["19.0.1"]
    )
    assert bounds(advisory) == [("", "", "19.0.0"), ("", "", "")]
    assert advisory is not None
    assert advisory.affected[1].versions == ("19.0.1",)


def test_a_limit_bounds_and_is_no_fix() -> None:
    advisory = record({"introduced": "0"}, {"limit": "2.0"})
    assert bounds(advisory) == [("", "2.0", "")]
    assert advisory is not None
    assert advisory.affected[0].state is FixState.AFFECTED


def test_no_limit() -> None:
    assert bounds(record({"introduced": "1"}, {"limit": "*"})) == [("1", "", "")]


def test_commits_are_skipped_and_versions_taken() -> None:
    advisory = record({"introduced": "0"}, {"fixed": "deadbeef"}, kind="GIT", versions=["1.1", "1.0"])
    assert advisory is not None
    assert [row.versions for row in advisory.affected] == [("1.0", "1.1")]


def test_versions_beside_a_range_say_nothing_new() -> None:
    advisory = record({"introduced": "0"}, {"fixed": "2"}, versions=["1.0"])
    assert advisory is not None
    assert [row.versions for row in advisory.affected] == [()]


def test_crates_first_version_is_no_version() -> None:
    assert bounds(record({"introduced": "0.0.0-0"}, {"fixed": "1.0.0"}, kind="SEMVER")) == [("", "1.0.0", "")]


def test_the_go_databases_custom_ranges() -> None:
    custom = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.0.4"}]}]
    advisory = record({"introduced": "0"}, kind="SEMVER", ecosystem="Go", ecosystem_specific={"custom_ranges": custom})
    assert bounds(advisory) == [("", "5.0.4", "")]


def test_aliases_and_related() -> None:
    advisory = record({"introduced": "0"}, aliases=["CVE-2023-1234"], related=["GHSA-2"], upstream=None)
    assert advisory is not None
    assert (advisory.aliases, advisory.related) == (("CVE-2023-1234",), ("GHSA-2",))


def test_a_record_named_after_a_cve_is_that_cve() -> None:
    advisory = record({"introduced": "0"}, identity="UBUNTU-CVE-2023-1234", upstream=["CVE-2023-1234"])
    assert advisory is not None
    assert (advisory.aliases, advisory.related) == (("CVE-2023-1234",), ())


def test_an_errata_mends_what_it_relates_to() -> None:
    advisory = record({"introduced": "0"}, identity="ALSA-2024:1", ecosystem="AlmaLinux:9", related=["CVE-2023-1234"])
    assert advisory is not None
    assert advisory.related == ("CVE-2023-1234",)


@pytest.mark.parametrize("identity", ["ALBA-2022:1", "ALEA-2022:1", "RLBA-2022:1"])
def test_bug_fixes_are_no_vulnerabilities(identity: str) -> None:
    assert record({"introduced": "0"}, identity=identity) is None


def test_rejected_ids_are_none() -> None:
    assert record({"introduced": "0"}, details="** REJECT ** do not use this candidate") is None
    assert record({"introduced": "0"}, details="Rejected reason: not a bug") is None


def test_disputed_records_say_so() -> None:
    advisory = record({"introduced": "0"}, details="** DISPUTED ** the vendor says no")
    assert advisory is not None
    assert advisory.affected[0].note == "disputed"


def test_unreviewed_records_say_so() -> None:
    advisory = record({"introduced": "0"}, database_specific={"review_status": "UNREVIEWED"})
    assert advisory is not None
    assert advisory.affected[0].note == "unreviewed"


def test_unmaintained_is_no_vulnerability() -> None:
    advisory = record({"introduced": "0"}, affected_specific={"informational": "unmaintained", "categories": []})
    assert advisory is not None
    assert advisory.affected == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"identity": "MAL-2024-1"},
        {"aliases": ["MAL-2024-1"]},
        {"affected_specific": {"categories": ["malicious"]}},
    ],
)
def test_malware(fields: dict[str, Any]) -> None:
    advisory = record({"introduced": "0"}, **fields)
    assert advisory is not None
    assert advisory.severity == MALICIOUS


def test_scores_of_the_record_and_of_the_package() -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    content = {
        "id": "GHSA-1",
        "severity": [{"type": "CVSS_V3", "score": vector}],
        "affected": [
            {"package": {"ecosystem": "npm", "name": "x"}, "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/x"}]}
        ],
    }
    advisory = decode(json.dumps(content).encode(), "osv/npm")
    assert advisory is not None
    assert advisory.scores == (Score("CVSS_V3", vector), Score("CVSS_V4", "CVSS:4.0/x"))


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"database_specific": {"severity": "MODERATE"}}, "MODERATE"),
        ({"summary": "Important: curl security update"}, "Important"),
        ({"database_specific": {"severity": ["not", "a", "word"]}}, ""),
    ],
)
def test_words_of_severity(fields: dict[str, Any], severity: str) -> None:
    advisory = record({"introduced": "0"}, **fields)
    assert advisory is not None
    assert advisory.severity == severity


def test_debians_urgency() -> None:
    advisory = record({"introduced": "0"}, ecosystem="Debian:12", ecosystem_specific={"urgency": "unimportant"})
    assert advisory is not None
    assert advisory.affected[0].urgency == "unimportant"


def test_gos_zero_time_is_no_date() -> None:
    advisory = record({"introduced": "0"}, modified="0001-01-01T00:00:00Z", published="2024-01-02T03:04:05.678Z")
    assert advisory is not None
    assert (advisory.modified, advisory.published) == ("", "2024-01-02T03:04:05Z")


def test_what_is_no_record() -> None:
    for content in (b"", b"[]", b"{}", b'{"id": 1}', b"[" * 100_000):
        with pytest.raises(InputError):
            decode(content, "osv/PyPI")


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for name, content in members:
            out.writestr(name, content)
    path.write_bytes(stream.getvalue())
    return path


def one(identity: str, modified: str) -> tuple[str, bytes]:
    return f"{identity}.json", json.dumps({"id": identity, "modified": modified}).encode()


def test_an_archive_in_the_order_of_its_names(tmp_path: Path) -> None:
    file = archive(tmp_path / "all.zip", one("GHSA-2", "2024-02-01T00:00:00Z"), one("GHSA-1", "2024-03-01T00:00:00Z"))
    *advisories, dated = FEED.read("PyPI/all.zip", file)
    assert [advisory.id for advisory in advisories if isinstance(advisory, Advisory)] == ["GHSA-1", "GHSA-2"]
    assert dated == Dated("2024-03-01T00:00:00Z")


def test_damaged_records_are_counted(tmp_path: Path) -> None:
    file = archive(tmp_path / "all.zip", one("GHSA-1", ""), ("a.json", b"{"), ("b.json", b"[]"), ("readme.txt", b"x"))
    problem = list(FEED.read("PyPI/all.zip", file))[-1]
    assert isinstance(problem, Problem)
    assert problem.count == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, "unknown", "encrypted"])
def test_a_member_that_cannot_be_unpacked_is_counted(tmp_path: Path, method: int | str) -> None:
    stream = io.BytesIO()
    name, content = one("GHSA-1", "")
    with zipfile.ZipFile(stream, "w", method if isinstance(method, int) else zipfile.ZIP_STORED) as out:
        out.writestr(name, content * 50)
        start = 30 + len(name)  # behind the member's header
        end = out.start_dir
        out.writestr(*one("GHSA-2", ""))
    zipped = bytearray(stream.getvalue())
    if isinstance(method, int):
        zipped[start + 4 : end] = b"\xff" * (end - start - 4)
    else:
        # The member's general purpose flags and compression method, in its own header and in the directory's.
        for header, at in ((0, 6), (zipped.index(b"PK\1\2"), 8)):
            zipped[header + at], zipped[header + at + 2] = (1, 0) if method == "encrypted" else (0, 97)
    (tmp_path / "all.zip").write_bytes(zipped)
    advisory, problem = FEED.read("PyPI/all.zip", tmp_path / "all.zip")
    assert isinstance(advisory, Advisory)
    assert advisory.id == "GHSA-2"
    assert isinstance(problem, Problem)
    assert problem.count == 1


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(SourceError):
        list(FEED.read("PyPI/all.zip", tmp_path / "all.zip"))


def test_what_to_fetch() -> None:
    settings = FeedSettings(ecosystems=("PyPI", "Rocky Linux"))
    assert [resource.path for resource in FEED.resources(settings)] == ["PyPI/all.zip", "Rocky Linux/all.zip"]
    assert FEED.source("Rocky Linux/all.zip") == "osv/Rocky Linux"
