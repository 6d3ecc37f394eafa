"""Clients of registries as the command makes them, for the tests of this room.

    with client(it.host) as registry:                              # anonymous; retries in milliseconds
        registry.manifest("app", "latest")
    with client(it.host, settings=RegistrySettings(plain_http=True), environment=login(it.host)) as registry: ...
    session(registry)                                              # that of the registry itself
    layout_of(registry, "app:1.0", tmp_path)                       # a RegistryLayout with its documents in a folder

`noise(n)` is n bytes that no compression makes less; `app(tmp_path, …)` a layout of one image whose layer is noise.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from holdfast.oci.reference import Reference
from holdfast.oci.registry.client import Registry
from holdfast.oci.registry.documents import Documents
from holdfast.oci.registry.endpoint import endpoints
from holdfast.oci.registry.keychain import Keychain
from holdfast.oci.registry.layout import RegistryLayout
from holdfast.oci.registry.session import Session
from holdfast.settings import RegistrySettings
from holdfast.transport.deadline import Deadline
from holdfast.transport.proxy import Proxy
from holdfast.transport.retry import Retry
from holdfast.transport.trust import Trust
from holdfast.transport.wire import Wire
from world import file, image, layer

QUICK = Retry(attempts=4, first=0.001, longest=0.002)
PLAIN = RegistrySettings()
TOLD = RegistrySettings(plain_http=True)
PULL = "repository:app:pull"
_NOBODY = Path("/nonexistent")


@contextmanager
def client(
    name: str,
    *,
    settings: RegistrySettings = PLAIN,
    environment: Mapping[str, str] = {},
    folders: Iterable[Path] = (),
    offline: bool = False,
    proxy: Proxy = Proxy(),
    trust: Trust = Trust(),
    retry: Retry = QUICK,
) -> Iterator[Registry]:
    """A registry's client, with everything that stands behind it."""
    keychain = Keychain.of(environment, _NOBODY, offline=offline)
    with Wire(offline=offline, proxy=proxy, trust=trust) as wire:
        places = endpoints(name, settings, folders)
        yield Registry(name, [Session(place, wire, keychain, retry, Deadline()) for place in places])


def login(host: str, user: str = "ci", password: str = "s3cret") -> dict[str, str]:
    """An environment with credentials for a registry."""
    return {"HOLDFAST_REGISTRY": host, "HOLDFAST_USERNAME": user, "HOLDFAST_PASSWORD": password}


def layout_of(registry: Registry, name: str, folder: Path) -> RegistryLayout:
    """A repository as a layout; `name` is REPOSITORY[:TAG][@DIGEST]."""
    return RegistryLayout(registry, Reference.parse(f"{registry.name}/{name}"), Documents(folder / "documents"))


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def app(where: Path, *sizes: int, name: str = "app") -> Path:
    """A layout of one image with a layer of noise for each size."""
    layers = [layer({f"file-{at}": file(noise(size, at))}) for at, size in enumerate(sizes or (1000,))]
    return image(where, layers, compression="none", name=name)
