"""Feeds are foreign bytes: a parser gives records, problems or one of our errors, and nothing else."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.advisory import record
from holdfast.advisory.feed import FEEDS, Feed
from holdfast.advisory.osv import decode
from holdfast.advisory.record import read_bytes
from holdfast.model.errors import HoldfastError, LimitError, SourceError

PROFILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

OSV = {
    "id": "GHSA-1",
    "modified": "2024-01-01T00:00:00Z",
    "aliases": ["CVE-2024-1000"],
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "x"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1"}]}],
            "ecosystem_specific": {"custom_ranges": [{"events": [{"introduced": "0"}]}]},
        }
    ],
}


def archive(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("GHSA-1.json", content)
    return stream.getvalue()


GOOD: dict[str, tuple[str, bytes]] = {
    "osv": ("PyPI/all.zip", archive(json.dumps(OSV).encode())),
    "debian": ("data/json", json.dumps({"x": {"CVE-1": {"releases": {"sid": {"status": "open"}}}}}).encode()),
    "alpine": (
        "v3.18/main.json",
        json.dumps({"packages": [{"pkg": {"name": "x", "secfixes": {"1": ["CVE-2024-1000"]}}}]}).encode(),
    ),
    "kev": ("k.json", json.dumps({"vulnerabilities": [{"cveID": "CVE-1", "dateAdded": "2024-01-01"}]}).encode()),
    "epss": (
        "e.csv.gz",
        gzip.compress(b"#model_version:v1,score_date:2024\ncve,epss,percentile\nCVE-1-1,0.1,0.2\n", mtime=0),
    ),
    "endoflife": (
        "products/full",
        json.dumps({"result": [{"name": "debian", "releases": [{"name": "12", "eolFrom": "2028-06-30"}]}]}).encode(),
    ),
}


def test_every_feed_is_in_the_tuple_and_tried_here() -> None:
    folder = Path(record.__file__).parent
    named = {type(feed).__module__.rpartition(".")[2] for feed in FEEDS}
    classes = {file.stem for file in folder.glob("*.py") if "\n    patterns = (" in file.read_text()}
    assert named == classes
    assert {feed.name for feed in FEEDS} == set(GOOD)


def read(feed: Feed, path: Path, content: bytes) -> int:
    path.write_bytes(content)
    try:
        return sum(1 for _ in feed.read(GOOD[feed.name][0], path))
    except HoldfastError:
        return 0


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
class TestEveryFeed:
    def test_a_good_file(self, feed: Feed, tmp_path: Path) -> None:
        assert read(feed, tmp_path / "file", GOOD[feed.name][1]) >= 1

    @PROFILE
    @given(content=st.binary(max_size=400))
    def test_any_bytes(self, feed: Feed, tmp_path: Path, content: bytes) -> None:
        read(feed, tmp_path / "file", content)

    @PROFILE
    @given(place=st.integers(0, 10_000), bytes_=st.binary(min_size=1, max_size=8), cut=st.integers(0, 400))
    def test_bytes_changed_or_cut(self, feed: Feed, tmp_path: Path, place: int, bytes_: bytes, cut: int) -> None:
        good = GOOD[feed.name][1]
        place %= len(good)
        changed = good[:place] + bytes_ + good[place + len(bytes_) :]
        read(feed, tmp_path / "file", changed)
        read(feed, tmp_path / "file", good[: cut % len(good)])

    def test_nested_without_end(self, feed: Feed, tmp_path: Path) -> None:
        content = b'{"packages":' + b"[" * 100_000
        read(feed, tmp_path / "file", archive(content) if feed.name == "osv" else content)

    def test_an_absent_file(self, feed: Feed, tmp_path: Path) -> None:
        with pytest.raises(SourceError):
            list(feed.read(GOOD[feed.name][0], tmp_path / "absent"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*OSV, "ranges", "events", "fixed"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@PROFILE
@given(part=st.sampled_from(sorted(OSV)), value=JSON)
def test_any_value_in_any_field_of_an_osv_record(part: str, value: object) -> None:
    try:
        decode(json.dumps(OSV | {part: value}).encode(), "osv/PyPI")
    except HoldfastError:
        return


def test_a_bomb_is_stopped_at_its_limit(tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(5 << 20)))
    with pytest.raises(LimitError):
        read_bytes(tmp_path / "bomb.gz", 1 << 20)


def test_a_member_that_is_too_large_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(archive(b" " * (17 << 20)))
    (problem,) = FEEDS[2].read("PyPI/all.zip", tmp_path / "all.zip")
    assert "cannot be read" in getattr(problem, "message", "")
