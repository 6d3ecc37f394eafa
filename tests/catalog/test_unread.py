"""Packages that nobody here reads yet are said, not passed over."""

from pathlib import Path

import pytest

from holdfast.catalog.unread import UnreadCataloger
from holdfast.fs.memory import MemoryFile
from holdfast.fs.select import Selector
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Found
from holdfast.model.status import Gravity, Problem, Status
from holdfast.scan.plan import plan
from holdfast.scan.scanner import scan
from holdfast.settings import Settings


class Closed(MemoryFile):
    """A file that must not be read."""

    def read(self, limit: int) -> bytes:
        raise AssertionError("read")

    def head(self) -> bytes:
        raise AssertionError("read")


def seen(path: str) -> Found:
    """What is said of a file at this path, as a scan offers it."""
    file = Closed(Entry(path, FileType.FILE, 9, 0o644), b"")
    (cataloger,) = Selector([UnreadCataloger()]).by_path(path)
    return cataloger.read(file)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("var/lib/rpm/Packages", "RPM packages"),
        ("var/lib/rpm/rpmdb.sqlite", "RPM packages"),
        ("usr/lib/sysimage/rpm/Packages.db", "RPM packages"),
        ("usr/share/rpm/rpmdb.sqlite", "RPM packages"),
        ("var/lib/pacman/local/bash-5.2-1/desc", "Pacman packages"),
        ("usr/lib/opkg/status", "opkg packages"),
        ("var/db/pkg/app-shells/bash-5.2/PF", "Portage packages"),
        ("nix/var/nix/db/db.sqlite", "Nix packages"),
        ("opt/conda/conda-meta/openssl-3.0.json", "Conda packages"),
        ("srv/app.jar", "Java archives"),
        ("opt/tomcat/webapps/ROOT.war", "Java archives"),
        ("srv/BOOT-INF/classes/META-INF/maven/g/a/pom.properties", "Java archives"),
        ("usr/local/bundle/specifications/rack-3.0.gemspec", "Ruby gems"),
        ("srv/Gemfile.lock", "Ruby gems"),
        ("srv/Cargo.lock", "Rust crates"),
        ("srv/composer.lock", "PHP packages"),
        ("srv/vendor/composer/installed.json", "PHP packages"),
        ("app/shop.deps.json", ".NET packages"),
        ("app/packages.lock.json", ".NET packages"),
        ("srv/gradle.lockfile", "Java archives"),
    ],
)
def test_what_is_not_read_makes_the_scan_partial(path: str, kind: str) -> None:
    (problem,) = seen(path).problems
    assert (problem.code, problem.gravity) == ("catalog.unsupported", Gravity.PARTIAL)
    assert problem.message.startswith(f"{kind} are not catalogued yet")
    assert problem.where.startswith(f"{kind} (")


@pytest.mark.parametrize(
    "path",
    [
        "usr/share/java/commons-io.jar",
        "usr/lib/jvm/java-17/lib/jrt-fs.jar",
        "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec",
        "usr/share/rubygems-integration/all/specifications/rake-13.gemspec",
        "srv/node_modules/a/Cargo.lock",
        "srv/tests/composer.lock",
    ],
)
def test_what_a_distribution_packaged_or_somebody_else_locked_is_not_told(path: str) -> None:
    assert seen(path) == Found()


def test_many_files_of_a_kind_are_one_problem_with_a_count(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a.jar", "b.jar", "c.war", "Cargo.lock"):
        (root / name).write_bytes(b"PK")
    report = scan(plan(f"dir:{root}"), Settings(cache=tmp_path / "c", data=tmp_path / "d", offline=True))
    assert report.status is Status.PARTIAL
    told: list[Problem] = sorted(report.problems, key=lambda problem: problem.where)
    assert [(problem.where.partition(" (")[0], problem.count) for problem in told] == [
        ("Java archives", 3),
        ("Rust crates", 1),
    ]
