"""Where a registry is asked, by which scheme, and with what trust."""

from pathlib import Path

import pytest

from holdfast.model.errors import InputError
from holdfast.oci.registry.endpoint import endpoints
from holdfast.settings import RegistrySettings
from holdfast.transport.trust import Trust
from oci.registry.clients import PLAIN


def only(registry: str, settings: RegistrySettings = PLAIN, *folders: Path) -> Trust:
    (endpoint,) = endpoints(registry, settings, folders)
    return endpoint.trust


def certificates(folder: Path, registry: str, *names: str) -> Path:
    place = folder / registry
    place.mkdir(parents=True)
    for name in names:
        (place / name).write_text(name)
    return place


@pytest.mark.parametrize(
    ("registry", "told", "bases"),
    [
        ("ghcr.io", False, ["https://ghcr.io"]),
        ("ghcr.io", True, ["http://ghcr.io"]),
        ("docker.io", False, ["https://registry-1.docker.io"]),
        ("10.0.0.1:5000", False, ["https://10.0.0.1:5000"]),
        ("localhost:5000", False, ["https://localhost:5000", "http://localhost:5000"]),
        ("127.0.0.9", False, ["https://127.0.0.9", "http://127.0.0.9"]),
        ("[::1]:5000", False, ["https://[::1]:5000", "http://[::1]:5000"]),
        ("localhost:5000", True, ["http://localhost:5000"]),
    ],
)
def test_plain_http_is_tried_on_this_machine_and_where_told_only(registry: str, told: bool, bases: list[str]) -> None:
    (endpoint,) = endpoints(registry, RegistrySettings(plain_http=told))
    assert [endpoint.base(scheme).url for scheme in endpoint.schemes] == bases
    assert (endpoint.registry, endpoint.plain_http) == (registry, told)


def test_mirrors_come_first_with_their_prefix_and_their_own_name() -> None:
    settings = RegistrySettings(mirrors=("https://mirror.test/hub/", "cache.test:8080", "http://old.test/a/b"))
    first, second, third, own = endpoints("docker.io", settings)
    assert (first.registry, first.repository("library/nginx")) == ("mirror.test", "hub/library/nginx")
    assert (second.host, second.schemes, second.repository("a")) == ("cache.test:8080", ("https",), "a")
    assert (third.schemes, third.plain_http, third.repository("a")) == (("http",), True, "a/b/a")
    assert (own.registry, own.host) == ("docker.io", "registry-1.docker.io")


@pytest.mark.parametrize(
    "mirror",
    [
        "",
        "ftp://mirror.test",
        "https://",
        "mirror.test/../x",
        "https://mirror.test/A",
        "user:password@mirror.test",
        "a b",
    ],
)
def test_what_is_no_mirror(mirror: str) -> None:
    with pytest.raises(InputError):
        list(endpoints("ghcr.io", RegistrySettings(mirrors=(mirror,))))


class TestCertificates:
    def test_what_docker_and_podman_keep_for_a_registry(self, tmp_path: Path) -> None:
        place = certificates(tmp_path, "r.test:5000", "ca.crt", "me.cert", "me.key")
        assert only("r.test:5000", RegistrySettings(), tmp_path) == Trust(
            str(place), str(place / "me.cert"), str(place / "me.key")
        )
        assert only("other.test", RegistrySettings(), tmp_path) == Trust()

    def test_the_first_folder_that_has_any_counts(self, tmp_path: Path) -> None:
        first = certificates(tmp_path / "containers", "r.test", "ca.crt")
        certificates(tmp_path / "docker", "r.test", "ca.crt", "me.cert")
        (tmp_path / "empty" / "r.test").mkdir(parents=True)
        folders = [tmp_path / name for name in ("empty", "containers", "docker")]
        assert only("r.test", RegistrySettings(), *folders) == Trust(str(first))

    def test_the_settings_count_before_any_folder(self, tmp_path: Path) -> None:
        certificates(tmp_path, "r.test", "ca.crt", "me.cert")
        settings = RegistrySettings(ca_bundle="/own.pem")
        assert only("r.test", settings, tmp_path) == Trust("/own.pem")

    def test_a_mirror_is_not_shown_what_is_for_the_registry(self) -> None:
        settings = RegistrySettings(("https://mirror.test",), certificate="/me.pem", key="/me.key")
        mirror, own = endpoints("r.test", settings)
        assert (mirror.trust, own.trust) == (Trust(), Trust("", "/me.pem", "/me.key"))
