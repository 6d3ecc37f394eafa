"""Opening what a plan names, wherever that is; connections, tokens and engines are kept for the next one."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from holdfast.model.artifact import Platform
from holdfast.model.errors import AuthError, NotFound, SourceError
from holdfast.model.status import Problem
from holdfast.oci.integrity import Mismatched
from holdfast.oci.open import open_image
from holdfast.oci.reference import DOCKER_HUB
from holdfast.oci.source import Source
from holdfast.scan.plan import ENGINES, Plan
from holdfast.settings import RegistrySettings, Settings

if TYPE_CHECKING:
    from holdfast.oci.image import ImageSource
    from holdfast.oci.registry.client import Registry
    from holdfast.oci.registry.keychain import Keychain
    from holdfast.oci.registry.layout import RegistryLayout
    from holdfast.runtime.engine import Engine
    from holdfast.transport.wire import Wire


class Opener:
    """Opens images on disk, in registries and in engines; a context manager.

    `environment` and `home` are where credentials and engines are looked for. `last_digest` tells which digest a
    reference led to when it was last seen, so that nothing is fetched twice.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        home: Path,
        *,
        last_digest: Callable[[str], str] = lambda _reference: "",
    ) -> None:
        self._settings, self._environment, self._home = settings, environment, home
        self._last_digest = last_digest
        self._stack = ExitStack()
        self._wire_open: Wire | None = None
        self._keys: Keychain | None = None
        self._registries: dict[str, Registry] = {}
        self._engines: dict[str, Engine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, plan: Plan, platform: Platform | None) -> Source:
        """The image that a plan names, open."""
        if plan.kind == "registry":
            return self._open_registry(plan, platform)
        if plan.kind in ENGINES:
            return self.engine(plan.kind).open(plan.reference, platform)
        return open_image(plan.kind, plan.path, plan.tag, platform)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong with credentials on the way."""
        return tuple(self._keys.problems) if self._keys else ()

    def registry(self, name: str) -> "Registry":
        """The client of a registry, by its name."""
        if name not in self._registries:
            from holdfast.oci.registry.client import Registry
            from holdfast.oci.registry.endpoint import CERTIFICATE_FOLDERS, endpoints
            from holdfast.oci.registry.session import Session
            from holdfast.transport.deadline import Deadline
            from holdfast.transport.retry import Retry

            settings = self._settings.registries.get(name, RegistrySettings())
            sessions = [
                Session(endpoint, self.wire, self._keychain(), Retry(), Deadline())
                for endpoint in endpoints(name, settings, CERTIFICATE_FOLDERS)
            ]
            self._registries[name] = Registry(name, sessions)
        return self._registries[name]

    def engine(self, kind: str) -> "Engine":
        """The engine of a kind, connected."""
        if kind not in self._engines:
            from holdfast.runtime.find import open_engine

            address = getattr(self._settings.engines, kind)
            engine = open_engine(kind, address, self._environment, self._home, self.wire)
            self._stack.callback(engine.close)
            self._engines[kind] = engine
        return self._engines[kind]

    def layout(self, plan: Plan) -> "RegistryLayout":
        """The repository of a plan's reference, as a layout; nothing is asked yet."""
        from holdfast.oci.reference import Reference
        from holdfast.oci.registry.documents import Documents
        from holdfast.oci.registry.layout import RegistryLayout

        reference = Reference.parse(plan.reference)
        documents = Documents(self._settings.cache / "documents")
        return RegistryLayout(self.registry(reference.registry), reference, documents)

    def _open_registry(self, plan: Plan, platform: Platform | None) -> "ImageSource":
        from holdfast.oci.budget import IMAGE_BUDGET
        from holdfast.oci.reader import LayoutReader

        layout = self.layout(plan)
        try:
            root = layout.root(self._last_digest(plan.reference))
        except SourceError as error:
            raise _as_typed(error, plan) from error
        return LayoutReader(layout, "registry", plan.reference, IMAGE_BUDGET).open_from([root], platform)

    @property
    def wire(self) -> "Wire":
        """The connections of this process; none is open before it is first asked for."""
        if self._wire_open is None:
            from holdfast.transport.proxy import Proxy
            from holdfast.transport.trust import Trust
            from holdfast.transport.wire import Wire

            settings = self._settings
            proxy = Proxy(settings.proxy, settings.no_proxy)
            self._wire_open = Wire(offline=settings.offline, proxy=proxy, trust=Trust(settings.ca_bundle))
            self._stack.callback(self._wire_open.close)
        return self._wire_open

    def _keychain(self) -> "Keychain":
        if self._keys is None:
            from holdfast.oci.registry.keychain import Keychain

            self._keys = Keychain.of(self._environment, self._home, offline=self._settings.offline)
        return self._keys


def _as_typed(error: SourceError, plan: Plan) -> SourceError:
    """The error, in view of what was typed: a name without a prefix may have been meant for something else."""
    if not plan.guessed or isinstance(error, Mismatched):
        return error
    hint = f"no file or folder is called {plan.name} either"
    if plan.reference.startswith(f"{DOCKER_HUB}/"):
        hint += f"; an engine's image is docker:{plan.name} or podman:{plan.name}"
    remedy = f"{error.remedy}; {hint}" if error.remedy else hint
    kind = type(error) if isinstance(error, AuthError | NotFound) else SourceError
    return kind(error.what, where=error.where, remedy=remedy)
