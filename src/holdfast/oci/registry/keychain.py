"""Where the credentials of a user are looked for: the environment, Podman's and Docker's files, their helpers."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from holdfast.model.errors import HoldfastError, InputError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.reference import DOCKER_HUB, registry_named
from holdfast.oci.registry import credential_helper
from holdfast.oci.registry.auth_file import AuthFile, canonical, known_places
from holdfast.oci.registry.credential import Credential

_HUB_SERVER = "https://index.docker.io/v1/"  # what `docker login` keeps Docker Hub under
ENVIRONMENT = "environment"
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Answer:
    """What a helper said, once it was asked."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = False
        self.credential: Credential | None = None


class Keychain:
    """The credentials of one user. What is wrong with where they are looked for is a problem, and never an error.

    Nothing is read before the first question. It may be used from several threads; a helper is asked once for a
    registry, and with `offline` not at all, since those of clouds ask the network.
    """

    def __init__(self, environment: Mapping[str, str], home: Path, *, offline: bool = False) -> None:
        self.problems: list[Problem] = []
        self._environment, self._home, self._offline = dict(environment), home, offline
        self._lock = threading.RLock()
        self._own: tuple[str, Credential] | None = None
        self._files: list[AuthFile] | None = None
        self._answers: dict[tuple[str, str], _Answer] = {}

    @classmethod
    def of(cls, environment: Mapping[str, str], home: Path, *, offline: bool = False) -> Self:
        """The keychain of a user with this environment and home."""
        return cls(environment, home, offline=offline)

    def credential(self, registry: str, repository: str = "") -> Credential | None:
        """The credential for a repository of a registry; None where nothing is known."""
        registry = canonical(registry)
        files = self._read()
        if self._own is not None and self._own[0] == registry:
            return self._own[1]
        for file in files:
            name = file.helper(registry, repository)
            found = self._from_helper(name, registry) if name else None
            if found := found or self._try(file.where, file.credential, registry, repository):
                return found
        return None

    def forget(self, registry: str) -> bool:
        """Ask helpers again the next time, since what they gave was refused; whether there is one to ask."""
        server = _server(canonical(registry))
        with self._lock:
            given = [key for key, answer in self._answers.items() if key[1] == server and answer.credential]
            for key in given:
                del self._answers[key]
        return bool(given)

    def _read(self) -> list[AuthFile]:
        with self._lock:
            if self._files is None:
                self._own = self._try(ENVIRONMENT, self._from_environment)
                self._files = list(self._from_files())
            return self._files

    def _from_environment(self) -> tuple[str, Credential] | None:
        """The registry that HOLDFAST_REGISTRY names, and the credential for it."""
        host, username, password, token = (
            self._environment.get(f"HOLDFAST_{name}", "") for name in ("REGISTRY", "USERNAME", "PASSWORD", "TOKEN")
        )
        if not host:
            if username or password or token:
                what = "HOLDFAST_USERNAME, HOLDFAST_PASSWORD and HOLDFAST_TOKEN are for no registry, and are not used"
                raise InputError(what, remedy="set HOLDFAST_REGISTRY to the host that they are for")
            return None
        if not token and not (username and password):
            what = "HOLDFAST_REGISTRY is set, and no credentials for it"
            raise InputError(what, remedy="set HOLDFAST_USERNAME and HOLDFAST_PASSWORD, or HOLDFAST_TOKEN")
        registry = registry_named(host)
        found = Credential.of(ENVIRONMENT, username=username, password=password, registry_token=token)
        return (registry, found) if found else None

    def _from_files(self) -> Iterator[AuthFile]:
        if written := self._environment.get("DOCKER_AUTH_CONFIG"):
            name = "DOCKER_AUTH_CONFIG"
            if file := self._try(name, AuthFile.parse, written.encode(errors="replace"), name):
                yield file
        named = self._environment.get("REGISTRY_AUTH_FILE")
        if named and (file := self._file(Path(named), required=True)):
            yield file
        for path in known_places(self._environment, self._home):
            if file := self._file(path):
                yield file

    def _from_helper(self, name: str, registry: str) -> Credential | None:
        server = _server(registry)
        if self._offline:
            what = f"the credential helper {name[:64]!a} was not asked: --offline"
            self._note(Problem("credentials.helper", what, where=registry))
            return None
        with self._lock:
            answer = self._answers.setdefault((name, server), _Answer())
        with answer.lock:
            if not answer.known:
                answer.credential = self._try(registry, credential_helper.ask, name, server, self._environment)
                answer.known = True
            return answer.credential

    def _file(self, path: Path, *, required: bool = False) -> AuthFile | None:
        """The file at a path, which is shown as people write it. That one is absent is news where it is `required`."""
        shown = f"~/{path.relative_to(self._home)}" if path.is_relative_to(self._home) else str(path)
        return self._try(shown, AuthFile.read, path, shown, required=required)

    def _try(self, where: str, do: Callable[_P, _T | None], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """What `do` gives; None, and a problem, where that fails."""
        try:
            return do(*args, **kwargs)
        except HoldfastError as error:
            self._note(Problem.of("credentials.unusable", error, where=where))
            return None

    def _note(self, problem: Problem) -> None:
        noted = Problem(problem.code, problem.message, Gravity.NOTE, problem.where, problem.remedy)
        with self._lock:
            if noted not in self.problems:
                self.problems.append(noted)


def _server(registry: str) -> str:
    """What a helper is asked for."""
    return _HUB_SERVER if registry == DOCKER_HUB else registry
