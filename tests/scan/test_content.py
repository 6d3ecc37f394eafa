"""What is inside of files: every layer, archives in them, large ones in windows, and what the configuration quotes."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.model.file import Entry, FileType, Window
from holdfast.model.finding import Finding, Kind, MalwareEvidence, SecretEvidence
from holdfast.model.report import Report
from holdfast.model.status import Problem
from holdfast.range.made_up import eicar, github_token
from holdfast.report.json import document
from holdfast.report.writer import encode
from holdfast.scan.content import OVERLAP_BYTES, WINDOW_BYTES, Examination
from holdfast.scan.options import Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import scan
from holdfast.secret.hit import SecretHit
from holdfast.settings import Settings
from packs import with_packs
from world import file, image, layer, whiteout

TOKEN = github_token()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", data=with_packs(tmp_path / "data"), offline=True)


def scanned(path: Path, settings: Settings, *engines: str) -> Report:
    return scan(plan(f"oci:{path}"), settings, Options(wanted=Wanted(frozenset(engines or ("secrets", "malware")))))


def secrets(report: Report) -> list[Finding]:
    return [one for one in report.findings if one.kind is Kind.SECRET]


def evidence(finding: Finding) -> SecretEvidence:
    assert isinstance(finding.evidence, SecretEvidence)
    return finding.evidence


def archive(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return sink.getvalue()


class TestLayers:
    def test_a_file_that_a_later_layer_deletes_is_still_in_its_own(self, tmp_path: Path, settings: Settings) -> None:
        layers = [layer({"srv/deploy.txt": TOKEN}), layer({"srv/deploy.txt": whiteout()})]
        report = scanned(image(tmp_path, layers), settings)
        (finding,) = secrets(report)
        assert finding.location.diff_id == report.layers[0].diff_id
        assert evidence(finding).deleted_by == report.layers[1].diff_id

    def test_a_file_that_is_written_over_is_too(self, tmp_path: Path, settings: Settings) -> None:
        report = scanned(image(tmp_path, [layer({"a": TOKEN}), layer({"a": "nothing"})]), settings)
        assert evidence(secrets(report)[0]).deleted_by == report.layers[1].diff_id

    def test_a_folder_that_goes_takes_its_files_along(self, tmp_path: Path, settings: Settings) -> None:
        report = scanned(image(tmp_path, [layer({"srv/in/a": TOKEN}), layer({"srv": whiteout()})]), settings)
        assert evidence(secrets(report)[0]).deleted_by == report.layers[1].diff_id

    def test_one_secret_in_two_layers_is_one_finding(self, tmp_path: Path, settings: Settings) -> None:
        report = scanned(image(tmp_path, [layer({"a": TOKEN}), layer({"b": TOKEN})]), settings)
        (finding,) = secrets(report)
        assert finding.count == 2

    def test_the_cache_gives_the_same_findings(self, tmp_path: Path, settings: Settings) -> None:
        path = image(tmp_path, [layer({"a": TOKEN, "b": file(eicar())})])
        first, second = scanned(path, settings), scanned(path, settings)
        assert second.statistics.layers_cached == 1
        assert first.findings == second.findings
        assert len(first.findings) == 2

    def test_the_cache_holds_no_secret(self, tmp_path: Path, settings: Settings) -> None:
        import zstandard

        scanned(image(tmp_path, [layer({"a": TOKEN})]), settings)
        kept = [path for path in settings.cache.rglob("sha256-*") if path.is_file()]
        assert kept
        for path in kept:
            assert TOKEN.encode() not in zstandard.ZstdDecompressor().decompress(path.read_bytes())

    def test_another_choice_of_engines_does_not_answer_from_the_cache(self, tmp_path: Path, settings: Settings) -> None:
        path = image(tmp_path, [layer({"a": TOKEN})])
        assert scanned(path, settings, "malware").findings == ()
        assert len(scanned(path, settings, "secrets").findings) == 1


class TestArchives:
    @pytest.mark.parametrize(
        ("name", "content", "inside"),
        [
            ("a.zip", archive({"in/x.txt": TOKEN.encode()}), "a.zip!/in/x.txt"),
            ("a.txt.gz", gzip.compress(TOKEN.encode(), mtime=0), "a.txt.gz!/a.txt"),
            ("a.tar", layer({"x.txt": TOKEN}), "a.tar!/x.txt"),
            ("a.jar", archive({"b.zip": archive({"x.txt": TOKEN.encode()})}), "a.jar!/b.zip!/x.txt"),
        ],
        ids=("zip", "gzip", "tar", "zip in a jar"),
    )
    def test_members_are_looked_at(
        self, name: str, content: bytes, inside: str, tmp_path: Path, settings: Settings
    ) -> None:
        report = scanned(image(tmp_path, [layer({name: file(content)})]), settings)
        assert inside in {finding.location.path for finding in secrets(report)}

    def test_malware_in_an_archive_is_told_once(self, tmp_path: Path, settings: Settings) -> None:
        report = scanned(image(tmp_path, [layer({"a.zip": file(archive({"x.com": eicar()}))})]), settings)
        (finding,) = report.findings
        assert isinstance(finding.evidence, MalwareEvidence)
        assert finding.evidence.inside == "x.com"


class TestConfiguration:
    @pytest.mark.parametrize("only", ["secrets", "packages"])
    def test_what_history_quotes_is_masked_whatever_is_looked_for(
        self, only: str, tmp_path: Path, settings: Settings
    ) -> None:
        lines = [f"|1 TOKEN={TOKEN} /bin/sh -c make", f"#ENV T={TOKEN}"]
        path = image(tmp_path, [layer({"a": "b"})], history=lines, labels={"token": TOKEN})
        report = scanned(path, settings, only)
        assert TOKEN not in encode(document(report)).decode()
        assert len(secrets(report)) == (only == "secrets")


class TestWindows:
    def test_a_large_file_is_looked_at_whole_and_what_stands_on_an_edge_once(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        size = WINDOW_BYTES * 2
        content = bytearray(b"x " * (size // 2))
        for at in (100, WINDOW_BYTES - OVERLAP_BYTES // 2, size - 100):
            content[at : at + len(TOKEN) + 2] = b" " + TOKEN.encode() + b" "
        report = scanned(image(tmp_path, [layer({"big.txt": file(bytes(content))})]), settings, "secrets")
        (finding,) = secrets(report)
        assert finding.count in (1, 3)  # places on one line of one file are one, or each of the three
        assert report.problems == ()

    def test_windows_overlap_and_cover_everything(self) -> None:
        looked = _Looked()
        size = WINDOW_BYTES * 2 + 5
        pieces = [b"a" * (1 << 20)] * (size >> 20) + [b"b" * (size & 0xFFFFF)]
        examination = Examination(looked, None)
        passed = b"".join(bytes(one) for one in examination.pieces(Entry("f", FileType.FILE, size), iter(pieces)))
        assert passed == b"".join(pieces)
        assert looked.windows[0].offset == 0
        for before, after in zip(looked.windows, looked.windows[1:], strict=False):
            assert after.offset == before.offset + len(before.data) - OVERLAP_BYTES
        last = looked.windows[-1]
        assert last.offset + len(last.data) == size


class _Looked:
    """A session that only remembers what it was given."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.windows: list[Window] = []

    def asks(self, path: str, head: bytes) -> bool:
        return True

    def examine(self, window: Window) -> tuple[SecretHit, ...]:
        self.windows.append(replace(window))
        return ()


def test_a_root_file_system_and_a_source_tree_are_searched_too(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "settings.py").write_text(f'TOKEN = "{TOKEN}"\n')
    report = scan(plan(f"dir:{tmp_path / 'src'}"), settings)
    (finding,) = report.findings
    assert (finding.rule, finding.location.path, finding.location.line) == ("secret.github-pat", "settings.py", 1)
