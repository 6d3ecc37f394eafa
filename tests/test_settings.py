"""Settings come from a file, then the environment; what is wrong is said with its place."""

from pathlib import Path

import pytest

from holdfast.model.errors import InputError
from holdfast.settings import load


def test_without_anything_the_xdg_places_are_used() -> None:
    settings = load({"HOME": "/home/me"}, is_root=False)
    assert settings.cache == Path("/home/me/.cache/holdfast")
    assert settings.data == Path("/home/me/.local/share/holdfast")
    assert not settings.offline


def test_root_keeps_its_data_where_services_do() -> None:
    assert load({"HOME": "/root"}, is_root=True).data == Path("/var/lib/holdfast")
    assert load({"HOME": "/root", "XDG_DATA_HOME": "/d"}, is_root=True).data == Path("/d/holdfast")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "holdfast"
    folder.mkdir()
    (folder / "holdfast.toml").write_text(
        'offline = true\ncache = "/from/file"\n[feeds]\nosv = "https://osv.example"\n'
    )
    settings = load({"XDG_CONFIG_HOME": str(tmp_path), "HOLDFAST_CACHE": "/from/environment"}, is_root=False)
    assert settings.cache == Path("/from/environment")
    assert settings.offline
    assert settings.feeds.osv == "https://osv.example"
    assert settings.feeds.kev.startswith("https://"), "what is not set keeps its default"


@pytest.mark.parametrize(
    "text",
    [
        "cache = 1", "colour = true", "not toml", '[feeds]\nnvd = "x"', "offline = 'so'",
        "a = " + "[" * 5000, "first_update_seconds = " + "9" * 5000, "first_update_seconds = 0x" + "f" * 5000,
        r'cache = "a\u0000b"', r'data = "a\u0000b"', r'ca_bundle = "a\u0000b"', r'bases = ["a\u0000b"]',
    ],
)  # fmt: skip
def test_a_wrong_setting_is_an_error_with_its_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load({}, is_root=False, file=file)
    assert caught.value.where == str(file)


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load({}, is_root=False, file=tmp_path / "missing.toml")


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "", " ", r"a\\b", r"a\u0000b", r"a\nb"])
def test_an_ecosystem_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(f'[feeds]\necosystems = ["{name}"]')
    with pytest.raises(InputError, match="is no name of an ecosystem"):
        load({}, is_root=False, file=file)
    file.write_text('[feeds]\necosystems = ["Rocky Linux", "Debian:12", "crates.io"]')
    assert load({}, is_root=False, file=file).feeds.ecosystems[1] == "Debian:12"
