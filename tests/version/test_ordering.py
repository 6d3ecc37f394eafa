import subprocess
import sys
from pathlib import Path

import pytest

import holdfast.version
from holdfast.version import ORDERINGS, load, ordering_for

ROOM = Path(holdfast.version.__file__).parent
NOT_ORDERINGS = {"__init__", "ordering", "numeral"}


def test_every_file_of_the_room_is_in_the_table() -> None:
    assert {path.stem for path in ROOM.glob("*.py")} - NOT_ORDERINGS == set(ORDERINGS)


def test_every_file_of_the_room_has_its_test() -> None:
    tested = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert set(ORDERINGS) | {"numeral", "ordering"} <= tested


@pytest.mark.parametrize("name", ORDERINGS)
def test_every_ordering_offers_key_and_parses(name: str) -> None:
    ordering = load(name)
    assert ordering.name == name
    assert ordering.compare("1.2.3", "1.2.4") == -1
    assert ordering.compare("1.2.4", "1.2.3") == 1
    assert ordering.compare("1.2.3", "1.2.3") == 0
    assert hash(ordering.key("1.2.3")) == hash(ordering.key("1.2.3"))
    assert ordering.parses("1.2.3")
    assert not ordering.parses("1.2.3 or so")


def test_an_ordering_is_frozen() -> None:
    with pytest.raises(AttributeError):
        load("deb").name = "other"  # type: ignore[misc]


def test_an_unknown_ordering_names_those_that_exist() -> None:
    with pytest.raises(ValueError, match="no ordering is called 'os'; there are apk"):
        load("os")


@pytest.mark.parametrize(
    ("name", "ordering"),
    [
        ("Debian:12", "deb"),
        ("Ubuntu:22.04:LTS", "deb"),
        ("Ubuntu:Pro:18.04:LTS", "deb"),
        ("Alpine:v3.20", "apk"),
        ("Alpaquita:23", "apk"),
        ("BellSoft Hardened Containers:25", "apk"),
        ("MinimOS", "apk"),
        ("Wolfi", "apk"),
        ("Chainguard", "apk"),
        ("AlmaLinux:9", "rpm"),
        ("Rocky Linux:9", "rpm"),
        ("Red Hat:enterprise_linux:9::appstream", "rpm"),
        ("SUSE:Linux Enterprise Server 15 SP5", "rpm"),
        ("openSUSE:Leap 15.6", "rpm"),
        ("Mageia:9", "rpm"),
        ("openEuler:24.03-LTS", "rpm"),
        ("Photon OS:5.0", "rpm"),
        ("Azure Linux:3", "rpm"),
        ("PyPI", "pep440"),
        ("npm", "semver"),
        ("Go", "go"),
        ("Maven", "maven"),
        ("Maven:https://repo.example.org/maven2", "maven"),
        ("NuGet", "nuget"),
        ("RubyGems", "gem"),
        ("crates.io", "semver"),
        ("Packagist", "composer"),
        ("Packagist:https://packages.drupal.org/8", "composer"),
        ("Bitnami", "bitnami"),
        ("Hackage", "generic"),
        ("GHC", "generic"),
        ("CRAN", "generic"),
        ("Hex", "semver"),
        ("Pub", "pub"),
        ("SwiftURL", "semver"),
        ("ConanCenter", "generic"),
        ("GitHub Actions", "semver"),
        ("Root:Alpine:3.18", "apk"),
        ("Root:PyPI", "pep440"),
        ("deb", "deb"),
        ("rpm", "rpm"),
        ("apk", "apk"),
        ("pypi", "pep440"),
        ("golang", "go"),
        ("maven", "maven"),
        ("nuget", "nuget"),
        ("gem", "gem"),
        ("cargo", "semver"),
        ("composer", "composer"),
        ("bitnami", "bitnami"),
        ("hackage", "generic"),
        ("hex", "semver"),
        ("pub", "pub"),
        ("generic", "generic"),
        ("something new", "generic"),
        ("", "generic"),
    ],
)
def test_an_ecosystem_or_purl_type_has_its_ordering(name: str, ordering: str) -> None:
    assert ordering_for(name).name == ordering


def test_long_versions_are_not_remembered() -> None:
    key = load("deb").key
    assert key("1.0") is key("1.0")
    assert key("1." + "0" * 200) is not key("1." + "0" * 200)


def test_importing_the_room_loads_no_ordering() -> None:
    program = "import sys, holdfast.version; print(*(m for m in sys.modules if m.startswith('holdfast.version.')))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == ["holdfast.version.ordering"]
