"""Given images as they really lie on disk, when scanned, then these packages, layers and findings."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind
from holdfast.model.package import Origin, Package
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.scan.options import Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import registered, scan
from holdfast.settings import Settings
from packs import with_packs
from world import Thing, file, hard_link, image, layer, opaque, symlink, whiteout

Files = dict[str, Thing | str | bytes]
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


def dpkg(*packages: str) -> str:
    """A dpkg status file of `name version` pairs."""
    paragraph = (
        "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\nMaintainer: D <d@debian.org>\n"
    )
    return "\n".join(paragraph.format(*package.split()) for package in packages)


def dist_info(name: str, version: str, root: str = "usr/lib/python3.11/site-packages") -> dict[str, str]:
    return {f"{root}/{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}


BASE = {"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": dpkg("openssl 3.0.11-1", "zlib1g 1:1.2.13-1")}


PACKAGES = Options(wanted=Wanted(frozenset({"packages"})))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", data=with_packs(tmp_path / "data"), offline=True)


def scanned(path: Path, settings: Settings, prefix: str = "oci", options: Options = PACKAGES) -> Report:
    return scan(plan(f"{prefix}:{path}"), settings, options)


def names(report: Report) -> list[str]:
    return [f"{package.name} {package.version}" for package in report.packages]


def one(report: Report, name: str) -> Package:
    (package,) = (package for package in report.packages if package.name == name)
    return package


def test_a_package_belongs_to_the_layer_that_first_held_it(tmp_path: Path, settings: Settings) -> None:
    more = dpkg("openssl 3.0.11-1", "zlib1g 1:1.2.13-1", "curl 7.88.1-10")
    report = scanned(image(tmp_path, [layer(BASE), layer({"var/lib/dpkg/status": more})]), settings)
    assert report.status is Status.COMPLETE
    assert names(report) == ["curl 7.88.1-10", "openssl 3.0.11-1", "zlib1g 1:1.2.13-1"]
    first, second = (item.diff_id for item in report.layers)
    assert one(report, "openssl").diff_id == first
    assert one(report, "curl").diff_id == second


def test_an_upgraded_package_belongs_to_the_layer_that_upgraded_it(tmp_path: Path, settings: Settings) -> None:
    newer = dpkg("openssl 3.0.13-1", "zlib1g 1:1.2.13-1")
    report = scanned(image(tmp_path, [layer(BASE), layer({"var/lib/dpkg/status": newer})]), settings)
    assert one(report, "openssl").diff_id == report.layers[1].diff_id
    assert one(report, "zlib1g").diff_id == report.layers[0].diff_id


def test_a_package_removed_and_installed_again_belongs_to_the_later_layer(tmp_path: Path, settings: Settings) -> None:
    states = [
        BASE,
        {"var/lib/dpkg/status": dpkg("zlib1g 1:1.2.13-1")},
        {"var/lib/dpkg/status": BASE["var/lib/dpkg/status"]},
    ]
    report = scanned(image(tmp_path, [layer(state) for state in states]), settings)
    assert one(report, "openssl").diff_id == report.layers[2].diff_id


@pytest.mark.parametrize(
    "removal",
    [
        {"usr/lib/python3.11/site-packages/flask-1.0.dist-info/METADATA": whiteout()},
        {"usr/lib/python3.11/site-packages/flask-1.0.dist-info": whiteout()},
        {"usr/lib/python3.11": whiteout()},
        {"usr/lib/python3.11/site-packages": opaque()},
        {"usr/lib": symlink("/nowhere")},
    ],
    ids=["file", "folder", "ancestor", "opaque", "replaced"],
)
def test_what_a_later_layer_deletes_is_not_there(tmp_path: Path, settings: Settings, removal: Files) -> None:
    layers = [layer(BASE), layer(dist_info("flask", "1.0")), layer(removal)]
    assert "flask 1.0" not in names(scanned(image(tmp_path, layers), settings))
    assert "flask 1.0" in names(scanned(image(tmp_path, layers[:2], name="whole"), settings))


def test_a_database_behind_a_linked_folder_is_read(tmp_path: Path, settings: Settings) -> None:
    files: Files = {
        "etc/os-release": OS_RELEASE,
        "usr/share/dpkg/status": dpkg("bash 5.2.15-2"),
        "var/lib/dpkg": symlink("/usr/share/dpkg"),
    }  # fmt: skip
    path = image(tmp_path, [layer(files)])
    assert names(scanned(path, settings)) == ["bash 5.2.15-2"]
    assert names(scanned(path, settings)) == ["bash 5.2.15-2"], "and again from the cache"


def test_a_link_never_leads_outside_the_image(tmp_path: Path, settings: Settings) -> None:
    files: Files = {
        "etc/os-release": symlink("../../../../etc/os-release"),
        "var/lib/dpkg": symlink("../../../var/lib/dpkg"),
    }
    report = scanned(image(tmp_path, [layer(files)]), settings)
    assert report.packages == ()
    assert report.distribution is None


def test_a_hard_link_to_a_file_of_another_name_is_followed(tmp_path: Path, settings: Settings) -> None:
    metadata = "usr/lib/python3/dist-packages/attrs-1.0.dist-info/METADATA"
    files: Files = {
        "cache/blob": "Metadata-Version: 2.1\nName: attrs\nVersion: 1.0\n",
        metadata: hard_link("cache/blob"),
    }
    report = scanned(image(tmp_path, [layer(files)]), settings)
    assert names(report) == ["attrs 1.0"]


def test_links_that_loop_are_no_trouble(tmp_path: Path, settings: Settings) -> None:
    files: Files = {
        "etc/os-release": symlink("b"),
        "etc/b": symlink("os-release"),
        "var/lib/dpkg/status": dpkg("bash 5"),
    }
    assert names(scanned(image(tmp_path, [layer(files)]), settings)) == ["bash 5"]


def test_the_distribution_comes_from_what_is_visible(tmp_path: Path, settings: Settings) -> None:
    newer = OS_RELEASE.replace("12", "13").replace("bookworm", "trixie")
    report = scanned(image(tmp_path, [layer(BASE), layer({"etc/os-release": newer})]), settings)
    assert report.distribution is not None
    assert (report.distribution.id, report.distribution.version) == ("debian", "13")


def test_lock_files_are_told_apart_from_what_is_installed(tmp_path: Path, settings: Settings) -> None:
    files = {**BASE, "srv/requirements.txt": "flask==1.0\n"}
    assert one(scanned(image(tmp_path, [layer(files)]), settings), "flask").origin is Origin.DECLARED


def test_a_layer_whose_bytes_changed_is_a_finding_and_the_scan_goes_on(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE), layer(dist_info("flask", "1.0"))], compression="none")
    blob = max((path / "blobs/sha256").iterdir(), key=lambda one: one.stat().st_size)
    blob.write_bytes(blob.read_bytes().replace(b"3.0.11-1", b"3.0.99-9"))
    report = scanned(path, settings)
    assert {finding.rule for finding in report.findings} >= {"image.layer-digest-mismatch"}
    assert all(finding.kind is Kind.INTEGRITY for finding in report.findings)
    assert "flask 1.0" in names(report)
    again = scanned(path, settings)
    assert [finding.rule for finding in again.findings] == [finding.rule for finding in report.findings]


def test_a_copy_tampered_with_after_it_was_cached_is_still_found_out(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE)])
    assert scanned(path, settings).findings == ()
    blob = next(one for one in (path / "blobs/sha256").iterdir() if one.read_bytes().startswith(b"\x1f\x8b"))
    before = blob.stat()
    data = bytearray(blob.read_bytes())
    data[-5] ^= 0xFF
    blob.write_bytes(data)
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = scanned(path, settings)
    assert report.findings or report.status is not Status.COMPLETE


def test_a_missing_layer_leaves_the_others(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE), layer(dist_info("flask", "1.0"))], compression="none")
    min(
        (one for one in (path / "blobs/sha256").iterdir() if b"ustar" in one.read_bytes()[:1024]),
        key=lambda one: b"openssl" in one.read_bytes(),
    ).unlink()
    report = scanned(path, settings)
    assert report.status is Status.PARTIAL
    assert "openssl 3.0.11-1" in names(report)
    assert "flask 1.0" not in names(report)


def test_the_second_scan_is_answered_by_the_cache(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE), layer(dist_info("flask", "1.0"))])
    first, second = scanned(path, settings), scanned(path, settings)
    assert (first.statistics.layers_cached, second.statistics.layers_cached) == (0, 2)
    assert second.packages == first.packages


def test_a_shared_base_is_read_once(tmp_path: Path, settings: Settings) -> None:
    base = layer(BASE)
    scanned(image(tmp_path, [base], name="one"), settings)
    report = scanned(image(tmp_path, [base, layer(dist_info("flask", "1.0"))], name="two"), settings)
    assert report.statistics.layers_cached == 1
    assert one(report, "openssl").diff_id == report.layers[0].diff_id


def test_a_damaged_cache_is_as_good_as_none(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE)])
    first = scanned(path, settings)
    for kept in (settings.cache / "layers").rglob("sha256-*"):
        kept.write_bytes(kept.read_bytes()[:-7])
    second = scanned(path, settings)
    assert second.packages == first.packages
    assert second.statistics.layers_cached == 0


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, settings: Settings) -> None:
    settings.cache.write_text("a file where a folder should be")
    assert scanned(image(tmp_path, [layer(BASE)]), settings).status is Status.COMPLETE


@pytest.mark.parametrize("form", ["oci", "oci-archive", "docker-archive", "docker-archive-old"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_every_form_gives_the_same_packages(tmp_path: Path, settings: Settings, form: str, compression: str) -> None:
    layers = [layer(BASE, parents=True), layer(dist_info("flask", "1.0"), parents=True)]
    path = image(tmp_path, layers, form=form, compression=compression)
    report = scanned(path, settings, form.removesuffix("-old"))
    assert names(report) == ["openssl 3.0.11-1", "zlib1g 1:1.2.13-1", "flask 1.0"]
    assert report.findings == ()
    assert report.status is Status.COMPLETE


def test_a_folder_is_scanned_as_one_layer(tmp_path: Path, settings: Settings) -> None:
    root = tmp_path / "root"
    for path, content in {**BASE, **dist_info("flask", "1.0")}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    assert names(scanned(root, settings, "dir")) == ["openssl 3.0.11-1", "zlib1g 1:1.2.13-1", "flask 1.0"]


def test_a_base_given_by_name_divides_the_packages(tmp_path: Path, settings: Settings) -> None:
    base = image(tmp_path, [layer(BASE)], name="base")
    path = image(tmp_path, [layer(BASE), layer(dist_info("flask", "1.0"))])
    known = registered(plan(f"oci:{base}"), name="debian:12")
    report = scanned(path, settings, options=Options(base=known, wanted=PACKAGES.wanted))
    assert (report.base.layers, report.base.decided_by) == (1, "option")
    assert (one(report, "openssl").side, one(report, "flask").side) == (Side.BASE, Side.APPLICATION)


def test_a_setuid_file_of_no_interest_and_empty_layers_are_no_trouble(tmp_path: Path, settings: Settings) -> None:
    layers = [layer({}), layer({"usr/bin/su": file(b"\x7fELF" + bytes(5000), mode=0o4755)}), layer({})]
    report = scanned(image(tmp_path, layers), settings)
    assert report.status is Status.COMPLETE
    assert report.packages == ()


def test_what_another_images_links_made_of_a_shared_layer_is_not_ours(tmp_path: Path, settings: Settings) -> None:
    lock = {"lockfileVersion": 3, "packages": {"node_modules/evil": {"version": "6.6.6"}}}
    base = layer({"data/db": json.dumps({"name": "x", "version": "1.0.0"} | lock)})
    ours = layer({"srv/node_modules/left-pad/package.json": symlink("/data/db")})
    theirs = layer({"srv/package-lock.json": symlink("/data/db")})
    good, bad = (image(tmp_path, [base, top], name=name) for name, top in (("good", ours), ("bad", theirs)))
    before = names(scanned(good, settings))
    assert "evil 6.6.6" in names(scanned(bad, settings))
    assert names(scanned(good, settings)) == before
    assert "evil 6.6.6" not in before


def test_a_lying_layer_size_is_found_out_from_the_cache_too(tmp_path: Path, settings: Settings) -> None:
    scanned(image(tmp_path, [layer(BASE)], name="honest"), settings)
    path = image(tmp_path, [layer(BASE)], name="liar")
    index = json.loads((path / "index.json").read_bytes())
    manifest = json.loads((path / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).read_bytes())
    manifest["layers"][0]["size"] += 1
    data = json.dumps(manifest).encode()
    name = hashlib.sha256(data).hexdigest()
    (path / "blobs/sha256" / name).write_bytes(data)
    index["manifests"][0] |= {"digest": f"sha256:{name}", "size": len(data)}
    (path / "index.json").write_text(json.dumps(index))
    report = scanned(path, settings)
    assert "image.layer-size-mismatch" in {finding.rule for finding in report.findings}
    assert report.status is Status.PARTIAL


def test_a_flipped_bit_in_the_cache_changes_nothing(tmp_path: Path, settings: Settings) -> None:
    path = image(tmp_path, [layer(BASE), layer(dist_info("flask", "1.0"))])
    before = names(scanned(path, settings))
    for kept in (settings.cache / "layers").rglob("sha256-*"):
        data = bytearray(kept.read_bytes())
        for at in range(0, len(data), max(1, len(data) // 12)):
            data[at] ^= 4
            kept.write_bytes(data)
            report = scanned(path, settings)
            assert names(report) == before
            data = bytearray(kept.read_bytes())
