"""From what single files show to the packages of an image."""

import pytest

from catalog.samples import GO_MOD, GO_SUM, PACKAGE_LOCK, paragraph, read, status
from holdfast.catalog import CATALOGERS
from holdfast.catalog.assemble import Piece, assemble
from holdfast.fs.select import Selector
from holdfast.model.artifact import Side
from holdfast.model.found import Claim, Found
from holdfast.model.package import Distribution, Origin, Package

DEBIAN = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)")
SELECTOR = Selector(CATALOGERS)


def piece(path: str, content: str, diff_id: str = "sha256:base", side: Side = Side.BASE) -> list[Piece]:
    return [(path, diff_id, side, read(cataloger, path, content)) for cataloger in SELECTOR.by_path(path)]


def shown(package: Package, path: str, diff_id: str = "sha256:base") -> Piece:
    return (path, diff_id, Side.BASE, Found((package,)))


def dpkg(*paragraphs: str) -> list[Piece]:
    return piece("var/lib/dpkg/status", status(*paragraphs))


def purls(found: list[Piece], distribution: Distribution | None = DEBIAN) -> list[str]:
    return [package.purl for package in assemble(found, distribution)]


def metadata(name: str, version: str) -> str:
    return f"Name: {name}\nVersion: {version}\n\n"


@pytest.mark.parametrize(
    ("package", "distribution", "purl"),
    [
        (
            Package("openssl", "3.0.11-1", "deb", architecture="amd64"),
            DEBIAN,
            "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12",
        ),
        (
            Package("zlib1g", "1:1.2.13-1", "deb", architecture="amd64", source_name="zlib"),
            DEBIAN,
            "pkg:deb/debian/zlib1g@1:1.2.13-1?arch=amd64&distro=debian-12&upstream=zlib",
        ),
        (
            Package("bash", "5.2-2+b1", "deb", source_version="5.2-2"),
            Distribution("debian", codename="trixie"),
            "pkg:deb/debian/bash@5.2-2%2Bb1?distro=debian-trixie&upstream=bash%405.2-2",
        ),
        (Package("a", "1", "deb"), None, "pkg:deb/a@1"),
        (
            Package("libcrypto3", "3.3.2-r0", "apk", architecture="x86_64", source_name="openssl"),
            Distribution("alpine", "3.20.3"),
            "pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=openssl",
        ),
        (Package("zope-interface", "5.4.0", "pypi"), DEBIAN, "pkg:pypi/zope-interface@5.4.0"),
        (Package("@babel/core", "7.12.3", "npm"), DEBIAN, "pkg:npm/%40babel/core@7.12.3"),
        (Package("github.com/x/y/v2", "v2.0.1", "golang"), DEBIAN, "pkg:golang/github.com/x/y/v2@v2.0.1"),
        (Package("stdlib", "1.21.5", "golang"), DEBIAN, "pkg:golang/stdlib@1.21.5"),
        (Package("a.org/b", "", "golang"), DEBIAN, "pkg:golang/a.org/b"),
    ],
)  # fmt: skip
def test_purls_follow_the_rules_of_their_type(package: Package, distribution: Distribution | None, purl: str) -> None:
    assert purls([shown(package, "x")], distribution) == [purl]


def test_a_package_in_several_places_of_a_layer_is_one() -> None:
    package = Package("a", "1.0.0", "npm", licenses=("MIT",))
    found = [shown(package, "z/a"), shown(package, "b/a"), shown(package, "b/a"), shown(package, "c/a", "sha256:app")]
    first, second = assemble(found, None)
    assert (first.diff_id, first.locations) == ("sha256:app", ("c/a",))
    assert (second.diff_id, second.locations) == ("sha256:base", ("b/a", "z/a"))


def test_licences_come_from_copyright_files_and_through_the_source_package() -> None:
    found = dpkg(paragraph("gcc-12-base", Source="gcc-12"), paragraph("libgcc-s1", Source="gcc-12"), paragraph("bash"))
    found += piece("usr/share/doc/gcc-12-base/copyright", "License: GPL-3+\n")
    assert [package.licenses for package in assemble(found, DEBIAN)] == [(), ("GPL-3+",), ("GPL-3+",)]


def test_a_language_package_that_an_os_package_installed_stays_and_says_whose_it_is() -> None:
    found = dpkg(paragraph("python3-six", "1.16.0-4"))
    found += piece("var/lib/dpkg/info/python3-six.list", "/.\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n")
    found += piece("usr/lib/python3/dist-packages/six-1.16.0.egg-info", metadata("six", "1.16.0"))
    found += piece("srv/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA", metadata("six", "1.16.0"))
    system, own, owned = assemble(found, DEBIAN)
    assert (own.owner, own.locations[0][:3]) == ("", "srv")
    assert owned.owner == system.purl


@pytest.mark.parametrize(("is_merged", "is_owned"), [(True, True), (False, False)])
def test_files_are_known_by_their_old_name_where_usr_is_merged(is_merged: bool, is_owned: bool) -> None:
    path = "usr/lib/node_modules/a/package.json"
    found = dpkg(paragraph("node-a"))
    found += [("l", "", Side.BASE, Found(claims=(Claim("node-a:amd64", b"/lib/node_modules/a/package.json"),)))]
    found.append(shown(Package("a", "1.0.0", "npm"), path))
    packages = assemble(found, DEBIAN, lambda top: f"usr/{top}" if is_merged else top)
    assert [bool(package.owner) for package in packages if package.type == "npm"] == [is_owned]


def test_a_claim_of_a_package_that_is_not_installed_owns_nothing() -> None:
    found = piece("var/lib/dpkg/info/gone.list", "/srv/node_modules/a/package.json\n")
    found.append(shown(Package("a", "1.0.0", "npm"), "srv/node_modules/a/package.json"))
    assert [package.owner for package in assemble(found, DEBIAN)] == [""]


def test_npms_lock_file_counts_only_where_nothing_is_installed_beside_it() -> None:
    lock = piece("srv/package-lock.json", PACKAGE_LOCK) + piece("opt/package-lock.json", PACKAGE_LOCK)
    installed = piece("srv/node_modules/express/package.json", '{"name": "express", "version": "4.17.1"}')
    packages = assemble(lock + installed, None)
    assert {(p.origin, p.locations) for p in packages if p.name == "express"} == {
        (Origin.INSTALLED, ("srv/node_modules/express/package.json",)),
        (Origin.DECLARED, ("opt/package-lock.json",)),
    }
    assert {p.locations for p in packages if p.name == "qs"} == {("opt/package-lock.json",)}


def test_a_python_pin_counts_only_where_that_name_is_not_installed() -> None:
    found = piece("srv/requirements.txt", "flask==2.0.0\ndjango==3.2.0\n")
    found += piece("usr/lib/python3.11/site-packages/flask-2.0.1.dist-info/METADATA", metadata("Flask", "2.0.1"))
    assert purls(found) == ["pkg:pypi/django@3.2.0", "pkg:pypi/flask@2.0.1"]


def test_a_python_package_of_the_distribution_does_not_answer_for_a_pin() -> None:
    found = dpkg(paragraph("python3-six")) + piece("srv/requirements.txt", "six==1.10.0\n")
    found += piece("var/lib/dpkg/info/python3-six.list", "/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n")
    found += piece("usr/lib/python3/dist-packages/six-1.16.0.egg-info", metadata("six", "1.16.0"))
    assert [p.version for p in assemble(found, DEBIAN) if p.type == "pypi"] == ["1.10.0", "1.16.0"]


def test_go_sum_adds_only_what_the_go_mod_beside_it_leaves_out() -> None:
    found = piece("srv/go.mod", GO_MOD) + piece("srv/go.sum", GO_SUM.replace("v1.7.0", "v1.9.9"))
    assert "pkg:golang/golang.org/x/net@v0.2.0" in purls(found)
    assert [purl for purl in purls(found) if "gin-gonic" in purl] == ["pkg:golang/github.com/gin-gonic/gin@v1.7.0"]


def test_development_only_where_every_lock_file_says_so() -> None:
    lock = '{"packages": {"node_modules/a": {"version": "1.0.0", "dev": true}}}'
    found = piece("a/package-lock.json", lock)
    assert [p.development for p in assemble(found, None)] == [True]
    found += piece("b/package-lock.json", lock.replace("true", "false"))
    assert [p.development for p in assemble(found, None)] == [False]


def test_the_order_of_the_files_does_not_matter() -> None:
    found = dpkg(paragraph("b"), paragraph("a")) + piece("srv/package-lock.json", PACKAGE_LOCK)
    found += piece("srv/requirements.txt", "b==1\na==2\n") + piece("srv/go.sum", GO_SUM)
    packages = assemble(found, DEBIAN)
    assert assemble(found[::-1], DEBIAN) == packages
    keys = [(package.type, package.name, package.version) for package in packages]
    assert keys == sorted(keys)
