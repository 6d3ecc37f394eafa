"""Where a registry, or a mirror of it, is reached, and with what trust."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.oci.reference import DOCKER_HUB, is_registry, is_repository
from holdfast.settings import RegistrySettings
from holdfast.transport.address import Address
from holdfast.transport.trust import Trust

# Docker Hub's API has another host than its name.
_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
# Where Docker and Podman keep what they trust for a registry, in a folder by its name (containers-certs.d(5)).
CERTIFICATE_FOLDERS = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


class Endpoint(Struct, frozen=True):
    """One place that is asked: `schemes` are tried in order, `prefix` stands before each repository.

    `registry` is the name that credentials are kept under; `plain_http` says that it may be had unencrypted.
    """

    registry: str
    host: str
    schemes: tuple[str, ...] = ("https",)
    prefix: str = ""
    trust: Trust = Trust()
    plain_http: bool = False

    def base(self, scheme: str) -> Address:
        """Its address by one of its schemes."""
        return Address.parse(f"{scheme}://{self.host}")

    def repository(self, name: str) -> str:
        """How it calls a repository of the registry."""
        return f"{self.prefix}/{name}" if self.prefix else name


def endpoints(registry: str, settings: RegistrySettings, folders: Iterable[Path] = ()) -> Iterator[Endpoint]:
    """Where to ask for what a registry holds: its mirrors in order, then itself. InputError for a bad mirror.

    A registry on this machine may speak plain http, without credentials. `folders` hold certificates by host.
    """
    folders = tuple(folders)
    for mirror in settings.mirrors:
        scheme, separator, rest = mirror.rpartition("://")
        host, _, prefix = rest.strip("/").partition("/")
        if (separator and scheme not in ("https", "http")) or not is_registry(host):
            raise InputError("not the address of a mirror", where=mirror, remedy="write https://HOST[:PORT][/PREFIX]")
        if prefix and not is_repository(prefix):
            raise InputError("not a prefix of repositories", where=mirror)
        told = scheme == "http"
        yield Endpoint(host, host, _schemes(host, told), prefix, _trust(host, RegistrySettings(), folders), told)
    told, host = settings.plain_http, _HOSTS.get(registry, registry)
    yield Endpoint(registry, host, _schemes(host, told), "", _trust(registry, settings, folders), told)


def _schemes(host: str, plain_http: bool) -> tuple[str, ...]:
    if plain_http:
        return ("http",)
    return ("https", "http") if Address.parse(f"https://{host}").is_loopback else ("https",)


def _trust(registry: str, settings: RegistrySettings, folders: Iterable[Path]) -> Trust:
    """What the settings say; else what a certificates' folder holds: `*.crt` is trusted, `*.cert` with `*.key` ours."""
    if settings.ca_bundle or settings.certificate:
        return Trust(settings.ca_bundle, settings.certificate, settings.key)
    for folder in folders:
        found = folder / registry
        authorities, certificates = sorted(found.glob("*.crt")), sorted(found.glob("*.cert"))
        if authorities or certificates:
            own = certificates[0] if certificates else None
            key = own.with_suffix(".key") if own else None
            return Trust(str(found) if authorities else "", str(own or ""), str(key or ""))
    return Trust()
